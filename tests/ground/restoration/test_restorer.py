"""Restoration: it stays within bins, trusts itself only where it should, and makes scenes better."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, load_tables
from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package, save_package
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import MemoryLimitError, ModelError
from bandfold.ground import Decoder
from bandfold.ground.restoration import restorer as restore
from bandfold.ground.restoration.bilateral_filter import FilterKernel
from bandfold.ground.restoration.held_out_latents import hold_out
from bandfold.ground.restoration.latent_bins import bin_tables
from bandfold.ground.restoration.latent_features import FeatureExtractor, feature_count
from bandfold.ground.restoration.restoration_model import KIND, RestorationModel, find_restoration
from bandfold.ground.restoration.restorer import Restorer
from bandfold.ground.synthesis.decoded_latents import DecodedLatents
from bandfold.onboard.quantisation.rdoq import quantise

from ..streams import encode

pytest.importorskip("onnxruntime")

MODE = load_tables().modes["folded"]
KERNELS = (FilterKernel(4.0, 0.0), FilterKernel(0.0, 1.0))


class Constant:
    """A model whose network gives the same gains everywhere."""

    name, kernels, trust, layers = "constant", KERNELS, (0.0, 0.01), None

    def __init__(self, *gains):
        self._gains = np.array(gains, dtype=np.float32)

    def network(self, threads, providers):
        self.providers = providers
        return self

    def run(self, told):
        assert told.shape[1] == feature_count(len(KERNELS))
        return np.broadcast_to(self._gains[None, :, None, None], (1, len(self._gains), *told.shape[2:]))


def test_the_network_runs_where_it_is_fastest(monkeypatch):
    model = Constant(0.0, 0.0, 0.0)
    monkeypatch.setattr(
        restore, "fastest_providers", lambda: ("CUDAExecutionProvider", "CPUExecutionProvider")
    )
    Restorer(model, MODE).open()
    assert model.providers == ("CUDAExecutionProvider", "CPUExecutionProvider")


def decoded(seed=0, components=3, rows=2, columns=3, rotations=()):
    """Latents of fields with sharp borders, as a strip holds them."""
    rng = np.random.default_rng(seed)
    spread = 6.0 / (1 + np.arange(64)) ** 0.7
    latents = rng.normal(0, 1, (64, components, rows, columns)) * spread[:, None, None, None]
    quantised = np.rint(latents).astype(np.int32)
    classes = rng.integers(0, 48, quantised.shape).astype(np.uint8)
    chosen = rng.integers(0, len(rotations), (rows, columns)).astype(np.uint8) if rotations else None
    return DecodedLatents(quantised, classes, np.full((48, 3), 0.04), chosen, rotations)


def points_of(strip):
    """Reconstruction points: shape (64, components, rows, columns)."""
    magnitudes = np.abs(strip.quantised)
    below = strip.below[strip.classes, np.clip(magnitudes, 1, 3) - 1]
    return np.sign(strip.quantised) * (magnitudes - below)


def bins_of(strip, mode):
    """Ends of the bins of latents."""
    magnitudes = np.abs(strip.quantised)
    ends = (
        magnitudes.astype(np.float32)[..., None]
        + bin_tables(mode)[strip.classes, np.minimum(magnitudes, 3), 1:]
    )
    low, high = ends[..., 0], ends[..., 1]
    negative = strip.quantised < 0
    return np.where(negative, -high, low), np.where(negative, -low, high)


def rotation(seed, size=3):
    found = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]
    return Vectors(np.rint(found * 4096).astype(np.int64), np.full(size, 12))


def towns(bands=24, size=64, seed=1):
    """Fields of a few materials and noise: pixels of a field look alike."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 5, (size // 4, size // 4)).repeat(4, axis=0).repeat(4, axis=1)
    spectra = np.cumsum(rng.normal(0, 60, (5, bands)), axis=1) + 2000
    cube = spectra[kinds].transpose(2, 0, 1) + rng.normal(0, 2, (bands, size, size))
    return np.rint(cube).astype(np.int16)


def mse(cube, other):
    return float(np.mean((cube.astype(np.float64) - other) ** 2))


