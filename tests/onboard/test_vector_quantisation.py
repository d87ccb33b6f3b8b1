"""Quantised vectors: as fine as told, triangular, and the same with kernels and without."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.transforms.triangular import closing_vectors
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common import kernels
from bandfold.onboard.vector_quantisation import COARSEST, FINEST, quantise_vectors


def orthonormal(seed, size, count):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, count)))[0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    size=st.integers(1, 40),
    share=st.floats(0, 1),
    strongest=st.floats(-2, 9),
    fall=st.floats(0, 9),
)
def test_vectors_come_back_as_finely_as_told(seed, size, share, strongest, fall):
    count = int(share * size)
    wanted = orthonormal(seed, size, count)
    variances = np.logspace(strongest, strongest - fall, count) if count else np.zeros(0)
    told = quantise_vectors(wanted, variances, 10.0, 10_000)
    assert closing_vectors(told.codes) is not None
    assert np.abs(told.codes).any(0).all()
    assert ((told.precision >= COARSEST) & (told.precision <= FINEST)).all()
    with kernels.switched_off():
        again = quantise_vectors(wanted, variances, 10.0, 10_000)
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
