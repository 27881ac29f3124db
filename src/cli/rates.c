/* What the learning-rate finder says, of `tapline train --find-lr`. */
#include "cli/report.h"
#include "cli/train.h"

#include <math.h>
#include <stdio.h>

static json_t *as_list(const double *values, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, report_number(values[i]));
    return list;
}

void rates_as_json(const tl_rate_curve *curve, json_t *object) {
    json_object_set_new(object, "suggested_learning_rate", report_number(curve->suggestion));
    json_object_set_new(object, "diverged", json_boolean(curve->diverged));
    json_object_set_new(object, "learning_rates", as_list(curve->learning_rate, curve->count));
    json_object_set_new(object, "losses", as_list(curve->loss, curve->count));
    json_object_set_new(object, "smoothed_losses", as_list(curve->smoothed, curve->count));
}

void rates_as_text(const tl_rate_curve *curve, bool interrupted) {
    printf("\nlearning rate         loss     smoothed\n");
    for (size_t i = 0; i < curve->count; i++)
        printf("%13.3e %12.6g %12.6g\n", curve->learning_rate[i], curve->loss[i], curve->smoothed[i]);
    if (isnan(curve->suggestion) && interrupted)
        printf("\nno suggestion: interrupted after %zu rates\n", curve->count);
    else if (isnan(curve->suggestion))
        printf("\nno suggestion: the loss falls nowhere by more than it scatters; a larger --batch scatters less\n");
    else
        printf("\nsuggestion: --lr %.2g, where the loss falls most steeply\n", curve->suggestion);
}
