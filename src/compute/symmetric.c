#include "compute/symmetric.h"

#include "base/memory.h"
#include "compute/gemm.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { SWEEPS = 60 }; /* of rotations: some ten are usual */

/* ---- rotations ---- */

/* Of rows p and q of a matrix: (row p, row q) = (c · p - s · q, s · p + c · q). */
static void rotate_rows(double *restrict p, double *restrict q, size_t n, double c, double s) {
    for (size_t i = 0; i < n; i++) {
        const double a = p[i], b = q[i];
        p[i] = c * a - s * b;
        q[i] = s * a + c * b;
    }
}

static void rotate_columns(double *a, size_t n, size_t p, size_t q, double c, double s) {
    for (size_t i = 0; i < n; i++) {
        const double x = a[i * n + p], y = a[i * n + q];
        a[i * n + p] = c * x - s * y;
        a[i * n + q] = s * x + c * y;
    }
}

/* The rotation that makes a[p][q] zero. */
static void rotate(double *a, double *vector, size_t n, size_t p, size_t q) {
    const double off = a[p * n + q], ratio = (a[q * n + q] - a[p * n + p]) / (2 * off);
    const double tangent = (ratio < 0 ? -1 : 1) / (fabs(ratio) + sqrt(1 + ratio * ratio));
    const double c = 1 / sqrt(1 + tangent * tangent), s = tangent * c;
    rotate_rows(a + p * n, a + q * n, n, c, s);
    rotate_columns(a, n, p, q, c, s);
    rotate_rows(vector + p * n, vector + q * n, n, c, s);
}

/* Goes over all pairs; whether there was one to be rotated. */
static bool sweep(double *a, double *vector, size_t n) {
    bool rotated = false;
    for (size_t p = 0; p < n; p++)
        for (size_t q = p + 1; q < n; q++) {
            if (fabs(a[p * n + q]) <= DBL_EPSILON * sqrt(fabs(a[p * n + p] * a[q * n + q]))) continue;
            rotate(a, vector, n, p, q);
            rotated = true;
        }
    return rotated;
}

/* From vector to a, in the order of the diagonal of a, which goes to value. */
static void sort(double *a, const double *vector, size_t n, double *value) {
    for (size_t i = 0; i < n; i++) value[i] = a[i * n + i];
    for (size_t i = 0; i < n; i++) {
        size_t rank = 0;
        for (size_t k = 0; k < n; k++) rank += value[k] < value[i] || (k < i && value[k] == value[i]);
        memcpy(a + rank * n, vector + i * n, n * sizeof *a);
    }
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && value[k] < value[k - 1]; k--) {
            const double kept = value[k];
            value[k] = value[k - 1];
            value[k - 1] = kept;
        }
}

tl_status tl_symmetric_jacobi(double *a, size_t n, double *value, tl_error *error) {
    double *vector = tl_allocate(n * n, sizeof *vector, "eigenvectors", error);
    if (!vector) return error->status;
    for (size_t i = 0; i < n; i++) vector[i * n + i] = 1;
    for (int i = 0; i < SWEEPS && sweep(a, vector, n); i++) continue;
    sort(a, vector, n, value);
    tl_release(vector);
    return TL_OK;
}

/* ---- LAPACK ---- */

static tl_status check_finite(const double *a, size_t n, tl_error *error) {
    for (size_t i = 0; i < n * n; i++)
        if (!isfinite(a[i])) return tl_fail(error, TL_ERROR_NUMERIC, "a matrix whose eigenvalues are sought is not finite");
    return TL_OK;
}

tl_status tl_symmetric_eigen(double *a, size_t n, double *value, tl_error *error) {
    if (n > TL_SYMMETRIC_LIMIT)
        return tl_fail(error, TL_ERROR_SHAPE, "a matrix of %zu rows, whose eigenvalues are sought, exceeds the limit of %d", n,
                       (int)TL_SYMMETRIC_LIMIT);
    if (check_finite(a, n, error) != TL_OK) return error->status;
    if (!tl_lapack_eigen_there()) return tl_symmetric_jacobi(a, n, value, error);
    double *work = tl_reserve(tl_lapack_eigen_doubles(n), sizeof *work, "eigenvectors", error);
    int *whole = tl_reserve(tl_lapack_eigen_integers(n), sizeof *whole, "eigenvectors", error);
    if (!tl_failed(error) && !tl_lapack_eigen(a, n, value, work, whole))
        tl_fail(error, TL_ERROR_NUMERIC, "LAPACK does not find the eigenvalues of a matrix of %zu rows", n);
    tl_release(work);
    tl_release(whole);
    return tl_failed(error) ? error->status : TL_OK;
}
