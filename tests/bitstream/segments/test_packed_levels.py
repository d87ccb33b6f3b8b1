"""Levels that are held in the narrowest integers are written as they would be whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.contexts.features import DIAGONAL_BOUNDS
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.segments.latents import LatentStatistics
from bandfold.bitstream.segments.packed_levels import COMPONENTS_AT_ONCE, PackedLevels
from bandfold.bitstream.segments.segment import Segment, encode_segment
from bandfold.bitstream.transforms.band_prediction import Prediction
from bandfold.common.strip_memory import StripMemory

TABLES = load_tables()


def _levels(seed, shape, largest):
    """Levels up to a magnitude that falls from component to component, many of them zero."""
    generator = np.random.default_rng(seed)
    limits = np.maximum(largest // 3 ** np.arange(shape[0]), 1)[:, None, None]
    levels = generator.integers(-limits, limits + 1, (64, *shape))
    levels *= generator.random((64, *shape)) < np.exp(-np.arange(64) / 9)[:, None, None, None]
    return levels.astype(np.int32), generator.integers(0, 40, levels.shape).astype(np.uint8)


def _packed(levels, classes, sizes, memory=None):
    packed = PackedLevels(levels.shape[1:], memory)
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        packed.add(np.ascontiguousarray(levels[:, part]), classes[:, part])
        start += size
    assert start == packed.components
    return packed


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    shape=st.tuples(st.integers(1, 2 * COMPONENTS_AT_ONCE), st.integers(1, 4), st.integers(1, 5)),
    largest=st.sampled_from([1, 127, 128, 40_000, (1 << 24) - 1]),
)
def test_a_segment_is_the_same(seed, shape, largest):
    levels, classes = _levels(seed, shape, largest)
    sizes = [1] * (shape[0] % 3) + [3] * (shape[0] // 3)
    packed = _packed(levels, classes, sizes)
    told = (Prediction((), 0),) * shape[0]
    settings = {"spectral": False, "rotations": 0, "step_code": 256}
    whole = encode_segment(
        SegmentHeader(0), Segment(levels, classes, predictions=told), TABLES, **settings
    ).pack()
    nothing = Segment(levels[:, :0], classes[:, :0], predictions=told)
    assert encode_segment(SegmentHeader(0), nothing, TABLES, packed=packed, **settings).pack() == whole
    statistics = LatentStatistics.of(levels)
    for name in ("nonzero", "energy", "bits", "extents"):
        np.testing.assert_array_equal(getattr(packed.statistics, name), getattr(statistics, name))


@pytest.mark.parametrize("largest", [127, 128, 32_767, 32_768])
def test_levels_at_the_ends_of_narrow_integers(largest):
    levels = np.zeros((64, 2, 1, 1), np.int32)
    levels[:, :, 0, 0] = largest, -largest
    packed = _packed(levels, np.zeros(levels.shape, np.uint8), [2])
    ((found, _),) = packed.pieces(slice(0, 2))
    np.testing.assert_array_equal(found, levels)


def test_strips_lend_each_other_their_memory():
    memory = StripMemory()
    for seed in (3, 4):
        levels, classes = _levels(seed, (2, 3, 3), 300)
        packed = _packed(levels, classes, [2], memory)
        ((found, kinds),) = packed.pieces(slice(0, 2))
        kept = np.arange(64)[:, None] < DIAGONAL_BOUNDS[packed.statistics.extents]
        np.testing.assert_array_equal(found[kept], levels[kept])
        np.testing.assert_array_equal(kinds[kept], classes[kept])
