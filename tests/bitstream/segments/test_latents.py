"""The order of coding: tokens grouped by class, signs, raw bits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.features import DIAGONAL_BOUNDS
from bandfold.bitstream.segments.latents import LatentStatistics, _arrange
from bandfold.common import kernels


def _arranged(levels, classes):
    """Tokens, tables, counts and bits of all diagonals that are coded."""
    statistics = LatentStatistics.of(levels)
    extents = np.ascontiguousarray(statistics.extents)
    count = int(DIAGONAL_BOUNDS[extents].sum()) * levels.shape[2] * levels.shape[3]
    tokens, bits = np.empty(count, np.uint8), np.empty(int(statistics.bits.sum()) + 1, np.uint8)
    tables, counts = np.empty((2, int(extents.sum()) * 256), np.int32)
    groups = _arrange(levels, classes, extents, 7, tokens, tables, counts, bits)
    return tokens, tables[:groups], counts[:groups], bits[:-1]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 150)),
    kinds=st.sampled_from([1, 2, 48, 96, 127, 128, 129, 256]),
    peak=st.sampled_from([0.0, 0.3, 3.0, 1e3, 1e9]),
)
def test_any_classes_are_grouped_alike(seed, shape, kinds, peak):
    """Kernels take classes of a few at once, and all others one by one."""
    generator = np.random.Generator(np.random.PCG64(seed))
    components, rows, columns = shape
    shape = (64, components, rows, columns)
    levels = np.rint(np.clip(generator.laplace(size=shape) * peak, -(2.0**31), 2.0**31 - 1)).astype(np.int32)
    classes = generator.integers(0, kinds, size=shape).astype(np.uint8)
    fast = _arranged(levels, classes)
    with kernels.switched_off():
        slow = _arranged(levels, classes)
    for one, other in zip(fast, slow, strict=True):
        np.testing.assert_array_equal(one, other)


def test_groups_follow_classes_and_signs_the_order_of_latents():
    levels, classes = np.zeros((64, 1, 1, 4), np.int32), np.zeros((64, 1, 1, 4), np.uint8)
    levels[0, 0, 0], classes[0, 0, 0] = [3, 0, -1, -17], [9, 2, 9, 2]
    tokens, tables, counts, bits = _arranged(levels, classes)
    assert tokens.tolist() == [0, 16, 3, 1]
    assert tables.tolist() == [9, 16]
    assert counts.tolist() == [2, 2]
    assert bits.tolist() == [0, 1, 1, 0, 0, 1]
