/* Models and data for the commands that use them, compiled once for each precision (commands.h). */
#include "model.h"

#define loaded_read IN_PRECISION(loaded_read)
#define loaded_free IN_PRECISION(loaded_free)

void loaded_read(loaded *self, const model_settings *settings, tl_error *error) {
    tl_load_cfg cfg = {.threads = (int)settings->common.threads,
                       .compile = {.batch = (size_t)settings->batch, .inference_only = settings->common.operand[1] != NULL}};
    *self = (loaded){.settings = settings};
    tl_engine_by_name(settings->engine, &cfg.engine, error);
    self->model = tl_model_load(settings->common.operand[0], &cfg, &self->info, error);
    if (!self->model || !settings->common.operand[1]) return;
    const tl_read_cfg like = {.like = &self->info.data, .raw = self->info.raw, .segment = self->info.data.x.shape[1]};
    self->data = tl_dataset_read(settings->common.operand[1], &like, error);
}

void loaded_free(loaded *self) {
    tl_dataset_free(self->data);
    tl_model_info_release(&self->info);
    tl_model_free(self->model);
}
