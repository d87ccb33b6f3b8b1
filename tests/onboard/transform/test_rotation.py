"""Block rotations keep the energy and lower the cost; where there is nothing to gain there are none."""

from contextlib import nullcontext

import numpy as np
import pytest

from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.bitstream.transforms.vectors import BASIS_UNIT
from bandfold.common import kernels
from bandfold.common.workers import Workers
from bandfold.onboard.rate_model import bits_scale, latent_bits, vector_bits
from bandfold.onboard.transform.rotation import rotate
from bandfold.onboard.transform.rotation_search import SAVED, find_rotations

STEP = 8.0


def mixed_latents(components=16, rows=16, columns=16, seed=0):
    """Two kinds of blocks, each with a basis of its own."""
    rng = np.random.default_rng(seed)
    energy = 40.0 * 0.5 ** np.arange(components)[:, None, None]
    latents = rng.laplace(0, 1, (components, 64, rows * columns)) * energy * FRACTION * STEP
    latents *= 0.93 ** np.arange(64)[:, None]
    kind = (np.arange(rows * columns) // 3) % 2
    for number in range(2):
        basis = np.linalg.qr(rng.normal(size=(components, components)))[0]
        members = kind == number
        latents[:, :, members] = np.einsum("ij,jcb->icb", basis, latents[:, :, members])
    return np.rint(latents).astype(np.int32).reshape(components, 64, rows, columns)


@pytest.fixture(scope="module")
def latents():
    return mixed_latents()


@pytest.fixture(scope="module")
def matrices(latents):
    return find_rotations(latents.reshape(16, 64, -1).astype(np.float64), STEP, 64 * 256 * 8)


def test_matrices_are_found_and_orthonormal(matrices):
    assert len(matrices) >= 2
    for matrix in matrices:
        basis = matrix.integers / BASIS_UNIT
        assert basis.shape == (matrix.count, matrix.count)
        np.testing.assert_allclose(basis.T @ basis, np.eye(matrix.count), atol=1e-3)


@pytest.mark.parametrize("threads", [2, 3, 20])
def test_matrices_do_not_depend_on_the_number_of_threads(latents, matrices, threads):
    workers = Workers(threads)
    with workers.kept():
        found = find_rotations(latents.reshape(16, 64, -1).astype(np.float64), STEP, 64 * 256 * 8, workers)
    assert len(found) == len(matrices)
    for one, other in zip(found, matrices, strict=True):
        np.testing.assert_array_equal(one.integers, other.integers)


def test_rotating_keeps_energy_and_lowers_the_cost(latents, matrices):
    rotated = latents.copy()
    chosen = rotate(rotated, matrices, STEP)
    assert chosen.shape == latents.shape[2:]
    assert chosen.max() < len(matrices)
    before, after = ((one.astype(np.float64) ** 2).sum(axis=(0, 1)) for one in (latents, rotated))
    np.testing.assert_allclose(after, before, rtol=1e-3)
    costs = [float(latent_bits(one.astype(np.float64), bits_scale(STEP)).sum()) for one in (latents, rotated)]
    assert costs[1] < 0.9 * costs[0]
    # The weaker components are left alone.
    size = matrices[0].count
    np.testing.assert_array_equal(rotated[size:], latents[size:])


def test_each_block_takes_its_cheapest_matrix(latents, matrices):
    size = matrices[0].count
    rotated = latents.copy()
    chosen = rotate(rotated, matrices, STEP)
    costs = []
    for matrix in matrices:
        turned = np.rint(matrix.integers.T @ latents[:size, :, 3, 5] / BASIS_UNIT)
        costs.append(float(latent_bits(turned, bits_scale(STEP)).sum()))
    taken = float(latent_bits(rotated[:size, :, 3, 5].astype(np.float64), bits_scale(STEP)).sum())
    assert taken == pytest.approx(costs[int(chosen[3, 5])], abs=0.5)
    assert taken <= min(costs) + 0.5


def test_like_blocks_take_like_matrices(latents, matrices):
    chosen = rotate(latents.copy(), matrices, STEP).ravel()
    kind = (np.arange(256) // 3) % 2
    majority = [np.bincount(chosen[kind == number], minlength=64) for number in range(2)]
    # A matrix serves one kind of block.
    shared = np.minimum(*majority).sum()
    assert shared < 0.1 * 256


@pytest.mark.parametrize("components", [11, 22, 32])
def test_matrices_are_as_large_as_they_pay_and_the_same_without_kernels(components):
    latents = mixed_latents(components, 12, 12)
    latents //= 1 + np.arange(64, dtype=np.int32)[:, None, None] // 8
    sample = latents.reshape(components, 64, -1).astype(np.float64)
    found = []
    for run in (nullcontext, kernels.switched_off):
        with run():
            matrices = find_rotations(sample, STEP, 64 * 144 * 50)
            rotated = latents.copy()
            chosen = rotate(rotated, matrices, STEP)
        assert {matrix.count for matrix in matrices} == {components}
        assert len(np.unique(chosen)) >= 2
        found.append((*(matrix.codes for matrix in matrices), chosen, rotated))
    for fast, slow in zip(*found, strict=True):
        np.testing.assert_array_equal(fast, slow)


def test_nothing_to_gain_no_matrices():
    noise = np.random.default_rng(1).normal(0, 0.1 * STEP * FRACTION, (16, 64, 200))
    assert find_rotations(np.rint(noise), STEP, 64 * 200) == ()


def test_single_components_are_not_rotated(latents):
    assert find_rotations(latents[:1].reshape(1, 64, -1).astype(np.float64), STEP, 64 * 256) == ()


def test_the_cost_is_close_to_the_logarithm():
    steps = np.linspace(0, 300, 5000)
    found = latent_bits(steps * STEP * FRACTION, bits_scale(STEP))
    assert np.abs(found - np.log2(1 + 1.5 * steps)).max() < 0.09


def varied_latents(components, blocks, kinds=16, seed=2):
    """Kinds of blocks whose bases reach over all components."""
    rng = np.random.default_rng(seed)
    energy = 40.0 * 0.93 ** np.arange(components)[:, None, None]
    latents = rng.laplace(0, 1, (components, 64, blocks)) * energy * FRACTION * STEP
    latents *= 0.9 ** np.arange(64)[:, None]
    for kind in range(kinds):
        basis = np.linalg.qr(rng.normal(size=(components, components)))[0]
        latents[:, :, kind::kinds] = np.einsum("ij,jcb->icb", basis, latents[:, :, kind::kinds])
    return np.rint(latents)


@pytest.mark.parametrize(("components", "size"), [(64, 64), (40, 40)])
def test_matrices_of_more_than_32_are_for_scenes_that_pay_for_nearly_all_of_those(components, size):
    latents = varied_latents(components, 128)
    found = []
    for run in (nullcontext, kernels.switched_off):
        with run():
            found.append(find_rotations(latents, STEP, 64 * 128))
        assert len(found[-1]) >= 12
        assert {matrix.count for matrix in found[-1]} == {size}
    for fast, slow in zip(*found, strict=True):
        np.testing.assert_array_equal(fast.codes, slow.codes)
    # What eight blocks of a kind need says too little of thousands of others.
    assert max(matrix.count for matrix in find_rotations(latents, STEP, 64 * 128000)) < size
    # Where few components are worth much, matrices do not pay.
    few = find_rotations(np.rint(latents / 40), STEP, 64 * 128)
    assert len(few) < 12
    assert all(matrix.count <= 32 for matrix in few)


def test_there_are_up_to_32_matrices_where_16_are_too_few():
    latents = varied_latents(12, 256, kinds=32)
    usual, more = (find_rotations(latents, STEP, 64 * 25600, doubled=doubled) for doubled in (False, True))
    assert 14 < len(usual) <= 16 < len(more) <= 32
    few = varied_latents(12, 256, kinds=4)
    usual, more = (find_rotations(few, STEP, 64 * 256, doubled=doubled) for doubled in (False, True))
    assert len(usual) == len(more) <= 16


def test_matrices_are_made_again_of_the_blocks_that_take_them():
    # Bases that turn from block to block: where matrices are dropped, others must serve their blocks too.
    rng = np.random.default_rng(5)
    latents = varied_latents(16, 160, kinds=1) / 4
    upper = np.triu(rng.normal(size=(16, 16)), 1)
    for block in range(160):
        turn = block / 160 * (upper - upper.T) / 8
        latents[:, :, block] = np.linalg.solve(np.eye(16) - turn, np.eye(16) + turn) @ latents[:, :, block]
    latents, taken = np.rint(latents), []
    for again in (False, True):
        matrices = find_rotations(latents, STEP, 64 * 160, again=again)
        rotated = latents.astype(np.int32)[..., None]
        rotate(rotated, matrices, STEP)
        bits = float(latent_bits(rotated.astype(np.float64), bits_scale(STEP)).sum(dtype=np.float64))
        taken.append(SAVED * bits + sum(float(vector_bits(matrix).sum()) for matrix in matrices))
        assert 1 < len(matrices) < 12
    assert taken[1] < taken[0] - 1000
