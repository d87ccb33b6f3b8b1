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

Float = NDArray[np.float64]

EXACT_LIMIT = 2.0**53
"""Integers up to here are exact in float64."""

JACOBI_SWEEPS = 30
"""Upper bound of sweeps; cyclic Jacobi converges in 6-10 for any matrix met in practice."""

JACOBI_TOLERANCE = 1e-26
"""Squared off-diagonal norm, relative to the squared norm of the matrix, at which the sweeps stop."""


def product(a: Float, b: Float) -> Float:
    """Multiply two matrices with a defined order of summation.

    Parameters
    ----------
    a : ndarray, shape (n, m)
    b : ndarray, shape (m, k)

    Returns
    -------
    ndarray, shape (n, k)
        ``a @ b``, summed over ``m`` from first to last. For the small matrices of the side information only:
        it makes ``m`` passes over the result.
    """
    total = np.zeros((a.shape[0], b.shape[1]))
    for index in range(a.shape[1]):
        total += a[:, index, None] * b[None, index, :]
    return total


def integer_product(a: Float, b: Float) -> Float:
    """Multiply two matrices of integers held in float64, at the speed of BLAS.

    The caller vouches that the sum of ``|a| |b|`` along any dot product stays below `EXACT_LIMIT`; then the
    result is exact and does not depend on the order of summation.

    Parameters
    ----------
    a : ndarray, shape (n, m)
    b : ndarray, shape (m, k)

    Returns
    -------
    ndarray, shape (n, k)
    """
    result: Float = a @ b
    return result


def log2(x: Float) -> Float:
    """Base-2 logarithm from element-wise operations only (libm's differs between machines).

    Uses ``log2(m) = 2 / ln 2 * atanh((m - 1) / (m + 1))`` on the mantissa, ``m`` in [0.707, 1.414), with seven
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
    """Eigenvalues and eigenvectors of a symmetric matrix, the same bits on every machine.

    Cyclic Jacobi rotations in the round-robin order, where the ``n / 2`` rotations of a round touch disjoint
    rows and are applied together (Brent and Luk, 1985). Each sign is fixed by the largest entry, the first one
    of equals, being positive.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Symmetric.

    Returns
    -------
    values : ndarray, shape (n,)
        In falling order; equal values keep the order of their rows.
    vectors : ndarray, shape (n, n)
        Column ``k`` belongs to ``values[k]``.
    """
    n = matrix.shape[0]
    size = n + n % 2
    half = size // 2
    work = np.zeros((size, size))
    work[:n, :n] = matrix
    vectors = np.eye(size)
    # Rows are kept in tournament order: row i of the first half meets row i of the second half, then all but
    # the first move one place round.
    ring = np.concatenate([np.arange(half), np.arange(size - 1, half - 1, -1)])
    work = work[np.ix_(ring, ring)]
    vectors = vectors[ring]
    turn = _next_round(half)
    scale = float(np.max(np.abs(matrix), initial=0.0)) ** 2 * n
    for _ in range(JACOBI_SWEEPS if scale > 0 else 0):
        off = np.abs(work - np.diag(np.diagonal(work)))
        if float(off.max()) ** 2 * size <= JACOBI_TOLERANCE * scale:
            break
        for _ in range(max(size - 1, 1)):
            work, vectors = _rotate_pairs(work, vectors, half)
            work = work[np.ix_(turn, turn)]
            vectors = vectors[turn]
    values = np.diagonal(work).copy()
    # The padding row of an odd size never mixes with the others: it is the one vector outside the first n.
    real = np.abs(vectors[:, :n]).max(axis=1) > 0.0
    values, vectors = values[real], vectors[real][:, :n]
    order = np.argsort(-values, kind="stable")
    values, vectors = values[order], vectors[order]
    peak = np.argmax(np.abs(vectors), axis=1)
    sign = np.where(vectors[np.arange(n), peak] < 0, -1.0, 1.0)
    return values, np.ascontiguousarray((vectors * sign[:, None]).T)


def _next_round(half: int) -> NDArray[np.intp]:
    """Order of rows that turns one round of the tournament into the next."""
    if half == 1:
        return np.arange(2)
    top = np.concatenate([[0], [half], np.arange(1, half - 1)])
    bottom = np.concatenate([np.arange(half + 1, 2 * half), [half - 1]])
    return np.concatenate([top, bottom]).astype(np.intp)


def _rotate_pairs(work: Float, vectors: Float, half: int) -> tuple[Float, Float]:
    """Annihilate the entries that pair row i with row half + i, for all i at once."""
    index = np.arange(half)
    app, aqq, apq = work[index, index], work[index + half, index + half], work[index, index + half]
    live = apq != 0.0
    tau = (aqq - app) / np.where(live, 2.0 * apq, 1.0)
    # |tau| beyond 1e150 would overflow when squared; the angle is zero to the last bit long before.
    tau = np.clip(tau, -1e150, 1e150)
    tangent = np.where(tau >= 0, 1.0, -1.0) / (np.abs(tau) + np.sqrt(1.0 + tau * tau))
    tangent = np.where(live, tangent, 0.0)
    cosine = 1.0 / np.sqrt(1.0 + tangent * tangent)
    sine = (tangent * cosine)[:, None]
    cosine = cosine[:, None]
    rows = np.concatenate(
        [cosine * work[:half] - sine * work[half:], sine * work[:half] + cosine * work[half:]]
    )
    left, right = rows[:, :half], rows[:, half:]
    work = np.concatenate([left * cosine.T - right * sine.T, left * sine.T + right * cosine.T], axis=1)
    # The rotated pair is zero by construction; rounding leaves 1e-17, which would be rotated for ever.
    work[index, index + half] = 0.0
    work[index + half, index] = 0.0
    vectors = np.concatenate(
        [cosine * vectors[:half] - sine * vectors[half:], sine * vectors[:half] + cosine * vectors[half:]]
    )
    return work, vectors


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
    n, count = vectors.shape
    basis = np.zeros((n, count))
    for index in range(count):
        column = vectors[:, index].astype(np.float64)
        before = _norm(column)
        column = _reject(_reject(column, basis[:, :index]), basis[:, :index])
        norm = _norm(column)
        if norm <= 1e-6 * before or norm == 0.0:
            covered = product(basis * basis, np.ones((count, 1)))[:, 0]
            column = np.zeros(n)
            column[int(np.argmin(covered))] = 1.0
            column = _reject(_reject(column, basis[:, :index]), basis[:, :index])
            norm = _norm(column)
        basis[:, index] = column / norm
    return basis


def _norm(column: Float) -> float:
    return math.sqrt(math.fsum(column * column))


def _reject(column: Float, basis: Float) -> Float:
    """Subtract from `column` what lies along the orthonormal columns of `basis`."""
    along = product(basis.T, column[:, None])
    return column - product(basis, along)[:, 0]
