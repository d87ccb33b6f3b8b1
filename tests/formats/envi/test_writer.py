"""What is written is read back exactly, in every layout, and appears whole or not at all."""

import errno
import itertools
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bandfold.common.errors import OutputError, SettingsError
from bandfold.common.scene import Scaling, SceneInfo
from bandfold.formats.envi.header_text import header_text
from bandfold.formats.envi.reader import open_envi
from bandfold.formats.envi.writer import EnviWriter, write_envi

SHAPE = (5, 4, 3)
ALL = slice(0, 5), slice(0, 4)
DTYPES = ["uint8", "int8", "uint16", "int16", "int32", "uint32", "float32", "float64"]


def scene_info(dtype="uint16", **fields):
    scaling = Scaling(1.0) if np.dtype(dtype).itemsize > 2 else None
    return SceneInfo(*SHAPE, np.dtype(dtype), scaling=scaling, **fields)


def cube(dtype="uint16"):
    bytes_ = np.random.default_rng(3).integers(0, 128, (*SHAPE, np.dtype(dtype).itemsize), "u1")
    return bytes_.view(dtype)[..., 0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("byte_order", ["little", "big"])
@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_round_trip_of_every_layout(tmp_path, interleave, byte_order, dtype):
    info = scene_info(dtype, interleave=interleave, byte_order=byte_order)
    write_envi(tmp_path / "a.hdr", cube(dtype), info)
    source = open_envi(tmp_path / "a.hdr", scaling=info.scaling)
    assert source.info.interleave == interleave
    assert source.info.byte_order == byte_order
    assert source.info.dtype == ("int16" if dtype == "int8" else dtype)
    np.testing.assert_array_equal(source.read(*ALL), cube(dtype))


def test_negative_int8_keeps_its_values(tmp_path):
    samples = np.arange(-60, 0, dtype="int8").reshape(SHAPE)
    with EnviWriter(tmp_path / "a.hdr", scene_info("int8")) as writer:
        writer.write(*ALL, samples)
        assert writer.file_dtype == np.dtype("int16")
    np.testing.assert_array_equal(open_envi(tmp_path / "a.hdr").read(*ALL), samples)


@pytest.mark.parametrize("byte_order", ["little", "big"])
@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_blocks_may_come_in_any_order(tmp_path, interleave, byte_order):
    samples = cube()
    parts = list(itertools.product(((0, 2), (2, 3), (3, 5), (5, 5)), ((0, 1), (1, 4))))
    np.random.default_rng(4).shuffle(parts)
    with EnviWriter(tmp_path / "a.hdr", scene_info(), interleave=interleave, byte_order=byte_order) as writer:
        for bands, lines in parts:
            writer.write(slice(*bands), slice(*lines), samples[slice(*bands), slice(*lines)])
    assert (tmp_path / "a.img").stat().st_size == samples.nbytes
    np.testing.assert_array_equal(open_envi(tmp_path / "a.hdr").read(*ALL), samples)


@pytest.mark.parametrize(
    ("header", "raw"),
    [("a.hdr", "a.img"), ("a.b.hdr", "a.b.img"), ("a.raw.hdr", "a.raw"), ("a.HDR", "a.img")],
)
def test_both_files_and_nothing_else(tmp_path, header, raw):
    write_envi(tmp_path / header, cube(), scene_info())
    assert sorted(os.listdir(tmp_path)) == sorted([header, raw])
    assert open_envi(tmp_path / header).path == tmp_path / raw


def test_metadata_comes_back_as_text(tmp_path):
    metadata = {
        "description": "Größe,\non two lines",
        "wavelength": ("400.10", "410.00", "420.30", "430", "4.4e2"),
        "map info": ("UTM", "1.000", "1.0"),
        "coordinate system string": ('PROJCS["WGS_1984_UTM_Zone_32N"', 'GEOGCS["GCS_WGS_1984"]]'),
        "empty": "",
        "nothing": ("",),
        "wavelength units": "Nanometers",
    }
    write_envi(tmp_path / "a.hdr", cube(), scene_info(metadata=metadata))
    read = open_envi(tmp_path / "a.hdr").info.metadata
    assert list(read.items()) == list(metadata.items())


@pytest.mark.parametrize(
    ("no_data", "text", "expected"),
    [
        (-9999.0, "-9.999e3", "-9.999e3"),
        (-9999.0, "-1", "-9999"),
        (-9999.0, "x", "-9999"),
        (-9999.0, None, "-9999"),
        (0.1, None, "0.1"),
        (float("nan"), "NaN", "NaN"),
        (float("nan"), None, "nan"),
        (1e300, None, "1e+300"),
        (None, "-9999", None),
    ],
)
def test_ignore_value_says_what_the_no_data_value_is(no_data, text, expected):
    metadata = {} if text is None else {"data ignore value": text}
    header = header_text(scene_info("float64", no_data=no_data, metadata=metadata))
    fields = dict(line.split(" = ") for line in header.splitlines()[1:])
    assert fields.get("data ignore value") == expected


TEXTS = st.text(max_size=30)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(metadata=st.dictionaries(TEXTS, st.one_of(TEXTS, st.lists(TEXTS, max_size=4).map(tuple)), max_size=4))
def test_no_metadata_can_spoil_the_header(tmp_path, metadata):
    metadata |= {"samples": "9", "Byte_Order": "1", "x\nbands": "9", "description": "a}\nlines = 9\n;}\n}"}
    (tmp_path / "a.img").write_bytes(bytes(60))

    def through_a_header(info):
        text = header_text(info)
        (tmp_path / "a.hdr").write_bytes(text.encode(errors="replace"))
        return open_envi(tmp_path / "a.hdr").info

    once = through_a_header(scene_info("uint8", metadata=metadata))
    assert once.shape == SHAPE
    assert through_a_header(once) == once


def test_lone_surrogates_are_replaced(tmp_path):
    write_envi(tmp_path / "a.hdr", cube(), scene_info(metadata={"sensor type": "a\udc80b"}))
    assert open_envi(tmp_path / "a.hdr").info.metadata["sensor type"] == "a?b"


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_full_disk_is_an_output_error_and_leaves_nothing(tmp_path, monkeypatch, interleave):
    class Full:
        def __init__(self, file):
            self._file = file

        def __getattr__(self, name):
            return getattr(self._file, name)

        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = EnviWriter(tmp_path / "a.hdr", scene_info(), interleave=interleave)
    monkeypatch.setattr(writer, "_file", Full(writer._file))
    with pytest.raises(OutputError, match=r"a\.img: No space left"), writer:
        writer.write(*ALL, cube())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("refused", ["raw", "header"])
def test_failure_to_finish_leaves_nothing(tmp_path, monkeypatch, refused):
    calls = []
    fsync = os.fsync

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == (1 if refused == "raw" else 2):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_envi(tmp_path / "a.hdr", cube(), scene_info())
    assert os.listdir(tmp_path) == []


def test_failure_in_the_body_keeps_the_old_files(tmp_path):
    write_envi(tmp_path / "a.hdr", cube(), scene_info())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail():
        with EnviWriter(tmp_path / "a.hdr", scene_info()) as writer:
            writer.write(slice(0, 1), slice(0, 4), cube()[:1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_missing_samples_are_refused(tmp_path):
    with (
        pytest.raises(OutputError, match=r"12 of 60 samples of .*a\.img were not written"),
        EnviWriter(tmp_path / "a.hdr", scene_info()) as writer,
    ):
        writer.write(slice(0, 4), slice(0, 4), cube()[:4])
    assert os.listdir(tmp_path) == []


def test_missing_directory_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        EnviWriter(tmp_path / "no" / "a.hdr", scene_info())


def test_header_that_cannot_be_made_leaves_no_raw_file(tmp_path):
    (tmp_path / "a.hdr").mkdir()
    with pytest.raises(OutputError, match="not a regular file"):
        EnviWriter(tmp_path / "a.hdr", scene_info())
    assert os.listdir(tmp_path) == ["a.hdr"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.img", {}, r"end it in \.hdr"),
        ("a", {}, r"end it in \.hdr"),
        ("a.hdr", {"interleave": "bqs"}, "interleave 'bqs' is unknown"),
        ("a.hdr", {"byte_order": "middle"}, "byte order 'middle' is unknown"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, name, options, message):
    with pytest.raises(SettingsError, match=message):
        EnviWriter(tmp_path / name, scene_info(), **options)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("bands", "lines", "dtype"),
    [
        ((0, 4), (0, 4), "uint16"),
        ((1, 6), (0, 4), "uint16"),
        ((0, 5), (-1, 3), "uint16"),
        (*((0, 5), (0, 4)), "int16"),
    ],
)
def test_block_that_does_not_fit_is_a_mistake(tmp_path, bands, lines, dtype):
    with (
        pytest.raises(ValueError, match="does not fit"),
        EnviWriter(tmp_path / "a.hdr", scene_info()) as writer,
    ):
        writer.write(slice(*bands), slice(*lines), cube(dtype))
    assert os.listdir(tmp_path) == []
