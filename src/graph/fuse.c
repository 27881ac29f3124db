/* Finds the layers that do the work of their neighbours: in every model, those that `absorb` the layer after them; in training,
 * those that compute the ReLUs around them (`rectifies` and `masks` in tl_layer_ops); in models with inference_only, those with
 * packed weights (tl_inference_ops), which are packed here.
 *
 * A layer with packed weights is followed along its only readers: a batch norm is folded into its weights, and it applies a ReLU
 * and adds the other input of a sum before it stores its outputs. If all inputs of a concatenation are such layers, each of them
 * does its share of a batch norm and a ReLU behind the concatenation. The outputs of all these layers are in the same memory, so
 * that they can also run one by one, as tl_update_statistics does.
 */
#include "graph/graph.h"

#include "base/math.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The readers of a layer's output. */
typedef struct readers {
    size_t count, last;
} readers;

static void find_readers(const tl_model *model, readers *of) {
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_vertex *vertex = &model->vertex[i];
        for (size_t e = 0; vertex->live && e < vertex->layer->inputs; e++) {
            of[vertex->input[e]].count++;
            of[vertex->input[e]].last = i;
        }
    }
}

static tl_elementwise does(const tl_vertex *vertex) {
    const tl_inference_ops *ops = vertex->layer->ops->inference;
    return ops ? ops->does : TL_ELEMENTWISE_NONE;
}

/* Returns whether a layer is a sum whose inputs are all ReLUs, and so not below 0. */
static bool sums_relus(const tl_model *model, size_t id) {
    const tl_vertex *vertex = &model->vertex[id];
    bool relus = does(vertex) == TL_ELEMENTWISE_SUM;
    for (size_t e = 0; e < vertex->layer->inputs; e++)
        relus = relus && does(&model->vertex[vertex->input[e]]) == TL_ELEMENTWISE_RELU;
    return relus;
}

/* A ReLU behind a sum of ReLUs is left out: it changes no sum. Nor does its gradient matter, because where the sum is 0, all inputs
 * are, and their own ReLUs set the gradient to 0. */
static void leave_out_relus(tl_model *model, const readers *of) {
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live || does(vertex) != TL_ELEMENTWISE_RELU) continue;
        const size_t before = (size_t)vertex->input[0];
        vertex->absorbed = of[before].count == 1 && sums_relus(model, before);
    }
}

/* Lets layers do the work of their only reader, in training too. */
static void absorb(tl_model *model, const readers *of) {
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_vertex *vertex = &model->vertex[i];
        const bool may = vertex->live && !vertex->absorbed && vertex->layer->ops->absorb && of[i].count == 1;
        if (!may) continue;
        tl_vertex *next = &model->vertex[of[i].last];
        if (next->layer->inputs == 1 && !next->absorbed) next->absorbed = vertex->layer->ops->absorb(vertex->layer, next->layer);
    }
}

/* ---- ReLUs in training ---- */

/* Returns whether a layer is a ReLU that may overwrite its input, and the gradient of its output: nobody else needs them. */
static bool is_relu_in_place(const tl_model *model, const readers *of, size_t id) {
    const tl_vertex *vertex = &model->vertex[id];
    if (!vertex->live || vertex->absorbed || does(vertex) != TL_ELEMENTWISE_RELU) return false;
    const int before = vertex->input[0];
    return before != model->input && of[before].count == 1 && !(model->vertex[before].layer->ops->reads & TL_READS_Y);
}

/* Lets the layer before a ReLU compute it before it stores its outputs, and the only layer after it set the gradient of its own
 * input to 0 where that is not above 0. The ReLU itself is then left out in training. */
static void share_relu(tl_model *model, const readers *of, size_t id) {
    tl_vertex *relu = &model->vertex[id], *before = &model->vertex[relu->input[0]];
    relu->rectified = before->rectifies = before->layer->ops->rectifies;
    if (of[id].count != 1) return;
    tl_vertex *after = &model->vertex[of[id].last];
    relu->masked = after->layer->ops->masks;
    for (size_t e = 0; e < after->layer->inputs; e++)
        after->masks[e] = after->masks[e] || (relu->masked && after->input[e] == (int)id);
}

