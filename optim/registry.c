/* The one table of optimizers. */
#include "optim.h"

#include <math.h>
#include <string.h>

typedef const tl_optimizer_ops *(*maker)(void);

static const maker optimizers[] = {tl_adam, tl_sgd};

const tl_optimizer_ops *tl_optimizer_by_name(const char *name, tl_error *error) {
    if (tl_failed(error)) return NULL;
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++)
        if (strcmp(optimizers[i]()->name, name) == 0) return optimizers[i]();
    tl_fail(error, TL_ERROR_ARGUMENT, "optimizer \"%.40s\" is unknown; there are adam and sgd", name);
    return NULL;
}

const char *tl_optimizer_name(size_t index) {
    return index < sizeof optimizers / sizeof *optimizers ? optimizers[index]()->name : NULL;
}

/* What a tl_real cannot hold would be infinite there. */
static const double largest = 1e30;

void tl_optimizer_check(const char *what, double value, double least, double limit, tl_error *error) {
    if (value >= least && value < limit && value <= largest) return;
    if (value > largest && isinf(limit))
        tl_fail(error, TL_ERROR_ARGUMENT, "%s %g exceeds %g", what, value, largest);
    else if (isinf(limit))
        tl_fail(error, TL_ERROR_ARGUMENT, "%s %g is not a number from %g on", what, value, least);
    else
        tl_fail(error, TL_ERROR_ARGUMENT, "%s %g is outside [%g, %g)", what, value, least, limit);
}
