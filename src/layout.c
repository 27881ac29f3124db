/* Where everything that a pass works on lies: outputs, gradients and saved values share one arena by the time that each is alive.
 *
 * Time: with n live layers, layer k runs forward at time k and backward at time 2n - k; the loss comes at n.
 */
#include "graph.h"

#include "arena.h"
#include "memory.h"

#include <stdlib.h>

enum { NONE = -1 };

/* Which span holds what, by vertex. */
typedef struct layout {
    tl_span *span;
    size_t spans;
    int *time;                     /* forward time; backward is 2·layers - time */
    int layers;                    /* live ones */
    int *consumers;                /* live edges that read the vertex */
    int *value, *gradient, *saved; /* spans, or NONE */
    int (*dx)[TL_MAX_INPUTS];      /* temporaries for the gradients of inputs that others feed as well */
} layout;

static int add_span(layout *plan, size_t count, int first, int last) {
    plan->span[plan->spans] = (tl_span){.count = count, .first = first, .last = last};
    return (int)plan->spans++;
}

static void extend(layout *plan, int span, int time) {
    if (span == NONE) return;
    if (time < plan->span[span].first) plan->span[span].first = time;
    if (time > plan->span[span].last) plan->span[span].last = time;
}

static size_t output_count(const tl_model *model, size_t id) {
    const tl_shape out = model->vertex[id].layer->out;
    return model->batch * out.length * out.channels;
}

/* A layer may write its output over its input, or the gradient of its input over that of its output, where nobody else wants them.
 */
static bool works_in_place(const tl_model *model, const layout *plan, size_t id) {
    const tl_layer *layer = model->vertex[id].layer;
    const int before = model->vertex[id].input[0];
    return layer->ops->in_place && layer->inputs == 1 && plan->consumers[before] == 1 &&
           output_count(model, id) == output_count(model, (size_t)before);
}

static bool may_overwrite_input(const tl_model *model, const layout *plan, size_t id) {
    int before = model->vertex[id].input[0];
    if (!works_in_place(model, plan, id) || plan->value[before] == NONE) return false;
    while (model->vertex[before].absorbed) before = model->vertex[before].input[0];
    return model->inference_only ||
           (!(model->vertex[id].layer->ops->reads & TL_READS_X) && !(model->vertex[before].layer->ops->reads & TL_READS_Y));
}

/* Spans of outputs and saved values, in forward order. */
static void plan_values(const tl_model *model, layout *plan) {
    const int end = 2 * plan->layers;
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live || vertex->layer->inputs == 0) continue;
        if (vertex->absorbed) {
            plan->value[i] = plan->value[vertex->input[0]];
            continue;
        }
        const int now = plan->time[i], back = model->inference_only ? now : end - now;
        const unsigned reads = vertex->layer->ops->reads;
        plan->value[i] =
            may_overwrite_input(model, plan, i) ? plan->value[vertex->input[0]] : add_span(plan, output_count(model, i), now, now);
        extend(plan, plan->value[i], reads & TL_READS_Y ? back : now);
        for (size_t e = 0; e < vertex->layer->inputs; e++)
            extend(plan, plan->value[vertex->input[e]], reads & TL_READS_X ? back : now);
        if (vertex->layer->saved) plan->saved[i] = add_span(plan, vertex->layer->saved, now, back);
    }
    extend(plan, plan->value[model->output], plan->layers);
}

/* Spans of gradients, in backward order: the first layer that sends an input its gradient writes it, the others add to it. */
static void plan_gradients(const tl_model *model, layout *plan) {
    const int end = 2 * plan->layers;
    plan->gradient[model->output] =
        add_span(plan, output_count(model, (size_t)model->output), plan->layers, end - plan->time[model->output]);
    for (size_t i = model->vertices; i-- > 0;) {
        const tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live) continue;
        const int now = end - plan->time[i];
        for (size_t e = 0; e < vertex->layer->inputs; e++) {
            const int before = vertex->input[e];
            if (before == model->input && !model->input_gradient) continue;
            if (plan->gradient[before] != NONE)
                plan->dx[i][e] = add_span(plan, output_count(model, (size_t)before), now, now);
            else if (vertex->absorbed || works_in_place(model, plan, i))
                plan->gradient[before] = plan->gradient[i];
            else
                plan->gradient[before] = add_span(plan, output_count(model, (size_t)before), now, now);
            extend(plan, plan->gradient[before], before == model->input ? end + 1 : end - plan->time[before]);
        }
    }
}

