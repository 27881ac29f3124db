/* Plans the memory of all passes: outputs, gradients, saved values and the temporary memory of layers share one arena, according to
 * the times when each is alive.
 *
 * Time: with n live layers, layer k runs forward at time k and backward at time 2n - k; the loss is computed at time n. Inference,
 * which keeps nothing for later, has a separate plan in the same arena, so that its data stays in the cache.
 */
#include "graph/graph.h"

#include "base/math.h"
#include "base/memory.h"
#include "graph/arena.h"

#include <stdlib.h>

enum { NONE = -1, ADDS = -2 };

/* Elements before temporary memory. Activations are often a multiple of a page long: without a distance like this, temporary memory
 * and they would evict each other from the cache. */
enum { SCRATCH_LEAD = 17 * TL_ALIGNMENT / (int)sizeof(tl_real) };

enum { PORTION_BYTES = 256 * 1024 }; /* input and output of a layer for the samples of a portion, for each worker */

/* The spans of each vertex. */
typedef struct memory_plan {
    tl_mode mode;
    tl_span *span;
    size_t spans;
    tl_span **order;
    size_t count;                  /* [OUT] elements of all spans together */
    size_t values;                 /* [OUT] the same without temporary memory, which may lie in between or behind */
    size_t permanent;              /* number of spans before those of temporary memory */
    int *time;                     /* time of forward; backward is 2·layers - time */
    int layers;                    /* number of live layers */
    int *consumers;                /* number of live edges that read the vertex */
    int *value, *gradient, *saved; /* index of a span, or NONE */
    int *scratch, *back_scratch;   /* the same; of forward, of backward */
    int (*dx)[TL_MAX_INPUTS];      /* if other layers also send a gradient to this input: a temporary span for it, or ADDS */
} memory_plan;

static int add_span(memory_plan *plan, size_t count, int first, int last) {
    plan->span[plan->spans] = (tl_span){.count = count, .first = first, .last = last};
    return (int)plan->spans++;
}

static void keep_alive(memory_plan *plan, int span, int time) {
    if (span == NONE) return;
    if (time < plan->span[span].first) plan->span[span].first = time;
    if (time > plan->span[span].last) plan->span[span].last = time;
}

static size_t output_count(const tl_model *model, size_t id) {
    const tl_shape out = model->vertex[id].layer->out;
    return model->batch * out.length * out.channels;
}

/* Returns whether the layer can work in the memory of its input, which has the size of its output. */
static bool works_in_place(const tl_model *model, size_t id, size_t e) {
    const tl_vertex *vertex = &model->vertex[id];
    return vertex->layer->ops->in_place && output_count(model, id) == output_count(model, (size_t)vertex->input[e]);
}

/* Returns the first input that a layer may overwrite with its output; NONE: it must not. */
static int overwritten_input(const tl_model *model, const memory_plan *plan, size_t id) {
    const tl_vertex *vertex = &model->vertex[id];
    for (size_t e = 0; e < vertex->layer->inputs; e++) {
        int before = vertex->input[e];
        if (!works_in_place(model, id, e) || plan->consumers[before] > 1 || plan->value[before] == NONE) continue;
        while (model->vertex[before].absorbed) before = model->vertex[before].input[0];
        const unsigned reads = vertex->layer->ops->reads, reads_before = model->vertex[before].layer->ops->reads;
        if (plan->mode == TL_MODE_INFERENCE || (!(reads & TL_READS_X) && !(reads_before & TL_READS_Y))) return (int)e;
    }
    return NONE;
}

/* Plans the spans of outputs and saved values, in forward order. */
static void plan_values(const tl_model *model, memory_plan *plan) {
    const int end = 2 * plan->layers;
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live || vertex->layer->inputs == 0) continue;
        if (vertex->absorbed) {
            plan->value[i] = plan->value[vertex->input[0]];
            continue;
        }
        const int now = plan->time[i], back = plan->mode == TL_MODE_INFERENCE ? now : end - now;
        const unsigned reads = vertex->layer->ops->reads;
        const int over = vertex->taken ? (int)vertex->taken_input : overwritten_input(model, plan, i);
        plan->value[i] = over != NONE ? plan->value[vertex->input[over]] : add_span(plan, output_count(model, i), now, now);
        keep_alive(plan, plan->value[i], reads & TL_READS_Y ? back : now);
        for (size_t e = 0; e < vertex->layer->inputs; e++)
            keep_alive(plan, plan->value[vertex->input[e]], reads & TL_READS_X ? back : now);
        if (vertex->layer->saved) plan->saved[i] = add_span(plan, vertex->layer->saved, now, back);
    }
    keep_alive(plan, plan->value[model->output], plan->layers);
    if (plan->mode == TL_MODE_INFERENCE && model->portion < model->batch) keep_alive(plan, plan->value[model->output], 0);
}

