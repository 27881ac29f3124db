/* AdaGrad: Duchi, Hazan & Singer 2011, the diagonal form; as in PyTorch, epsilon is added outside the root. */
#include "optim/optim.h"

static tl_status prepare(tl_optimizer_cfg *cfg, tl_error *error) {
    static const tl_optimizer_cfg defaults = {.learning_rate = 1e-2,
                                              .momentum = TL_NOT_TAKEN,
                                              .beta1 = TL_NOT_TAKEN,
                                              .beta2 = TL_NOT_TAKEN,
                                              .alpha = TL_NOT_TAKEN,
                                              .epsilon = 1e-10};
    return tl_optimizer_prepare("adagrad", cfg, &defaults, error);
}

static void update(const tl_update *u) {
    const tl_adagrad_run run = {
        .run = tl_optimizer_run(u),
        .square = u->moment[0],
        .rate = (tl_real)u->learning_rate,
        .epsilon = (tl_real)u->cfg->epsilon,
    };
    tl_kernels_here()->adagrad(&run);
}

static const tl_optimizer_ops adagrad = {.name = "adagrad", .moments = 1, .prepare = prepare, .update = update};

const tl_optimizer_ops *tl_adagrad(void) { return &adagrad; }
