/* With at most as many rows as features, the Gram matrix is K = Z·Zᵀ = Q·Λ·Qᵀ, and for penalty a the weights are Zᵀ·Q·(Λ +
 * a)⁻¹·Qᵀ·Y. Otherwise it is A = Zᵀ·Z = V·Λ·Vᵀ, and the weights are V·(Λ + a)⁻¹·Vᵀ·Zᵀ·Y. With an intercept, which is not penalised,
 * features and targets are centred. The leave-one-out error of a row is its residual divided by 1 - h, where h is its element on
 * the diagonal of the hat matrix, which maps targets to predictions (Rifkin & Lippert 2007).
 */
#include "train/regression.h"

#include "base/math.h"
#include "base/memory.h"
#include "compute/gemm.h"
#include "compute/symmetric.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 256 }; /* features or rows that are converted to double and scaled together */

#ifdef TAPLINE_F64
static const double unit = DBL_EPSILON;
#else
static const double unit = FLT_EPSILON;
#endif

static bool by_rows(const tl_regression *self) { return self->rows <= self->features; }
static size_t smaller(const tl_regression *self) { return tl_min(self->rows, self->features); }

double tl_regression_memory(size_t rows, size_t features, size_t targets) {
    const double m = (double)tl_min(rows, features), n = (double)rows, p = (double)features, k = (double)targets;
    const double coordinates = n > p ? p : 0;
    return 8 * (4 * m * m + (p + 2 * n + m) * k + 2 * p + BLOCK * (m + coordinates));
}

/* ---- scaling ---- */

/* Relative to the first value, so that the deviation of a constant is exactly 0. */
static void measure_features(tl_regression *self) {
    const size_t n = self->rows, p = self->features;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) self->centre[j] += (double)self->x[i * p + j] - (double)self->x[j];
    for (size_t j = 0; j < p; j++) self->centre[j] = (double)self->x[j] + self->centre[j] / (double)n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++) {
            const double distance = (double)self->x[i * p + j] - self->centre[j];
            self->factor[j] += distance * distance;
        }
    for (size_t j = 0; j < p; j++) {
        const double deviation = sqrt(self->factor[j] / (double)n);
        const bool constant = !(deviation > 2 * unit * fabs(self->centre[j])); /* up to rounding */
        self->constant += constant;
        self->factor[j] = constant && self->intercept ? 0 : self->scale && deviation > 0 ? 1 / deviation : 1;
        if (!self->intercept) self->centre[j] = 0;
    }
}

static void measure_targets(tl_regression *self) {
    const size_t n = self->rows, k = self->targets;
    for (size_t i = 0; self->intercept && i < n * k; i++) self->mean[i % k] += self->y[i] / (double)n;
}

static double scaled(const tl_regression *self, size_t row, size_t feature) {
    return ((double)self->x[row * self->features + feature] - self->centre[feature]) * self->factor[feature];
}

static double target(const tl_regression *self, size_t row, size_t k) { return self->y[row * self->targets + k] - self->mean[k]; }

/* Rows of Zᵀ for the features first … first + count - 1: (count, rows). */
static void scale_features(const tl_regression *self, size_t first, size_t count, double *z) {
    for (size_t i = 0; i < self->rows; i++)
        for (size_t j = 0; j < count; j++) z[j * self->rows + i] = scaled(self, i, first + j);
}

/* Rows of Z: (count, features). */
static void scale_rows(const tl_regression *self, size_t first, size_t count, double *z) {
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < self->features; j++) z[i * self->features + j] = scaled(self, first + i, j);
}

/* A function that each_block calls for each block of rows of Z, or of Zᵀ. */
typedef void (*visit_block)(tl_regression *self, size_t first, size_t count, const double *z, void *to);

static void each_block(tl_regression *self, bool rows, double *z, visit_block visit, void *to) {
    const size_t all = rows ? self->rows : self->features;
    for (size_t first = 0; first < all; first += BLOCK) {
        const size_t count = tl_min(all - first, BLOCK);
        (rows ? scale_rows : scale_features)(self, first, count, z);
        visit(self, first, count, z, to);
    }
}

/* ---- the Gram matrix ---- */

/* Adds zᵀ · z. The sum over rows of Zᵀ is K, that over rows of Z is A. */
static void add_gram(tl_regression *self, size_t first, size_t count, const double *z, void *to) {
    (void)first;
    tl_gram_double(smaller(self), count, z, to);
}

/* For centred features, the vector of ones is an eigenvector of K with eigenvalue 0. Gives it the largest eigenvalue, so that it is
 * the last eigenvector and distinct from others with eigenvalue 0. It is then left out, because the intercept replaces it. */