/* Returns whether a layer that runs backward later reads the gradient of this one's output. */
static bool is_read_later(const tl_model *model, const memory_plan *plan, size_t id) {
    for (size_t i = 0; i < id; i++)
        if (model->vertex[i].live && plan->gradient[i] == plan->gradient[id] && plan->gradient[id] != NONE) return true;
    return false;
}

/* Returns the input whose gradient, of which no part is there yet, is written over that of the output; NONE: there is none. Best is
 * one without a mask, which a sum then need not copy. */
static int overwriting_gradient(const tl_model *model, const memory_plan *plan, size_t id) {
    const tl_vertex *vertex = &model->vertex[id];
    int best = NONE;
    for (size_t e = vertex->layer->inputs; e-- > 0;) {
        const int before = vertex->input[e];
        const bool needed = before != model->input || model->input_gradient;
        const bool may = vertex->absorbed || (works_in_place(model, id, e) && !is_read_later(model, plan, id));
        if (needed && may && plan->gradient[before] == NONE && (best == NONE || !vertex->masks[e])) best = (int)e;
    }
    return best;
}

/* Returns whether the gradient of an input, which is the only one that is sent there, is the same as that of input `other`. */
static bool has_same_gradient(const tl_model *model, const memory_plan *plan, size_t id, size_t e, int other) {
    const tl_vertex *vertex = &model->vertex[id];
    if (other == NONE || !vertex->layer->ops->same_gradients || vertex->masks[e] || vertex->masks[other]) return false;
    return works_in_place(model, id, e) && plan->consumers[vertex->input[e]] == 1 && plan->consumers[vertex->input[other]] == 1;
}

/* Plans the spans of gradients, in backward order. The first layer that sends a gradient to an input writes it. Other layers add to
 * it, or write to a temporary span, which is then added. */
static void plan_gradients(const tl_model *model, memory_plan *plan) {
    const int end = 2 * plan->layers;
    plan->gradient[model->output] =
        add_span(plan, output_count(model, (size_t)model->output), plan->layers, end - plan->time[model->output]);
    for (size_t i = model->vertices; i-- > 0;) {
        const tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live) continue;
        const int now = end - plan->time[i];
        const int over = overwriting_gradient(model, plan, i);
        for (size_t e = 0; e < vertex->layer->inputs; e++) {
            const int before = vertex->input[e];
            if (before == model->input && !model->input_gradient) continue;
            if (plan->gradient[before] != NONE && vertex->layer->ops->adds)
                plan->dx[i][e] = ADDS;
            else if (plan->gradient[before] != NONE)
                plan->dx[i][e] = add_span(plan, output_count(model, (size_t)before), now, now);
            else if ((int)e == over || has_same_gradient(model, plan, i, e, over))
                plan->gradient[before] = plan->gradient[i];
            else
                plan->gradient[before] = add_span(plan, output_count(model, (size_t)before), now, now);
            keep_alive(plan, plan->gradient[before], before == model->input ? end + 1 : end - plan->time[before]);
        }
    }
}

/* Returns the elements of temporary memory of a layer. */
static size_t scratch_of(const tl_model *model, size_t id) {
    const tl_vertex *vertex = &model->vertex[id];
    const bool runs = vertex->live && !vertex->absorbed && vertex->layer->ops->scratch;
    return runs ? vertex->layer->ops->scratch(vertex->layer, model->batch, model->workers.count) : 0;
}

/* Plans the temporary memory of each layer, for the times when it runs. */
static void plan_scratch(const tl_model *model, memory_plan *plan) {
    plan->permanent = plan->spans;
    for (size_t i = 0; i < model->vertices; i++) {
        const size_t scratch = scratch_of(model, i), count = SCRATCH_LEAD + scratch;
        const int now = plan->time[i], back = 2 * plan->layers - now;
        if (scratch == 0) continue;
        plan->scratch[i] = add_span(plan, count, now, now);
        if (plan->mode == TL_MODE_TRAINING) plan->back_scratch[i] = add_span(plan, count, back, back);
    }
}

/* ---- passes ---- */

