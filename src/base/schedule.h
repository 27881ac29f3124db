/* schedule.h: what a schedule holds: plain data, which checkpoints keep. */
#ifndef TL_SCHEDULE_H
#define TL_SCHEDULE_H

#include <tapline/optimizer.h>

struct tl_schedule {
    tl_schedule_cfg cfg;             /* defaults filled in */
    double start;                    /* the learning rate that it was given */
    uint64_t total;                  /* steps that it was given */
    uint64_t steps, epochs;          /* done */
    double reduced;                  /* plateau, king: the rate after the reductions so far */
    double best;                     /* plateau: the lowest loss */
    int waited;                      /* plateau: epochs since then */
    size_t losses;                   /* king: in `loss` */
    double loss[TL_SCHEDULE_LOSSES]; /* king: of the last steps, the newest last */
};

/* Starts a schedule; fails as tl_schedule_new does. `cfg` NULL: constant. */
tl_status tl_schedule_prepare(tl_schedule *schedule, const tl_schedule_cfg *cfg, double learning_rate, uint64_t steps,
                              tl_error *error);

#endif
