import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.transforms import lapped_synthesis
from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.bitstream.transforms.lapped_synthesis import KERNEL_UNIT, is_symmetric
from bandfold.common import kernels

POINTS = np.array([[10, 5, 3], [0, -4, 1]], dtype=np.int32)
NO_POINTS = np.zeros((1, 3), np.int32)


def reconstruct(prediction, *given):
    plane = np.full_like(prediction, 77)
    sums = np.full([length + 16 for length in plane.shape], np.nan)
    lapped_synthesis.reconstruct(prediction, *given, sums, plane)
    return plane


def _kernels(seed):
    """Random basis functions, even and odd."""
    found = np.random.default_rng(seed).integers(-3000, 3000, (64, 24, 24)).astype(np.int32)
    signs = 1 - 2 * (FREQUENCIES % 2)
    found = found + found[:, ::-1] * signs[:, 0, None, None]
    return (found + found[:, :, ::-1] * signs[:, 1, None, None]).astype(np.int32)


def _cosine():
    place = np.arange(8)
    waves = np.cos(np.pi * (2 * place + 1) * place[:, None] / 16) / 2
    waves[0] = np.sqrt(1 / 8)
    found = np.zeros((64, 24, 24))
    for channel, (i, j) in enumerate(FREQUENCIES):
        found[channel, 8:16, 8:16] = np.outer(waves[i], waves[j])
    return np.rint(found * KERNEL_UNIT).astype(np.int32)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    rows=st.integers(1, 4),
    columns=st.integers(1, 5),
    share=st.sampled_from([0.0, 0.02, 0.5]),
    largest=st.sampled_from([1, 3, 5000, (1 << 31) - 1]),
    step=st.sampled_from([1, 256, 1 << 24]),
)
def test_both_kernels_reconstruct_the_same(seed, rows, columns, share, largest, step):
    generator = np.random.default_rng(seed)
    levels = generator.integers(-largest, largest + 1, (64, 2, rows, columns)).astype(np.int32)
    levels[generator.random(levels.shape) >= share] = 0
    classes = generator.integers(0, 2, levels.shape).astype(np.uint8)
    prediction = generator.integers(-(1 << 20), 1 << 20, (8 * rows, 8 * columns)).astype(np.int32)
    case = prediction, levels[:, 1], classes[:, 1], POINTS, _kernels(seed), step
    found = reconstruct(*case)
    with kernels.switched_off():
        np.testing.assert_array_equal(found, reconstruct(*case))
    if not levels[:, 1].any():
        np.testing.assert_array_equal(found, prediction)


def test_of_cosines_it_is_the_inverse_cosine_transform():
    levels = np.zeros((64, 1, 1), np.int32)
    levels[0], levels[4] = 8, -3
    plane = reconstruct(
        np.zeros((8, 8), np.int32), levels, np.zeros((64, 1, 1), np.uint8), NO_POINTS, _cosine(), 256
    )
    place = np.arange(8)
    wave = np.cos(np.pi * (2 * place + 1) / 16) / 2
    np.testing.assert_allclose(plane / 16, 1.0 - 3 * np.outer(wave, wave), atol=0.04)


def test_a_strip_ends_as_if_it_were_mirrored():
    """Levels of a mirrored strip twice as wide, odd ones with the other sign, give it and its image."""
    generator = np.random.default_rng(3)
    levels = generator.integers(-2, 3, (64, 2, 3)).astype(np.int32)
    odd = 1 - 2 * (FREQUENCIES[:, 1] % 2)
    whole = np.concatenate([levels, levels[:, :, ::-1] * odd[:, None, None]], axis=2).astype(np.int32)
    basis, none = _kernels(4), np.zeros((64, 2, 6), np.uint8)
    wide = reconstruct(np.zeros((16, 48), np.int32), whole, none, NO_POINTS, basis, 64)
    alone = reconstruct(
        np.zeros((16, 24), np.int32), levels, np.ascontiguousarray(none[:, :, :3]), NO_POINTS, basis, 64
    )
    np.testing.assert_array_equal(alone, wide[:, :24])
    np.testing.assert_array_equal(wide, wide[:, ::-1])


@pytest.mark.parametrize("axis", [1, 2])
def test_what_is_not_symmetric_is_told(axis):
    basis = _kernels(5)
    assert is_symmetric(basis)
    broken = basis.copy()
    broken[7].swapaxes(0, axis - 1)[3] += 1
    assert not is_symmetric(broken)