static tl_real *memory_of(const tl_model *model, const memory_plan *plan, int span) {
    return span == NONE ? NULL : model->arena + plan->span[span].offset;
}

/* A layer without temporary memory gets a pointer too, to which it may add 0. */
static tl_real *scratch_memory(const tl_model *model, const memory_plan *plan, int span) {
    return span == NONE ? model->arena : memory_of(model, plan, span) + SCRATCH_LEAD;
}

/* Sets the pointers of a layer's forward pass in the mode of the plan. */
static void bind_forward(tl_model *model, const memory_plan *plan, size_t id) {
    tl_vertex *vertex = &model->vertex[id];
    const tl_layer *layer = vertex->layer;
    tl_tensor *x = vertex->x[plan->mode];
    for (size_t e = 0; e < layer->inputs; e++) {
        tl_real *const values = memory_of(model, plan, plan->value[vertex->input[e]]);
        x[e] = TL_VIEW(values, 0, layer->in[e].length, layer->in[e].channels);
    }
    vertex->forward[plan->mode] =
        (tl_pass){.training = plan->mode == TL_MODE_TRAINING,
                  .x = x,
                  .y = TL_VIEW(memory_of(model, plan, plan->value[id]), 0, layer->out.length, layer->out.channels),
                  .parameter = vertex->parameter,
                  .state = vertex->state,
                  .saved = memory_of(model, plan, plan->saved[id]),
                  .scratch = scratch_memory(model, plan, plan->scratch[id]),
                  .rectify = plan->mode == TL_MODE_TRAINING && vertex->rectifies,
                  .fault = plan->mode == TL_MODE_TRAINING ? &vertex->fault : NULL,
                  .workers = &model->workers,
                  .seed = model->seed,
                  .node = (uint32_t)id};
    vertex->in_output = plan->value[id] != NONE && plan->value[id] == plan->value[model->output];
}

/* Sets the pointers of the backward pass, after those of the forward pass of training. */
static void bind_backward(tl_model *model, const memory_plan *plan, size_t id) {
    tl_vertex *vertex = &model->vertex[id];
    const tl_layer *layer = vertex->layer;
    vertex->dy = memory_of(model, plan, plan->gradient[id]);
    for (size_t e = 0; e < layer->inputs; e++) {
        vertex->backward_x[e] = vertex->dx[e] = vertex->x[TL_MODE_TRAINING][e];
        if (!(layer->ops->reads & TL_READS_X) && !vertex->masks[e]) vertex->backward_x[e].data = NULL;
        vertex->dx_added[e] = plan->dx[id][e] >= 0;
        vertex->dx_adds[e] = plan->dx[id][e] == ADDS;
        vertex->dx_memory[e] = memory_of(model, plan, vertex->dx_added[e] ? plan->dx[id][e] : plan->gradient[vertex->input[e]]);
    }
    vertex->backward = vertex->forward[TL_MODE_TRAINING];
    vertex->backward.scratch = scratch_memory(model, plan, plan->back_scratch[id]);
    vertex->backward.x = vertex->backward_x;
    vertex->backward.masks = vertex->masks;
    vertex->backward.dx = vertex->dx;
    vertex->backward.adds = vertex->dx_adds;
    vertex->backward.dy = TL_VIEW(vertex->dy, 0, layer->out.length, layer->out.channels);
    vertex->backward.gradient = vertex->active_gradient;
    if (!(layer->ops->reads & TL_READS_Y)) vertex->backward.y.data = NULL;
}

static void bind(tl_model *model, const memory_plan *plan) {
    for (size_t i = 0; i < model->vertices; i++) {
        if (!model->vertex[i].live) continue;
        bind_forward(model, plan, i);
        if (plan->mode == TL_MODE_TRAINING) bind_backward(model, plan, i);
    }
}

/* ---- plans ---- */

static void free_plan(memory_plan *plan) {
    free(plan->order);
    free(plan->time);
    free(plan->dx);
    free(plan->span);
}