static void share_relus(tl_model *model, const readers *of) {
    for (size_t i = 0; !model->inference_only && i < model->vertices; i++)
        if (is_relu_in_place(model, of, i)) share_relu(model, of, i);
}

/* ---- what layers with packed weights take over ---- */

/* Returns the vertex that computes the output of this one. */
static size_t computed_by(const tl_model *model, size_t id) {
    while (model->vertex[id].taken) id = (size_t)model->vertex[id].input[model->vertex[id].taken_input];
    return id;
}

/* Takes over a sum of two inputs, one of them from vertex `at`, if the other one is known when layer `id` runs. */
static bool take_sum(tl_model *model, size_t id, size_t at, size_t sum) {
    tl_vertex *vertex = &model->vertex[sum];
    tl_taking *takes = &model->vertex[id].takes;
    if (takes->sum >= 0 || vertex->layer->inputs != 2 || vertex->input[0] == vertex->input[1]) return false;
    const size_t other = vertex->input[0] == (int)at;
    if (computed_by(model, (size_t)vertex->input[other]) >= id) return false;
    takes->sum = (int)sum;
    takes->sum_input = other;
    vertex->taken_input = 1 - other;
    return true;
}

static bool take_relu(tl_taking *takes) {
    if (takes->sum < 0)
        takes->relu = true;
    else
        takes->relu_after = true;
    return true;
}

static bool may_fold(const tl_model *model, const tl_taking *takes) {
    return !model->no_fold && takes->norm < 0 && takes->sum < 0 && !takes->relu;
}

/* Takes over a batch norm; `channel`: its first channel that is one of this layer. */
static bool take_norm(const tl_model *model, tl_taking *takes, size_t norm, size_t channel) {
    if (!may_fold(model, takes)) return false;
    takes->norm = (int)norm;
    takes->norm_channel = channel;
    return true;
}

/* Lets layer `id` do the work of vertex `next`, which reads vertex `at`, whose output the layer computes. */
static bool take(tl_model *model, size_t id, size_t at, size_t next) {
    tl_taking *takes = &model->vertex[id].takes;
    switch (does(&model->vertex[next])) {
    case TL_ELEMENTWISE_IDENTITY:
        return true;
    case TL_ELEMENTWISE_RELU:
        return take_relu(takes);
    case TL_ELEMENTWISE_AFFINE:
        return take_norm(model, takes, next, 0);
    case TL_ELEMENTWISE_SUM:
        return take_sum(model, id, at, next);
    case TL_ELEMENTWISE_CONCAT:
    case TL_ELEMENTWISE_NONE:
        break;
    }
    return false;
}

/* Follows the only readers of a layer with packed weights, as far as it does their work. */
static void follow(tl_model *model, const readers *of, size_t id) {
    for (size_t at = id; of[at].count == 1 && take(model, id, at, of[at].last); at = of[at].last)
        model->vertex[of[at].last].taken = true;
}

/* Returns whether every input of a concatenation comes from a layer with packed weights, for which `may` is true, and has no other
 * reader. */
static bool all_inputs(const tl_model *model, const readers *of, size_t concat,
                       bool (*may)(const tl_model *model, const tl_taking *takes)) {
    const tl_vertex *vertex = &model->vertex[concat];
    for (size_t e = 0; e < vertex->layer->inputs; e++) {
        const size_t before = (size_t)vertex->input[e];
        const tl_taking *takes = &model->vertex[computed_by(model, before)].takes;
        if (of[before].count != 1 || !takes->packs || !may(model, takes)) return false;
    }
    return true;
}

static bool may_rectify(const tl_model *model, const tl_taking *takes) {
    (void)model;
    (void)takes;
    return true;
}

