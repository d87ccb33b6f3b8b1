"""Plans follow the step: coarser steps, coarser means and fewer components."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.bitstream.transforms.vectors import BASIS_UNIT
from bandfold.common import exact, kernels
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.planning.fold_planner import FoldPlanner
from bandfold.onboard.rate_model import latent_cost, latent_gain, vector_bits
from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.vector_quantisation import quantise_vectors

STEPS = (1.0, 4.0, 16.0, 64.0, 256.0, 4096.0, 1048576.0)


def scene(bands=24, lines=40, samples=40):
    rng = np.random.default_rng(0)
    planes = rng.normal(0, 1, (6, lines, samples)).cumsum(axis=1) * 3.0 ** -np.arange(6)[:, None, None]
    spectra = np.sin(np.outer(np.arange(bands), np.arange(1, 7)) / 9)
    noise = rng.normal(0, 2, (bands, lines, samples))
    return np.rint(4000 + 200 * np.tensordot(spectra, planes, 1) + noise).astype(np.int16)


@pytest.fixture(scope="module")
def cube():
    return scene()


@pytest.fixture(scope="module")
def planner(cube):
    return FoldPlanner(sample_blocks(ArraySource(cube)), None)


@pytest.mark.parametrize("spectral", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_means_are_as_coarse_as_the_step_allows(cube, planner, step, spectral):
    fold = planner.plan(step) if spectral else planner.unfolded(step)
    unit = 1 << fold.mean_shift
    assert (fold.means % unit == 0).all()
    exact = cube.reshape(len(cube), -1).mean(axis=1)
    # All pixels share the error: for the sum of squares it is like that of one latent.
    error = np.abs(fold.means / FRACTION - exact) * np.sqrt(cube[0].size)
    assert error.max() <= max(step / 2, np.sqrt(cube[0].size) / FRACTION / 2) * 1.001
    assert fold.mean_shift == 0 or unit > FRACTION * step / np.sqrt(cube[0].size) / 2.001


def test_means_get_coarser_with_the_step(planner):
    shifts = [planner.unfolded(step).mean_shift for step in STEPS]
    assert shifts == sorted(shifts)
    assert shifts[0] < shifts[-1]


def test_coarser_steps_keep_fewer_components(planner):
    counts = [planner.plan(step).components for step in STEPS]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 4 * max(counts[4], 1)
    assert counts[-1] == 0


@pytest.mark.parametrize("step", STEPS)
def test_without_a_second_fold_the_components_are_those_of_the_intervals(cube, step):
    planner = FoldPlanner(sample_blocks(ArraySource(cube)), (10, 24), merge_limit=0)
    fold = planner.plan(step)
    assert fold.merged == (0, 0)
    assert fold.components == sum(vectors.count for vectors in fold.first)
    assert len(planner.variances) == 24
    centred = cube.reshape(24, -1) - cube.reshape(24, -1).mean(axis=1, keepdims=True)
    assert planner.variances.sum() == pytest.approx((centred**2).mean(axis=1).sum(), rel=1e-6)


def test_a_weak_component_is_kept_where_it_is_smooth():
    # A fiftieth of a step squared for each pixel, but more than a step in the mean of a block.
    step, signs = 80.0, np.random.default_rng(0).choice([-1.0, 1.0], (1, 16, 16))
    plane = np.sqrt(0.02) * step * np.kron(signs, np.ones((1, 8, 8)))
    spectrum = np.sin(np.arange(24) / 3) / np.linalg.norm(np.sin(np.arange(24) / 3))
    cube = np.rint(4000 + np.tensordot(spectrum[:, None], plane, 1)).astype(np.int16)
    planner = FoldPlanner(sample_blocks(ArraySource(cube)), None)
    assert planner.plan(step).components == 1
    assert planner.plan(2 * step).components == 0


def test_weak_components_are_coded_where_few_are_looked_at(cube, planner):
    weak = FoldPlanner(sample_blocks(ArraySource(cube)), None, weak=True)
    steps = np.geomspace(4.0, 256.0, 25).tolist()
    counts = np.array([[one.plan(step).components for one in (planner, weak)] for step in steps])
    assert (counts[:, 1] >= counts[:, 0]).all()
    assert counts[:, 1].sum() > counts[:, 0].sum()
    assert planner.judged_at(64.0) == 64.0
    assert weak.judged_at(64.0) < 64.0
    # Where noise is looked at, too, more of it takes time and saves nothing.
    assert weak.judged_at(4.0) == 4.0


def test_components_come_in_falling_order_and_fit_the_fold(planner):
    fold = planner.plan(4.0)
    assert fold.ends[-1] == 24
    for vectors, merged, length in zip(fold.first, fold.merged, np.diff((0, *fold.ends)), strict=True):
        assert vectors.codes.shape == (length, vectors.count)
        assert merged <= vectors.count <= length
        assert (np.diff(vectors.precision) <= 0).all()
    assert (np.diff(fold.second.precision) <= 0).all()


@pytest.mark.parametrize("step", [1.0, 8.0, 64.0])
def test_rebuilt_bases_are_orthonormal(planner, step):
    fold = planner.plan(step)
    for vectors in (*fold.first, fold.second):
        basis = vectors.integers / BASIS_UNIT
        np.testing.assert_allclose(basis.T @ basis, np.eye(vectors.count), atol=2e-3)


def test_strong_components_are_told_more_finely():
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(20, 4)))[0]
    told = quantise_vectors(vectors, np.array([1e8, 1e6, 1e2, 1e-3]), 16.0, 10000)
    assert told.precision.tolist() == sorted(told.precision, reverse=True)
    assert told.precision[0] > told.precision[2] >= 1
    np.testing.assert_allclose(told.codes[:, 0] / 2.0 ** told.precision[0], vectors[:, 0], atol=2.0**-9)
    bits = vector_bits(told)
    assert (np.diff(bits) <= 0).all()
    assert bits[0] > 2 * bits[2]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 30), st.floats(0, 8), st.floats(-1, 4))
def test_gains_are_the_same_with_kernels_and_without(seed, size, fine):
    generator = np.random.Generator(np.random.PCG64(seed))
    latents = np.rint(generator.laplace(size=(3, 64, 11)) * 10.0**size).astype(np.int32)
    fast = latent_gain(latents, 10.0**fine)
    with kernels.switched_off():
        np.testing.assert_array_equal(latent_gain(latents, 10.0**fine), fast)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 30), st.floats(0, 8), st.floats(-1, 4), st.integers(0, 40))
def test_costs_are_the_same_with_kernels_and_without(seed, size, fine, count):
    generator = np.random.Generator(np.random.PCG64(seed))
    latents = np.rint(generator.laplace(size=count) * 10.0**size).astype(np.int32)
    fast = latent_cost(latents, 10.0**fine)
    with kernels.switched_off():
        assert latent_cost(latents, 10.0**fine) == fast


def test_a_cost_is_bits_and_the_error_of_what_is_left_out():
    bits, error = latent_cost(np.array([0, 0, 64, 64 * 1000], dtype=np.int32), 10.0)
    # One count is a tenth of a step and becomes zero; a thousand are a hundred steps, off by a twelfth.
    assert bits == pytest.approx(np.log2(1 + 0.15) + np.log2(1 + 150), abs=0.2)
    assert error == pytest.approx(0.01 + 1 / 12, abs=0.01)


def test_matrices_of_all_bands_are_multiplied_by_merged_components_only(monkeypatch):
    """With thousands of bands each column of a basis that is multiplied by all covariances takes a while."""
    cube = scene(bands=120, lines=16, samples=16)
    ends = tuple(range(10, 121, 10))
    sample = sample_blocks(ArraySource(cube))
    wide = []
    product = exact.product

    def counted(a, b):
        if a.shape == (120, 120):
            wide.append(b.shape[1])
        return product(a, b)

    monkeypatch.setattr(exact, "product", counted)
    planner = FoldPlanner(sample, ends, merge_limit=8)
    fold = planner.plan(0.5)
    left_out = planner.left_out(fold)
    assert fold.components > 2 * 8
    assert sum(wide) <= 8
    # The same number as of all columns at once.
    inside, outside = fold.split
    first = planner._placed([vectors.orthonormal for vectors in fold.first])
    basis = np.concatenate([product(first[:, inside], fold.second.orthonormal), first[:, outside]], axis=1)
    _, covariances = sample.moments
    kept = math.fsum((basis * product(covariances, basis)).ravel().tolist())
    whole = math.fsum(np.diagonal(covariances).tolist())
    assert left_out == max(whole - kept, 0.0) / 120
