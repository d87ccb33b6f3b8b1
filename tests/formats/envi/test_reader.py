"""ENVI scenes: every layout is read exactly, and every fault is refused with a message that helps."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from bandfold.common.errors import BandfoldError, SceneError, SettingsError
from bandfold.common.scene import Scaling
from bandfold.formats.envi.reader import DTYPES, open_envi

SHAPE = (5, 4, 3)
AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}

HEADER = """ENVI
description = {A scene,
 on two lines}
samples = 3
lines = 4
bands = 5
header offset = 0
file type = ENVI Standard
data type = 12
interleave = bsq
byte order = 0
"""


def cube(dtype):
    rng = np.random.default_rng(1)
    if np.issubdtype(dtype, np.floating):
        return rng.normal(0, 1000, SHAPE).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, SHAPE, dtype=dtype, endpoint=True)


def scene(directory, header=HEADER, raw=None, name="scene.img", header_name="scene.hdr"):
    (directory / header_name).write_text(header, encoding="utf-8")
    if raw is None:
        raw = np.arange(60, dtype="<u2").tobytes()
    (directory / name).write_bytes(raw)
    return directory / header_name


@pytest.mark.parametrize("code", DTYPES)
@pytest.mark.parametrize("byte_order", [0, 1])
@pytest.mark.parametrize("interleave", AXES)
def test_every_block_of_every_layout(tmp_path, monkeypatch, interleave, byte_order, code):
    # Two lines of the scene, so that a block takes several pieces.
    monkeypatch.setattr("bandfold.formats.envi.raw_file._PIECE_BYTES", 2 * 15 * DTYPES[code].itemsize)
    expected = cube(DTYPES[code])
    stored = expected.transpose(AXES[interleave]).astype(DTYPES[code].newbyteorder("<>"[byte_order]))
    header = HEADER.replace("bsq", interleave.upper()).replace("= 12", f"= {code}")
    header = header.replace("byte order = 0", f"byte order = {byte_order}").replace(
        "offset = 0", "offset = 7"
    )
    scaling = Scaling(1.0) if code in (3, 4, 5, 13) else None
    source = open_envi(scene(tmp_path, header, b"padding" + stored.tobytes()), scaling=scaling)
    assert source.info.shape == SHAPE
    assert source.info.dtype == DTYPES[code]
    assert source.info.interleave == interleave
    assert source.info.byte_order == ("little", "big")[byte_order]
    for bands, lines in itertools.product(((0, 5), (0, 1), (2, 4), (5, 5)), ((0, 4), (1, 4), (3, 4), (2, 2))):
        block = source.read(slice(*bands), slice(*lines))
        np.testing.assert_array_equal(block, expected[slice(*bands), slice(*lines)])
        assert block.dtype == DTYPES[code]
        assert block.dtype.isnative
        # Lines of all bands are left as they lie in the file.
        assert block.flags.c_contiguous or (interleave == "bil" and bands == (0, 5))


@pytest.mark.parametrize(
    "raw",
    ["scene.img", "scene.dat", "scene.raw", "scene.bsq", "scene.bil", "scene.bip", "scene.IMG", "scene"],
)
def test_raw_file_is_found_and_may_be_given_itself(tmp_path, raw):
    header = scene(tmp_path, name=raw)
    for path in (header, tmp_path / raw):
        assert open_envi(path).path == tmp_path / raw


def test_header_may_be_named_after_the_raw_file(tmp_path):
    header = scene(tmp_path, name="a.b.img", header_name="a.b.img.hdr")
    for path in (header, tmp_path / "a.b.img", str(header)):
        assert open_envi(path).path == tmp_path / "a.b.img"


def test_folder_named_like_the_scene_is_no_raw_file(tmp_path):
    (tmp_path / "scene").mkdir()
    assert open_envi(scene(tmp_path)).path == tmp_path / "scene.img"


def test_metadata_travels_as_text(tmp_path):
    header = HEADER + (
        "Wavelength = { 400.10, 410.00,\n 420.30 ,430, 4.4e2}\n; a comment = no field\n"
        "wavelength units = Nanometers\nmap info = {UTM, 1.000, 1.0}\nsensor type = Größe\nempty =\n"
    )
    assert dict(open_envi(scene(tmp_path, header)).info.metadata) == {
        "description": "A scene,\non two lines",
        "wavelength": ("400.10", "410.00", "420.30", "430", "4.4e2"),
        "wavelength units": "Nanometers",
        "map info": ("UTM", "1.000", "1.0"),
        "sensor type": "Größe",
        "empty": "",
    }


def test_byte_order_and_offset_have_defaults(tmp_path):
    header = HEADER.replace("byte order = 0\n", "").replace("header offset = 0\n", "")
    source = open_envi(scene(tmp_path, header))
    assert source.info.byte_order == "little"
    assert source.read(slice(0, 1), slice(0, 1)).tolist() == [[[0, 1, 2]]]


def test_ignore_value_is_the_no_data_value_unless_overridden(tmp_path):
    path = scene(tmp_path, HEADER + "data ignore value = -9999.0\n")
    assert open_envi(path).info.no_data == -9999.0
    assert open_envi(path).info.metadata["data ignore value"] == "-9999.0"
    for given in (None, 7.0):
        info = open_envi(path, no_data=given).info
        assert info.no_data == given
        assert "data ignore value" not in info.metadata


def test_ignore_value_may_be_nan(tmp_path):
    header = HEADER.replace("= 12", "= 4") + "data ignore value = nan\n"
    source = open_envi(scene(tmp_path, header, bytes(240)), scaling=Scaling(0.1))
    assert source.info.no_data is not None
    assert math.isnan(source.info.no_data)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ENVI\n", "ENV\n", "begin with ENVI"),
        ("on two lines}", "on two lines", "close every {"),
        ("samples = 3\n", "", "no 'samples' field"),
        ("lines = 4\n", "", "no 'lines' field"),
        ("bands = 5\n", "", "no 'bands' field"),
        ("data type = 12\n", "", "no 'data type' field"),
        ("interleave = bsq\n", "", "no 'interleave' field"),
        ("samples = 3", "samples = 0", "samples is 0: at least 1"),
        ("lines = 4", "lines = -4", "lines is -4: at least 1"),
        ("bands = 5", "bands = five", "bands is 'five': write an integer"),
        ("bands = 5", "bands = 5.0", "write an integer"),
        ("bands = 5", "bands = {5}", "bands is a list"),
        ("bands = 5", "bands = " + "9" * 5000, "bands is '9999"),
        ("data type = 12", "data type = 14", r"data type 14 \(int64\) is not supported"),
        ("data type = 12", "data type = 15", r"data type 15 \(uint64\) is not supported"),
        ("data type = 12", "data type = 6", "complex64"),
        ("data type = 12", "data type = 9", "complex128"),
        ("data type = 12", "data type = 99", r"data type 99 \(unknown\)"),
        ("interleave = bsq", "interleave = bqs", "interleave is 'bqs'"),
        ("byte order = 0", "byte order = 2", "byte order is 2"),
        ("offset = 0", "offset = -1", "header offset is -1"),
        ("offset = 0", "offset = 8", r"truncated: it has 120 bytes .* 8 \+ 3 samples \* 4 lines \* 5 bands"),
        ("lines = 4", "lines = 5", "truncated: it has 120 bytes"),
        ("lines = 4", "lines = 3", "too long: it has 120 bytes"),
        ("ENVI Standard", "ENVI Spectral Library", "spectral library"),
        ("byte order = 0", "byte order = 0\nfile compression = 1", "compressed"),
        ("byte order = 0", "byte order = 0\nmajor frame offsets = {0, 8}", "frame offsets"),
        ("byte order = 0", "data ignore value = none", "data ignore value is 'none': .* --no-data"),
        ("byte order = 0", "data ignore value = {0, 9}", "data ignore value lists 2 values: .* --no-data"),
    ],
)
def test_bad_header_is_refused(tmp_path, old, new, message):
    assert old in HEADER
    path = scene(tmp_path, HEADER.replace(old, new, 1))
    with pytest.raises(SceneError, match=message) as caught:
        open_envi(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_absent_files_are_refused(tmp_path):
    (tmp_path / "alone.hdr").write_text(HEADER)
    (tmp_path / "alone.img").mkdir()
    (tmp_path / "headless.dat").write_bytes(bytes(120))
    for name, message in [
        ("no.hdr", "is not there"),
        ("alone.img", "is not a file"),
        ("alone.hdr", "no raw file beside"),
        ("headless.dat", "no header beside"),
    ]:
        with pytest.raises(SceneError, match=message):
            open_envi(tmp_path / name)


def test_a_header_in_latin_1_is_read_and_told(tmp_path):
    path = scene(tmp_path)
    path.write_bytes(HEADER.encode() + b"data units = \xb5W/(cm\xb2 sr nm)\n")
    source = open_envi(path)
    assert source.info.metadata["data units"] == "µW/(cm² sr nm)"
    assert source.notes == ("header scene.hdr is not UTF-8: it is read as Latin-1",)


@pytest.mark.parametrize("text", ["{7}", "[7]", "{7, 7.0}", " 7 "])
def test_a_list_of_one_value_that_marks_absent_data(tmp_path, text):
    source = open_envi(scene(tmp_path, HEADER + f"data ignore value = {text}\n"))
    assert source.info.no_data == 7


@pytest.mark.parametrize("content", [b"ENVI\ndescription = {\xb5m}\n", bytes(range(256)), b""])
def test_header_that_is_no_text_is_refused(tmp_path, content):
    (tmp_path / "scene.img").write_bytes(bytes(120))
    (tmp_path / "scene.hdr").write_bytes(content)
    with pytest.raises(SceneError, match=r"header .*scene\.hdr") as caught:
        open_envi(tmp_path / "scene.hdr")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("bands", "lines"),
    [((0, 6), (0, 4)), ((0, 5), (0, 5)), ((-6, 5), (0, 4)), ((3, 2), (0, 4)), ((0, 5), (4, 3))],
)
def test_range_outside_the_scene_is_refused(tmp_path, bands, lines):
    source = open_envi(scene(tmp_path))
    with pytest.raises(SettingsError, match="not a part of the scene"):
        source.read(slice(*bands), slice(*lines))


def test_stepped_range_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="not a part of the scene"):
        open_envi(scene(tmp_path)).read(slice(0, 5, 2), slice(0, 4))


def test_file_cut_or_removed_after_opening_is_refused(tmp_path):
    source = open_envi(scene(tmp_path))
    source.path.write_bytes(bytes(100))
    assert source.read(slice(0, 1), slice(0, 4)).shape == (1, 4, 3)
    with pytest.raises(SceneError, match="ends 20 bytes too early at byte 100"):
        source.read(slice(0, 5), slice(0, 4))
    source.path.unlink()
    with pytest.raises(BandfoldError, match=r"cannot read .*scene\.img"):
        source.read(slice(0, 5), slice(0, 4))


def test_unreadable_header_is_refused(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    path = scene(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SceneError, match="Permission denied"):
        open_envi(path)


def test_only_the_bytes_of_the_block_are_read(tmp_path, monkeypatch):
    fetched = []
    source = open_envi(scene(tmp_path))
    fetch = type(source)._fetch

    def counting(self, file, position, target):
        fetched.append(target.size)
        fetch(self, file, position, target)

    monkeypatch.setattr(type(source), "_fetch", counting)
    source.read(slice(1, 3), slice(1, 3))
    assert sum(fetched) == 2 * 2 * 3


def test_float_scene_can_be_looked_at_before_its_scaling_is_known(tmp_path):
    path = scene(tmp_path, HEADER.replace("= 12", "= 4"), np.arange(60, dtype="<f4").tobytes())
    source = open_envi(path, for_coding=False)
    assert source.info.dtype == np.dtype("float32")
    assert source.read(slice(4, 5), slice(3, 4)).tolist() == [[[57, 58, 59]]]
    assert open_envi(scene(tmp_path), for_coding=False).info.scaling is None
