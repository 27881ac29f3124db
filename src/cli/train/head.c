/* The last layer in closed form: `tapline train --head ridge`. */
#include "cli/report.h"
#include "cli/train/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {"trained", "ridge"};

const char *head_name(size_t index) { return index < sizeof names / sizeof *names ? names[index] : NULL; }

const char *head_find_training(const train_settings *settings) {
    const struct {
        const char *option;
        bool given;
    } options[] = {
        {"--epochs", settings->epochs > 0},
        {"--accumulate", settings->accumulate > 1},
        {"--optimizer", strcmp(settings->optimizer, "adam") != 0},
        {"--lr", settings->learning_rate > 0},
        {"--momentum", settings->momentum > 0},
        {"--nesterov", settings->nesterov},
        {"--weight-decay", !isnan(settings->weight_decay)},
        {"--l1", settings->l1 > 0},
        {"--clip", settings->clip > 0},
        {"--clip-value", settings->clip_value > 0},
        {"--schedule", settings->schedule != NULL},
        {"--schedule-factor", settings->factor > 0},
        {"--schedule-patience", settings->patience > 0},
        {"--schedule-period", settings->period > 0},
        {"--lr-min", settings->min_rate > 0},
        {"--warmup", settings->warmup > 0},
        {"--find-lr", settings->find_rate},
        {"--watch", settings->watch != NULL},
        {"--patience", settings->early_stopping > 0},
        {"--balance", settings->balance},
        {"--label-smoothing", settings->label_smoothing > 0},
        {"--crop", settings->crop > 0},
        {"--scale", settings->scale > 0},
        {"--jitter", settings->jitter > 0},
        {"--mixup", settings->mixup > 0},
        {"--log", settings->log != NULL},
        {"--tensorboard", settings->tensorboard != NULL},
        {"--checkpoint", settings->checkpoint != NULL},
        {"--resume", settings->resume != NULL},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given) return options[i].option;
    return NULL;
}

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
