/* The one table of optimizers. */
#include "optim/optim.h"

#include "base/argument.h"

typedef const tl_optimizer_ops *(*maker)(void);

static const maker optimizers[] = {tl_adam, tl_adamw, tl_sgd, tl_rmsprop, tl_adagrad};

const char *tl_optimizer_name(size_t index) {
    return index < sizeof optimizers / sizeof *optimizers ? optimizers[index]()->name : NULL;
}

const tl_optimizer_ops *tl_optimizer_by_name(const char *name, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    const size_t index = tl_find_name("optimizer", name, tl_optimizer_name, error);
    return tl_failed(error) ? NULL : optimizers[index]();
}
