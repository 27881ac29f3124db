/* Runs a compiled model: forward, loss, backward, step. Everything that may fail is checked first; the loops over the layers cannot
 * fail. */
#include "graph/graph.h"

#include "base/argument.h"
#include "base/math.h"
#include "compute/counted.h"
#include "graph/turn.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- forward ---- */

static void set_batch(tl_model *model, size_t batch) {
    model->batch_now = batch;
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        for (size_t e = 0; e < vertex->layer->inputs; e++) vertex->backward_x[e].shape[0] = vertex->dx[e].shape[0] = batch;
        for (int mode = 0; mode < TL_MODES; mode++) {
            for (size_t e = 0; e < vertex->layer->inputs; e++) vertex->x[mode][e].shape[0] = batch;
            vertex->forward[mode].batch = vertex->forward[mode].y.shape[0] = batch;
        }
        vertex->backward.batch = vertex->backward.y.shape[0] = vertex->backward.dy.shape[0] = batch;
    }
}

/* The layers after the input read the caller's array in place. */
static void bind_input(tl_model *model, tl_real *x, tl_mode mode) {
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        if (!vertex->live) continue;
        for (size_t e = 0; e < vertex->layer->inputs; e++) {
            if (vertex->input[e] != model->input) continue;
            vertex->x[mode][e].data = x;
            if (vertex->layer->ops->reads & TL_READS_X) vertex->backward_x[e].data = x;
        }
    }
}

static bool may_run_forward(tl_model *model, const tl_tensor *x, tl_mode mode) {
    if (!model || tl_failed(&model->error)) return false;
    tl_error *error = &model->error;
    model->stage = TL_STAGE_NOTHING; /* the previous pass has ended, even if this one fails */
    if (!model->compiled) {
        tl_fail(error, TL_ERROR_STATE, "forward: the model is not compiled");
        return false;
    }
    const tl_shape in = model->vertex[model->input].layer->out;
    char shape[TL_SHAPE_TEXT];
    if (mode != TL_MODE_TRAINING && mode != TL_MODE_INFERENCE && mode != TL_MODE_INFERENCE_GRADIENTS)
        tl_fail(error, TL_ERROR_ARGUMENT,
                "forward: mode %d is none of TL_MODE_TRAINING, TL_MODE_INFERENCE and TL_MODE_INFERENCE_GRADIENTS", (int)mode);
    else if (mode != TL_MODE_INFERENCE && model->inference_only)
        tl_fail(error, TL_ERROR_STATE, "forward: the model was compiled for inference only");
    else if (!x || !x->data || x->rank != 3 || x->shape[1] != in.length || x->shape[2] != in.channels)
        tl_fail(error, TL_ERROR_SHAPE, "forward: x is %s; the model takes (batch, %zu, %zu)", tl_tensor_text(x, shape), in.length,
                in.channels);
    else if (x->shape[0] == 0 || x->shape[0] > model->batch)
        tl_fail(error, TL_ERROR_SHAPE, "forward: batch %zu is outside 1 … %zu, the batch that was compiled", x->shape[0],
                model->batch);
    return !tl_failed(error);
}

bool tl_begin_forward(tl_model *model, const tl_tensor *x, tl_mode mode) {
    if (!may_run_forward(model, x, mode) || !tl_begin_lengths(model, x)) return false;
    if (x->shape[0] != model->batch_now) set_batch(model, x->shape[0]);
    bind_input(model, x->data, mode == TL_MODE_INFERENCE ? TL_MODE_INFERENCE : TL_MODE_TRAINING);
    return true;
}

void tl_hold_still(tl_model *model, bool still) {
    if (model->still == still) return;
    model->still = still;
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        vertex->forward[TL_MODE_TRAINING].training = vertex->backward.training = !still;
    }
    tl_graph_mark(model);
}

bool tl_layer_runs(const tl_model *model, size_t id, tl_mode mode) {
    const tl_vertex *vertex = &model->vertex[id];
    if (!vertex->live || vertex->absorbed || vertex->taken || (int)id == model->input) return false;
    return !(vertex->rectified && mode == TL_MODE_TRAINING);
}

void tl_forward_layer(tl_model *model, size_t id, tl_mode mode) {
    tl_vertex *vertex = &model->vertex[id];
    model->workers.layer.id = (int)id;
    vertex->forward[mode].step = vertex->backward.step = model->passes;
    vertex->forward[mode].place = vertex->backward.place = model->place;
    if (vertex->takes.packs)
        tl_run_packed(model, vertex);
    else
        vertex->layer->ops->forward(vertex->layer, &vertex->forward[mode]);
    if (model->has_lengths) tl_blank(&vertex->forward[mode].y, vertex);
    tl_pass_part_done(&model->workers, TL_PASS_PART_FORWARD);
}

