"""Logarithms of determinants: right, and the same with kernels and without them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.common import kernels
from bandfold.onboard.rate_model import log_determinant


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 30), size=st.integers(1, 40), rank=st.integers(0, 40), scale=st.floats(-4, 5))
def test_it_is_the_determinant_of_one_plus_the_matrix(seed, size, rank, scale):
    generator = np.random.Generator(np.random.PCG64(seed))
    factor = generator.normal(size=(size, rank)) * 10.0**scale
    matrix = factor @ factor.T
    found = log_determinant(matrix)
    expected = np.linalg.slogdet(np.eye(size) + matrix)[1] / np.log(2)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-5)
    with kernels.switched_off():
        assert log_determinant(matrix) == found
