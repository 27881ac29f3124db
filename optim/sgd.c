/* Stochastic gradient descent, with momentum as PyTorch has it: velocity = momentum·velocity + gradient; Nesterov: Sutskever et al.
 * 2013. */
#include "optim.h"

#include "kernels/kernels.h"

#include <math.h>

static tl_status prepare(tl_optimizer_cfg *cfg, tl_error *error) {
    if (cfg->learning_rate == 0) cfg->learning_rate = 1e-2;
    tl_optimizer_check("sgd: learning rate", cfg->learning_rate, 0, INFINITY, error);
    tl_optimizer_check("sgd: momentum", cfg->momentum, 0, 1, error);
    tl_optimizer_check("sgd: weight decay", cfg->weight_decay, 0, INFINITY, error);
    if (cfg->nesterov && cfg->momentum == 0) tl_fail(error, TL_ERROR_ARGUMENT, "sgd: nesterov needs a momentum above 0");
    if (cfg->beta1 != 0 || cfg->beta2 != 0 || cfg->epsilon != 0)
        tl_fail(error, TL_ERROR_ARGUMENT, "sgd: beta1, beta2 and epsilon are for adam");
    return error->status;
}

static void update(const tl_update *u) {
    const tl_real rate = (tl_real)u->learning_rate, momentum = (tl_real)u->cfg->momentum;
    const tl_sgd_run run = {
        .value = u->value,
        .velocity = u->moment[0],
        .gradient = u->gradient,
        .count = u->count,
        .scale = (tl_real)u->scale,
        .decay = (tl_real)u->cfg->weight_decay,
        .momentum = momentum,
        .of_gradient = u->cfg->nesterov ? rate : 0,
        .of_velocity = u->cfg->nesterov ? rate * momentum : rate,
    };
    tl_kernels_here()->sgd(&run);
}

static const tl_optimizer_ops sgd = {.name = "sgd", .moments = 1, .prepare = prepare, .update = update};

const tl_optimizer_ops *tl_sgd(void) { return &sgd; }
