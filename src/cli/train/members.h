/* members.h: several networks of one kind, which are trained one after the other with different seeds and averaged. */
#ifndef CLI_MEMBERS_H
#define CLI_MEMBERS_H

#include "cli/report.h"
#include "cli/train/train.h"

#include <tapline/ensemble.h>

enum { MEMBER_FILES = 6 };

typedef struct members {
    const train_settings *settings; /* of all members */
    train_settings own;             /* of the current member: its seed and its files */
    char *file[MEMBER_FILES];       /* their names, in the order of members.c; NULL: not given */
    size_t count, tried, trained;   /* members to train; members so far, successful or not; members of the ensemble */
    report_member *of;              /* (count) those in the ensemble */
    tl_ensemble *train, *validation, *test;
} members;

/* The data sets are those of the job; NULL: none. Free it with members_free in any case. */
void IN_PRECISION(members_begin)(members *self, const train_settings *settings, size_t count, const tl_dataset *train,
                                 const tl_dataset *validation, const tl_dataset *test, tl_error *error);
void IN_PRECISION(members_free)(members *self);

/* Returns the settings of the next member: seed + its number, and FILE.1, FILE.2 … of each file, with the number before the ending.
 * The member continues from its checkpoint if it exists; with --resume, the first member must have one. */
const train_settings *IN_PRECISION(members_next)(members *self, tl_error *error);

/* Adds a trained member to the ensemble; `test`: its own metrics. */
void IN_PRECISION(members_add)(members *self, tl_model *model, const tl_fit_result *fit, const tl_metrics *test, tl_error *error);

/* Returns the sums over all members: steps and seconds; and the epochs of the longest training. */
tl_fit_result IN_PRECISION(members_fit)(const members *self);

#endif