/* Points every pass at its memory. */
static void bind_vertex(tl_model *model, const layout *plan, size_t id, tl_real *scratch) {
    tl_vertex *vertex = &model->vertex[id];
    const tl_layer *layer = vertex->layer;
    const tl_shape out = layer->out;
    const unsigned reads = layer->ops->reads;
#define AT(index) ((index) == NONE ? NULL : model->arena + plan->span[index].offset)
    tl_real *const value = AT(plan->value[id]);
    vertex->dy = AT(plan->gradient[id]);
    for (size_t e = 0; e < layer->inputs; e++) {
        const int before = vertex->input[e];
        vertex->x[e] = TL_VIEW(AT(plan->value[before]), 0, layer->in[e].length, layer->in[e].channels);
        vertex->backward_x[e] = vertex->dx[e] = vertex->x[e];
        if (!(reads & TL_READS_X)) vertex->backward_x[e].data = NULL;
        vertex->dx_added[e] = plan->dx[id][e] != NONE;
        vertex->dx_memory[e] = vertex->dx_added[e] ? AT(plan->dx[id][e]) : AT(plan->gradient[before]);
    }
    vertex->forward = (tl_pass){.x = vertex->x,
                                .y = TL_VIEW(value, 0, out.length, out.channels),
                                .parameter = vertex->parameter,
                                .state = vertex->state,
                                .saved = AT(plan->saved[id]),
                                .scratch = scratch,
                                .workers = &model->workers,
                                .seed = model->seed,
                                .node = (uint32_t)id};
#undef AT
    vertex->backward = vertex->forward;
    vertex->backward.training = true;
    vertex->backward.x = vertex->backward_x;
    vertex->backward.dx = vertex->dx;
    vertex->backward.dy = TL_VIEW(vertex->dy, 0, out.length, out.channels);
    vertex->backward.gradient = vertex->active_gradient;
    if (!(reads & TL_READS_Y)) vertex->backward.y.data = NULL;
}

static size_t largest_scratch(const tl_model *model) {
    size_t largest = 0;
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_layer *layer = model->vertex[i].layer;
        if (!model->vertex[i].live || !layer->ops->scratch) continue;
        const size_t count = layer->ops->scratch(layer, model->batch, model->workers.count);
        if (count > largest) largest = count;
    }
    return largest;
}

static tl_status allocate_arena(tl_model *model, layout *plan, size_t *order) {
    bool fits;
    const size_t values = tl_arena_plan(plan->span, plan->spans, order, &fits);
    if (!fits || !tl_sum(values, largest_scratch(model), &model->arena_count))
        return tl_fail(&model->error, TL_ERROR_SHAPE, "compile: the activations exceed what memory can address");
    model->arena = tl_allocate(model->arena_count, sizeof(tl_real), "activations", &model->error);
    for (size_t i = 0; model->arena && i < model->vertices; i++)
        if (model->vertex[i].live) bind_vertex(model, plan, i, model->arena + values);
    return model->error.status;
}

tl_status tl_lay_out_arena(tl_model *model) {
    const size_t n = model->vertices, most = n * (3 + TL_MAX_INPUTS) + 1;
    layout plan = {.span = calloc(most, sizeof *plan.span), .dx = calloc(n, sizeof *plan.dx)};
    int *numbers = calloc(5 * n, sizeof *numbers);
    size_t *order = calloc(most, sizeof *order);
    if (plan.span && plan.dx && numbers && order) {
        plan.time = numbers, plan.consumers = numbers + n, plan.value = numbers + 2 * n, plan.gradient = numbers + 3 * n,
        plan.saved = numbers + 4 * n;
        for (size_t i = 0; i < n; i++) {
            const tl_vertex *vertex = &model->vertex[i];
            plan.value[i] = plan.gradient[i] = plan.saved[i] = NONE;
            for (size_t e = 0; e < TL_MAX_INPUTS; e++) plan.dx[i][e] = NONE;
            for (size_t e = 0; vertex->live && e < vertex->layer->inputs; e++) plan.consumers[vertex->input[e]]++;
            plan.time[i] = plan.layers;
            if (vertex->live) plan.layers++;
        }
        plan_values(model, &plan);
        if (!model->inference_only) plan_gradients(model, &plan);
        allocate_arena(model, &plan, order);
    } else
        tl_fail(&model->error, TL_ERROR_MEMORY, "compile: out of memory");
    free(order);
    free(numbers);
    free(plan.dx);
    free(plan.span);
    return model->error.status;
}
