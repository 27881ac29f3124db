/* The last layer in closed form: `tapline train --head ridge`. */
#include "cli/report.h"
#include "cli/train/train.h"

#include <math.h>
#include <stdio.h>

static const char *const names[] = {"trained", "ridge"};

const char *head_name(size_t index) { return index < sizeof names / sizeof *names ? names[index] : NULL; }

void head_as_text(const tl_ridge_result *found) {
    printf("head       ridge on %zu features, penalty %.3g, leave-one-out ", found->features, found->penalty);
    if (isnan(found->accuracy))
        printf("error %.4g (mean square of scaled targets)\n", found->error);
    else
        printf("accuracy %.4f\n", found->accuracy);
}

void head_as_json(const tl_ridge_result *found, json_t *object) {
    report_text(object, "head", names[found->features > 0]);
    if (found->features == 0) return;
    json_object_set_new(object, "penalty", report_number(found->penalty));
    json_object_set_new(object, "leave_one_out_error", report_number(found->error));
    json_object_set_new(object, "leave_one_out_accuracy", report_number(found->accuracy));
}
