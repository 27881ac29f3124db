/* The table of optimizers. */
#include "optim/optim.h"

#include "base/argument.h"

typedef const tl_optimizer_ops *(*maker)(void);

static const maker optimizers[] = {tl_adam, tl_adamw, tl_sgd, tl_rmsprop, tl_adagrad};

const char *tl_optimizer_name(size_t index) {
    return index < sizeof optimizers / sizeof *optimizers ? optimizers[index]()->name : NULL;
}

const tl_optimizer_ops *tl_optimizer_by_name(const char *name, tl_error *error) {
    int index;
    return tl_find_name("optimizer", name, tl_optimizer_name, &index, error) == TL_OK ? optimizers[index]() : NULL;
}