static tl_status begin_plan(const tl_model *model, memory_plan *plan, tl_error *error) {
    const size_t n = model->vertices, maximum = n * (5 + TL_MAX_INPUTS) + 1;
    plan->span = calloc(maximum, sizeof *plan->span);
    plan->order = calloc(2 * maximum, sizeof *plan->order);
    plan->dx = calloc(n, sizeof *plan->dx);
    plan->time = calloc(7 * n, sizeof *plan->time);
    if (!plan->span || !plan->order || !plan->dx || !plan->time) return tl_fail(error, TL_ERROR_MEMORY, "compile: out of memory");
    plan->consumers = plan->time + n, plan->value = plan->time + 2 * n, plan->gradient = plan->time + 3 * n;
    plan->saved = plan->time + 4 * n, plan->scratch = plan->time + 5 * n, plan->back_scratch = plan->time + 6 * n;
    for (size_t i = 0; i < n; i++) {
        const tl_vertex *vertex = &model->vertex[i];
        plan->value[i] = plan->gradient[i] = plan->saved[i] = plan->scratch[i] = plan->back_scratch[i] = NONE;
        for (size_t e = 0; e < TL_MAX_INPUTS; e++) plan->dx[i][e] = NONE;
        for (size_t e = 0; vertex->live && e < vertex->layer->inputs; e++) plan->consumers[vertex->input[e]]++;
        plan->time[i] = plan->layers;
        if (vertex->live) plan->layers++;
    }
    return TL_OK;
}

/* Places all spans, temporary memory after the others or with them. */
static bool place_spans(memory_plan *plan, bool late) {
    bool fits;
    for (size_t i = plan->permanent; i < plan->spans; i++) plan->span[i].late = late;
    plan->count = tl_arena_plan(plan->span, plan->spans, plan->order, &fits);
    plan->values = 0;
    for (size_t i = 0; i < plan->permanent; i++) plan->values = tl_max(plan->values, plan->span[i].offset + plan->span[i].count);
    return fits;
}

/* Chooses what needs least for a model and a replica, which has no temporary memory. */
static bool place_best(memory_plan *plan) {
    const bool fits = place_spans(plan, true);
    const double late = (double)plan->count + (double)plan->values;
    if (fits && place_spans(plan, false) && (double)plan->count + (double)plan->values < late) return true;
    return place_spans(plan, true);
}

static tl_status make_plan(const tl_model *model, memory_plan *plan, tl_error *error) {
    if (begin_plan(model, plan, error) != TL_OK) return error->status;
    plan_values(model, plan);
    if (plan->mode == TL_MODE_TRAINING) plan_gradients(model, plan);
    plan_scratch(model, plan);
    return place_best(plan) ? TL_OK : tl_fail(error, TL_ERROR_SHAPE, "compile: the activations are more than memory can address");
}

static tl_status check_memory(tl_model *model) {
    const double planned = tl_planned_memory(model), maximum = (double)model->max_memory;
    if (planned <= maximum) return TL_OK;
    return tl_fail(&model->error, TL_ERROR_MEMORY,
                   "compile: the network needs %.4g MB for batch %zu; the limit is %.4g MB (max_memory, --max-memory); a smaller "
                   "batch needs less",
                   planned / 1e6, model->batch, maximum / 1e6);
}

static tl_status allocate_arena(tl_model *model) {
    if (check_memory(model) != TL_OK || model->plan_only) return model->error.status;
    model->arena = tl_allocate(model->arena_count, sizeof(tl_real), "activations", &model->error);
    return model->error.status;
}

/* As many samples as stay in the cache from layer to layer. */
static size_t portion_of(const tl_model *model) {
    double largest = 1;
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_layer *layer = model->vertex[i].layer;
        double count = (double)layer->out.length * (double)layer->out.channels;
        for (size_t e = 0; e < layer->inputs; e++) count += (double)layer->in[e].length * (double)layer->in[e].channels;
        if (model->vertex[i].live && count > largest) largest = count;
    }
    const double portion = PORTION_BYTES / (largest * sizeof(tl_real));
    const size_t each = portion < 1 ? 1 : (size_t)portion;
    return tl_min(each * (size_t)model->workers.count, model->batch);
}

tl_status tl_plan_arena(tl_model *model) {
    model->portion = portion_of(model);
    memory_plan training = {.mode = TL_MODE_TRAINING}, inference = {.mode = TL_MODE_INFERENCE};
    if (!model->inference_only) make_plan(model, &training, &model->error);
    if (!tl_failed(&model->error)) make_plan(model, &inference, &model->error);
    model->value_count = tl_max(training.values, inference.values);
    model->arena_count = tl_max(tl_max(training.count, inference.count), tl_packing_scratch(model));
    if (!tl_failed(&model->error) && allocate_arena(model) == TL_OK && !model->plan_only) {
        if (!model->inference_only) bind(model, &training);
        bind(model, &inference);
    }
    free_plan(&inference);
    free_plan(&training);
    return model->error.status;
}
