/* turn.h: only one thread at a time may use a model. Every call that runs or changes a model takes a turn. A call from another
 * thread during a turn does nothing, and both threads get an error. Calls that a thread makes during its own turn are part of
 * it. */
#ifndef TL_TURN_H
#define TL_TURN_H

#include <tapline/model.h>

typedef enum tl_turn {
    TL_TURN_REFUSED = 0, /* another thread has the turn, or there is no model */
    TL_TURN_OUTER,
    TL_TURN_INNER /* part of a turn of the same thread */
} tl_turn;

/* For functions without a tl_error: if it is refused, the model's error is set at the end of the other thread's turn. */
tl_turn tl_turn_take(tl_model *model);

/* For functions with a tl_error, which gets the error. A NULL model is not refused here: it is reported later. */
bool tl_turn_begin(tl_model *model, tl_turn *turn, const char *caller, tl_error *error);

void tl_turn_end(tl_model *model, tl_turn turn);

#endif
