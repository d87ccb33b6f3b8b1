"""From levels to planes and counts: the compiled functions give the numbers of NumPy, and these are right."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, load_tables
from bandfold.bitstream.segments.segment import Segment, mode_name
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common import kernels
from bandfold.common.scene import SceneInfo
from bandfold.common.strip_memory import StripMemory
from bandfold.ground.synthesis.component_planes import ComponentPlanes
from bandfold.ground.synthesis.inverse_transforms import (
    dequantise,
    inverse_cosine_transform,
    inverse_rotation,
)
from bandfold.ground.synthesis.rounding import round_bands, round_to_counts

MODE = load_tables(DEPENDENT_TABLES).modes[mode_name(spectral=True)]

SHAPES = {
    "seed": st.integers(0, 1 << 30),
    "components": st.integers(1, 5),
    "rows": st.integers(1, 4),
    "columns": st.integers(1, 21),
}


def _segment(generator, components, rows, columns):
    """Levels of which most are zero, and some large, in all classes."""
    shape = (64, components, rows, columns)
    levels = np.rint(generator.laplace(size=shape) * generator.choice([0.1, 1, 400], size=shape))
    classes = generator.integers(0, len(MODE.points), shape)
    return Segment(levels.astype(np.int32), classes.astype(np.uint8))


def _rotations(generator, count, size):
    orthonormal = np.linalg.qr(generator.normal(size=(count, size, size)))[0]
    precision = np.full(size, 16)
    return tuple(Vectors(np.rint(one * BASIS_UNIT).astype(np.int64), precision) for one in orthonormal)


def _both(function):
    """What C gives, having been compared with what NumPy does."""
    fast = function()
    with kernels.switched_off():
        slow = function()
    assert fast.dtype == slow.dtype
    np.testing.assert_array_equal(fast, slow)
    return fast


@settings(max_examples=25, deadline=None)
@given(**SHAPES, step=st.sampled_from([1.0, 0.3, 1e4]))
def test_reconstruction_points(seed, components, rows, columns, step):
    generator = np.random.default_rng(seed)
    segment = _segment(generator, components, rows, columns)
    live = np.flatnonzero(generator.random(components) < 0.7)
    found = _both(lambda: dequantise(segment, MODE, step, live))
    levels, classes = segment.quantised[:, live], segment.classes[:, live]
    points = MODE.reconstruction_points(np.abs(levels), classes)
    np.testing.assert_array_equal(found, np.copysign(points, levels) * step)
    np.testing.assert_array_equal(dequantise(segment, MODE)[:, live] * step, found)


@settings(max_examples=25, deadline=None)
@given(**SHAPES, size=st.integers(1, 5), count=st.integers(1, 3))
def test_rotations_are_undone(seed, components, rows, columns, size, count):
    generator = np.random.default_rng(seed)
    size = min(size, components)
    rotations = _rotations(generator, count, size)
    latents = generator.normal(size=(64, components, rows, columns))
    chosen = generator.integers(0, count, (rows, columns)).astype(np.uint8)

    def undone():
        there = latents.copy()
        inverse_rotation(there, chosen, rotations)
        return there

    found = _both(undone)
    again = found.copy()
    for row in range(rows):
        for column in range(columns):
            matrix = rotations[chosen[row, column]].integers / BASIS_UNIT
            again[:, :size, row, column] = found[:, :size, row, column] @ matrix
    np.testing.assert_allclose(again, latents, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(**SHAPES, missing=st.tuples(st.integers(0, 7), st.integers(0, 7)))
def test_planes(seed, components, rows, columns, missing):
    generator = np.random.default_rng(seed)
    latents = generator.normal(size=(64, components, rows, columns))
    lines, samples = 8 * rows - missing[0], 8 * columns - missing[1]
    planes = _both(lambda: inverse_cosine_transform(latents, lines, samples))
    assert planes.shape == (components, lines, samples)
    for y, x in ((0, 0), (lines - 1, samples - 1)):
        block = np.linalg.inv(DCT / DCT_UNIT) @ latents[:, :, y // 8, x // 8]
        np.testing.assert_allclose(planes[:, y, x], block[8 * (y % 8) + x % 8], atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 70)),
    dtype=st.sampled_from(["uint8", "int8", "uint16", "int16"]),
)
def test_counts(seed, shape, dtype):
    """Halves go to even, and what is out of range to its ends."""
    generator = np.random.default_rng(seed)
    values = np.rint(generator.normal(size=shape) * 40000) / 2
    means = generator.integers(-200, 200, shape[0]) / 2
    whole = np.zeros((shape[0], shape[1] + 5), dtype)

    def counts():
        there = whole.copy()
        round_bands(values, means, there[:, 2 : 2 + shape[1]])
        return there

    found = _both(counts)
    assert not found[:, :2].any()
    assert not found[:, 2 + shape[1] :].any()
    info = SceneInfo(*shape, 1, np.dtype(dtype))
    expected = round_to_counts((values + means[:, None])[..., None], info)[..., 0]
    np.testing.assert_array_equal(found[:, 2 : 2 + shape[1]], expected)


@pytest.mark.parametrize("restored", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_components_in_parts_are_those_of_all_at_once(monkeypatch, restored, weighted):
    generator = np.random.default_rng(5)
    levels = _segment(generator, 9, 2, 3)
    chosen = generator.integers(0, 2, (2, 3)).astype(np.uint8)
    codes = generator.integers(0, 9, (2, 3)) if weighted else None
    levels = replace(levels, chosen=chosen, block_codes=codes)
    rotations = _rotations(generator, 2, 4)
    points = generator.normal(size=levels.quantised.shape).astype(np.float32) if restored else None
    planes = ComponentPlanes(levels, points, MODE, 7.3, rotations)
    live = np.array([0, 1, 2, 3, 5, 7, 8])

    def made(at_once):
        monkeypatch.setattr("bandfold.ground.synthesis.component_planes.COMPONENTS_AT_ONCE", at_once)
        return planes.planes(live, (15, 20), StripMemory()).copy()

    whole = made(16)
    assert whole.shape == (7, 15, 20)
    np.testing.assert_allclose(made(2), whole, atol=1e-9)
    np.testing.assert_allclose(made(3), whole, atol=1e-9)
