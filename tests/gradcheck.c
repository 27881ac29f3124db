#include "gradcheck.h"

double gradcheck(const char *what, tl_model *model, const tl_tensor *x, const tl_target *target) {
    tl_error error = {0};
    tl_gradient_report report;
    if (tl_check_gradients(model, x, target, &report, &error) != TL_OK) fail_msg("%s: %s", what, error.text);
    check_ok(tl_model_error(model));
    return report.worst;
}
