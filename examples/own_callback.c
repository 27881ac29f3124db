/* Two callbacks. Your own keeps the model with the best F1 on held-out series, which tl_fit does not know, and ends the training
 * when F1 no longer rises. The other one is the library's: it writes a table of the epochs. */
#include <tapline/tapline.h>

#include <stdio.h>

static const char *const best_model = "best.safetensors", *const history = "history.csv";

typedef struct watch {
    const tl_dataset *held_out;
    double best;
    int best_epoch, patience;
    tl_error error;
} watch;

static bool watch_f1(const tl_progress *at, void *user) {
    watch *self = user;
    tl_metrics metrics;
    if (!at->epoch_end) return true;
    if (tl_evaluate(at->model, self->held_out, &metrics, &self->error) != TL_OK) return false;
    if (metrics.f1 > self->best) {
        self->best = metrics.f1;
        self->best_epoch = at->epoch;
        tl_model_save(at->model, best_model, NULL, &self->error);
    }
    return !tl_failed(&self->error) && at->epoch - self->best_epoch < self->patience;
}

int main(void) {
    tl_error error = {0};
    tl_fit_result fit = {0};
    tl_metrics metrics = {0};
    tl_dataset *train = NULL, *held_out = NULL, *all = tl_dataset_read("builtin:synthetic-control", NULL, &error);
    if (all) tl_dataset_fold(all, 5, 0, 1, &train, &held_out, &error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = 60, .channels = 1});
    x = tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 32, .kernel = 9}), NULL));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = 6});
    const tl_optimizer_cfg adam = {.learning_rate = 0.01};
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 24, .optimizer = adam}, &error);

    tl_csv_log *log = tl_csv_log_check(history, &error) == TL_OK ? tl_csv_log_new(history, false, &error) : NULL;
    watch f1 = {.held_out = held_out, .patience = 10};
    tl_fit(model, train, &(tl_fit_cfg){.epochs = 500, .callbacks = {{watch_f1, &f1}, {tl_csv_log_epoch, log}}}, &fit, &error);
    if (tl_failed(tl_csv_log_error(log))) fprintf(stderr, "%s\n", tl_csv_log_error(log)->text); /* which did not end the training */
    tl_csv_log_close(log, &error);
    tl_model *best = tl_model_load(best_model, NULL, NULL, &error);
    tl_evaluate(best, held_out, &metrics, &error);
    printf("F1 %.3f after epoch %d of %d\n", metrics.f1, f1.best_epoch, fit.epochs);
    if (tl_failed(&error) || tl_failed(&f1.error)) fprintf(stderr, "%s%s\n", f1.error.text, error.text);

    tl_model_free(best);
    tl_model_free(model);
    tl_dataset_free(held_out);
    tl_dataset_free(train);
    tl_dataset_free(all);
    return tl_failed(&error) || tl_failed(&f1.error) || !fit.stopped || metrics.f1 < 0.8;
}
