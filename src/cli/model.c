/* Models and data for the commands that use them, compiled once for each precision (commands.h). */
#include "model.h"

#define loaded_read IN_PRECISION(loaded_read)
#define loaded_free IN_PRECISION(loaded_free)

/* Where lengths may differ, the shorter of model and data becomes as long as the other. */
static void fit_length(loaded *self, tl_load_cfg *cfg, tl_error *error) {
    if (!self->data || self->data->x.shape[1] == self->info.data.x.shape[1]) return;
    if (self->data->x.shape[1] < self->info.data.x.shape[1]) {
        tl_dataset_pad(self->data, self->info.data.x.shape[1], error);
        return;
    }
    cfg->length = self->data->x.shape[1];
    tl_model_free(self->model);
    self->model = tl_model_load(self->settings->common.operand[0], cfg, NULL, error);
}

void loaded_read(loaded *self, const model_settings *settings, tl_error *error) {
    tl_load_cfg cfg = {.threads = (int)settings->common.threads,
                       .compile = {.batch = (size_t)settings->batch, .inference_only = settings->common.operand[1] != NULL}};
    *self = (loaded){.settings = settings};
    tl_engine_by_name(settings->engine, &cfg.engine, error);
    self->model = tl_model_load(settings->common.operand[0], &cfg, &self->info, error);
    if (!self->model || !settings->common.operand[1]) return;
    tl_read_cfg like = {
        .like = &self->info.data, .raw = self->info.raw, .missing = self->info.missing, .segment = self->info.data.x.shape[1]};
    if (settings->missing) tl_missing_by_name(settings->missing, &like.missing, error);
    self->data = tl_dataset_read(settings->common.operand[1], &like, error);
    fit_length(self, &cfg, error);
}

void loaded_free(loaded *self) {
    tl_dataset_free(self->data);
    tl_model_info_release(&self->info);
    tl_model_free(self->model);
}
