/* The report of the learning-rate finder, `tapline train --find-lr`. */
#include "cli/report.h"
#include "cli/train/train.h"

#include <math.h>
#include <stdio.h>

static json_t *as_list(const double *values, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, report_number(values[i]));
    return list;
}

void rates_as_json(const tl_rate_curve *curve, json_t *object) {
    json_object_set_new(object, "suggested_learning_rate", report_number(tl_rate_curve_suggestion(curve)));
    json_object_set_new(object, "diverged", json_boolean(tl_rate_curve_diverged(curve)));
    json_object_set_new(object, "learning_rates", as_list(tl_rate_curve_learning_rates(curve), tl_rate_curve_count(curve)));
    json_object_set_new(object, "losses", as_list(tl_rate_curve_losses(curve), tl_rate_curve_count(curve)));
    json_object_set_new(object, "smoothed_losses", as_list(tl_rate_curve_smoothed(curve), tl_rate_curve_count(curve)));
}

void rates_as_text(const tl_rate_curve *curve, bool interrupted) {
    printf("\nlearning rate         loss     smoothed\n");
    for (size_t i = 0; i < tl_rate_curve_count(curve); i++)
        printf("%13.3e %12.6g %12.6g\n", tl_rate_curve_learning_rates(curve)[i], tl_rate_curve_losses(curve)[i],
               tl_rate_curve_smoothed(curve)[i]);
    if (isnan(tl_rate_curve_suggestion(curve)) && interrupted)
        printf("\nno suggestion: interrupted after %zu rates\n", tl_rate_curve_count(curve));
    else if (isnan(tl_rate_curve_suggestion(curve)))
        printf("\nno suggestion: the loss never falls by more than it varies between batches; try a larger --batch\n");
    else
        printf("\nsuggestion: --lr %.2g, where the loss falls most steeply\n", tl_rate_curve_suggestion(curve));
}
