/* Stochastic gradient descent with momentum as in PyTorch: velocity = momentum·velocity + gradient; Nesterov: Sutskever et al.
 * 2013. */
#include "optim/optim.h"

static tl_status prepare(tl_optimizer_cfg *cfg, tl_error *error) {
    static const tl_optimizer_cfg defaults = {.learning_rate = 1e-2,
                                              .nesterov = true,
                                              .beta1 = TL_NOT_TAKEN,
                                              .beta2 = TL_NOT_TAKEN,
                                              .alpha = TL_NOT_TAKEN,
                                              .epsilon = TL_NOT_TAKEN};
    if (cfg->nesterov && cfg->momentum == 0) tl_fail(error, TL_ERROR_ARGUMENT, "sgd: nesterov needs a momentum above 0");
    return tl_optimizer_prepare("sgd", cfg, &defaults, error);
}

static void update(const tl_update *u) {
    const tl_real rate = (tl_real)u->learning_rate, momentum = (tl_real)u->cfg->momentum;
    const tl_sgd_run run = {
        .run = tl_optimizer_run(u),
        .velocity = u->moment[0],
        .momentum = momentum,
        .of_gradient = u->cfg->nesterov ? rate : 0,
        .of_velocity = u->cfg->nesterov ? rate * momentum : rate,
    };
    tl_kernels_here()->sgd(&run);
}

static const tl_optimizer_ops sgd = {.name = "sgd", .moments = 1, .prepare = prepare, .update = update};

const tl_optimizer_ops *tl_sgd(void) { return &sgd; }
