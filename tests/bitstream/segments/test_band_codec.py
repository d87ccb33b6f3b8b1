"""Models come out of packages whole, or not at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import Package, load_package, pack, unpack
from bandfold.bitstream.segments.band_codec import BandCodec, latent_rows
from bandfold.common.errors import ModelError

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="module")
def package():
    return load_package(GOLDEN / "golden-walsh.bfm")


def test_a_model_comes_back_from_its_arrays(package):
    codec = BandCodec.from_package(package)
    assert (codec.engines, codec.channels) == (2, 16)
    assert (codec.ends, codec.limits, codec.engine_of) == ((2, 4, 9), (700.0, 800.0), (0, 1, 1))
    assert codec.identity == package.digest[:8]
    again = unpack(pack(Package(package.manifest, codec.arrays(), codec.networks)))
    assert again.digest == package.digest


def test_tables_of_a_model_lie_behind_those_of_the_format(package):
    tables = load_tables()
    found = BandCodec.from_package(package).tables(tables)
    assert found.identity == tables.identity
    assert found.first_plane_table(1) - found.first_plane_table(0) == 16
    np.testing.assert_array_equal(found.planes.sum(axis=2), 1 << 24)


def test_packages_of_sensors_are_no_models():
    with pytest.raises(ModelError, match="of kind 'sensor'"):
        BandCodec.from_package(load_package(GOLDEN / "golden-20.bfm"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frequencies", None),
        ("frequencies", np.ones((2, 16, 79), np.int32)),
        ("frequencies", np.ones((0, 16, 80), np.int32)),
        ("frequencies", np.ones((2, 16, 80))),
        ("frequencies", np.ones((40, 48, 80), np.int32)),
        ("interval-ends", None),
        ("interval-ends", np.array([2, 2, 9], np.int32)),
        ("interval-ends", np.zeros(0, np.int32)),
        ("interval-nanometres", np.array([700.0])),
        ("interval-nanometres", np.array([800.0, 700.0])),
        ("interval-nanometres", np.array([700.0, np.nan])),
        ("interval-engines", np.array([0, 1, 2], np.int32)),
        ("interval-engines", np.array([0, -1, 1], np.int32)),
        ("interval-engines", np.array([0, 1], np.int32)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(package, name, value):
    arrays = {key: array for key, array in package.arrays.items() if key != name}
    if value is not None:
        arrays[name] = value
    with pytest.raises(ModelError, match=r"holds no usable model .*bandfold export"):
        BandCodec.from_package(replace(package, arrays=arrays))


@pytest.mark.parametrize("name", ["analysis-0.onnx", "synthesis-1.onnx"])
def test_an_engine_without_a_network_is_refused(package, name):
    engines = {key: data for key, data in package.engines.items() if key != name}
    with pytest.raises(ModelError, match=f"no {name}"):
        BandCodec.from_package(replace(package, engines=engines))


def test_frequencies_that_are_no_table_are_refused_with_the_tables(package):
    codec = replace(BandCodec.from_package(package), frequencies=np.ones((2, 16, 80), np.int32))
    with pytest.raises(ModelError, match="sum to"):
        codec.tables(load_tables())


def test_latents_cover_everything():
    assert [latent_rows(length) for length in (1, 15, 16, 17, 32, 33)] == [1, 1, 1, 2, 2, 3]