void tl_end_forward(tl_model *model, tl_mode asked) {
    model->passes += asked == TL_MODE_TRAINING;
    model->mode = asked == TL_MODE_INFERENCE ? TL_MODE_INFERENCE : TL_MODE_TRAINING;
    model->stage = TL_STAGE_FORWARD;
}

static void run_layers(tl_model *model, tl_mode mode) {
    for (size_t i = 0; i < model->vertices; i++)
        if (tl_layer_runs(model, i, mode)) tl_forward_layer(model, i, mode);
}

/* ---- inference, a portion of the batch at a time ---- */

/* Lets inference go on so many samples later: from there it reads the input and their lengths, and writes the output. All between
 * is only for a portion. */
static void move(tl_model *model, ptrdiff_t samples) {
    for (size_t i = 0; i < model->vertices; i++) {
        tl_vertex *vertex = &model->vertex[i];
        tl_pass *pass = &vertex->forward[TL_MODE_INFERENCE];
        if (!vertex->live) continue;
        for (size_t e = 0; e < vertex->layer->inputs; e++) {
            const tl_shape in = vertex->layer->in[e];
            const bool whole = vertex->input[e] == model->input || model->vertex[vertex->input[e]].in_output;
            if (whole) vertex->x[TL_MODE_INFERENCE][e].data += samples * (ptrdiff_t)(in.length * in.channels);
        }
        if (vertex->in_output) pass->y.data += samples * (ptrdiff_t)(vertex->layer->out.length * vertex->layer->out.channels);
        vertex->lengths += samples;
        if (pass->lengths) pass->lengths += samples;
        if (pass->out_lengths) pass->out_lengths += samples;
    }
}

/* Layers find what the one before has written in the cache. No result depends on the portions. */
static void run_portions(tl_model *model) {
    const size_t batch = model->batch_now;
    for (size_t first = 0; first < batch; first += model->batch_now) {
        const size_t count = tl_min(model->portion, batch - first);
        if (count != model->batch_now) set_batch(model, count);
        run_layers(model, TL_MODE_INFERENCE);
        move(model, (ptrdiff_t)count);
    }
    move(model, -(ptrdiff_t)batch);
    set_batch(model, batch);
}

static void forward(tl_model *model, const tl_tensor *x, tl_mode asked) {
    const tl_mode mode = asked == TL_MODE_INFERENCE ? TL_MODE_INFERENCE : TL_MODE_TRAINING; /* the mode whose memory it uses */
    if (!tl_begin_forward(model, x, asked)) return;
    if (mode == TL_MODE_TRAINING) tl_hold_still(model, asked == TL_MODE_INFERENCE_GRADIENTS);
    const unsigned denormals = tl_denormals_off();
    tl_refresh_packed(model);
    if (mode == TL_MODE_INFERENCE && model->portion < model->batch_now && !model->workers.observer)
        run_portions(model);
    else
        run_layers(model, mode);
    tl_end_forward(model, asked);
    tl_denormals_restore(denormals);
}

void tl_forward(tl_model *model, const tl_tensor *x, tl_mode mode) {
    const tl_turn turn = tl_turn_take(model);
    if (turn == TL_TURN_REFUSED) return;
    forward(model, x, mode);
    tl_turn_end(model, turn);
}

void tl_forward_whole(tl_model *model, const tl_tensor *x) {
    const size_t portion = model->portion;
    model->portion = model->batch;
    tl_forward(model, x, TL_MODE_INFERENCE);
    model->portion = portion;
}

tl_tensor tl_output(const tl_model *model) {
    const bool ready = model && model->compiled && model->stage != TL_STAGE_NOTHING;
    return ready ? model->vertex[model->output].forward[model->mode].y : (tl_tensor){0};
}

size_t tl_output_length(const tl_model *model, size_t index) {
    const tl_tensor y = tl_output(model);
    if (!y.data || index >= y.shape[0]) return 0;
    return model->has_lengths ? model->vertex[model->output].lengths[index] : y.shape[1];
}

/* ---- loss ---- */