static void raise_ones(tl_regression *self) {
    double trace = 0;
    for (size_t i = 0; i < self->rows; i++) trace += self->vector[i * self->rows + i];
    for (size_t i = 0; i < self->rows * self->rows; i++) self->vector[i] += (2 * trace + 1) / (double)self->rows;
}

/* Number of eigenvectors that are used. */
static size_t rank_of(const tl_regression *self) { return smaller(self) - (by_rows(self) && self->intercept); }

static tl_status decompose(tl_regression *self, double *z, tl_error *error) {
    const size_t m = smaller(self);
    each_block(self, !by_rows(self), z, add_gram, self->vector);
    for (size_t i = 0; i < m; i++)
        for (size_t j = i + 1; j < m; j++) self->vector[i * m + j] = self->vector[j * m + i];
    if (by_rows(self) && self->intercept) raise_ones(self);
    if (tl_symmetric_eigen(self->vector, m, self->value, error) != TL_OK) return error->status;
    for (size_t j = 0; j < m; j++) self->value[j] = fmax(self->value[j], 0);
    return TL_OK;
}

/* ---- projections of the targets ---- */

static void add_to_features(tl_regression *self, size_t first, size_t count, const double *z, void *to) {
    double *sums = to; /* (features, targets): Zᵀ · Y */
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < self->features; j++)
            for (size_t k = 0; k < self->targets; k++)
                sums[j * self->targets + k] += z[i * self->features + j] * target(self, first + i, k);
}

/* Computes projected = Qᵀ·Y, or Vᵀ·Zᵀ·Y. scratch: (m, targets). */
static void project(tl_regression *self, double *z, double *scratch) {
    const size_t m = smaller(self), k = self->targets;
    memset(scratch, 0, m * k * sizeof *scratch);
    if (by_rows(self))
        for (size_t i = 0; i < m * k; i++) scratch[i] = target(self, i / k, i % k);
    else
        each_block(self, true, z, add_to_features, scratch);
    tl_gemm_double(TL_OPERAND_PLAIN, TL_OPERAND_PLAIN, m, k, m, self->vector, m, scratch, k, 0, self->projected, k);
}

/* ---- leave-one-out errors ---- */

/* coordinate: (rank) the row in the basis of the eigenvectors; residual: (targets) [OUT]. Returns 1 - h. */
static double residual_of(const tl_regression *self, const double *coordinate, size_t stride, size_t row, double penalty,
                          double *residual) {
    const size_t rank = rank_of(self), k = self->targets;
    double rest = by_rows(self) ? 0 : 1 - (self->intercept ? 1 / (double)self->rows : 0);
    for (size_t c = 0; c < k; c++) residual[c] = by_rows(self) ? 0 : target(self, row, c);
    for (size_t j = 0; j < rank; j++) {
        const double u = coordinate[j * stride], inverse = 1 / (self->value[j] + penalty);
        const double factor = by_rows(self) ? u * penalty * inverse : -u * inverse;
        rest += u * factor;
        for (size_t c = 0; c < k; c++) residual[c] += factor * self->projected[j * k + c];
    }
    return rest;
}

/* A pass over the rows computes the sum of squared errors for each penalty, or the predictions for the chosen penalty. */
typedef struct leaving_out {
    double *squares;     /* (count) [OUT]; NULL: predictions */
    double *residual;    /* (targets) */
    double *coordinates; /* (BLOCK, features) of rows of Z */
} leaving_out;

static void leave_out(tl_regression *self, const double *coordinate, size_t stride, size_t row, const leaving_out *to) {
    const size_t k = self->targets, count = to->squares ? self->count : 1;
    for (size_t a = 0; a < count; a++) {
        const double rest =
            residual_of(self, coordinate, stride, row, to->squares ? self->penalties[a] : self->penalty, to->residual);
        for (size_t c = 0; c < k; c++) {
            const double error = to->residual[c] / fmax(rest, 1e-12);
            if (to->squares)
                to->squares[a] += error * error;
            else
                self->left_out[row * k + c] = self->y[row * k + c] - error;
        }
    }
}

static void leave_block_out(tl_regression *self, size_t first, size_t count, const double *z, void *to) {
    const leaving_out *out = to;
    const size_t p = self->features;
    tl_gemm_double(TL_OPERAND_PLAIN, TL_OPERAND_TRANSPOSED, count, p, p, z, p, self->vector, p, 0, out->coordinates, p);
    for (size_t i = 0; i < count; i++) leave_out(self, out->coordinates + i * p, 1, first + i, out);
}

