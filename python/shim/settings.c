/* Configurations as JSON. A key that is left out has the library's default. */
#include "python/shim/settings.h"

#include "base/setting.h"
#include "io/json.h"

#include <string.h>

static const char *engine_at(size_t index) { return tl_engine_name((tl_engine)index); }
static const char *loss_at(size_t index) { return tl_loss_name((tl_loss_kind)index); }
static const char *schedule_at(size_t index) { return tl_schedule_name((tl_schedule_kind)index); }

#define MODEL(member) offsetof(tl_shim_model_settings, member)
#define OPTIMIZER(member) offsetof(tl_shim_model_settings, compile.optimizer.member)
#define FIT(member) offsetof(tl_fit_cfg, member)

/* Of a model and of its compilation: tl_model_cfg, tl_compile_cfg, tl_optimizer_cfg. */
static const tl_setting model_settings[] = {
    {"seed", TL_SETTING_SIZE, MODEL(seed), NULL},
    {"threads", TL_SETTING_INTEGER, MODEL(model.threads), NULL},
    {"engine", TL_SETTING_CHOICE, MODEL(model.engine), engine_at},
    {"batch", TL_SETTING_SIZE, MODEL(compile.batch), NULL},
    {"loss", TL_SETTING_CHOICE, MODEL(compile.loss), loss_at},
    {"inference_only", TL_SETTING_FLAG, MODEL(compile.inference_only), NULL},
    {"fold_batch_norm", TL_SETTING_UNLESS, MODEL(compile.no_fold_batch_norm), NULL},
    {"input_gradient", TL_SETTING_FLAG, MODEL(compile.input_gradient), NULL},
    {"label_smoothing", TL_SETTING_NUMBER, MODEL(compile.label_smoothing), NULL},
    {"huber_delta", TL_SETTING_NUMBER, MODEL(compile.huber_delta), NULL},
    {"clip_value", TL_SETTING_NUMBER, MODEL(compile.clip_value), NULL},
    {"clip_norm", TL_SETTING_NUMBER, MODEL(compile.clip_norm), NULL},
    {"max_memory", TL_SETTING_SIZE, MODEL(compile.max_memory), NULL},
    {"optimizer", TL_SETTING_CHOICE, MODEL(optimizer), tl_optimizer_name},
    {"learning_rate", TL_SETTING_NUMBER, OPTIMIZER(learning_rate), NULL},
    {"momentum", TL_SETTING_NUMBER, OPTIMIZER(momentum), NULL},
    {"nesterov", TL_SETTING_FLAG, OPTIMIZER(nesterov), NULL},
    {"weight_decay", TL_SETTING_NUMBER, OPTIMIZER(weight_decay), NULL},
    {"l1", TL_SETTING_NUMBER, OPTIMIZER(l1), NULL},
    {"beta1", TL_SETTING_NUMBER, OPTIMIZER(beta1), NULL},
    {"beta2", TL_SETTING_NUMBER, OPTIMIZER(beta2), NULL},
    {"alpha", TL_SETTING_NUMBER, OPTIMIZER(alpha), NULL},
    {"epsilon", TL_SETTING_NUMBER, OPTIMIZER(epsilon), NULL},
    {"length", TL_SETTING_SIZE, MODEL(length), NULL},
    {0},
};

/* Of a training: tl_fit_cfg, with its schedule and its variations. */
static const tl_setting fit_settings[] = {
    {"epochs", TL_SETTING_INTEGER, FIT(epochs), NULL},
    {"batch", TL_SETTING_SIZE, FIT(batch), NULL},
    {"accumulate", TL_SETTING_SIZE, FIT(accumulate), NULL},
    {"restore_best", TL_SETTING_FLAG, FIT(restore_best), NULL},
    {"patience", TL_SETTING_INTEGER, FIT(patience), NULL},
    {"keep_order", TL_SETTING_FLAG, FIT(keep_order), NULL},
    {"keep_running", TL_SETTING_FLAG, FIT(keep_running), NULL},
    {"checkpoint_every", TL_SETTING_NUMBER, FIT(checkpoint_every), NULL},
    {"schedule", TL_SETTING_CHOICE, FIT(schedule.kind), schedule_at},
    {"schedule_factor", TL_SETTING_NUMBER, FIT(schedule.factor), NULL},
    {"schedule_patience", TL_SETTING_INTEGER, FIT(schedule.patience), NULL},
    {"schedule_period", TL_SETTING_INTEGER, FIT(schedule.period), NULL},
    {"schedule_minimum", TL_SETTING_NUMBER, FIT(schedule.minimum), NULL},
    {"schedule_warmup", TL_SETTING_INTEGER, FIT(schedule.warmup), NULL},
    {"crop", TL_SETTING_NUMBER, FIT(augment.crop), NULL},
    {"scale", TL_SETTING_NUMBER, FIT(augment.scale), NULL},
    {"jitter", TL_SETTING_NUMBER, FIT(augment.jitter), NULL},
    {"mixup", TL_SETTING_NUMBER, FIT(augment.mixup), NULL},
    {0},
};

static tl_status take(const tl_setting *table, void *object, const char *json, tl_error *error) {
    const char *key;
    json_t *value, *settings = tl_json_parse(json, strlen(json), "settings", error);
    json_object_foreach(settings, key, value) { tl_setting_set(table, object, key, value, 0, error); }
    json_decref(settings);
    return error->status;
}

tl_status tl_shim_take_model(const char *json, tl_shim_model_settings *settings, tl_error *error) {
    if (take(model_settings, settings, json, error) != TL_OK) return error->status;
    settings->model.seed = settings->seed;
    settings->compile.optimizer.ops = tl_optimizer_by_name(tl_optimizer_name((size_t)settings->optimizer), error);
    return error->status;
}

tl_status tl_shim_take_fit(const char *json, tl_fit_cfg *cfg, tl_error *error) { return take(fit_settings, cfg, json, error); }

int tl_shim_report(const tl_error *error, char *text) {
    if (tl_failed(error)) memcpy(text, error->text, TL_SHIM_TEXT);
    return (int)error->status;
}

const char *tl_shim_version(void) { return tl_version(); }
const char *tl_shim_isa(void) { return tl_isa(); }
