/* Ranges of the numbers in a network, found by running it on the calibration data. */
#include "device/quantizing.h"

#include "base/memory.h"
#include "graph/graph.h"
#include "layers/registry.h"

#include <math.h>
#include <stdint.h>

enum { BINS = 1024, MAX_SERIES = 500 };

void tl_q_run_layers(const tl_q_making *m, const tl_tensor *x, tl_q_seen seen, void *user) {
    tl_model *model = m->self->model;
    if (!tl_begin_forward(model, x, TL_MODE_INFERENCE)) return;
    seen(m, (size_t)model->input, x, user);
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live || (int)i == model->input) continue;
        if (!vertex->absorbed) vertex->layer->ops->forward(vertex->layer, &vertex->forward[TL_MODE_INFERENCE]);
        const tl_vertex *writer = vertex->absorbed ? &model->vertex[vertex->input[0]] : vertex;
        seen(m, i, &writer->forward[TL_MODE_INFERENCE].y, user);
    }
}

size_t tl_q_last_vertex(const tl_q_making *m, size_t node, bool relu) {
    const tl_model *model = m->self->model;
    const tl_export *net = &m->self->network.net;
    size_t vertex = net->node[node].vertex;
    for (size_t v = vertex + 1; v < model->vertices; v++) {
        const tl_vertex *next = &model->vertex[v];
        bool is_node = false;
        if (!next->live || next->layer->inputs != 1 || (size_t)next->input[0] != vertex) continue;
        for (size_t i = 0; i < net->nodes; i++) is_node = is_node || net->node[i].vertex == v;
        const bool included = relu && is_node && next->layer->ops == &tl_relu_layer_ops;
        if (included || (!is_node && next->layer->ops == &tl_batch_norm_layer_ops)) vertex = v;
    }
    return vertex;
}

/* ---- minimum and maximum ---- */

/* The numbers of a channel, counted in equal parts of its range. */
typedef struct histogram {
    uint32_t bin[BINS];
} histogram;

static void widen(const tl_q_making *m, size_t vertex, const tl_tensor *y, void *user) {
    const size_t channels = y->shape[2], first = m->ranges.first[vertex];
    double *low = m->ranges.low + first, *high = m->ranges.high + first;
    (void)user;
    for (size_t i = 0; i < tl_tensor_count(y); i++) {
        const double value = (double)y->data[i];
        low[i % channels] = fmin(low[i % channels], value);
        high[i % channels] = fmax(high[i % channels], value);
    }
}

static void run_all(const tl_q_making *m, const tl_dataset *data, tl_q_seen seen, histogram *counts) {
    const size_t batch = tl_model_batch(m->self->model), count = tl_min(data->x.shape[0], MAX_SERIES);
    for (size_t first = 0; first < count; first += batch) {
        const tl_tensor x = tl_tensor_slice(&data->x, first, tl_min(count - first, batch));
        tl_q_run_layers(m, &x, seen, counts);
    }
}

/* ---- percentiles ---- */

static void count_numbers(const tl_q_making *m, size_t vertex, const tl_tensor *y, void *user) {
    const size_t channels = y->shape[2], first = m->ranges.first[vertex];
    histogram *counts = (histogram *)user + first;
    for (size_t i = 0; i < tl_tensor_count(y); i++) {
        const size_t c = i % channels;
        const double low = m->ranges.low[first + c], width = m->ranges.high[first + c] - low;
        const double place = width > 0 ? ((double)y->data[i] - low) / width * BINS : 0;
        counts[c].bin[place < BINS ? (size_t)place : BINS - 1]++;
    }
}

/* Narrows the range of a channel to the bins that are left when `share` of the numbers at each end are ignored. */
static void narrow(const histogram *counts, double share, double *low, double *high) {
    const double width = (*high - *low) / BINS;
    double all = 0, below = 0, above = 0;
    size_t first = 0, last = BINS - 1;
    for (size_t i = 0; i < BINS; i++) all += counts->bin[i];
    while (first < last && below + counts->bin[first] <= share * all) below += counts->bin[first++];
    while (last > first && above + counts->bin[last] <= share * all) above += counts->bin[last--];
    *high = fmax(0, *low + width * (double)(last + 1));
    *low = fmin(0, *low + width * (double)first);
}

static void narrow_all(const tl_q_making *m, const tl_dataset *data, double percentile) {
    histogram *counts = tl_q_new_array(m, m->ranges.count, sizeof *counts);
    if (counts) run_all(m, data, count_numbers, counts);
    for (size_t i = 0; counts && i < m->ranges.count; i++)
        narrow(&counts[i], (1 - percentile / 100) / 2, &m->ranges.low[i], &m->ranges.high[i]);
    tl_release(counts);
}

/* ---- all ranges ---- */

static void allocate(tl_q_making *m) {
    const tl_model *model = m->self->model;
    tl_q_ranges *ranges = &m->ranges;
    ranges->first = tl_q_new_array(m, model->vertices, sizeof *ranges->first);
    ranges->channels = tl_q_new_array(m, model->vertices, sizeof *ranges->channels);
    for (size_t i = 0; ranges->first && ranges->channels && i < model->vertices; i++) {
        ranges->first[i] = ranges->count;
        ranges->channels[i] = model->vertex[i].live ? model->vertex[i].layer->out.channels : 0;
        ranges->count += ranges->channels[i];
    }
    ranges->low = tl_q_new_array(m, ranges->count, sizeof *ranges->low);
    ranges->high = tl_q_new_array(m, ranges->count, sizeof *ranges->high);
}

void tl_q_find_ranges(tl_q_making *m, const tl_dataset *data, double percentile) {
    allocate(m);
    if (tl_failed(m->error)) return;
    run_all(m, data, widen, NULL);
    if (percentile < 100) narrow_all(m, data, percentile);
    tl_report(m->self->model, m->error);
}

void tl_q_ranges_release(tl_q_ranges *ranges) {
    tl_release(ranges->first);
    tl_release(ranges->channels);
    tl_release(ranges->low);
    tl_release(ranges->high);
}
