/* Compares the network in integers with the model in floating point, layer by layer, on a few series. */
#include "device/quantizing.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* The model in floating point: for each step, the vertex with its output, the output for one series, and the means of the channels
 * over all series. Numbers that the integers cannot represent count as the nearest ones that they can. */
typedef struct reference {
    size_t *vertex;  /* (steps) */
    tl_real **value; /* (steps) (length, channels) */
    double **mean;   /* (steps) (channels) */
} reference;

static void allocate(const tl_q_making *m, reference *self) {
    const tl_c_network *network = &m->self->network;
    self->vertex = tl_q_new_array(m, network->steps + 1, sizeof *self->vertex);
    self->value = tl_q_new_array(m, network->steps + 1, sizeof *self->value);
    self->mean = tl_q_new_array(m, network->steps + 1, sizeof *self->mean);
    for (size_t s = 0; !tl_failed(m->error) && s < network->steps; s++) {
        const tl_export_node *node = network->step[s].node;
        self->vertex[s] = tl_q_last_vertex(m, (size_t)(node - network->net.node), network->step[s].relu);
        self->value[s] = tl_q_new_array(m, node->out.length * node->out.channels, sizeof **self->value);
        self->mean[s] = tl_q_new_array(m, node->out.channels, sizeof **self->mean);
    }
}

static void release(const tl_q_making *m, reference *self) {
    for (size_t s = 0; s < m->self->network.steps; s++) {
        if (self->value) tl_release(self->value[s]);
        if (self->mean) tl_release(self->mean[s]);
    }
    tl_release(self->vertex);
    tl_release((void *)self->value);
    tl_release((void *)self->mean);
}

/* Called with the output of each vertex. */
static void keep_output(const tl_q_making *m, size_t vertex, const tl_tensor *y, void *user) {
    const reference *self = user;
    const tl_c_network *network = &m->self->network;
    const size_t channels = y->shape[2];
    for (size_t s = 0; s < network->steps; s++) {
        const size_t node = (size_t)(network->step[s].node - network->net.node);
        const tl_q_scale scale = m->self->scale[node];
        const double low = (-128 - scale.zero) * scale.scale, high = (127 - scale.zero) * scale.scale;
        if (self->vertex[s] != vertex) continue;
        for (size_t i = 0; i < tl_tensor_count(y); i++) {
            const double gain = m->gain[node] ? m->gain[node][i % channels] : 1;
            self->value[s][i] = (tl_real)fmax(low, fmin(high, gain * (double)y->data[i]));
        }
    }
}

static void find_means(const tl_q_making *m, const tl_dataset *data, reference *self) {
    const tl_c_network *network = &m->self->network;
    for (size_t i = 0; i < m->error_series; i++) {
        const tl_tensor x = tl_tensor_slice(&data->x, i, 1);
        tl_q_run_layers(m, &x, keep_output, self);
        for (size_t s = 0; s < network->steps; s++) {
            const tl_shape out = network->step[s].node->out;
            for (size_t k = 0; k < out.length * out.channels; k++)
                self->mean[s][k % out.channels] += (double)self->value[s][k] / (double)(out.length * m->error_series);
        }
    }
}

/* ---- biases ---- */

/* The means of the filters of an operation, over all series, each in its own arena. */
static void find_integer_means(const tl_q_making *m, const tl_q_op *op, int8_t *arenas, double *mean) {
    const tl_quantized *self = m->self;
    const size_t filters = (size_t)op->filters, rows = (size_t)op->rows;
    const tl_q_scale scale = self->scale[self->network.step[op->step].node - self->network.net.node];
    for (size_t f = 0; f < filters; f++) mean[f] = 0;
    for (size_t s = 0; s < m->error_series; s++) {
        const int8_t *y = tl_q_place(self, &op->y, arenas + s * self->network.arena);
        for (size_t i = 0; i < rows * filters; i++) mean[i % filters] += y[i] - scale.zero;
    }
    for (size_t f = 0; f < filters; f++) mean[f] *= scale.scale / (double)(rows * m->error_series);
}

static void correct_op(const tl_q_making *m, const reference *wanted, tl_q_op *op, int8_t *arenas, double *mean) {
    const double x_scale = m->self->scale[op->node[0]].scale;
    find_integer_means(m, op, arenas, mean);
    for (size_t f = 0; f < (size_t)op->filters; f++) {
        const double units = (wanted->mean[op->step][f] - mean[f]) / (op->weight_scale[f] * x_scale);
        op->bias[f] = (int32_t)round(fmax(-1e9, fmin(1e9, op->bias[f] + units)));
    }
}

