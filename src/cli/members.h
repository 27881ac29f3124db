/* members.h: several networks of one kind, trained one after the other from seeds of their own and averaged. */
#ifndef CLI_MEMBERS_H
#define CLI_MEMBERS_H

#include "cli/report.h"
#include "cli/train.h"

#include <tapline/ensemble.h>

typedef struct members {
    const train_settings *settings; /* of all */
    train_settings own;             /* of the one under way: its seed and its files */
    size_t count, tried, trained;   /* to be trained; gone through, whatever came of it; joined */
    report_member *of;              /* (count) those that joined */
    tl_ensemble *train, *validation, *test;
} members;

/* Sets of the data are those of the job; NULL: none. Free with members_free, in any case. */
void IN_PRECISION(members_begin)(members *self, const train_settings *settings, size_t count, const tl_dataset *train,
                                 const tl_dataset *validation, const tl_dataset *test, tl_error *error);
void IN_PRECISION(members_free)(members *self);

/* The settings of the next member: seed + its number, and FILE.1, FILE.2 … of each file, the number before its ending. It goes on
 * from its checkpoint where there is one; the first must have one where --resume asks for it. */
const train_settings *IN_PRECISION(members_next)(members *self, tl_error *error);

/* Has a member join that was trained; `test`: its own metrics. */
void IN_PRECISION(members_add)(members *self, tl_model *model, const tl_fit_result *fit, const tl_metrics *test, tl_error *error);

/* What all have taken together: the epochs of the longest training, the steps and seconds of all. */
tl_fit_result IN_PRECISION(members_fit)(const members *self);

#endif
