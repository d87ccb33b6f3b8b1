"""The fit of a sensor: what it makes of scenes, what it saves on another one, and what it refuses."""

import numpy as np
import pytest

from bandfold.bitstream.packages.package import pack, save_package, unpack
from bandfold.bitstream.transforms.sensor_basis import MOST_MERGED, SensorBasis
from bandfold.calibration.sensor_fit import fit_sensor
from bandfold.common.errors import ModelError, SceneError, SettingsError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.synthetic.scenes import SyntheticScene

BANDS = 48


def scene(seed, lines=48, samples=48, bands=BANDS):
    source = SyntheticScene(lines, samples, bands, seed=seed)
    return source.read(slice(0, bands), slice(0, lines))


def sources(*seeds, **metadata):
    return {f"made up {seed}": ArraySource(scene(seed), metadata=metadata) for seed in seeds}


@pytest.fixture(scope="module")
def package():
    return unpack(pack(fit_sensor(sources(1, 2, 3), "made-up", description="no real sensor")))


@pytest.fixture(scope="module")
def path(package, tmp_path_factory):
    path = tmp_path_factory.mktemp("fit") / "made-up.bfm"
    save_package(package, path)
    return path


def test_the_card_says_what_it_is_made_of(package):
    assert (package.name, package.manifest.kind) == ("made-up", "sensor")
    card = package.manifest.card
    assert card["training scenes"] == ["made up 1", "made up 2", "made up 3"]
    assert card["bands"] == BANDS
    basis = SensorBasis.from_package(package)
    assert card["intervals"] == list(basis.ends)
    assert card["merged"] == sum(basis.merged) == min(BANDS, MOST_MERGED)
    assert card["parameters"] == sum(one.codes.size for one in (*basis.first, basis.second))


def test_the_basis_is_that_of_the_scenes(package):
    """Components of the package are nearly uncorrelated in what it was fitted to, and fall in variance."""
    basis = SensorBasis.from_package(package)
    total = np.zeros((BANDS, BANDS))
    for seed in (1, 2, 3):
        covariance = np.cov(scene(seed).reshape(BANDS, -1).astype(np.float64), bias=True)
        total += covariance / np.trace(covariance)
    start = 0
    for end, vectors in zip(basis.ends, basis.first, strict=True):
        across = vectors.orthonormal.T @ total[start:end, start:end] @ vectors.orthonormal
        variance = np.diag(across)
        assert (np.diff(variance) <= 1e-4 * variance[0]).all()
        assert np.abs(across - np.diag(variance)).max() < 1e-3 * variance[0]
        assert (np.diff(vectors.precision) <= 0).all()
        start = end
    means = np.mean([scene(seed).mean(axis=(1, 2)) for seed in (1, 2, 3)], axis=0)
    np.testing.assert_allclose(basis.means / 64, means, atol=0.01)


