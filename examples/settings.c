/* Settings as words of a command line, such as optimizer=sgd schedule=one-cycle: every choice of the library has a name. For an
 * unknown value, tl_…_by_name lists all names; for an unknown key, tl_suggest finds the most similar one. */
#include <tapline/tapline.h>

#include <stdio.h>
#include <string.h>

typedef struct settings {
    const tl_optimizer_ops *optimizer;
    tl_schedule_kind schedule;
    tl_loss_kind loss;
    tl_engine engine;
    tl_conv1d_cfg conv;
} settings;

static const char *const keys[] = {"optimizer", "schedule", "loss", "engine", "init", "padding", "padding-mode", NULL};

static const char *key_at(const void *list, size_t index) { return ((const char *const *)list)[index]; }

static void set(settings *self, const char *key, const char *value, tl_error *error) {
    if (strcmp(key, "optimizer") == 0) self->optimizer = tl_optimizer_by_name(value, error);
    if (strcmp(key, "schedule") == 0) tl_schedule_by_name(value, &self->schedule, error);
    if (strcmp(key, "loss") == 0) tl_loss_by_name(value, &self->loss, error);
    if (strcmp(key, "engine") == 0) tl_engine_by_name(value, &self->engine, error);
    if (strcmp(key, "init") == 0) tl_init_by_name(value, &self->conv.init, error);
    if (strcmp(key, "padding") == 0) tl_padding_by_name(value, &self->conv.padding, error);
    if (strcmp(key, "padding-mode") == 0) tl_padding_mode_by_name(value, &self->conv.padding_mode, error);
    const char *similar = tl_suggest(key, key_at, keys); /* the key itself, if it is one */
    if (similar && strcmp(similar, key) != 0)
        tl_fail(error, TL_ERROR_ARGUMENT, "setting %s is unknown; did you mean %s?", key, similar);
    if (!similar) tl_fail(error, TL_ERROR_ARGUMENT, "setting %s is unknown", key);
}

int main(int argc, char **argv) {
    tl_error error = {0};
    tl_fit_result fit = {0};
    settings self = {.optimizer = tl_adam(), .conv = {.filters = 16, .kernel = 9, .padding = TL_PADDING_SAME}};
    for (int i = 1; i < argc; i++) {
        char key[20] = "", value[30] = "";
        if (sscanf(argv[i], "%19[^=]=%29s", key, value) != 2) tl_fail(&error, TL_ERROR_ARGUMENT, "%s: expected KEY=VALUE", argv[i]);
        set(&self, key, value, &error);
    }
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .engine = self.engine});
    tl_node x = tl_input(model, (tl_shape){.length = 128, .channels = 1});
    x = tl_global_average_pool(model, tl_relu(model, tl_conv1d(model, x, &self.conv)));
    x = tl_dense(model, x, &(tl_dense_cfg){.units = 3});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10, .loss = self.loss, .optimizer = {.ops = self.optimizer}}, &error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 5, .schedule = {.kind = self.schedule}}, &fit, &error);
    printf("%s, %s, engine %s, init %s, padding %s of %s; one of", tl_schedule_name(self.schedule), tl_loss_name(self.loss),
           tl_engine_name(self.engine), tl_init_name(self.conv.init), tl_padding_name(self.conv.padding),
           tl_padding_mode_name(self.conv.padding_mode));
    for (size_t i = 0; tl_optimizer_name(i); i++) printf(" %s", tl_optimizer_name(i));
    printf("\nloss %.3f\n", fit.best_loss);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_free(model);
    tl_dataset_free(data);
    return tl_failed(&error);
}