/* The same as `take` for all layers whose outputs a concatenation joins. */
static bool take_behind_concat(tl_model *model, const readers *of, size_t concat, size_t next) {
    const tl_elementwise what = does(&model->vertex[next]);
    const tl_vertex *vertex = &model->vertex[concat];
    if (what == TL_ELEMENTWISE_IDENTITY) return true;
    if (what != TL_ELEMENTWISE_RELU && what != TL_ELEMENTWISE_AFFINE) return false;
    if (!all_inputs(model, of, concat, what == TL_ELEMENTWISE_RELU ? may_rectify : may_fold)) return false;
    for (size_t e = 0, channel = 0; e < vertex->layer->inputs; channel += vertex->layer->in[e++].channels) {
        tl_taking *takes = &model->vertex[computed_by(model, (size_t)vertex->input[e])].takes;
        if (what == TL_ELEMENTWISE_RELU)
            take_relu(takes);
        else
            take_norm(model, takes, next, channel);
    }
    return true;
}

static void follow_concat(tl_model *model, const readers *of, size_t concat) {
    for (size_t at = concat; of[at].count == 1 && take_behind_concat(model, of, concat, of[at].last); at = of[at].last)
        model->vertex[of[at].last].taken = true;
}

/* All layers with packed weights first: the inputs of a concatenation must know what they do. */
static void take_over(tl_model *model, const readers *of) {
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        const tl_inference_ops *ops = vertex->layer->ops->inference;
        vertex->takes.norm = vertex->takes.sum = -1;
        vertex->takes.packs = model->inference_only && vertex->live && ops && ops->run && !vertex->absorbed;
        if (vertex->takes.packs) follow(model, of, i);
    }
    for (size_t i = 0; model->inference_only && i < model->vertices; i++)
        if (model->vertex[i].live && does(&model->vertex[i]) == TL_ELEMENTWISE_CONCAT) follow_concat(model, of, i);
}

tl_status tl_fuse(tl_model *model) {
    readers *of = calloc(model->vertices, sizeof *of);
    if (!of) return tl_fail(&model->error, TL_ERROR_MEMORY, "compile: out of memory");
    find_readers(model, of);
    leave_out_relus(model, of);
    absorb(model, of);
    share_relus(model, of);
    take_over(model, of);
    free(of);
    return TL_OK;
}

/* ---- packed weights ---- */

size_t tl_packing_scratch(const tl_model *model) {
    size_t largest = 0;
    for (size_t i = 0; i < model->vertices; i++) {
        const tl_layer *layer = model->vertex[i].layer;
        if (model->vertex[i].takes.packs) largest = tl_max(largest, layer->ops->inference->pack_scratch(layer));
    }
    return largest;
}

tl_status tl_place_packed(tl_model *model) {
    if (!model->inference_only) return TL_OK;
    tl_packed_state *packed = model->packed = calloc(1, sizeof *packed);
    if (!packed) return tl_fail(&model->error, TL_ERROR_MEMORY, "compile: out of memory");
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        if (!vertex->takes.packs) continue;
        vertex->takes.first = packed->count;
        if (!tl_sum(packed->count, tl_aligned_count(vertex->layer->ops->inference->packed(vertex->layer)), &packed->count))
            return tl_fail(&model->error, TL_ERROR_SHAPE, "compile: the packed weights are more than memory can address");
        if (vertex->takes.norm >= 0)
            packed->channels = tl_max(packed->channels, model->vertex[vertex->takes.norm].layer->out.channels);
    }
    return TL_OK;
}

tl_status tl_allocate_packed(tl_model *model) {
    tl_packed_state *packed = model->packed;
    if (!packed || model->plan_only) return TL_OK;
    packed->values = tl_reserve(packed->count, sizeof(tl_real), "packed weights", &model->error);
    packed->numbers = tl_allocate(3 * packed->channels, sizeof(double), "packed weights", &model->error);
    return model->error.status;
}

void tl_release_packed(tl_model *model) {
    if (!model->packed) return;
    tl_release(model->packed->values);
    tl_release(model->packed->numbers);
    free(model->packed);
}

