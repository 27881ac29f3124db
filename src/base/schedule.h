/* schedule.h: the state of a schedule: plain data, which checkpoints store. */
#ifndef TL_SCHEDULE_H
#define TL_SCHEDULE_H

#include <tapline/optimizer.h>

struct tl_schedule {
    tl_schedule_cfg cfg;             /* defaults filled in */
    double start;                    /* the first learning rate */
    uint64_t total;                  /* steps over which the schedule runs */
    uint64_t steps, epochs;          /* so far */
    double reduced;                  /* plateau, king: the rate after the reductions so far */
    double best;                     /* plateau: the lowest loss so far */
    int waited;                      /* plateau: epochs since then */
    size_t losses;                   /* king: entries of `loss` */
    double loss[TL_SCHEDULE_LOSSES]; /* king: losses of the last steps, the newest last */
};

/* Starts a schedule; fails as tl_schedule_new does. `cfg` NULL: constant. */
tl_status tl_schedule_prepare(tl_schedule *schedule, const tl_schedule_cfg *cfg, double learning_rate, uint64_t steps,
                              tl_error *error);

#endif