@given(seed=st.integers(0, 99), gain=st.floats(-50, 50), sign=st.floats(-50, 50))
def test_no_latent_leaves_its_bin(seed, gain, sign):
    strip = decoded(seed)
    found = Restorer(Constant(gain, -gain, sign), MODE).restore(strip)
    if found is None:
        # Nothing to trust.
        return
    low, high = bins_of(strip, MODE)
    assert ((found.latents >= low) & (found.latents <= high)).all()
    np.testing.assert_array_equal(found.live, found.latents.any(axis=(0, 2, 3)))


def test_two_quantisers_hold_latents_near_their_levels():
    exact = np.rint(np.random.default_rng(5).laplace(0, 60, (4, 64, 6, 6))).astype(np.int32) * 8
    mode = load_tables(DEPENDENT_TABLES).modes["folded"]
    quantised, classes = quantise(exact, 7.0, mode)
    strip = DecodedLatents(quantised, classes, mode.points, None, ())
    low, high = bins_of(strip, mode)
    steps = exact.swapaxes(0, 1) / (7.0 * FRACTION)
    assert ((steps >= low) & (steps <= high)).mean() > 0.995
    model = Constant(9.0, -9.0, 5.0)
    model.trust = (-1.0, -0.9)
    found = Restorer(model, mode).restore(strip).latents
    assert ((found >= low) & (found <= high)).all()
    points = points_of(strip)
    assert ((points >= low) & (points <= high)).all()


def test_blocks_at_once_change_nothing(monkeypatch):
    strip = decoded(columns=9)
    model = Constant(0.4, 0.3, -0.1)
    model.trust = (-1.0, -0.9)
    restorer = Restorer(model, MODE)
    whole = restorer.restore(strip).latents
    monkeypatch.setattr(restore, "BLOCKS", 5)
    np.testing.assert_array_equal(restorer.restore(strip).latents, whole)


def test_a_component_of_other_sign_is_corrected_with_other_sign():
    """Eigenvectors have no sign of their own."""
    strip = decoded()
    flipped = replace(strip, quantised=strip.quantised.copy())
    flipped.quantised[:, 1] *= -1
    ours, theirs = (FeatureExtractor(one, KERNELS, MODE) for one in (strip, flipped))
    blocks = slice(0, 6)
    seen, turned = ours.candidates(blocks), theirs.candidates(blocks)
    np.testing.assert_array_equal(turned.of(1), -seen.of(1))
    np.testing.assert_array_equal(theirs.features(turned, blocks, 1), ours.features(seen, blocks, 1))


@pytest.mark.parametrize("columns", [slice(24, 26), slice(0, 2), slice(79, 80)])
def test_hidden_latents_are_ones_and_no_others_change(columns):
    strip = decoded(components=20, columns=80)
    held_out = hold_out(strip, columns)
    start, stop = max(columns.start - 1, 0), min(columns.stop + 1, 80)
    before, after = strip.quantised[..., start:stop], held_out.decoded.quantised
    changed = before != after
    assert (np.abs(before[changed]) == 1).all()
    assert not after[changed].any()
    assert 0.03 < changed.sum() / (np.abs(before) == 1).sum() < 0.2
    own = slice(columns.start - start, columns.stop - start)
    block, channel, component = held_out.places
    row, column = np.divmod(block, stop - start)
    np.testing.assert_array_equal(before[channel, component, row, column], held_out.signs)
    assert changed[channel, component, row, column].all()
    assert len(block) == changed[..., own].sum()
    assert set(block) <= set(held_out.blocks)
    assert len(held_out.blocks) == 2 * (columns.stop - columns.start)


def test_guesses_that_are_no_better_than_chance_are_not_applied():
    strip = decoded(components=20, columns=40)
    model = Constant(0.5, 0.0, 0.0)
    model.trust = (0.4, 0.85)
    restorer = Restorer(model, MODE)
    assert restorer.trust(restorer.extractor(strip)) == 0.0
    assert restorer.restore(strip) is None
    # Nothing to hide, nothing to judge by.
    empty = replace(strip, quantised=strip.quantised * 0)
    assert restorer.trust(restorer.extractor(empty)) == 0.0