void tl_arrays_written(tl_model *model) {
    if (model->packed) model->packed->current = false;
}

static uint64_t rotate(uint64_t a, int bits) { return a << bits | a >> (64 - bits); }

enum { PRINT_LANES = 8, PRINT_BYTES = PRINT_LANES * (int)sizeof(uint64_t) };

/* A hash of bytes that is fast rather than safe: each word is mixed into one of eight numbers, so that multiplications overlap.
 * `bytes` is a multiple of a cache line. */
static uint64_t print_of(const void *from, size_t bytes, uint64_t seed) {
    const unsigned char *at = from;
    uint64_t lane[PRINT_LANES];
    for (int i = 0; i < PRINT_LANES; i++) lane[i] = seed + (uint64_t)i;
    for (const unsigned char *end = at + bytes; at < end; at += PRINT_BYTES) {
        uint64_t word[PRINT_LANES];
        memcpy(word, at, sizeof word);
        for (int i = 0; i < PRINT_LANES; i++) lane[i] = rotate(lane[i] ^ word[i], 29) * UINT64_C(0x9E3779B97F4A7C15);
    }
    for (int i = 1; i < PRINT_LANES; i++) lane[0] = rotate(lane[0] ^ lane[i], 29) * UINT64_C(0x9E3779B97F4A7C15);
    return lane[0];
}

static uint64_t print_of_arrays(const tl_model *model) {
    const uint64_t print = print_of(model->parameters, model->parameter_count * sizeof(tl_real), 1);
    return print_of(model->states, model->state_count * sizeof(tl_real), print);
}

/* The numbers of the layer that is folded into vertex `id`, from its first channel that belongs to the vertex on. */
static tl_affine_numbers numbers_of(const tl_model *model, const tl_taking *takes) {
    const tl_vertex *norm = &model->vertex[takes->norm];
    const tl_packed_state *packed = model->packed;
    tl_affine_numbers numbers = {packed->numbers, packed->numbers + packed->channels, packed->numbers + 2 * packed->channels};
    norm->layer->ops->inference->affine(norm->layer, norm->parameter, norm->state, &numbers);
    numbers.factor += takes->norm_channel;
    numbers.centre += takes->norm_channel;
    numbers.term += takes->norm_channel;
    return numbers;
}

static void pack(const tl_model *model, const tl_vertex *vertex) {
    const bool folds = vertex->takes.norm >= 0;
    const tl_affine_numbers numbers = folds ? numbers_of(model, &vertex->takes) : (tl_affine_numbers){0};
    vertex->layer->ops->inference->pack(vertex->layer, &(tl_packing){.workers = &model->workers,
                                                                     .parameter = vertex->parameter,
                                                                     .affine = folds ? &numbers : NULL,
                                                                     .scratch = model->arena,
                                                                     .packed = model->packed->values + vertex->takes.first});
}

/* The arena holds nothing between two passes: it is free as temporary memory. */
void tl_refresh_packed(tl_model *model) {
    tl_packed_state *packed = model->packed;
    if (!packed || (packed->current && !packed->viewed)) return;
    const uint64_t print = packed->viewed ? print_of_arrays(model) : 0;
    if (packed->current && packed->print == print) return;
    for (size_t i = 0; i < model->vertices; i++)
        if (model->vertex[i].takes.packs) pack(model, &model->vertex[i]);
    packed->current = true;
    packed->print = print;
}

void tl_run_packed(const tl_model *model, const tl_vertex *vertex) {
    const tl_taking *takes = &vertex->takes;
    const tl_finish finish = {.relu = takes->relu,
                              .relu_after = takes->relu_after,
                              .added =
                                  takes->sum >= 0 ? model->vertex[takes->sum].x[TL_MODE_INFERENCE][takes->sum_input].data : NULL};
    vertex->layer->ops->inference->run(vertex->layer, &vertex->forward[TL_MODE_INFERENCE], model->packed->values + takes->first,
                                       &finish);
}
