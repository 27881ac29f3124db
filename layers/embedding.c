/* Looks up rows of a table; the input holds their numbers. */
#include "base/argument.h"
#include "base/math.h"
#include "graph/builder.h"
#include "layers/registry.h"

#include <math.h>
#include <string.h>

/* Units of a task of backward: a task goes through all steps, so that no two tasks add to the same element. */
enum { UNITS = 16 };

typedef struct embedding_layer {
    tl_layer base;
    tl_embedding_cfg cfg;
} embedding_layer;

static void embedding_setup(tl_layer *layer, tl_error *error) {
    const tl_embedding_cfg *cfg = &((const embedding_layer *)layer)->cfg;
    tl_check_count("vocabulary", cfg->vocabulary, 1, SIZE_MAX, error);
    tl_check_count("units", cfg->units, 1, SIZE_MAX, error);
    if (layer->in[0].channels != 1)
        tl_fail(error, TL_ERROR_SHAPE, "the input has %zu channels; it must have 1, with the numbers of rows",
                layer->in[0].channels);
    if (tl_failed(error)) return;
    const size_t rows = cfg->vocabulary, units = cfg->units;
    layer->out.channels = units;
    tl_layer_parameter(layer, "table", 2, (const size_t[]){rows, units}, cfg->init, rows, units);
}

typedef struct embedding_job {
    const tl_pass *pass;
    size_t steps, vocabulary, units;
} embedding_job;

static embedding_job run_of(const tl_layer *layer, const tl_pass *pass) {
    const embedding_layer *self = (const embedding_layer *)layer;
    return (embedding_job){
        .pass = pass, .steps = pass->batch * layer->in[0].length, .vocabulary = self->cfg.vocabulary, .units = layer->out.channels};
}

/* Returns false if the input is not the number of a row. */
static bool row_at(const embedding_job *job, size_t step, size_t *row) {
    const double number = (double)job->pass->x[0].data[step];
    if (!(number >= 0 && number < (double)job->vocabulary) || number != floor(number)) return false;
    *row = (size_t)number;
    return true;
}

static void embedding_forward(const tl_layer *layer, const tl_pass *pass) {
    const embedding_job job = run_of(layer, pass);
    for (size_t step = 0; step < job.steps; step++) {
        tl_real *y = pass->y.data + step * job.units;
        size_t row;
        if (row_at(&job, step, &row))
            memcpy(y, pass->parameter[0] + row * job.units, job.units * sizeof *y);
        else
            for (size_t u = 0; u < job.units; u++) y[u] = (tl_real)NAN;
    }
}

static void table_task(void *context, size_t task, int worker) {
    (void)worker;
    const embedding_job *job = context;
    const size_t first = task * UNITS, last = job->units - first < UNITS ? job->units : first + UNITS;
    for (size_t step = 0; step < job->steps; step++) {
        const tl_real *dy = job->pass->dy.data + step * job->units;
        size_t row;
        if (!row_at(job, step, &row)) continue;
        tl_real *gradient = job->pass->gradient[0] + row * job->units;
        for (size_t u = first; u < last; u++) gradient[u] += dy[u];
    }
}

static void embedding_backward(const tl_layer *layer, const tl_pass *pass) {
    embedding_job job = run_of(layer, pass);
    if (pass->gradient[0])
        tl_parallel(pass->workers, tl_ceil_div(job.units, UNITS), (double)job.steps * (double)job.units, table_task, &job);
    if (pass->dx[0].data) memset(pass->dx[0].data, 0, job.steps * sizeof(tl_real));
}

static const tl_setting settings[] = {
    {"vocabulary", TL_SETTING_SIZE, offsetof(embedding_layer, cfg.vocabulary), NULL},
    {"units", TL_SETTING_SIZE, offsetof(embedding_layer, cfg.units), NULL},
    {"init", TL_SETTING_CHOICE, offsetof(embedding_layer, cfg.init), tl_init_at},
    {0},
};

const tl_layer_ops tl_embedding_layer_ops = {
    .name = "embedding",
    .size = sizeof(embedding_layer),
    .settings = settings,
    .reads = TL_READS_X,
    .setup = embedding_setup,
    .flops = tl_no_flops,
    .forward = embedding_forward,
    .backward = embedding_backward,
    .stepwise = true,
};

tl_node tl_embedding_sized(tl_model *model, tl_node x, const tl_embedding_cfg *cfg, size_t size) {
    embedding_layer layer = {.base.ops = &tl_embedding_layer_ops};
    tl_builder_cfg(model, "embedding", &layer.cfg, sizeof layer.cfg, cfg, size);
    return tl_layer_add(model, &x, 1, &layer.base);
}
