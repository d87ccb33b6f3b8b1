"""Arithmetic that must have the same bits everywhere: right first of all, and independent of order."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.common import exact

SIZES = [*range(1, 18), 31, 32, 33, 64, 70]


def _random(seed, *shape):
    return np.random.Generator(np.random.PCG64(seed)).normal(size=shape)


def _symmetric(seed, n):
    square = _random(seed, n, n)
    return square + square.T


def _check_eigen(matrix, tolerance=2e-13):
    values, vectors = exact.eigh(matrix)
    n = matrix.shape[-1]
    scale = max(float(np.abs(matrix).max(initial=0.0)), np.finfo(float).tiny)
    assert values.shape == matrix.shape[:-1]
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(n), atol=tolerance)
    np.testing.assert_allclose((matrix @ vectors - vectors * values) / scale, 0, atol=tolerance * n)
    assert (np.diff(values) <= 0).all()
    np.testing.assert_allclose(values / scale, np.linalg.eigvalsh(matrix)[::-1] / scale, atol=tolerance * n)
    # The sign of a vector is fixed by its largest entry.
    peaks = np.argmax(np.abs(vectors), axis=0)
    assert (vectors[peaks, np.arange(n)] > 0).all()
    return values, vectors


@pytest.mark.parametrize("n", SIZES)
def test_eigh_of_random_matrices(n):
    _check_eigen(_symmetric(n, n))


@pytest.mark.parametrize("n", [2, 5, 16, 33])
def test_eigh_of_covariances_with_a_steep_spectrum(n):
    basis = np.linalg.qr(_random(n, n, n))[0]
    matrix = (basis * 10.0 ** -np.linspace(0, 12, n)) @ basis.T
    _check_eigen((matrix + matrix.T) / 2)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 9])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_eigh_of_degenerate_matrices(n, rank):
    factor = _random(rank, n, rank)
    values, _ = _check_eigen(factor @ factor.T)
    np.testing.assert_allclose(values[rank:], 0, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7])
def test_eigh_of_diagonal_and_constant_matrices(n):
    diagonal = np.array([3.0, -1.0, 3.0, 0.0, 7.0, 3.0, -1.0])[:n]
    values, vectors = _check_eigen(np.diag(diagonal))
    # Nothing is rounded.
    np.testing.assert_array_equal(values, np.sort(diagonal)[::-1])
    assert (np.sort(vectors, axis=0)[-1] == 1).all()
    assert np.count_nonzero(vectors) == n
    for matrix in (np.eye(n), np.ones((n, n)), np.zeros((n, n))):
        _check_eigen(matrix)


def test_eigh_always_gives_equal_values_in_the_same_order():
    diagonal = np.array([3.0, -1.0, 3.0, 0.0, 7.0, 3.0, -1.0, 3.0, 3.0, 3.0, 0.0, 7.0])
    for n in range(1, 13):
        values, vectors = exact.eigh(np.diag(diagonal[:n]))
        np.testing.assert_array_equal(values, np.sort(diagonal[:n])[::-1])
        np.testing.assert_array_equal(vectors, exact.eigh(np.diag(diagonal[:n]))[1])
        # A permutation: each value belongs to the row that its vector names.
        np.testing.assert_array_equal(diagonal[:n][np.argmax(vectors, axis=0)], values)


@pytest.mark.parametrize("exponent", [-1000, -500, -60, 60, 500, 1000])
@pytest.mark.parametrize("n", [2, 5, 12])
def test_eigh_at_any_scale_is_the_same_but_for_the_scale(n, exponent):
    matrix = _symmetric(n, n)
    values, vectors = exact.eigh(matrix)
    scaled_values, scaled_vectors = exact.eigh(np.ldexp(matrix, exponent))
    np.testing.assert_array_equal(scaled_vectors, vectors)
    np.testing.assert_array_equal(scaled_values, np.ldexp(values, exponent))


def test_eigh_of_entries_of_very_different_size():
    _check_eigen(np.array([[1.0, 1e-160, 1e-8], [1e-160, 1e-30, 1e-200], [1e-8, 1e-200, 1e-290]]))
    _check_eigen(np.array([[1e300, 1e-300], [1e-300, 1e-300]]))


@pytest.mark.parametrize("n", [1, 4, 7])
def test_eigh_of_a_batch_is_that_of_each(n):
    batch = np.stack([_symmetric(seed, n) * 10.0 ** (seed - 3) for seed in range(6)])
    batch[2] = 0
    values, vectors = exact.eigh(batch)
    for matrix, one_values, one_vectors in zip(batch, values, vectors, strict=True):
        alone_values, alone_vectors = exact.eigh(matrix)
        # A matrix that has converged may be swept again with the others: the last bits may differ.
        np.testing.assert_allclose(one_values, alone_values, rtol=1e-13, atol=1e-13 * np.abs(matrix).max())
        np.testing.assert_allclose(one_vectors, alone_vectors, atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 0), (3, 0, 0)])
def test_eigh_of_nothing(shape):
    values, vectors = exact.eigh(np.zeros(shape))
    assert values.shape == shape[:-1]
    assert vectors.shape == shape


def test_product_sums_from_first_to_last():
    # 2**53 + 1 - 2**53 is 0 in this order and 1 in another: the order is part of the promise.
    large = 2.0**53
    assert exact.product(np.array([[large, 1.0, -large]]), np.ones((3, 1))).tolist() == [[0.0]]
    assert exact.product(np.array([[large, -large, 1.0]]), np.ones((3, 1))).tolist() == [[1.0]]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 1 << 30))
def test_products_of_integers_are_exact(n, m, k, seed):
    generator = np.random.Generator(np.random.PCG64(seed))
    a, b = generator.integers(-(1 << 25), 1 << 25, (n, m)), generator.integers(-(1 << 25), 1 << 25, (m, k))
    expected = [
        [sum(Fraction(int(a[i, j])) * int(b[j, o]) for j in range(m)) for o in range(k)] for i in range(n)
    ]
    for multiply in (exact.product, exact.integer_product):
        found = multiply(a.astype(np.float64), b.astype(np.float64))
        assert found.shape == (n, k)
        assert [[Fraction(value) for value in row] for row in found.tolist()] == expected


def test_log2():
    values = np.concatenate(
        [np.linspace(0.5, 4.0, 5001), 2.0 ** np.arange(-1022, 1024), [5e-324, 1e-300, 1.7e308]]
    )
    np.testing.assert_allclose(exact.log2(values), np.log2(values), rtol=0, atol=1e-8)
    powers = np.arange(-1022, 1024)
    np.testing.assert_array_equal(exact.log2(np.ldexp(1.0, powers)), powers)


@pytest.mark.parametrize(("n", "count"), [(1, 1), (5, 3), (5, 5), (64, 64), (200, 20)])
def test_orthonormalise_of_random_columns(n, count):
    vectors = _random(n + count, n, count)
    basis = exact.orthonormalise(vectors)
    np.testing.assert_allclose(basis.T @ basis, np.eye(count), atol=1e-14)
    # Each column lies in the span of those up to it, on its own side: R is upper triangular, its diagonal
    # positive.
    triangle = basis.T @ vectors
    np.testing.assert_allclose(np.tril(triangle, -1), 0, atol=1e-12)
    assert (np.diagonal(triangle) > 0).all()


@pytest.mark.parametrize(
    "columns",
    [
        [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[1, 2, 3], [2, 4, 6], [1, 2, 3]],
        [[0, 1, 0], [0, 0, 0], [0, 1, 0]],
        [[1, 1, 1], [1, 1, 1 + 1e-9], [1, -1, 0]],
    ],
)
def test_orthonormalise_has_full_rank_whatever_comes(columns):
    vectors = np.array(columns, dtype=np.float64).T
    basis = exact.orthonormalise(vectors)
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-14)


def test_orthonormalise_replaces_a_dependent_column_by_the_row_least_covered():
    basis = exact.orthonormalise(np.array([[3.0, 6.0], [0.0, 0.0], [4.0, 8.0]]))
    np.testing.assert_allclose(basis, [[0.6, 0.0], [0.0, 1.0], [0.8, 0.0]], atol=1e-15)
    np.testing.assert_array_equal(exact.orthonormalise(np.zeros((3, 2))), np.eye(3)[:, :2])
    assert exact.orthonormalise(np.zeros((4, 0))).shape == (4, 0)
    assert exact.orthonormalise(np.zeros((0, 0))).shape == (0, 0)


def test_orthonormalise_of_nearly_dependent_columns():
    base = _random(1, 50, 1)
    vectors = base + 1e-5 * _random(2, 50, 8)
    basis = exact.orthonormalise(vectors)
    np.testing.assert_allclose(basis.T @ basis, np.eye(8), atol=1e-14)


def test_results_do_not_depend_on_memory_layout():
    vectors = _random(3, 40, 12)
    transposed = np.asfortranarray(vectors)
    np.testing.assert_array_equal(exact.orthonormalise(vectors), exact.orthonormalise(transposed))
    np.testing.assert_array_equal(exact.product(vectors.T, vectors), exact.product(transposed.T, transposed))
    matrix = _symmetric(4, 24)
    for one, other in zip(exact.eigh(matrix), exact.eigh(np.asfortranarray(matrix)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_limit_of_exact_integers():
    assert exact.EXACT_LIMIT == 2.0**53
    assert math.nextafter(exact.EXACT_LIMIT, math.inf) - exact.EXACT_LIMIT == 2.0
