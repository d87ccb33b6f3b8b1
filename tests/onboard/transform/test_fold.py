"""Folding is exact: no bit depends on how bands are grouped, and the extremes of all types stay exact."""

from fractions import Fraction

import numpy as np
import pytest

from bandfold.bitstream.transforms.dct import DCT
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.onboard.planning.block_sample import covariance
from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.transform import fold as folding
from bandfold.onboard.transform.analysis import cosine_transform
from bandfold.onboard.transform.fold import fold_blocks, fold_strip


def random_fold(bands, ends, seed=0):
    rng = np.random.default_rng(seed)
    first, merged = [], []
    for length in np.diff((0, *ends)):
        count = min(int(length), 3)
        codes = rng.integers(-200, 200, (length, count))
        first.append(Vectors(codes, np.array([8, 7, 6][:count])))
        merged.append(max(count - 1, 0))
    second = Vectors(rng.integers(-90, 90, (sum(merged), sum(merged) - 1)), np.full(sum(merged) - 1, 8))
    means = rng.integers(0, 1 << 18, bands)
    return Fold(ends, means, 0, tuple(first), tuple(merged), second)


@pytest.mark.parametrize("group", [1, 2, 7, 16, 64])
def test_the_size_of_the_group_changes_no_bit(monkeypatch, group):
    cube = np.random.default_rng(1).integers(0, 65535, (30, 16, 24), np.uint16)
    fold = random_fold(30, (11, 12, 30))
    source = ArraySource(cube)
    expected = fold_strip(fold, source, slice(0, 16))
    monkeypatch.setattr(folding, "BAND_GROUP", group)
    np.testing.assert_array_equal(fold_strip(fold, source, slice(0, 16)), expected)
    np.testing.assert_array_equal(fold_strip(fold, source, slice(8, 16)), expected[:, 8:])
    np.testing.assert_array_equal(fold_blocks(fold, cube.astype(np.int32)), expected)


def test_no_fold_is_the_bands_less_their_means():
    cube = np.random.default_rng(2).integers(-999, 999, (5, 8, 9), np.int16)
    fold = Fold((5,), np.arange(5, dtype=np.int64) * 64 + 3)
    planes = fold_strip(fold, ArraySource(cube), slice(0, 8))
    np.testing.assert_array_equal(planes, cube * 64.0 - fold.means[:, None, None])


def half_even(numerator, denominator):
    return round(Fraction(numerator, denominator))


@pytest.mark.parametrize("bands", [7, 4096])
def test_extremes_are_exact(bands):
    """Checkerboards between the ends of int16, against vectors of equal entries: the largest sums."""
    rng = np.random.default_rng(3)
    signs = np.where(rng.random(bands) < 0.5, -1, 1)
    board = np.where((np.arange(64)[:, None] + np.arange(8)) % 2, 1, -1)
    cube = np.where(signs[:, None, None] * board > 0, 32767, -32768).astype(np.int16)
    codes = np.stack([signs, rng.integers(-9, 9, bands), np.arange(bands) % 5 - 2], axis=1)
    first = Vectors(codes, np.full(3, 6))
    second = Vectors(np.array([[3, 1], [1, -3], [1, 0]]), np.array([2, 2]))
    # Means at one end of the type, off the unit of a count.
    means = np.where(signs > 0, -32768 * 64 + 1, 32767 * 64 - 1).astype(np.int64)
    fold = Fold((bands,), means, 0, (first,), (3,), second)
    planes = fold_strip(fold, ArraySource(cube), slice(0, 64))
    basis = first.integers.astype(np.int64).tolist()
    across = second.integers.astype(np.int64).tolist()
    for line, sample in ((0, 0), (0, 1), (37, 2)):
        values = [64 * int(x) - int(mean) for x, mean in zip(cube[:, line, sample], means, strict=True)]
        inner = [
            half_even(sum(row[k] * x for row, x in zip(basis, values, strict=True)), 65536) for k in range(3)
        ]
        for k in range(2):
            outer = half_even(sum(across[m][k] * inner[m] for m in range(3)), 65536)
            assert planes[k, line, sample] == outer
    assert np.abs(planes).max() > 32767 * 64 * np.sqrt(bands) * 0.7


def test_the_cosine_transform_is_exact_at_its_largest():
    rng = np.random.default_rng(4)
    # The zero frequency of a block of these is the largest int32 that there is, to eight.
    largest = (1 << 28) - 1
    worst = np.where(DCT[9].reshape(8, 8) > 0, largest, -largest)
    planes = np.stack([worst, np.full((8, 8), largest), rng.integers(-largest, largest, (8, 8))]).astype(
        float
    )
    latents = cosine_transform(planes)
    weights = DCT.astype(np.int64).tolist()
    for plane, found in zip(planes, latents[:, :, 0, 0], strict=True):
        pixels = [int(value) for value in plane.ravel()]
        exact = [half_even(sum(w * x for w, x in zip(row, pixels, strict=True)), 16384) for row in weights]
        assert found.tolist() == exact
    assert latents.max() > (1 << 31) - 99


def test_covariance_is_exact_and_has_no_order():
    rng = np.random.default_rng(5)
    blocks = rng.choice([-32768, 32767], (4, 50, 64)).astype(np.int32)
    blocks[3] = np.arange(50 * 64).reshape(50, 64) % 11
    mean, found = covariance(blocks)
    flat = [[int(value) for value in row] for row in blocks.reshape(4, -1)]
    pixels = len(flat[0])
    means = [Fraction(sum(row), pixels) for row in flat]
    for a in range(4):
        assert mean[a] == pytest.approx(float(means[a]), abs=1e-9)
        for b in range(4):
            exact = (
                Fraction(sum(x * y for x, y in zip(flat[a], flat[b], strict=True)), pixels)
                - means[a] * means[b]
            )
            assert found[a, b] == pytest.approx(float(exact), rel=1e-12, abs=1e-9)
    shuffled = covariance(blocks[:, rng.permutation(50)][:, :, rng.permutation(64)])
    np.testing.assert_array_equal(shuffled[0], mean)
    np.testing.assert_array_equal(shuffled[1], found)
