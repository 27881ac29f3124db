#include "graph/replica.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

tl_model *tl_replica_new(const tl_model *model, tl_error *error) {
    tl_model *self = calloc(1, sizeof *self);
    if (!self) {
        tl_fail(error, TL_ERROR_MEMORY, "out of memory");
        return NULL;
    }
    self->vertex = tl_allocate(model->vertices, sizeof *self->vertex, "the layers of a shard", error);
    self->arena = tl_allocate(model->value_count, sizeof(tl_real), "the activations of a shard", error);
    self->gradients = tl_allocate(model->parameter_count, sizeof(tl_real), "the gradients of a shard", error);
    self->states = tl_allocate(model->state_count + 1, sizeof(tl_real), "the statistics of a shard", error);
    self->lengths = tl_allocate(model->vertices * model->batch, sizeof *self->lengths, "lengths", error);
    if (!tl_failed(error)) return self;
    tl_replica_free(self);
    return NULL;
}

void tl_replica_free(tl_model *self) {
    if (!self) return;
    tl_release(self->vertex);
    tl_release(self->arena);
    tl_release(self->gradients);
    tl_release(self->states);
    tl_release(self->lengths);
    free(self);
}

double tl_replica_memory(const tl_model *model) {
    const double values = (double)model->value_count + (double)model->parameter_count + (double)model->state_count;
    return values * sizeof(tl_real) + (double)model->vertices * (double)(model->batch * sizeof(size_t) + sizeof *model->vertex);
}

/* ---- pointers ---- */

/* The place in `to` of a pointer to one of the `count` elements of `from`. Other pointers, such as those to the user's arrays and
 * to temporary memory, stay as they are. */
static tl_real *moved(tl_real *pointer, const tl_real *from, size_t count, tl_real *to) {
    return pointer && pointer >= from && pointer < from + count ? to + (pointer - from) : pointer;
}

static tl_real *moved_value(const tl_model *self, const tl_model *model, tl_real *pointer) {
    return moved(pointer, model->arena, model->value_count, self->arena);
}

static tl_real *moved_gradient(const tl_model *self, const tl_model *model, tl_real *pointer) {
    return moved(pointer, model->gradients, model->parameter_count, self->gradients);
}

static const size_t *moved_lengths(const tl_model *self, const tl_model *model, const size_t *pointer) {
    return pointer ? self->lengths + (pointer - model->lengths) : NULL;
}

static void move_pass(const tl_model *self, const tl_model *model, tl_vertex *vertex, tl_pass *pass) {
    pass->y.data = moved_value(self, model, pass->y.data);
    pass->saved = moved_value(self, model, pass->saved);
    pass->lengths = moved_lengths(self, model, pass->lengths);
    pass->out_lengths = moved_lengths(self, model, pass->out_lengths);
    pass->state = vertex->state;
    if (pass->fault) pass->fault = &vertex->fault;
}

static void move_arrays(const tl_model *self, const tl_model *model, tl_vertex *vertex) {
    for (size_t p = 0; p < TL_MAX_PARAMETERS; p++) {
        vertex->gradient[p] = moved_gradient(self, model, vertex->gradient[p]);
        vertex->active_gradient[p] = moved_gradient(self, model, vertex->active_gradient[p]);
        vertex->state[p] = moved(vertex->state[p], model->states, model->state_count, self->states);
    }
    for (size_t e = 0; e < vertex->layer->inputs; e++) {
        for (int mode = 0; mode < TL_MODES; mode++) vertex->x[mode][e].data = moved_value(self, model, vertex->x[mode][e].data);
        vertex->backward_x[e].data = moved_value(self, model, vertex->backward_x[e].data);
        vertex->dx[e].data = moved_value(self, model, vertex->dx[e].data);
        vertex->dx_memory[e] = moved_value(self, model, vertex->dx_memory[e]);
    }
    vertex->dy = moved_value(self, model, vertex->dy);
}

static void move_vertex(const tl_model *self, const tl_model *model, size_t id) {
    tl_vertex *vertex = &self->vertex[id];
    *vertex = model->vertex[id];
    vertex->lengths = self->lengths + id * model->batch;
    move_arrays(self, model, vertex);
    for (int mode = 0; mode < TL_MODES; mode++) {
        move_pass(self, model, vertex, &vertex->forward[mode]);
        vertex->forward[mode].x = vertex->x[mode];
    }
    move_pass(self, model, vertex, &vertex->backward);
    vertex->backward.x = vertex->backward_x;
    vertex->backward.dx = vertex->dx;
    vertex->backward.dy.data = vertex->dy;
    vertex->backward.gradient = vertex->active_gradient;
}

void tl_replica_refresh(tl_model *self, const tl_model *model) {
    tl_vertex *const vertex = self->vertex;
    tl_real *const arena = self->arena, *const gradients = self->gradients, *const states = self->states;
    size_t *const lengths = self->lengths;
    *self = *model;
    self->vertex = vertex;
    self->arena = arena;
    self->gradients = gradients;
    self->states = states;
    self->lengths = lengths;
    memcpy(states, model->states, model->state_count * sizeof *states);
    for (size_t i = 0; i < model->vertices; i++) move_vertex(self, model, i);
}
