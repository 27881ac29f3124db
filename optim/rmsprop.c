/* RMSProp: Tieleman & Hinton 2012, lecture 6.5; as in PyTorch, epsilon is added outside the root and momentum applies to the scaled
 * gradient. */
#include "optim/optim.h"

static tl_status prepare(tl_optimizer_cfg *cfg, tl_error *error) {
    static const tl_optimizer_cfg defaults = {
        .learning_rate = 1e-2, .beta1 = TL_NOT_TAKEN, .beta2 = TL_NOT_TAKEN, .alpha = 0.99, .epsilon = 1e-8};
    return tl_optimizer_prepare("rmsprop", cfg, &defaults, error);
}

static void update(const tl_update *u) {
    const tl_rmsprop_run run = {
        .run = tl_optimizer_run(u),
        .square = u->moment[0],
        .velocity = u->moment[1],
        .alpha = (tl_real)u->cfg->alpha,
        .rest = (tl_real)(1 - u->cfg->alpha),
        .momentum = (tl_real)u->cfg->momentum,
        .rate = (tl_real)u->learning_rate,
        .epsilon = (tl_real)u->cfg->epsilon,
    };
    tl_kernels_here()->rmsprop(&run);
}

static const tl_optimizer_ops rmsprop = {.name = "rmsprop", .moments = 2, .prepare = prepare, .update = update};

const tl_optimizer_ops *tl_rmsprop(void) { return &rmsprop; }
