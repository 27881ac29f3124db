/* Several networks for `tapline train`; compiled once for each precision (commands.h). */
#include "cli/train/members.h"

#include "cli/files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- one after the other ---- */

void IN_PRECISION(members_begin)(members *self, const train_settings *settings, size_t count, const tl_dataset *train,
                                 const tl_dataset *validation, const tl_dataset *test, tl_error *error) {
    *self = (members){.settings = settings, .count = count, .of = calloc(count, sizeof *self->of)};
    if (!self->of) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    self->train = tl_ensemble_new(train, error);
    if (validation) self->validation = tl_ensemble_new(validation, error);
    if (test) self->test = tl_ensemble_new(test, error);
}

static void free_files(members *self) {
    for (size_t i = 0; i < MEMBER_FILES; i++) free(self->file[i]);
    memset(self->file, 0, sizeof self->file);
}

/* Gives the current member its own files. A later member than the first one starts anew if it has no checkpoint yet. */
static void number_files(members *self, bool later, tl_error *error) {
    const train_settings *all = self->settings;
    train_settings *own = &self->own;
    const char *const given[MEMBER_FILES] = {all->out, all->log, all->report, all->tensorboard, all->checkpoint, all->resume};
    const char **const names[MEMBER_FILES] = {&own->out,         &own->log,        &own->report,
                                              &own->tensorboard, &own->checkpoint, &own->resume};
    free_files(self);
    for (size_t i = 0; i < MEMBER_FILES; i++) *names[i] = self->file[i] = files_number(given[i], self->tried + 1, error);
    if (own->resume && later && access(own->resume, F_OK) != 0) own->resume = NULL;
}

void IN_PRECISION(members_free)(members *self) {
    free_files(self);
    free(self->of);
    tl_ensemble_free(self->train);
    tl_ensemble_free(self->validation);
    tl_ensemble_free(self->test);
}

const train_settings *IN_PRECISION(members_next)(members *self, tl_error *error) {
    const train_settings *all = self->settings;
    self->own = *all;
    self->own.seed = (int64_t)((uint64_t)all->seed + self->tried);
    number_files(self, self->tried > 0, error);
    return &self->own;
}

void IN_PRECISION(members_add)(members *self, tl_model *model, const tl_fit_result *fit, const tl_metrics *test, tl_error *error) {
    tl_ensemble_add(self->train, model, error);
    if (self->validation) tl_ensemble_add(self->validation, model, error);
    if (self->test) tl_ensemble_add(self->test, model, error);
    if (tl_failed(error)) return;
    self->of[self->trained++] = (report_member){.number = self->tried + 1,
                                                .epochs = fit->epochs,
                                                .best_epoch = fit->best_epoch,
                                                .seconds = fit->seconds,
                                                .steps = fit->steps,
                                                .seed = tl_model_seed(model),
                                                .test = *test};
}

tl_fit_result IN_PRECISION(members_fit)(const members *self) {
    tl_fit_result all = {0};
    for (size_t i = 0; i < self->trained; i++) {
        if (self->of[i].epochs > all.epochs) all.epochs = self->of[i].epochs;
        all.steps += self->of[i].steps;
        all.seconds += self->of[i].seconds;
    }
    return all;
}
