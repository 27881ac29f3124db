/* turn.h: one thread at a time in a model. Every call that runs or changes a model takes a turn; a call from another thread while a
 * turn lasts does nothing, and both threads are told. Calls within a call of the same thread are part of its turn. */
#ifndef TL_TURN_H
#define TL_TURN_H

#include <tapline/model.h>

typedef enum tl_turn {
    TL_TURN_REFUSED = 0, /* another thread has it, or there is no model */
    TL_TURN_OUTER,
    TL_TURN_INNER /* within a call that has it */
} tl_turn;

/* Of functions without a tl_error: where it is refused, the model has an error from the end of the other thread's turn on. */
tl_turn tl_turn_take(tl_model *model);

/* Of functions with one, which it is reported to. A model that is NULL is not refused: what follows reports it. */
bool tl_turn_begin(tl_model *model, tl_turn *turn, const char *caller, tl_error *error);

void tl_turn_end(tl_model *model, tl_turn turn);

#endif
