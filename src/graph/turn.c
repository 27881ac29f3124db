#include "graph/turn.h"

#include "graph/graph.h"

#include <pthread.h>

static const char two_threads[] = "two threads use the model at the same time; give each thread its own model";

static tl_turn take(tl_model *model) {
    const uintptr_t self = (uintptr_t)pthread_self();
    uintptr_t holder = 0;
    if (atomic_compare_exchange_strong(&model->holder, &holder, self)) return TL_TURN_OUTER;
    return holder == self ? TL_TURN_INNER : TL_TURN_REFUSED;
}

tl_turn tl_turn_take(tl_model *model) {
    const tl_turn turn = model ? take(model) : TL_TURN_REFUSED;
    if (model && turn == TL_TURN_REFUSED) atomic_store(&model->disturbed, true);
    return turn;
}

bool tl_turn_begin(tl_model *model, tl_turn *turn, const char *caller, tl_error *error) {
    *turn = model ? take(model) : TL_TURN_INNER;
    if (*turn == TL_TURN_REFUSED) tl_fail(error, TL_ERROR_STATE, "%s: %s", caller, two_threads);
    return *turn != TL_TURN_REFUSED;
}

void tl_turn_end(tl_model *model, tl_turn turn) {
    if (!model || turn != TL_TURN_OUTER) return;
    if (atomic_exchange(&model->disturbed, false)) tl_fail(&model->error, TL_ERROR_STATE, "%s", two_threads);
    atomic_store(&model->holder, 0);
}
