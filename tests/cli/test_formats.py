"""`bandfold encode` and `bandfold decode` with other formats than ENVI."""

import json

import numpy as np
import pytest

from bandfold.common.scene import Scaling, SceneInfo
from bandfold.formats.envi.reader import open_envi
from bandfold.formats.opening import open_scene, open_writer
from bandfold.formats.scene_options import SceneOptions
from bandfold.ground import Decoder
from bandfold.synthetic.scenes import SyntheticScene

from .conftest import check_failure

BANDS, LINES, SAMPLES = 12, 24, 20
PLACE = ("UTM", "1", "1", "500000", "4000000", "15", "15", "11", "North", "WGS-84", "units=Meters")
NAMES = {"geotiff": "a.tif", "netcdf": "a.nc", "zarr": "a.zarr", "npy": "a.npy"}


@pytest.fixture(scope="module")
def made():
    """A float scene with a no-data value that no count is near, and what is known of it."""
    source = SyntheticScene(LINES, SAMPLES, BANDS, seed=2)
    cube = source.read(slice(0, BANDS), slice(0, LINES)).astype(np.float32) / 20000
    cube[:, 3, 4:9] = -9999
    cube[5, 7] = -9999
    metadata = {**source.info.metadata, "map info": PLACE}
    return cube, SceneInfo(*cube.shape, cube.dtype, scaling=Scaling(1.0), no_data=-9999.0, metadata=metadata)


def look(path):
    return open_scene(path, SceneOptions(for_coding=False))


@pytest.mark.parametrize("kind", NAMES)
def test_there_and_back(run, tmp_path, made, kind):
    cube, info = made
    with open_writer(kind, tmp_path / NAMES[kind], info, LINES) as writer:
        writer.write(slice(0, BANDS), slice(0, LINES), cube)
    assert run("encode", NAMES[kind], "-o", "a.bf", "--step", "2", "--scale", "0.0001").status == 0
    result = run("decode", "a.bf", "-o", f"b{NAMES[kind]}", "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert (report["format"], report["output"], report["bands"]) == (kind, f"b{NAMES[kind]}", BANDS)
    source = look(tmp_path / f"b{NAMES[kind]}")
    again = source.read(slice(0, BANDS), slice(0, LINES))
    np.testing.assert_array_equal(again, Decoder(tmp_path / "a.bf").decode())
    np.testing.assert_array_equal(again == -9999, cube == -9999)
    assert np.abs(again - cube).max() < 0.002
    assert source.info.no_data == -9999
    for key in ("wavelength", "wavelength units", "fwhm", "bbl", "default bands"):
        assert source.info.metadata[key] == info.metadata[key]
    assert source.info.metadata["map info"] == PLACE
    # What came of another format is an ENVI scene with all of it, too.
    assert run("decode", "a.bf", "-o", "c.hdr", "--to", "envi").status == 0
    envi = open_envi(tmp_path / "c.hdr", for_coding=False)
    assert envi.info.no_data == -9999
    assert envi.info.metadata["map info"] == PLACE
    assert envi.info.metadata["wavelength"] == info.metadata["wavelength"]
    np.testing.assert_array_equal(envi.read(slice(0, BANDS), slice(0, LINES)), again)
    assert run("compare", NAMES[kind], "c.hdr", "--json").status == 0


@pytest.mark.parametrize("kind", NAMES)
def test_part_of_a_scene(run, tmp_path, made, kind):
    cube, info = made
    with open_writer(kind, tmp_path / NAMES[kind], info, LINES) as writer:
        writer.write(slice(0, BANDS), slice(0, LINES), cube)
    encoded = ("encode", NAMES[kind], "-o", "a.bf", "--step", "2", "--scale", "0.0001", "--strip-lines", "8")
    assert run(*encoded).status == 0
    name = f"b{NAMES[kind]}"
    assert run("decode", "a.bf", "-o", name, "--bands", "2:9", "--lines", "3:21").status == 0
    source = look(tmp_path / name)
    part = source.read(slice(0, 7), slice(0, 18))
    np.testing.assert_array_equal(part, Decoder(tmp_path / "a.bf").decode(slice(2, 9), slice(3, 21)))
    assert source.info.metadata["wavelength"] == info.metadata["wavelength"][2:9]
    moved = source.info.metadata["map info"]
    # The first line of the part lies three pixels further south.
    assert float(moved[4]) - (1 - float(moved[2])) * 15 == 4000000 - 45


def test_the_variable_and_its_bands_are_named(run, tmp_path, made):
    cube, _ = made
    counts = (cube[:, 8:] * 20000).astype(np.uint16)
    np.savez(tmp_path / "a.npz", first=counts.transpose(1, 2, 0), second=counts)
    base = ("-o", "a.bf", "--step", "4")
    check_failure(
        run("encode", "a.npz", *base), 3, "name one with --variable: first (16, 20, 12) uint16, second"
    )
    assert run("encode", "a.npz", *base, "--variable", "first", "--band-axis", "2").status == 0
    bip = Decoder(tmp_path / "a.bf")
    assert (bip.info.shape, bip.info.interleave) == (counts.shape, "bip")
    assert run("encode", "a.npz", *base, "--variable", "second").status == 0
    np.testing.assert_array_equal(Decoder(tmp_path / "a.bf").decode(), bip.decode())
    (tmp_path / "a.hdr").write_text("ENVI\n")
    check_failure(run("encode", "a.hdr", *base, "--variable", "x"), 2, "leave out --variable")


def test_partition_and_fit_read_them_too(run, tmp_path, made):
    cube, _ = made
    np.save(tmp_path / "a.npy", (cube[:, 8:] * 20000).astype(np.uint16).transpose(1, 2, 0))
    result = run("partition", "a.npy", "--band-axis", "2", "--json")
    assert json.loads(result.out)["ends"][-1] == BANDS
    assert run("fit", "a.npy", "--band-axis", "2", "-o", "a.bfm").status == 0


def test_a_library_that_is_not_there(run, tmp_path, made, monkeypatch):
    monkeypatch.setattr("bandfold.formats.file_formats.find_spec", lambda name: None)
    (tmp_path / "a.tif").touch()
    check_failure(run("encode", "a.tif", "-o", "a.bf", "--step", "4"), 2, "pip install 'bandfold[formats]'")