static double measure_loss(tl_model *model, const tl_target *given, size_t size) {
    tl_target own, *target = &own;
    if (tl_failed(&model->error)) return NAN;
    if (model->stage == TL_STAGE_NOTHING) {
        tl_fail(&model->error, TL_ERROR_STATE, "loss: call tl_forward before");
        return NAN;
    }
    if (!tl_given(given, "loss: the target", &model->error)) return NAN;
    tl_take(&own, sizeof own, given, size, "loss", &model->error);
    if (tl_failed(&model->error)) return NAN;
    tl_vertex *output = &model->vertex[model->output];
    const tl_tensor *y = &output->forward[model->mode].y;
    const size_t *lengths = model->has_lengths ? output->lengths : NULL;
    if (tl_loss_check(&model->loss, y, lengths, target, &model->error) != TL_OK) return NAN;
    const bool training = model->mode == TL_MODE_TRAINING;
    const double loss = tl_loss_of(&model->loss, y, lengths, target, training ? output->dy : NULL, &model->loss_weight);
    if (training) {
        model->loss_not_finite = model->loss_not_finite || !isfinite(loss);
        model->stage = TL_STAGE_LOSS;
    }
    return loss;
}

double tl_loss_sized(tl_model *model, const tl_target *given, size_t size) {
    const tl_turn turn = tl_turn_take(model);
    if (turn == TL_TURN_REFUSED) return NAN;
    const double loss = measure_loss(model, given, size);
    tl_turn_end(model, turn);
    return loss;
}

/* ---- backward ---- */

enum { ADD_BLOCK = 16384 }; /* elements of a task */

typedef struct add_job {
    const tl_kernels *kernels;
    const size_t *lengths; /* as in tl_pass */
    tl_shape shape;        /* of a sample */
    tl_real *to;
    const tl_real *from;
    size_t count;
} add_job;

/* to += from, in the elements of a block that count. */
static void add_part(void *context, size_t chunk, int worker) {
    (void)worker;
    const add_job *job = context;
    const size_t first = chunk * ADD_BLOCK, end = tl_min(first + ADD_BLOCK, job->count);
    tl_counted run = tl_counted_in(job->lengths, job->shape.length, job->shape.channels, first, end);
    while (tl_next_counted(&run)) job->kernels->add(job->to + run.first, job->from + run.first, job->to + run.first, run.count);
}

static void add(const tl_workers *workers, add_job *job) {
    job->kernels = workers->kernels;
    tl_parallel(workers, tl_ceil_div(job->count, ADD_BLOCK), (double)job->count, add_part, job);
}

void tl_add_to(const tl_workers *workers, tl_real *to, const tl_real *from, size_t count) {
    add(workers, &(add_job){.to = to, .from = from, .count = count});
}

/* Adds the gradient that a layer computed for its input `e` to those of other layers. */
static void add_gradient(const tl_model *model, const tl_vertex *vertex, size_t e) {
    const tl_vertex *before = &model->vertex[vertex->input[e]];
    add(&model->workers, &(add_job){.lengths = model->has_lengths ? before->lengths : NULL,
                                    .shape = before->layer->out,
                                    .to = before->dy,
                                    .from = vertex->dx[e].data,
                                    .count = tl_tensor_count(&vertex->dx[e])});
}

bool tl_layer_runs_backward(const tl_model *model, size_t id) {
    const tl_vertex *vertex = &model->vertex[id];
    return vertex->live && !vertex->absorbed && !vertex->masked && vertex->needs_gradient && (int)id != model->input;
}

void tl_hand_back(tl_model *model, size_t id) {
    tl_vertex *vertex = &model->vertex[id];
    for (size_t e = 0; model->has_lengths && e < vertex->layer->inputs; e++)
        if (vertex->dx[e].data && !vertex->dx_added[e]) tl_blank(&vertex->dx[e], &model->vertex[vertex->input[e]]);
    for (size_t e = 0; e < vertex->layer->inputs; e++)
        if (vertex->dx_added[e] && vertex->dx[e].data) add_gradient(model, vertex, e);
    tl_pass_part_done(&model->workers, TL_PASS_PART_BACKWARD);
}

void tl_backward_layer(tl_model *model, size_t id) {
    const tl_vertex *vertex = &model->vertex[id];
    model->workers.layer.id = (int)id;
    vertex->layer->ops->backward(vertex->layer, &vertex->backward);
    tl_hand_back(model, id);
}

void tl_end_backward(tl_model *model, double weight) {
    model->samples += model->batch_now;
    model->weight += weight;
    model->stage = TL_STAGE_NOTHING;
}

