"""Training of models of predicted bands, from scenes to packages, in seconds."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("onnx")

import torch

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import load_package, pack, unpack
from bandfold.bitstream.segments.predicted_codec import codec_of
from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.bitstream.transforms.lapped_synthesis import is_symmetric
from bandfold.common.errors import SettingsError
from bandfold.export import predicted
from bandfold.export.predicted_package import predicted_package
from bandfold.formats.envi.writer import write_envi
from bandfold.ground.decoder import Decoder
from bandfold.onboard.encoder import Encoder
from bandfold.synthetic.scenes import SyntheticScene
from bandfold.training.lapped_transform import (
    LappedTransform,
    Patches,
    cosine_basis,
    train_lapped_transform,
)
from bandfold.training.latent_costs import FARTHEST, LatentCosts

COSTS = LatentCosts(load_tables().modes["banded"])


def _patches(seed, count=300):
    """Noise that a cosine transform is not the best for: smooth along one diagonal."""
    noise = np.random.default_rng(seed).normal(size=(count, 32, 32))
    samples = sum(noise[:, place : place + 24, place : place + 24] for place in range(8)) / 2
    return Patches(samples.astype(np.float32), np.full((count, 64), 10, np.uint8))


def test_it_begins_as_the_cosine_transform():
    kernels = LappedTransform().kernels()
    wanted = np.pad(cosine_basis().reshape(64, 8, 8), ((0, 0), (8, 8), (8, 8)))
    np.testing.assert_allclose(kernels, wanted, atol=1e-6)
    np.testing.assert_allclose(cosine_basis() @ cosine_basis().T, np.eye(64), atol=1e-12)


def test_whatever_its_parameters_it_is_orthonormal_and_symmetric():
    model = LappedTransform()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    kernels = model.kernels()
    assert is_symmetric(np.rint(kernels * (1 << 14)).astype(np.int32))
    # Those of the middle one of 5 x 5 blocks have a norm of 1 and are orthogonal to all others.
    basis = np.zeros((5, 5, 64, 56, 56))
    for row, column in np.ndindex(5, 5):
        basis[row, column, :, 8 * row : 8 * row + 24, 8 * column : 8 * column + 24] = kernels
    products = basis[2, 2].reshape(64, -1) @ basis.reshape(-1, 56 * 56).T
    np.testing.assert_allclose(products, np.eye(64 * 25)[64 * 12 : 64 * 13], atol=2e-5)
    assert np.abs(kernels[:, :4]).max() < 1e-6


def test_training_lowers_the_cost_and_repeats():
    sets = [_patches(1), _patches(2)]
    found = train_lapped_transform(sets, COSTS, 25, seed=4)
    np.testing.assert_array_equal(found, train_lapped_transform(sets, COSTS, 25, seed=4))

    def cost(kernels):
        other = _patches(3)
        latents = other.samples.reshape(300, -1) @ kernels.reshape(64, -1).T
        return float(COSTS(torch.from_numpy(latents), torch.from_numpy(other.classes).long()).mean())

    assert cost(found) < 0.98 * cost(train_lapped_transform(sets, COSTS, 0))
    nothing = Patches(np.zeros((0, 24, 24), np.float16), np.zeros((0, 64), np.uint8))
    assert train_lapped_transform([nothing], COSTS, 3).shape == (64, 24, 24)


def test_a_latent_costs_what_its_level_takes():
    mode = load_tables().modes["banded"]
    latents = torch.tensor([0.0, 0.25, -5.0, 3.0 * FARTHEST], dtype=torch.float64)
    found = COSTS(latents, torch.tensor([7, 7, 20, 20]))
    nothing = 0.13 * mode.costs[7, 0] / 256
    five = (mode.points[20, 2]) ** 2 + 0.13 * mode.costs[20, 5] / 256
    assert found[0] == pytest.approx(nothing, rel=1e-4)
    assert found[1] == pytest.approx(nothing + 0.25**2, rel=1e-3)
    assert found[2] == pytest.approx(five, rel=0.05)
    assert found[2] <= five * (1 + 1e-4)
    assert found[3] > COSTS(torch.tensor([FARTHEST * 1.0]), torch.tensor([20]))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Three small scenes of sensors that have nothing to do with each other."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed, bands in enumerate((12, 17, 21)):
        scene = SyntheticScene(24, 32, bands, seed)
        cube = scene.read(slice(0, bands), slice(0, 24))
        write_envi(folder / f"scene_{seed}.hdr", cube, scene.info)
    return folder


@pytest.fixture(scope="module")
def trained(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    few = ["--transform", "3", "--contexts", "20", "--seed", "5"]
    arguments = ["--scenes", str(scenes), "-o", str(folder / "all.bfm"), "--folds", str(folder), *few]
    result = CliRunner().invoke(predicted.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return folder


def test_a_trained_model_codes(trained):
    package = load_package(trained / "all.bfm")
    card = package.manifest.card
    assert card["training scenes"] == ["scene_0", "scene_1", "scene_2"]
    assert card["MAC per sample"] == 576
    codec = codec_of(package)
    assert (codec.engines, codec.quantised) == (2, True)
    scene = SyntheticScene(40, 30, 15, 9).read(slice(0, 15), slice(0, 40))
    stream = Encoder(bps=1.0, model=package).encode(scene)
    assert len(stream) * 8 <= scene.size
    found = Decoder(stream, models=[trained / "all.bfm"]).decode()
    assert ((found.astype(float) - scene) ** 2).mean() < scene.astype(float).var() / 100


def test_models_of_folds_have_not_seen_their_scenes(trained):
    files = json.loads((trained / "folds.json").read_text())
    assert set(files) == {"scene_0", "scene_1", "scene_2"}
    for scene, file in files.items():
        assert scene not in load_package(trained / file).manifest.card["training scenes"]


def test_wishes_that_cannot_be_met(scenes, tmp_path):
    def run(*arguments):
        return CliRunner().invoke(
            predicted.main, ["--scenes", str(scenes), *arguments], catch_exceptions=False
        )

    with pytest.raises(SettingsError, match="nothing to write"):
        run()
    with pytest.raises(SettingsError, match="of one place or sensor"):
        run("--exclude", "scene_1,scene_2", "--folds", str(tmp_path / "folds"))


def test_a_package_is_the_same_whenever_it_is_made():
    from bandfold.bitstream.contexts.tables import load_tables, mode_arrays

    contexts = mode_arrays(load_tables().modes["banded"], "banded")
    kernels = LappedTransform().kernels()
    about = {"description": "d", "release": "0", "card": {}}
    first, again = (pack(predicted_package("one", [kernels], contexts, **about)) for _ in range(2))
    assert first == again
    units = codec_of(unpack(first, "one")).units[0]
    assert units[0] > units[-1]
    assert (np.diff(units[np.argsort(FREQUENCIES.sum(axis=1), kind="stable")]) <= 0).all()
