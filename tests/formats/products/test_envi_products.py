"""AVIRIS-NG: ENVI with fields of its own; HYPSO: raw files without a header."""

import numpy as np
import pytest

from bandfold.common.errors import SceneError
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions

from .conftest import BANDS, LINES, SAMPLES, numbers, read

HEADER = """ENVI
description = {{
  Georeferenced Image built from input GLT. [Wed Jun 22 2016]}}
samples = {samples}
lines   = {lines}
bands   = {bands}
header offset = 0
file type = ENVI
data type = 4
interleave = bil
byte order = 0
map info = {{ UTM, 1, 1, 724522.127, 4074620.759, 1.1, 1.1, 11, North, WGS-84, units=Meters, rotation=75.0 }}
wavelength units = Nanometers
wavelength = {{ {wavelengths} }}
fwhm = {{ {fwhm} }}
correction factors = {{ {ones} }}
bbl = {{ {ones} }}
smoothing factors = {{ {ones} }}
data ignore value = -9999
crosstrack scatter file = /home/avirisng/l1b/crf.dat
"""


@pytest.mark.parametrize("given", ["ang20160622t000000_rdn_v2_img", "ang20160622t000000_rdn_v2_img.hdr"])
def test_aviris_ng(run, tmp_path, counts, wavelengths, given):
    cube = (counts / 1000).astype("<f4")
    cube[:, :9, :5] = -9999
    raw = tmp_path / "ang20160622t000000_rdn_v2_img"
    raw.write_bytes(cube.transpose(1, 0, 2).tobytes())
    lists = {"wavelengths": ", ".join(map(str, wavelengths)), "ones": ", ".join(["1.0"] * BANDS)}
    header = HEADER.format(
        samples=SAMPLES, lines=LINES, bands=BANDS, fwhm=", ".join(["5.9"] * BANDS), **lists
    )
    (tmp_path / f"{raw.name}.hdr").write_text(header)
    assert run("encode", given, "-o", "a.bf", "--psnr", 70).status == 0
    assert run("decode", "a.bf", "-o", "b.hdr").status == 0
    first, again = open_scene(tmp_path / given), open_scene(tmp_path / "b.hdr")
    for key in (
        "wavelength",
        "fwhm",
        "bbl",
        "map info",
        "wavelength units",
        "smoothing factors",
        "correction factors",
    ):
        assert again.info.metadata[key] == first.info.metadata[key]
    np.testing.assert_allclose(numbers(again, "wavelength"), wavelengths)
    np.testing.assert_array_equal(read(again) == -9999, cube == -9999)


def write_hypso(path, lines=3, samples=684, bands=120):
    cube = np.arange(lines * samples * bands, dtype="<u2").reshape(lines, samples, bands) % 4096
    path.write_bytes(cube.tobytes())
    return cube.transpose(2, 0, 1)


def test_hypso(run, tmp_path):
    cube = write_hypso(tmp_path / "venice_2023-02-15-bin9.bip")
    source = open_scene(tmp_path / "venice_2023-02-15-bin9.bip")
    np.testing.assert_array_equal(read(source), cube)
    result = run("encode", "venice_2023-02-15-bin9.bip", "-o", "a.bf", "--bps", 1)
    assert result.status == 0
    assert "taken for a capture of HYPSO, 120 bands x 684 samples" in result.err
    assert "no wavelengths and no georeference" in result.err


def test_hypso_with_its_configuration(tmp_path):
    cube = write_hypso(tmp_path / "a.bip", 5, 20, 12)
    (tmp_path / "capture_config.ini").write_text(
        "flags = 0x200\nframe_count = 5\nrow_count = 20\ncolumn_count = 108\nbin_factor = 9\nfps = 22\n"
    )
    source = open_scene(tmp_path / "a.bip")
    np.testing.assert_array_equal(read(source), cube)
    assert "geometry of capture_config.ini" in source.notes[0]
    (tmp_path / "capture_config.ini").write_text("row_count = x\n")
    with pytest.raises(SceneError, match="does not tell row_count"):
        open_scene(tmp_path / "a.bip")
    (tmp_path / "capture_config.ini").write_text("row_count = 0\ncolumn_count = 5\n")
    with pytest.raises(SceneError, match="tells 5 bands and 0 samples"):
        open_scene(tmp_path / "a.bip")


@pytest.mark.parametrize(("suffix", "order"), [("bip", (1, 2, 0)), ("bil", (1, 0, 2)), ("bsq", (0, 1, 2))])
@pytest.mark.parametrize("byte_order", ["little", "big"])
def test_a_layout_that_is_told(run, tmp_path, counts, suffix, order, byte_order):
    stored = counts.transpose(order).astype(">u2" if byte_order == "big" else "<u2")
    (tmp_path / f"a.{suffix}").write_bytes(stored.tobytes())
    told = ("--bands", BANDS, "--samples", SAMPLES, "--dtype", "uint16", "--byte-order", byte_order)
    assert run("encode", f"a.{suffix}", "-o", "a.bf", "--step", 0.25, *told).status == 0
    assert run("decode", "a.bf", "-o", "b.hdr").status == 0
    assert np.abs(read(open_scene(tmp_path / "b.hdr")).astype(int) - counts).max() <= 1


def test_layouts_that_do_not_fit(run, tmp_path, counts):
    (tmp_path / "a.bip").write_bytes(counts.tobytes()[:-2])
    told = ("--bands", BANDS, "--samples", SAMPLES, "--dtype", "uint16")
    for arguments, status, message in [
        ((), 3, "of .bip, .bil and .bsq files --bands, --samples and --dtype tell the layout"),
        (told, 3, "not a number of lines of 12 bands x 24 samples"),
        (told[:4], 2, "give --bands, --samples and --dtype"),
        (("--bands", 0, *told[2:]), 2, "at least 1"),
    ]:
        result = run("encode", "a.bip", "-o", "a.bf", "--bps", 1, *arguments)
        assert (result.status, result.err.count("\n")) == (status, 1)
        assert message in result.err
    (tmp_path / "a.dat").write_bytes(counts.tobytes())
    with pytest.raises(SceneError, match="no header beside"):
        open_scene(tmp_path / "a.dat", SceneOptions())
    assert "remove it, or give SCENE -" in run("encode", "a.dat", "-o", "a.bf", "--bps", 1, *told).err
