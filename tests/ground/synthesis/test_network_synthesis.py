"""Synthesis by networks: any scene of any type comes back, whatever part is asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.packages.package import Package, load_package, save_package
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common.errors import ModelError
from bandfold.common.scene import Scaling
from bandfold.ground import Decoder
from bandfold.ground.synthesis.network_synthesis import NetworkSynthesis
from bandfold.onboard import ArraySource, Encoder

MODEL = Path(__file__).parents[2] / "golden" / "golden-walsh.bfm"


def plateau(shape, dtype):
    """Squares of 4 x 4 samples between the ends of the type."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    bands, lines, samples = shape
    rng = np.random.default_rng(2)
    levels = rng.integers(low // 2, high // 2, (bands, -(-lines // 4), -(-samples // 4)))
    return levels.repeat(4, axis=1).repeat(4, axis=2)[:, :lines, :samples].astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 40), (2, 52, 1), (5, 36, 20), (1, 16, 16), (9, 20, 68)])
def test_scenes_of_every_type_and_size(shape, dtype):
    cube = plateau(shape, dtype)
    step = 2.0 if np.dtype(dtype).itemsize == 1 else 64.0
    decoder = Decoder(Encoder(step=step, model=MODEL, strip_lines=32).encode(cube), models=[MODEL])
    found = decoder.decode()
    assert (found.dtype, found.shape, decoder.damage) == (cube.dtype, cube.shape, [])
    # A latent is off by half a step at most, and a sample is a sixteenth of the sum of its sixteen latents.
    assert np.abs(found.astype(np.float64) - cube).max() <= step / 2 + 1


def test_scaled_floats_and_absent_samples():
    cube = plateau((4, 36, 28), "int16").astype(np.float32) / 1000
    # Whole squares: what fills them is a square again.
    cube[:, 4:8, 4:12] = np.nan
    cube[2, 35, 27] = np.nan
    source = ArraySource(cube, scaling=Scaling(1 / 1000), no_data=float("nan"))
    found = Decoder(Encoder(step=16.0, model=MODEL).encode(source), models=[MODEL]).decode()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(cube))
    assert np.nanmax(np.abs(found - cube)) < 0.3


def test_latents_that_lead_to_infinity_are_held_to_the_type():
    codec = BandCodec.from_package(load_package(MODEL))
    latents = np.full((1, 16, 1, 1), np.iinfo(np.int32).max, np.int32)
    latents[:, ::2] *= -1
    fold = Fold((1,), np.zeros(1, np.int64), engines=(0,))
    planes = NetworkSynthesis(codec).bands(latents, fold, 2.0**56, slice(0, 1), (16, 16))
    assert np.isfinite(planes).all()
    assert np.abs(planes).max() <= 1e9


def test_a_network_that_gives_something_else_is_refused():
    codec = BandCodec.from_package(load_package(MODEL))
    turned = {**codec.networks, "synthesis-0.onnx": codec.networks["analysis-0.onnx"]}
    fold = Fold((1,), np.zeros(1, np.int64), engines=(0,))
    with pytest.raises(ModelError, match=r"synthesis-0.onnx of package 'golden-walsh' cannot be run"):
        NetworkSynthesis(replace(codec, networks=turned)).bands(
            np.ones((1, 16, 1, 1), np.int32), fold, 1.0, slice(0, 1), (16, 16)
        )


def test_another_package_of_that_name_is_refused_by_its_hash(tmp_path):
    package = load_package(MODEL)
    frequencies = package.arrays["frequencies"][:, ::-1]
    arrays = {**package.arrays, "frequencies": np.ascontiguousarray(frequencies)}
    other = save_package(Package(package.manifest, arrays, package.engines), tmp_path / "other.bfm")
    stream = Encoder(step=64.0, model=MODEL).encode(plateau((2, 20, 20), "int16"))
    with pytest.raises(ModelError, match=f"{package.identity.hex()}; found.*{other.identity.hex()}"):
        Decoder(stream, models=[tmp_path / "other.bfm"])


def test_a_report_names_model_engines_and_intervals():
    stream = Encoder(step=64.0, model=MODEL).encode(plateau((7, 20, 20), "int16"))
    report = Decoder(stream, models=[MODEL]).report()
    assert (report["transform"], report["spectral"], report["model"]) == ("planes16", "none", "golden-walsh")
    assert report["model_hash"] == load_package(MODEL).identity.hex()
    assert (report["intervals"], report["engines"]) == ([2, 4, 7], [0, 1, 1])
    assert sum(report["bytes"].values()) == len(stream)
