"""Quantised vectors: as fine as told, triangular, and the same with kernels and without."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.transforms.triangular import closing_vectors
from bandfold.bitstream.transforms.vectors import MOST_ROW_SHIFT, Vectors
from bandfold.common import kernels
from bandfold.onboard.rate_model import KNEE
from bandfold.onboard.vector_quantisation import COARSEST, FINEST, find_row_shifts, quantise_vectors


def orthonormal(seed, size, count):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, count)))[0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    size=st.integers(1, 40),
    share=st.floats(0, 1),
    strongest=st.floats(-2, 9),
    fall=st.floats(0, 9),
    most=st.integers(0, MOST_ROW_SHIFT) | st.none(),
)
def test_vectors_come_back_as_finely_as_told(seed, size, share, strongest, fall, most):
    count = int(share * size)
    wanted = orthonormal(seed, size, count)
    variances = np.logspace(strongest, strongest - fall, count) if count else np.zeros(0)
    shifts = None if most is None else np.random.default_rng(seed).integers(0, most + 1, size)
    told = quantise_vectors(wanted, variances, 10.0, 10_000, shifts)
    np.testing.assert_array_equal(
        0 if told.row_shifts is None else told.row_shifts, 0 if not most else shifts
    )
    assert closing_vectors(told.codes) is not None
    assert np.abs(told.codes).any(0).all()
    assert ((told.precision >= COARSEST) & (told.precision <= FINEST)).all()
    with kernels.switched_off():
        again = quantise_vectors(wanted, variances, 10.0, 10_000, shifts)
    np.testing.assert_array_equal(told.codes, again.codes)


@pytest.mark.parametrize("count", [1, 12, 39, 40])
def test_errors_are_those_of_rounding(count):
    """Of half a unit, in all directions that vectors before leave: no worse than without zeros."""
    wanted = orthonormal(count, 40, count)
    variances = np.geomspace(1e6, 1e2, count)
    told = quantise_vectors(wanted, variances, 10.0, 10_000)
    plain = Vectors(np.rint(np.ldexp(wanted, told.precision)).astype(np.int64), told.precision)
    errors, usual = (
        np.square((one.orthonormal - wanted) * 2.0**told.precision).sum(0) for one in (told, plain)
    )
    assert errors.sum() < 1.3 * usual.sum()


def test_pivots_are_not_told():
    told = quantise_vectors(orthonormal(1, 16, 16), np.full(16, 1e5), 10.0, 10_000)
    assert np.count_nonzero(told.codes) <= 16 * 17 // 2


def test_a_vector_that_rounds_to_nothing_tells_its_largest_entry():
    wanted = np.full((64, 1), 0.125)
    wanted[7] *= 1.001
    told = quantise_vectors(wanted, np.array([1e-9]), 10.0, 1)
    assert np.flatnonzero(told.codes[:, 0]).tolist() == [7]


@pytest.mark.parametrize("count", [12, 39, 40])
def test_errors_of_shifted_rows_are_those_of_rounding_each(count):
    """Coarse rows err by their own unit, and others only by what makes vectors orthonormal again."""
    wanted, shifts = orthonormal(count, 40, count), np.arange(40) % 6
    told = quantise_vectors(wanted, np.geomspace(1e6, 1e2, count), 10.0, 10_000, shifts)
    plain = np.rint(np.ldexp(wanted, told.precision - shifts[:, None])).astype(np.int64)
    rounded = Vectors(plain, told.precision, row_shifts=shifts)
    errors, usual = (
        np.square((one.orthonormal - wanted) * 2.0**told.precision).sum(1) for one in (told, rounded)
    )
    assert errors.sum() < 1.3 * usual.sum()
    coarsest = np.square(0.5 * 2.0**5) * count
    assert errors[shifts == 5].mean() < coarsest
    assert errors[shifts == 0].mean() < 0.1 * coarsest
    assert np.abs(told.codes[shifts == 5]).max() < np.abs(told.codes[shifts == 0]).max()


def _shifts_with_and_without_kernels(variances, vectors, step, pixels=1):
    found = find_row_shifts(variances, vectors, step, pixels)
    with kernels.switched_off():
        np.testing.assert_array_equal(found, find_row_shifts(variances, vectors, step, pixels))
    return found


def test_shifts_of_rows_that_stand_alone():
    """Rows of a diagonal covariance are as coarse as half a bit for each bit that they take."""
    step, order = 4.0, np.random.default_rng(2).permutation(11)
    variances = np.array([0.0, 3, 10, 60, 61, 1e3, 1e4, 1e5, 1e6, 1e8, 1e11])
    found = _shifts_with_and_without_kernels([variances], [np.eye(11)[:, order]], step)
    expected = np.rint(np.log2(1 + variances / (KNEE * step * step)) / 2)
    assert expected.max() > MOST_ROW_SHIFT
    np.testing.assert_array_equal(found[order], np.minimum(expected, MOST_ROW_SHIFT))


def test_rows_that_others_tell_are_not_coarser():
    """By the diagonal of the inverse of the covariance and what is lost: nothing where nothing is coded."""
    step, size = 2.0, 9
    vectors, variances = orthonormal(5, size, size), np.geomspace(1e7, 1e-3, size)
    knee = KNEE * step * step
    inverse = np.linalg.inv(vectors * variances @ vectors.T + knee * np.eye(size))
    found = _shifts_with_and_without_kernels([variances], [vectors], step)
    np.testing.assert_array_equal(found, np.rint(-np.log2(knee * np.diag(inverse)) / 2))
    for nothing in (np.zeros(size), np.full(size, -1e-6)):
        assert not _shifts_with_and_without_kernels([nothing], [vectors], step).any()


def test_shifts_of_several_covariances_are_those_of_their_mean():
    """A row is as fine as the covariances need in which it is least: here it is not coded in one of four."""
    identity, knee = np.eye(3), KNEE * 25.0
    coded = np.full(3, 4.0**9 * knee)
    found = _shifts_with_and_without_kernels([coded] * 3 + [np.zeros(3)], [identity] * 4, 5.0)
    assert found.tolist() == [1, 1, 1]


@pytest.mark.parametrize("missing", [0, 1, 3, 40])
def test_rows_are_finer_by_the_bits_that_vectors_lack(missing):
    """A vector that is told in `FINEST` bits, for want of more, is so in all rows."""
    variances, step = np.array([4.0**12, 4.0**7, 4.0**3, 1.0]), 2.0**-3
    pixels = 4 ** (FINEST + missing - 15)
    assert quantise_vectors(np.eye(4), variances, step, pixels).precision[0] == FINEST
    found = _shifts_with_and_without_kernels([variances], [np.eye(4)], step, pixels)
    enough = np.rint(np.log2(1 + variances / (KNEE * step * step)) / 2)
    np.testing.assert_array_equal(found, np.clip(enough - missing, 0, MOST_ROW_SHIFT))
