/* Adam: Kingma & Ba 2015, algorithm 1, with penalties added to the gradient. AdamW: Loshchilov & Hutter 2019, algorithm 2, with
 * weight decay separate from the gradient, multiplied by the learning rate as in PyTorch. */
#include "optim/optim.h"

#include <math.h>

static const tl_optimizer_cfg adam_defaults = {
    .learning_rate = 1e-3, .momentum = TL_NOT_TAKEN, .beta1 = 0.9, .beta2 = 0.999, .alpha = TL_NOT_TAKEN, .epsilon = 1e-8};

static tl_status prepare_adam(tl_optimizer_cfg *cfg, tl_error *error) {
    return tl_optimizer_prepare("adam", cfg, &adam_defaults, error);
}

static tl_status prepare_adamw(tl_optimizer_cfg *cfg, tl_error *error) {
    tl_optimizer_cfg defaults = adam_defaults;
    defaults.weight_decay = 1e-2;
    defaults.l1 = TL_NOT_TAKEN;
    return tl_optimizer_prepare("adamw", cfg, &defaults, error);
}

static tl_adam_run run_of(const tl_update *u) {
    return (tl_adam_run){
        .run = tl_optimizer_run(u),
        .mean = u->moment[0],
        .square = u->moment[1],
        .keep = 1,
        .beta1 = (tl_real)u->cfg->beta1,
        .beta2 = (tl_real)u->cfg->beta2,
        .rest1 = (tl_real)(1 - u->cfg->beta1),
        .rest2 = (tl_real)(1 - u->cfg->beta2),
        /* The corrections for moments that started at zero, computed outside of the loop. */
        .rate = (tl_real)(u->learning_rate / (1 - pow(u->cfg->beta1, (double)u->step))),
        .root = (tl_real)(1 / sqrt(1 - pow(u->cfg->beta2, (double)u->step))),
        .epsilon = (tl_real)u->cfg->epsilon,
    };
}

static void update_adam(const tl_update *u) {
    const tl_adam_run run = run_of(u);
    tl_kernels_here()->adam(&run);
}

static void update_adamw(const tl_update *u) {
    tl_adam_run run = run_of(u);
    run.run.decay = 0;
    run.keep = (tl_real)(1 - u->learning_rate * u->weight_decay);
    tl_kernels_here()->adam(&run);
}

static const tl_optimizer_ops adam = {.name = "adam", .moments = 2, .prepare = prepare_adam, .update = update_adam};
static const tl_optimizer_ops adamw = {.name = "adamw", .moments = 2, .prepare = prepare_adamw, .update = update_adamw};

const tl_optimizer_ops *tl_adam(void) { return &adam; }
const tl_optimizer_ops *tl_adamw(void) { return &adamw; }