@pytest.mark.parametrize("step", [10.0, 40.0])
def test_the_shipped_network_makes_scenes_better(step):
    cube = towns()
    stream = encode(cube, step=step, strip_lines=32)
    plain, restored = Decoder(stream, restore="off"), Decoder(stream)
    assert (plain.restoration, restored.restoration) == (None, "restore")
    before, after = mse(cube, plain.decode()), mse(cube, restored.decode())
    assert after < 0.97 * before


def test_strips_and_bands_are_those_of_the_whole():
    cube = towns()
    decoder = Decoder(encode(cube, step=20.0, strip_lines=32))
    whole = decoder.decode()
    np.testing.assert_array_equal(decoder.decode(lines=slice(32, 64)), whole[:, 32:])
    np.testing.assert_array_equal(decoder.decode(bands=slice(3, 7), lines=slice(5, 9)), whole[3:7, 5:9])


def test_lines_at_the_border_of_strips_are_no_worse_than_others():
    """No seams: each strip is restored by itself."""
    cube = towns(size=128)
    stream = encode(cube, step=40.0, strip_lines=32)
    found = Decoder(stream).decode()
    lines = ((found.astype(np.float64) - cube) ** 2).mean(axis=(0, 2))
    border = lines[[31, 32, 63, 64, 95, 96]].mean()
    # Lines at the border of blocks inside of strips are as far from the middle of their block.
    inside = lines[[7, 8, 15, 16, 23, 24, 39, 40, 47, 48, 55, 56, 71, 72, 79, 80, 87, 88]].mean()
    assert border < 1.15 * inside


def test_scenes_without_a_fold_are_left_alone():
    cube = towns(bands=3)
    stream = encode(cube, spectral="none")
    assert Decoder(stream).restoration is None
    np.testing.assert_array_equal(Decoder(stream).decode(), Decoder(stream, restore="off").decode())


def test_onnx_runtime_is_needed_where_layers_are_not_told(monkeypatch, tmp_path):
    monkeypatch.setattr("bandfold.ground.restoration.restoration_model.find_spec", lambda name: None)
    model = find_restoration("auto", Registry())
    assert model is not None
    assert model.layers is not None
    assert find_restoration("off", Registry()) is None
    arrays = {name: array for name, array in model.arrays().items() if name in ("windows", "trust")}
    package = Package(Manifest("restore", KIND), arrays, {"restore.onnx": model.graph})
    save_package(package, tmp_path / "restore.bfm")
    assert find_restoration("auto", Registry([tmp_path / "restore.bfm"])) is None


def test_other_packages_are_refused(tmp_path):
    stream = encode(towns())
    with pytest.raises(ModelError, match="restoration needs one of kind 'restoration'"):
        Decoder(stream, restore="aviris-224")
    with pytest.raises(ModelError, match="unknown"):
        Decoder(stream, restore="none-such")
    broken = Package(Manifest("broken", KIND), {"windows": np.ones((2, 3)), "trust": np.array([0.1, 0.5])})
    save_package(broken, tmp_path / "broken.bfm")
    with pytest.raises(ModelError, match="holds no usable network"):
        Decoder(stream, restore=tmp_path / "broken.bfm")


def test_a_network_of_another_shape_is_refused():
    with pytest.raises(ModelError, match="gives gains of shape"):
        Restorer(Constant(0.0, 0.0), MODE).restore(decoded())


def test_arrays_come_back():
    model = RestorationModel.from_package(Registry().find("restore"))
    package = Package(Manifest("again", KIND), model.arrays(), {"restore.onnx": model.graph})
    again = RestorationModel.from_package(package)
    assert (again.kernels, again.trust) == (model.kernels, model.trust)
    assert again.layers is not None
    for one, other in zip(again.layers.layers, model.layers.layers, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_memory_of_the_restoration_counts():
    stream = encode(towns(size=96), step=4.0, strip_lines=96)
    limit = Decoder(stream, restore="off")._stream.transforms.strip_memory + (1 << 20)
    Decoder(stream, memory_limit=limit, restore="off").decode()
    with pytest.raises(MemoryLimitError):
        Decoder(stream, memory_limit=limit).decode()