static void run_on_all(const tl_q_making *m, const tl_q_op *op, int8_t *arenas) {
    for (size_t s = 0; s < m->error_series; s++) tl_q_run_op(m->self, op, arenas + s * m->self->network.arena);
}

/* Goes through the operations in order, so that the inputs of each operation are already corrected. An operation may overwrite its
 * input and runs twice, so `saved` holds the arenas from before. */
static void correct_biases(const tl_q_making *m, const tl_dataset *data, const reference *wanted, int8_t *arenas, float *room) {
    tl_quantized *self = m->self;
    const size_t bytes = m->error_series * self->network.arena;
    int8_t *saved = arenas + bytes;
    size_t filters = 1;
    for (size_t i = 0; i < self->ops; i++) filters = tl_max(filters, (size_t)self->op[i].filters);
    double *mean = tl_q_new_array(m, filters, sizeof *mean);
    for (size_t s = 0; mean && s < m->error_series; s++)
        tl_q_read_series(self, tl_tensor_slice(&data->x, s, 1).data, room, arenas + s * self->network.arena);
    for (size_t i = 0; mean && i < self->ops; i++) {
        if (self->op[i].bias) memcpy(saved, arenas, bytes);
        run_on_all(m, &self->op[i], arenas);
        if (!self->op[i].bias) continue;
        correct_op(m, wanted, &self->op[i], arenas, mean);
        memcpy(arenas, saved, bytes);
        run_on_all(m, &self->op[i], arenas);
    }
    tl_release(mean);
}

/* ---- signal and noise ---- */

/* Adds the power of the numbers that the output of a step should have, and of the differences of its integers from them. */
static void compare_step(const tl_quantized *self, size_t index, const tl_real *wanted, double *power, double *noise) {
    const tl_c_step *step = &self->network.step[index];
    const tl_q_scale scale = self->scale[step->node - self->network.net.node];
    const int8_t *values = tl_q_place(self, &step->y, self->arena);
    for (size_t i = 0; i < step->node->out.length * step->node->out.channels; i++) {
        const double distance = (values[i] - scale.zero) * scale.scale - (double)wanted[i];
        *power += (double)wanted[i] * (double)wanted[i];
        *noise += distance * distance;
    }
}

/* Compares after the last operation of each step, because a later step may overwrite its output. */
static void compare_series(const tl_q_making *m, const reference *kept, double *power, double *noise) {
    const tl_quantized *self = m->self;
    for (size_t i = 0; i < self->ops; i++) {
        const size_t step = self->op[i].step;
        const bool last = i + 1 == self->ops || self->op[i + 1].step != step;
        tl_q_run_op(self, &self->op[i], self->arena);
        if (last) compare_step(self, step, kept->value[step], &power[step], &noise[step]);
    }
}

static void compare(const tl_q_making *m, const tl_dataset *data, reference *kept, float *room) {
    const tl_quantized *self = m->self;
    const size_t steps = self->network.steps;
    double *power = tl_q_new_array(m, steps + 1, sizeof *power), *noise = tl_q_new_array(m, steps + 1, sizeof *noise);
    for (size_t s = 0; !tl_failed(m->error) && s < m->error_series; s++) {
        const tl_tensor x = tl_tensor_slice(&data->x, s, 1);
        tl_q_run_layers(m, &x, keep_output, kept);
        tl_q_read_series(self, x.data, room, self->arena);
        compare_series(m, kept, power, noise);
    }
    for (size_t s = 0; !tl_failed(m->error) && s < steps; s++) self->layer[s].decibels = 10 * log10(power[s] / noise[s]);
    tl_release(power);
    tl_release(noise);
}

void tl_q_correct(tl_q_making *m, const tl_dataset *data) {
    reference wanted = {0};
    int8_t *arenas = tl_q_new_array(m, 2 * m->error_series, m->self->network.arena + 1);
    float *room = tl_q_new_array(m, data->x.shape[1] * data->x.shape[2], sizeof *room);
    allocate(m, &wanted);
    if (!tl_failed(m->error)) find_means(m, data, &wanted);
    if (!tl_failed(m->error)) correct_biases(m, data, &wanted, arenas, room);
    if (!tl_failed(m->error) && tl_q_finish(m->self, m->error) == TL_OK) compare(m, data, &wanted, room);
    release(m, &wanted);
    tl_release(arenas);
    tl_release(room);
}
