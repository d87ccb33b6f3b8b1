"""Fold and transform in one pass by compiled kernels: the bits of both, one after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.transforms.dct import DCT, FREQUENCIES
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common import kernels
from bandfold.common.errors import SceneError
from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.transform.analysis import Analysis
from bandfold.onboard.transform.rotation import block_costs, rotate, rotated_costs


def _fold(generator, bands, intervals):
    """A fold of random vectors; some intervals may have no component at all."""
    cuts = np.sort(generator.choice(np.arange(1, bands), size=min(intervals, bands) - 1, replace=False))
    ends = (*cuts.tolist(), bands)
    first, merged = [], []
    for length in np.diff((0, *ends)).tolist():
        count = int(generator.integers(0, min(length, 6) + 1))
        codes, precision = generator.integers(-200, 200, (length, count)), generator.integers(4, 9, count)
        first.append(Vectors(codes, np.sort(precision)[::-1].copy()))
        merged.append(int(generator.integers(0, count + 1)))
    taken = sum(merged)
    count = int(generator.integers(0, taken + 1))
    second = Vectors(generator.integers(-90, 90, (taken, count)), np.full(count, 8))
    return Fold(ends, generator.integers(-(1 << 20), 1 << 22, bands), 0, tuple(first), tuple(merged), second)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    bands=st.integers(1, 40),
    lines=st.integers(1, 40),
    samples=st.integers(1, 90),
    intervals=st.integers(1, 4),
    dtype=st.sampled_from(["uint8", "int8", "uint16", "int16"]),
)
def test_a_strip(seed, bands, lines, samples, intervals, dtype):
    generator = np.random.Generator(np.random.PCG64(seed))
    limits = np.iinfo(dtype)
    cube = generator.integers(limits.min, limits.max, (bands, lines, samples), dtype, endpoint=True)
    fold = _fold(generator, bands, intervals)
    start = int(generator.integers(0, lines))
    part = slice(start, lines)
    fast = Analysis(fold).strip(ArraySource(cube), part)
    with kernels.switched_off():
        slow = Analysis(fold).strip(ArraySource(cube), part)
    assert fast.dtype == slow.dtype
    np.testing.assert_array_equal(fast, slow)


@pytest.mark.parametrize("count", [1, 7, 8, 20])
def test_a_sample_of_blocks(count):
    generator = np.random.Generator(np.random.PCG64(count))
    blocks = generator.integers(-32768, 65535, (30, count, 64)).astype(np.int32)
    fold = _fold(generator, 30, 3)
    fast = list(Analysis(fold).blocks(blocks))
    with kernels.switched_off():
        slow = list(Analysis(fold).blocks(blocks))
    assert len(fast) == fold.components > 0
    np.testing.assert_array_equal(fast, slow)


def test_lines_may_lie_anywhere_in_memory():
    generator = np.random.Generator(np.random.PCG64(2))
    cube = generator.integers(0, 4000, (12, 20, 30), np.uint16)
    fold = _fold(generator, 12, 2)
    expected = Analysis(fold).strip(ArraySource(cube), slice(0, 20))
    for order in ((1, 0, 2), (2, 1, 0), (1, 2, 0)):
        turned = np.ascontiguousarray(cube.transpose(order)).transpose(np.argsort(order))
        found = Analysis(fold).strip(ArraySource(turned), slice(0, 20))
        np.testing.assert_array_equal(found, expected)


def test_quarters_of_a_block_tell_the_cosine_transform():
    """The kernel adds and subtracts mirrored pixels first: that needs a matrix of exact symmetry."""
    square = DCT.reshape(64, 8, 8)
    signs = 1 - 2 * (FREQUENCIES % 2)
    np.testing.assert_array_equal(square[:, ::-1], square * signs[:, 0, None, None])
    np.testing.assert_array_equal(square[:, :, ::-1], square * signs[:, 1, None, None])


@pytest.mark.parametrize("compiled", [True, False])
def test_latents_beyond_32_bits_are_refused(monkeypatch, compiled):
    if not compiled:
        monkeypatch.setattr(kernels, "library", None)
    bands = 20000
    cube = np.full((bands, 8, 8), 65535, dtype=np.uint16)
    one = np.array([1])
    first, second = Vectors(np.ones((bands, 1), dtype=np.int64), one), Vectors(one[:, None], one)
    fold = Fold((bands,), np.zeros(bands, dtype=np.int64), 0, (first,), (1,), second)
    analysis = Analysis(fold)
    with pytest.raises(SceneError, match="32 bits"):
        analysis.strip(ArraySource(cube), slice(0, 8))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [1, 3, 9])
def test_leading_components_are_those_of_the_whole_fold(seed, count):
    generator = np.random.Generator(np.random.PCG64(seed))
    fold = _fold(generator, 30, 3)
    blocks = generator.integers(0, 4000, (30, 5, 64)).astype(np.uint16)
    leading = fold.leading(count)
    assert leading.components == (count if fold.second.count >= count else fold.components)
    np.testing.assert_array_equal(
        Analysis(leading).blocks(blocks)[:count], Analysis(fold).blocks(blocks)[:count]
    )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    size=st.sampled_from([8, 16]),
    rows=st.integers(1, 5),
    columns=st.integers(1, 20),
    count=st.integers(1, 5),
    step=st.sampled_from([0.02, 1.0, 77.7]),
)
def test_rotations(seed, size, rows, columns, count, step):
    generator = np.random.Generator(np.random.PCG64(seed))
    peak = 10.0 ** generator.uniform(0, 8)
    latents = generator.integers(-peak, peak, (size + 2, 64, rows, columns)).astype(np.int32)
    matrices = tuple(
        Vectors(generator.integers(-60, 60, (size, size)), np.full(size, 6)) for _ in range(count)
    )
    fast = latents.copy()
    chosen = rotate(fast, matrices, step)
    top = latents[:size].reshape(size, 64, -1).astype(np.float64)
    integers = np.stack([matrix.integers for matrix in matrices])
    costs = rotated_costs(top, integers, step), block_costs(top, step)
    with kernels.switched_off():
        slow = latents.copy()
        np.testing.assert_array_equal(rotate(slow, matrices, step), chosen)
        for one, other in zip(
            costs, (rotated_costs(top, integers, step), block_costs(top, step)), strict=True
        ):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(fast, slow)
    np.testing.assert_array_equal(fast[size:], latents[size:])