static void leave_all_out(tl_regression *self, double *z, leaving_out *to) {
    if (!by_rows(self)) {
        each_block(self, true, z, leave_block_out, to);
        return;
    }
    for (size_t i = 0; i < self->rows; i++) leave_out(self, self->vector + i, self->rows, i, to);
}

static tl_status choose_penalty(tl_regression *self, double *z, tl_error *error) {
    leaving_out to = {.squares = tl_allocate(self->count, sizeof(double), "errors", error),
                      .residual = tl_allocate(self->targets, sizeof(double), "residuals", error)};
    if (!by_rows(self)) to.coordinates = tl_reserve(BLOCK * self->features, sizeof(double), "coordinates", error);
    if (!tl_failed(error)) {
        double *squares = to.squares;
        size_t best = 0;
        leave_all_out(self, z, &to);
        for (size_t a = 1; a < self->count; a++)
            if (squares[a] < squares[best]) best = a;
        self->penalty = self->penalties[best];
        self->error = squares[best] / (double)(self->rows * self->targets);
        to.squares = NULL;
        leave_all_out(self, z, &to);
        to.squares = squares;
    }
    tl_release(to.squares);
    tl_release(to.residual);
    tl_release(to.coordinates);
    return tl_failed(error) ? error->status : TL_OK;
}

/* ---- weights ---- */

/* Computes the weights of some features: rows of Zᵀ · dual. */
static void add_weights(tl_regression *self, size_t first, size_t count, const double *z, void *dual) {
    tl_gemm_double(TL_OPERAND_PLAIN, TL_OPERAND_PLAIN, count, self->targets, self->rows, z, self->rows, dual, self->targets, 0,
                   self->weight + first * self->targets, self->targets);
}

/* Computes Q or V · (Λ + a)⁻¹ · projected: (m, targets), the dual coefficients of rows, or the weights. */
static void solve(const tl_regression *self, double *solution) {
    const size_t m = smaller(self), k = self->targets, rank = rank_of(self);
    for (size_t j = 0; j < rank * k; j++) self->projected[j] /= self->value[j / k] + self->penalty;
    tl_gemm_double(TL_OPERAND_TRANSPOSED, TL_OPERAND_PLAIN, m, k, rank, self->vector, m, self->projected, k, 0, solution, k);
}

/* Makes the scaling part of the weights. */
static void fold(tl_regression *self) {
    const size_t p = self->features, k = self->targets;
    memcpy(self->bias, self->mean, k * sizeof *self->bias);
    for (size_t i = 0; i < p * k; i++) {
        self->weight[i] *= self->factor[i / k];
        self->bias[i % k] -= self->centre[i / k] * self->weight[i];
    }
}

static void find_weights(tl_regression *self, double *z, double *scratch) {
    if (by_rows(self)) {
        solve(self, scratch);
        each_block(self, false, z, add_weights, scratch);
    } else
        solve(self, self->weight);
    fold(self);
}

/* ---- the whole solution ---- */

static void allocate(tl_regression *self, tl_error *error) {
    const size_t m = smaller(self), p = self->features, k = self->targets;
    self->centre = tl_allocate(p, sizeof(double), "means of features", error);
    self->factor = tl_allocate(p, sizeof(double), "deviations of features", error);
    self->mean = tl_allocate(k, sizeof(double), "means of targets", error);
    self->weight = tl_allocate(p * k, sizeof(double), "weights", error);
    self->bias = tl_allocate(k, sizeof(double), "biases", error);
    self->left_out = tl_allocate(self->rows * k, sizeof(double), "predictions", error);
    self->value = tl_allocate(m, sizeof(double), "eigenvalues", error);
    self->vector = tl_allocate(m * m, sizeof(double), "the Gram matrix", error);
    self->projected = tl_allocate(m * k, sizeof(double), "projections", error);
}

tl_status tl_regression_solve(tl_regression *self, tl_error *error) {
    allocate(self, error);
    double *z = tl_reserve(BLOCK * tl_min(self->rows, self->features), sizeof *z, "scaled features", error);
    double *scratch = tl_reserve(smaller(self) * self->targets, sizeof *scratch, "targets", error);
    if (!tl_failed(error)) {
        measure_features(self);
        measure_targets(self);
        if (decompose(self, z, error) == TL_OK) project(self, z, scratch);
        if (!tl_failed(error) && choose_penalty(self, z, error) == TL_OK) find_weights(self, z, scratch);
    }
    tl_release(z);
    tl_release(scratch);
    return tl_failed(error) ? error->status : TL_OK;
}

void tl_regression_release(tl_regression *self) {
    double *const all[] = {self->centre,   self->factor, self->mean,   self->weight,   self->bias,
                           self->left_out, self->value,  self->vector, self->projected};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tl_release(all[i]);
}
