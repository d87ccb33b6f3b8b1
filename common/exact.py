"""Arithmetic whose result has the same bits on every machine.

BLAS and LAPACK sum in an order that depends on the processor, so their results differ in the last bits, and a
file made from them differs now and then by a rounding. What is used here instead is of two kinds:

- element-wise IEEE operations (add, multiply, divide, square root), which are exactly defined;
- matrix products of *integers held in float64*, exact in any order as long as every partial sum stays below
  2**53 (see `integer_product`).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .kernels import compiled

NEGLIGIBLE = 1e-140
"""Off-diagonal entries below this count as zero, the largest being about 1: their angle would overflow."""

Float = NDArray[np.float64]

EXACT_LIMIT = 2.0**53
"""Integers up to here are exact in float64."""

JACOBI_SWEEPS = 30
"""Upper bound of sweeps; cyclic Jacobi converges in 6-10 for any matrix met in practice."""

JACOBI_TOLERANCE = 1e-15
"""Largest off-diagonal entry, relative to the largest entry of the matrix, at which the sweeps stop."""


def product(a: Float, b: Float) -> Float:
    """Multiply two matrices with a defined order of summation.

    Parameters
    ----------
    a : ndarray, shape (n, m)
        Left factor.
    b : ndarray, shape (m, k)
        Right factor.

    Returns
    -------
    ndarray, shape (n, k)
        ``a @ b``, summed over ``m`` from first to last. For the small matrices of the side information only:
        it makes ``m`` passes over the result.
    """
    result = np.empty((a.shape[0], b.shape[1]))
    _product(np.ascontiguousarray(a), np.ascontiguousarray(b), result)
    return result


def column_sums(matrix: Float) -> Float:
    """Add up each column from its first entry to its last.

    NumPy's own sums go pair by pair where a column lies together in memory, and from first to last where it
    does not.

    Parameters
    ----------
    matrix : ndarray, shape (n, k)
        The columns.

    Returns
    -------
    ndarray, shape (k,)
    """
    sums: Float = product(np.ones((1, len(matrix))), matrix)[0]
    return sums


@compiled(
    "bf_product(a: float64[n, m], b: float64[m, k], n: int64, m: int64, k: int64, result: out(float64[n, k]))"
)
def _product(a: Float, b: Float, result: Float) -> None:
    result[...] = 0.0
    for index in range(a.shape[1]):
        result += a[:, index, None] * b[None, index, :]


def integer_product(a: Float, b: Float) -> Float:
    """Multiply two matrices of integers held in float64, at the speed of BLAS.

    The caller vouches that the sum of ``|a| |b|`` along any dot product stays below `EXACT_LIMIT`; then the
    result is exact and does not depend on the order of summation.

    Parameters
    ----------
    a : ndarray, shape (n, m)
        Left factor.
    b : ndarray, shape (m, k)
        Right factor.

    Returns
    -------
    ndarray, shape (n, k)
    """
    result: Float = a @ b
    return result


def log2(x: Float) -> Float:
    """Base-2 logarithm from element-wise operations only (libm's differs between machines).

    Uses ``log2(m) = 2 / ln 2 * atanh((m - 1) / (m + 1))`` on the mantissa, ``m`` in [0.707, 1.414), and seven
    terms of the series: the error is below 1e-8.

    Parameters
    ----------
    x : ndarray
        Positive values.

    Returns
    -------
    ndarray
        Same shape.
    """
    mantissa, exponent = np.frexp(x)
    low = mantissa < math.sqrt(0.5)
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    exponent = exponent - low
    t = (mantissa - 1.0) / (mantissa + 1.0)
    t2 = t * t
    series = np.full_like(t, 1.0 / 13.0)
    for odd in (11.0, 9.0, 7.0, 5.0, 3.0, 1.0):
        series = series * t2 + 1.0 / odd
    return np.asarray(exponent + (2.0 / math.log(2.0)) * t * series, dtype=np.float64)


def eigh(matrix: Float) -> tuple[Float, Float]:
    """Eigenvalues and eigenvectors of symmetric matrices, the same bits on every machine.

    Cyclic Jacobi rotations in the round-robin order, where the ``n / 2`` rotations of a round touch disjoint
    rows and are applied together (Brent and Luk, 1985). Each sign is fixed by the largest entry, the first
    of equals, being positive.

    Parameters
    ----------
    matrix : ndarray, shape (..., n, n)
        Symmetric.

    Returns
    -------
    values : ndarray, shape (..., n)
        In falling order; equal values in an order that is always the same.
    vectors : ndarray, shape (..., n, n)
        Column ``k`` belongs to ``values[..., k]``.
    """
    n = matrix.shape[-1]
    if n == 0:
        return np.zeros(matrix.shape[:-1]), np.zeros(matrix.shape)
    stack = matrix.reshape(-1, n, n)
    size = n + n % 2
    half = size // 2
    work = np.zeros((len(stack), size, size))
    work[:, :n, :n] = stack
    vectors = np.broadcast_to(np.eye(size), work.shape)
    # Rows are kept in tournament order: row i of the first half meets row i of the second half, then all but
    # the first move one place round.
    ring = np.concatenate([np.arange(half), np.arange(size - 1, half - 1, -1)])
    work = work[:, ring[:, None], ring]
    vectors = np.ascontiguousarray(vectors[:, ring])
    # Each matrix is scaled by a power of two of its own, so that one tolerance serves all.
    exponent = np.frexp(np.abs(work).max(axis=(1, 2)))[1]
    work = np.ascontiguousarray(np.ldexp(work, -exponent[:, None, None]))
    _sweep(work, vectors, _next_round(half), JACOBI_SWEEPS, JACOBI_TOLERANCE, NEGLIGIBLE)
    diagonal = np.arange(size)
    values = np.ldexp(work[:, diagonal, diagonal], exponent[:, None])
    # The padding row of an odd size never mixes with the others: it is the one vector outside the first n.
    padding = np.abs(vectors[:, :, :n]).max(axis=2) == 0.0
    order = np.argsort(np.where(padding, np.inf, -values), axis=1, kind="stable")[:, :n]
    values = np.take_along_axis(values, order, axis=1)
    vectors = np.take_along_axis(vectors[:, :, :n], order[:, :, None], axis=1)
    peak = np.argmax(np.abs(vectors), axis=2)[:, :, None]
    sign = np.where(np.take_along_axis(vectors, peak, axis=2) < 0, -1.0, 1.0)
    columns = np.ascontiguousarray((vectors * sign).transpose(0, 2, 1))
    return values.reshape(matrix.shape[:-1]), columns.reshape(matrix.shape)


def _next_round(half: int) -> NDArray[np.int32]:
    """Order of rows that turns one round of the tournament into the next."""
    if half == 1:
        return np.arange(2, dtype=np.int32)
    top = np.concatenate([[0], [half], np.arange(1, half - 1)])
    bottom = np.concatenate([np.arange(half + 1, 2 * half), [half - 1]])
    return np.concatenate([top, bottom]).astype(np.int32)


@compiled(
    "bf_jacobi(work: out(float64[count, size, size]), vectors: out(float64[count, size, size]),"
    " count: int64, size: int64, turn: int32[size], sweeps: int32, tolerance: float64, negligible: float64,"
    " spare: out(float64[size * size + size]))"
)
def _sweep(
    work: Float, vectors: Float, turn: NDArray[np.int32], sweeps: int, tolerance: float, negligible: float
) -> None:
    """Rotate until nothing is left beside the diagonals."""
    size = work.shape[-1]
    diagonal = np.arange(size)
    for _ in range(sweeps):
        off = np.abs(work)
        off[:, diagonal, diagonal] = 0.0
        if float(off.max(initial=0.0)) <= tolerance:
            break
        for _ in range(max(size - 1, 1)):
            rotated, turned = _rotate_pairs(work, vectors, negligible)
            work[...] = rotated[:, turn[:, None], turn]
            vectors[...] = turned[:, turn]


def _rotate_pairs(work: Float, vectors: Float, negligible: float) -> tuple[Float, Float]:
    """Annihilate the entries that pair row i with row half + i, for all i of all matrices at once."""
    half = work.shape[-1] // 2
    index = np.arange(half)
    app, aqq, apq = work[:, index, index], work[:, index + half, index + half], work[:, index, index + half]
    live = np.abs(apq) > negligible
    tau = (aqq - app) / np.where(live, 2.0 * apq, 1.0)
    tangent = np.copysign(1.0, tau) / (np.abs(tau) + np.sqrt(1.0 + tau * tau))
    tangent = np.where(live, tangent, 0.0)
    cosine = 1.0 / np.sqrt(1.0 + tangent * tangent)
    sine = tangent * cosine
    work = _turn(work, cosine[:, :, None], sine[:, :, None], half)
    columns = _turn(work.transpose(0, 2, 1), cosine[:, :, None], sine[:, :, None], half)
    # The rotated pair is zero by construction; rounding leaves 1e-17, which would be rotated for ever.
    columns[:, index, index + half] = 0.0
    columns[:, index + half, index] = 0.0
    return columns, _turn(vectors, cosine[:, :, None], sine[:, :, None], half)


def _turn(rows: Float, cosine: Float, sine: Float, half: int) -> Float:
    """Rotate row i against row half + i."""
    result = np.empty(rows.shape)
    top, bottom = rows[:, :half], rows[:, half:]
    np.multiply(cosine, top, out=result[:, :half])
    result[:, :half] -= sine * bottom
    np.multiply(sine, top, out=result[:, half:])
    result[:, half:] += cosine * bottom
    return result


def orthonormalise(vectors: Float) -> Float:
    """Make columns orthonormal from first to last (Gram-Schmidt, every column twice).

    Parameters
    ----------
    vectors : ndarray, shape (n, k)
        ``k <= n``. A column that depends on those before it is replaced by the unit vector that is farthest
        from them, so that the result always has full rank.

    Returns
    -------
    ndarray, shape (n, k)
    """
    # Rows, so that each vector is contiguous.
    basis = np.array(vectors.T, dtype=np.float64, order="C")
    _orthonormalise(basis)
    return np.ascontiguousarray(basis.T)


@compiled(
    "bf_orthonormalise(rows: out(float64[count, n]), n: int64, count: int64,"
    " spare: out(float64[n * count + n + count]))"
)
def _orthonormalise(rows: Float) -> None:
    """Make rows orthonormal from first to last, in place."""
    for index in range(len(rows)):
        row, known = rows[index], rows[:index]
        before = _norm(row)
        _reject_twice(row, known)
        norm = _norm(row)
        if norm <= 1e-6 * before or norm == 0.0:
            covered = column_sums(known * known) if index else np.zeros(len(row))
            row[:] = 0.0
            row[int(np.argmin(covered))] = 1.0
            _reject_twice(row, known)
            norm = _norm(row)
        row /= norm


def _norm(column: Float) -> float:
    return math.sqrt(math.fsum(column * column))


def _reject_twice(column: Float, basis: Float) -> None:
    """Subtract from `column` what lies along the orthonormal rows of `basis`, and what rounding left."""
    for _ in range(2):
        along = product(basis, column[:, None])
        column -= product(basis.T, along)[:, 0]


def log2_of(value: float) -> float:
    """Base-2 logarithm of one number, the same bits on every machine; numbers below 1e-300 count as that."""
    return float(log2(np.array([max(value, 1e-300)]))[0])


def exp2(value: float) -> float:
    """Power of two, from multiplications only: good to 1e-9, and the same bits on every machine."""
    whole = round(value)
    t = (value - whole) * 0.6931471805599453
    term, total = 1.0, 1.0
    for order in range(1, 12):
        term = term * t / order
        total += term
    return float(np.ldexp(total, whole))
