/* Adam: Kingma & Ba 2015, algorithm 1, with the L2 weight decay of PyTorch's Adam. */
#include "optim.h"

#include "kernels/kernels.h"

#include <math.h>

static tl_status prepare(tl_optimizer_cfg *cfg, tl_error *error) {
    if (cfg->learning_rate == 0) cfg->learning_rate = 1e-3;
    if (cfg->beta1 == 0) cfg->beta1 = 0.9;
    if (cfg->beta2 == 0) cfg->beta2 = 0.999;
    if (cfg->epsilon == 0) cfg->epsilon = 1e-8;
    tl_optimizer_check("adam: learning rate", cfg->learning_rate, 0, INFINITY, error);
    tl_optimizer_check("adam: beta1", cfg->beta1, 0, 1, error);
    tl_optimizer_check("adam: beta2", cfg->beta2, 0, 1, error);
    tl_optimizer_check("adam: epsilon", cfg->epsilon, 0, INFINITY, error);
    if (cfg->epsilon > 0 && (tl_real)cfg->epsilon == 0)
        tl_fail(error, TL_ERROR_ARGUMENT, "adam: epsilon %g is 0 in this precision", cfg->epsilon);
    tl_optimizer_check("adam: weight decay", cfg->weight_decay, 0, INFINITY, error);
    if (cfg->momentum != 0 || cfg->nesterov)
        tl_fail(error, TL_ERROR_ARGUMENT, "adam: momentum %g is for sgd; adam has beta1", cfg->momentum);
    return error->status;
}

static void update(const tl_update *u) {
    const tl_adam_run run = {
        .value = u->value,
        .mean = u->moment[0],
        .square = u->moment[1],
        .gradient = u->gradient,
        .count = u->count,
        .scale = (tl_real)u->scale,
        .decay = (tl_real)u->cfg->weight_decay,
        .beta1 = (tl_real)u->cfg->beta1,
        .beta2 = (tl_real)u->cfg->beta2,
        .keep1 = (tl_real)(1 - u->cfg->beta1),
        .keep2 = (tl_real)(1 - u->cfg->beta2),
        /* The corrections for moments that started at zero, taken out of the loop. */
        .rate = (tl_real)(u->learning_rate / (1 - pow(u->cfg->beta1, (double)u->step))),
        .root = (tl_real)(1 / sqrt(1 - pow(u->cfg->beta2, (double)u->step))),
        .epsilon = (tl_real)u->cfg->epsilon,
    };
    tl_kernels_here()->adam(&run);
}

static const tl_optimizer_ops adam = {.name = "adam", .moments = 2, .prepare = prepare, .update = update};

const tl_optimizer_ops *tl_adam(void) { return &adam; }