def test_every_scene_has_the_same_weight():
    """A bright scene does not drown a dark one."""
    dark = ArraySource(scene(1))
    bright = ArraySource(scene(2) // 4)
    brighter = ArraySource(scene(2) // 4 * 4)
    one, other = (
        SensorBasis.from_package(unpack(pack(fit_sensor({"a": dark, "b": second}, "x", ends=(BANDS,)))))
        for second in (bright, brighter)
    )
    np.testing.assert_array_equal(one.first[0].codes, other.first[0].codes)


def test_an_unseen_scene_takes_fewer_bytes_and_no_vectors(path):
    cube = scene(9)
    own, with_package = (
        Encoder(step=20.0, **settings).encode(cube)
        for settings in ({}, {"sensor": path, "spectral": "sensor"})
    )
    reports, errors = [], []
    for stream in (own, with_package):
        decoder = Decoder(stream, models=[path])
        errors.append(np.mean((decoder.decode().astype(np.float64) - cube) ** 2))
        reports.append(decoder.report())
    assert len(with_package) < len(own)
    assert reports[1]["bytes"]["basis"] < 0.9 * reports[0]["bytes"]["basis"]
    # At one step: what is dropped may differ a little.
    assert errors[1] < 1.02 * errors[0]
    assert (reports[0]["sensor"], reports[1]["sensor"]) == (None, "made-up")


@pytest.mark.parametrize("settings", [{"bps": 0.6}, {"psnr": 62.0}, {"nbytes": 6000}])
def test_targets_are_met_with_a_package(path, settings):
    cube = scene(9)
    stream = Encoder(sensor=path, spectral="sensor", **settings).encode(cube)
    decoded = Decoder(stream, models=[path], restore="off").decode()
    error = np.mean((decoded.astype(np.float64) - cube) ** 2)
    if "psnr" in settings:
        assert 10 * np.log10(65535**2 / error) == pytest.approx(62.0, abs=0.1)
    else:
        budget = settings.get("nbytes", int(0.6 * cube.size / 8))
        assert 0.95 * budget <= len(stream) <= budget


def test_automatic_coding_leaves_a_package_that_does_not_fit(path):
    """A scene in which the package finds nothing in order: its own fold is better."""
    rng = np.random.default_rng(0)
    fields = rng.normal(0, 1, (3, 6, 6)).repeat(8, axis=1).repeat(8, axis=2)
    cube = np.rint(4000 + 600 * np.tensordot(rng.normal(size=(BANDS, 3)), fields, 1)).astype(np.int16)
    automatic, own = (Encoder(step=20.0, **settings).encode(cube) for settings in ({"sensor": path}, {}))
    assert automatic == own
    assert Decoder(automatic).report()["sensor"] is None


@pytest.mark.parametrize("bps", [0.3, 1.5])
@pytest.mark.parametrize("kind", ["unseen", "noise", "constant"])
def test_automatic_coding_is_never_worse(path, kind, bps):
    cube = {
        "unseen": scene(9),
        "noise": np.random.default_rng(1).integers(0, 4000, (BANDS, 40, 40), np.uint16),
        "constant": np.full((BANDS, 40, 40), 77, dtype=np.uint16),
    }[kind]
    errors = []
    for settings in ({"sensor": path}, {}, {"spectral": "none"}):
        decoded = Decoder(Encoder(bps=bps, **settings).encode(cube), models=[path]).decode()
        errors.append(np.mean((decoded.astype(np.float64) - cube) ** 2))
    # Two codings use their budget to 1.5 percent, which is worth up to 0.1 dB.
    assert errors[0] <= min(errors[1:]) * 10**0.015


def test_scenes_of_another_sensor_are_refused(path):
    with pytest.raises(ModelError, match="is for 48 bands, the scene has 24"):
        Encoder(step=8.0, sensor=path).encode(scene(1, bands=24))
    with pytest.raises(SettingsError, match="partition of its own"):
        Encoder(step=8.0, sensor=path, partition=(24, 48))
    with pytest.raises(SettingsError, match="needs a sensor package"):
        Encoder(step=8.0, spectral="sensor")
    with pytest.raises(ModelError, match="unknown"):
        Encoder(step=8.0, sensor="no-such-sensor")
    with pytest.raises(ModelError, match="a model needs one of kind"):
        Encoder(step=8.0, model=path)


def test_a_decoder_without_the_package_says_which_it_needs(package, path, tmp_path):
    stream = Encoder(step=20.0, sensor=path, spectral="sensor").encode(scene(9))
    with pytest.raises(ModelError, match=f"'made-up' with hash {package.identity.hex()}; none of that name"):
        Decoder(stream)
    other = save_package(fit_sensor(sources(4), "made-up"), tmp_path / "other.bfm")
    with pytest.raises(
        ModelError, match=f"{package.identity.hex()}; found under that name: {other.identity.hex()}"
    ):
        Decoder(stream, models=[tmp_path / "other.bfm"])
    both = Decoder(stream, models=[tmp_path / "other.bfm", path])
    assert both.report()["sensor_hash"] == package.identity.hex()


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(SettingsError, match="no scenes"):
        fit_sensor({}, "x")
    with pytest.raises(SceneError, match="no scene varies"):
        fit_sensor({"flat": ArraySource(np.full((6, 8, 8), 3, dtype=np.uint8))}, "x")
    with pytest.raises(SceneError, match="scene b has 24 bands, a has 48"):
        fit_sensor({"a": ArraySource(scene(1)), "b": ArraySource(scene(1, bands=24))}, "x")
    with pytest.raises(ModelError, match="not possible"):
        fit_sensor(sources(1), "No Name")
    with pytest.raises(SettingsError, match="partition"):
        fit_sensor(sources(1), "x", ends=(5, 40))
    with pytest.raises(SettingsError, match="intervals"):
        fit_sensor(sources(1), "x", intervals=BANDS + 1)


def test_wavelengths_go_into_the_package_and_must_agree():
    centres = tuple(f"{400 + 10 * band}" for band in range(BANDS))
    moved = tuple(f"{409 + 10 * band}" for band in range(BANDS))
    scenes = sources(1, 2)
    scenes["with"] = ArraySource(scene(3), metadata={"wavelength": centres})
    package = unpack(pack(fit_sensor(scenes, "x")))
    np.testing.assert_array_equal(package.arrays["wavelengths"], 400 + 10 * np.arange(BANDS))
    with pytest.raises(ModelError, match="nm"):
        Encoder(step=8.0, sensor=package).encode(ArraySource(scene(1), metadata={"wavelength": moved}))
    scenes["moved"] = ArraySource(scene(4), metadata={"wavelength": moved})
    with pytest.raises(SceneError, match="wavelengths of scene moved are not those of with"):
        fit_sensor(scenes, "x")


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 9), (2, 1, 30), (7, 8, 8)])
def test_scenes_of_any_size(shape, tmp_path):
    rng = np.random.default_rng(3)
    cubes = [rng.integers(0, 255, shape, np.uint8) for _ in range(2)]
    cubes[0].ravel()[0] ^= 1
    if cubes[0].std() == 0:
        cubes[0] = np.arange(cubes[0].size * 4, dtype=np.uint8).reshape(shape[0], -1, 4)
    path = tmp_path / "any.bfm"
    save_package(fit_sensor({"a": ArraySource(cubes[0])}, "any"), path)
    stream = Encoder(step=4.0, sensor=path, spectral="sensor").encode(cubes[1])
    decoded = Decoder(stream, models=[path], restore="off").decode()
    assert np.abs(decoded.astype(int) - cubes[1]).max() <= 40
    assert np.mean((decoded.astype(float) - cubes[1]) ** 2) < 30
