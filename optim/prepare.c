/* The fields of tl_optimizer_cfg: which optimizer uses them, their defaults and ranges. */
#include "optim/optim.h"

#include "base/argument.h"

#include <math.h>
#include <stdio.h>

static const struct {
    const char *name;
    size_t offset;
    double limit; /* must be below this */
} fields[] = {
    {"learning rate", offsetof(tl_optimizer_cfg, learning_rate), INFINITY},
    {"momentum", offsetof(tl_optimizer_cfg, momentum), 1},
    {"weight decay", offsetof(tl_optimizer_cfg, weight_decay), INFINITY},
    {"l1", offsetof(tl_optimizer_cfg, l1), INFINITY},
    {"beta1", offsetof(tl_optimizer_cfg, beta1), 1},
    {"beta2", offsetof(tl_optimizer_cfg, beta2), 1},
    {"alpha", offsetof(tl_optimizer_cfg, alpha), 1},
    {"epsilon", offsetof(tl_optimizer_cfg, epsilon), INFINITY},
};

tl_status tl_optimizer_prepare(const char *name, tl_optimizer_cfg *cfg, const tl_optimizer_cfg *defaults, tl_error *error) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        char what[60];
        double *value = (double *)(void *)((char *)cfg + fields[i].offset);
        const double usual = *(const double *)(const void *)((const char *)defaults + fields[i].offset);
        snprintf(what, sizeof what, "%s: %s", name, fields[i].name);
        if (usual == TL_NOT_TAKEN) {
            if (*value != 0) tl_fail(error, TL_ERROR_ARGUMENT, "%s %g does not apply to this optimizer", what, *value);
            continue;
        }
        if (*value == 0) *value = usual;
        if (value != &cfg->weight_decay || *value != TL_NO_WEIGHT_DECAY) tl_check_number(what, *value, 0, fields[i].limit, error);
    }
    if (cfg->nesterov && !defaults->nesterov)
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: nesterov does not apply to this optimizer", name);
    if (cfg->epsilon > 0 && (tl_real)cfg->epsilon == 0)
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: epsilon %g is 0 in this precision", name, cfg->epsilon);
    return error->status;
}

tl_step_run tl_optimizer_run(const tl_update *update) {
    return (tl_step_run){
        .value = update->value,
        .gradient = update->gradient,
        .count = update->count,
        .scale = (tl_real)update->scale,
        .decay = (tl_real)update->weight_decay,
        .l1 = (tl_real)update->l1,
    };
}