/* Runs backward through all layers that need it, from the gradient of the output; `weight`: that of its samples. */
static void run_backward(tl_model *model, double weight) {
    const unsigned denormals = tl_denormals_off();
    for (size_t i = model->vertices; i-- > 0;)
        if (tl_layer_runs_backward(model, i)) tl_backward_layer(model, i);
    tl_end_backward(model, weight);
    tl_denormals_restore(denormals);
}

void tl_backward(tl_model *model) {
    const tl_turn turn = tl_turn_take(model);
    if (turn == TL_TURN_REFUSED) return;
    if (model->stage != TL_STAGE_LOSS)
        tl_fail(&model->error, TL_ERROR_STATE, "backward: call tl_forward in training mode and tl_loss before");
    if (!tl_failed(&model->error)) run_backward(model, model->loss_weight);
    tl_turn_end(model, turn);
}

static void backward_from(tl_model *model, const tl_tensor *dy) {
    if (tl_failed(&model->error)) return;
    if (model->stage == TL_STAGE_NOTHING || model->mode != TL_MODE_TRAINING) {
        tl_fail(&model->error, TL_ERROR_STATE, "backward: call tl_forward in training mode before");
        return;
    }
    const tl_tensor *y = &model->vertex[model->output].forward[TL_MODE_TRAINING].y;
    if (!dy || !dy->data || !tl_tensor_same_shape(dy, y)) {
        char given[TL_SHAPE_TEXT], shape[TL_SHAPE_TEXT];
        tl_fail(&model->error, TL_ERROR_SHAPE, "backward: the gradient is %s; the output is %s", tl_tensor_text(dy, given),
                tl_tensor_text(y, shape));
        return;
    }
    tl_vertex *output = &model->vertex[model->output];
    memcpy(output->dy, dy->data, tl_tensor_count(dy) * sizeof(tl_real));
    if (model->has_lengths) tl_blank(&output->backward.dy, output);
    run_backward(model, (double)model->batch_now);
}

void tl_backward_from(tl_model *model, const tl_tensor *dy) {
    const tl_turn turn = tl_turn_take(model);
    if (turn == TL_TURN_REFUSED) return;
    backward_from(model, dy);
    tl_turn_end(model, turn);
}

tl_tensor tl_input_gradient(const tl_model *model) {
    if (!model || !model->compiled || !model->input_gradient) return (tl_tensor){0};
    const tl_shape in = model->vertex[model->input].layer->out;
    return TL_VIEW(model->vertex[model->input].dy, model->batch_now, in.length, in.channels);
}

static void forget_samples(tl_model *model) {
    model->samples = 0;
    model->weight = 0;
    model->loss_not_finite = false;
    for (size_t i = 0; i < model->vertices; i++) model->vertex[i].fault = NULL;
}

void tl_zero_grad(tl_model *model) {
    if (!model || !model->gradients) return;
    memset(model->gradients, 0, model->parameter_count * sizeof(tl_real));
    forget_samples(model);
}

/* ---- step ---- */

static void norm_part(void *context, size_t chunk, int worker) {
    (void)worker;
    tl_model *model = context;
    const size_t first = chunk * TL_NORM_CHUNK, rest = model->parameter_count - first;
    const size_t count = tl_min(rest, TL_NORM_CHUNK);
    model->norm_parts[chunk] = model->workers.kernels->squares(model->gradients + first, count);
}

/* Returns the L2 norm of the accumulated gradients, summed in an order that does not depend on threads. Gradients of frozen layers
 * are zero. */
static double gradient_norm(tl_model *model) {
    const size_t chunks = tl_ceil_div(model->parameter_count, TL_NORM_CHUNK);
    tl_parallel(&model->workers, chunks, (double)model->parameter_count, norm_part, model);
    double sum = 0;
    for (size_t chunk = 0; chunk < chunks; chunk++) sum += model->norm_parts[chunk];
    return sqrt(sum);
}

static void clip_part(void *context, size_t chunk, int worker) {
    (void)worker;
    tl_model *model = context;
    const size_t first = chunk * TL_NORM_CHUNK, rest = model->parameter_count - first;
    const tl_real maximum = (tl_real)(model->clip_value * model->weight);
    tl_real *gradient = model->gradients + first;
    for (size_t i = 0; i < tl_min(rest, TL_NORM_CHUNK); i++)
        gradient[i] = gradient[i] > maximum ? maximum : gradient[i] < -maximum ? -maximum : gradient[i];
}

/* Limits each element of the mean gradient. */
static void clip_values(tl_model *model) {
    const size_t chunks = tl_ceil_div(model->parameter_count, TL_NORM_CHUNK);
    tl_parallel(&model->workers, chunks, (double)model->parameter_count, clip_part, model);
}

enum { UPDATE_CHUNK = 16384 }; /* elements of a task */

/* The data of update_part. */
typedef struct update_job {
    const tl_model *model;
    tl_run run;
    double scale;
} update_job;

static void update_part(void *context, size_t chunk, int worker) {
    (void)worker;
    const update_job *job = context;
    const tl_model *model = job->model;
    const tl_group_cfg *group = &job->run.group;
    const size_t offset = chunk * UPDATE_CHUNK, rest = job->run.count - offset, first = job->run.first + offset;
    tl_real *moment[TL_MAX_MOMENTS];
    for (size_t i = 0; i < model->optimizer.ops->moments; i++) moment[i] = model->moment[i] + first;
    const tl_update update = {.value = model->parameters + first,
                              .gradient = model->gradients + first,
                              .moment = moment,
                              .count = tl_min(rest, UPDATE_CHUNK),
                              .scale = job->scale,
                              .step = model->steps + 1,
                              .learning_rate = model->optimizer.learning_rate * group->rate,
                              .weight_decay = group->no_decay ? 0 : fmax(model->optimizer.weight_decay, 0),
                              .l1 = group->no_decay ? 0 : model->optimizer.l1,
                              .cfg = &model->optimizer};
    model->optimizer.ops->update(&update);
    memset(model->gradients + first, 0,
           update.count * sizeof(tl_real)); /* while it is in the cache; gradients of frozen layers are zero */
}

/* Takes the step and sets the gradients to zero. */
static void update_parameters(tl_model *model, double scale) {
    for (size_t r = 0; r < model->runs; r++) {
        update_job job = {.model = model, .run = model->run[r], .scale = scale};
        const size_t chunks = tl_ceil_div(job.run.count, UPDATE_CHUNK);
        tl_parallel(&model->workers, chunks, 8.0 * (double)job.run.count, update_part, &job);
    }
}

/* Returns the first layer that said why its output is not finite; the number of layers if there is none. */
static size_t find_fault(const tl_model *model) {
    size_t i = 0;
    while (i < model->vertices && !model->vertex[i].fault) i++;
    return i;
}

static void refuse_step(const tl_model *model, const char *what, size_t faulty, tl_error *error) {
    char reason[200] = "";
    if (faulty < model->vertices)
        snprintf(reason, sizeof reason, "; layer %zu (%s): %s", faulty, model->vertex[faulty].layer->ops->name,
                 model->vertex[faulty].fault);
    tl_fail(error, TL_ERROR_NUMERIC, "non-finite %s at step %llu; parameters unchanged%s", what,
            (unsigned long long)model->steps + 1, reason);
}

static tl_status step(tl_model *model, tl_error *error) {
    if (tl_report(model, error) != TL_OK) return tl_model_error(model)->status;
    if (!model->compiled || model->samples == 0) return tl_fail(error, TL_ERROR_STATE, "step: call tl_backward before");
    const unsigned denormals = tl_denormals_off();
    const double scale = model->weight > 0 ? 1 / model->weight : 0;
    double norm = gradient_norm(model) * scale;
    const size_t faulty = find_fault(model);
    const char *wrong = model->loss_not_finite     ? "loss"
                        : faulty < model->vertices ? "activation"
                        : !isfinite(norm)          ? "gradient"
                                                   : NULL;
    if (wrong) {
        refuse_step(model, wrong, faulty, error);
        tl_zero_grad(model);
    } else {
        if (model->clip_value > 0) {
            clip_values(model);
            norm = gradient_norm(model) * scale;
        }
        const double clip = model->clip_norm > 0 && norm > model->clip_norm ? model->clip_norm / norm : 1;
        update_parameters(model, clip * scale);
        model->steps++;
        forget_samples(model);
    }
    tl_denormals_restore(denormals);
    return wrong ? TL_ERROR_NUMERIC : TL_OK;
}

tl_status tl_step(tl_model *model, tl_error *error) {
    tl_error own = {0};
    tl_turn turn;
    if (!error) error = &own;
    if (tl_failed(error) || !tl_turn_begin(model, &turn, "step", error)) return error->status;
    const tl_status status = step(model, error);
    tl_turn_end(model, turn);
    return status;
}
