"""`bandfold decode`."""

import io
import json
import os
import sys

import numpy as np
import pytest

from bandfold.formats.envi.reader import open_envi
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

from .conftest import check_failure


@pytest.fixture(scope="module")
def stream_bytes():
    return Encoder(step=8, strip_lines=8).encode(SyntheticScene(24, 20, 40, seed=1))


@pytest.fixture
def stream(scene, stream_bytes, tmp_path):
    """scene.hdr as a.bf, in three strips of eight lines."""
    (tmp_path / "a.bf").write_bytes(stream_bytes)
    return tmp_path / "a.bf"


def cube_of(path):
    source = open_envi(path)
    return source.read(slice(0, source.info.bands), slice(0, source.info.lines))


def test_whole_scene(run, tmp_path, scene, stream):
    result = run("decode", "a.bf", "-o", "b.hdr")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("b.hdr: 40 bands, 24 lines, 20 samples, ")
    assert sorted(os.listdir(tmp_path)) == ["a.bf", "b.hdr", "b.img", "scene.hdr", "scene.img"]
    first, again = open_envi(tmp_path / "scene.hdr"), open_envi(tmp_path / "b.hdr")
    assert again.info.metadata == first.info.metadata
    assert (again.info.shape, again.info.dtype) == (first.info.shape, first.info.dtype)
    decoded = cube_of(tmp_path / "b.hdr")
    assert np.abs(decoded.astype(int) - scene).max() < 100
    np.testing.assert_array_equal(decoded, Decoder(stream).decode())


def test_part_of_a_scene(run, tmp_path, stream):
    assert run("decode", "a.bf", "-o", "b.hdr").status == 0
    result = run("decode", "a.bf", "-o", "c.hdr", "--bands", "10:30", "--lines", "5:", "--json")
    assert result.status == 0
    report = json.loads(result.out)
    assert (report["bands"], report["lines"], report["samples"], report["damage"]) == (20, 19, 20, [])
    whole, part = open_envi(tmp_path / "b.hdr"), open_envi(tmp_path / "c.hdr")
    np.testing.assert_array_equal(cube_of(tmp_path / "c.hdr"), cube_of(tmp_path / "b.hdr")[10:30, 5:])
    for key in ("wavelength", "fwhm", "bbl"):
        assert part.info.metadata[key] == whole.info.metadata[key][10:30]


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("byte_order", ["little", "big"])
def test_layout(run, tmp_path, stream, interleave, byte_order):
    assert (
        run("decode", "a.bf", "-o", "b.hdr", "--interleave", interleave, "--byte-order", byte_order).status
        == 0
    )
    info = open_envi(tmp_path / "b.hdr").info
    assert (info.interleave, info.byte_order) == (interleave, byte_order)
    np.testing.assert_array_equal(cube_of(tmp_path / "b.hdr"), Decoder(stream).decode())


def test_damaged_strip_is_reported_and_the_rest_decoded(run, tmp_path, stream):
    expected = Decoder(stream).decode()
    data = bytearray(stream.read_bytes())
    data[-20] ^= 0xFF
    stream.write_bytes(data)
    result = run("decode", "a.bf", "-o", "b.hdr")
    assert result.status == 9
    assert result.out.startswith("b.hdr: ")
    assert result.err.startswith("warning: lines 16:24 are damaged: ")
    assert result.err.count("\n") == 1
    decoded = cube_of(tmp_path / "b.hdr")
    np.testing.assert_array_equal(decoded[:, :16], expected[:, :16])
    assert decoded.shape == expected.shape
    result = run("decode", "a.bf", "-o", "b.hdr", "--json")
    assert result.status == 9
    assert json.loads(result.out)["damage"][0]["lines"] == [16, 24]
    result = run("decode", "a.bf", "-o", "b.hdr", "--lines", ":16")
    assert (result.status, result.err) == (0, "")


def test_failures_leave_nothing(run, tmp_path, stream):
    (tmp_path / "text.bf").write_text("this is no stream at all, it is a text of some length\n" * 9)
    (tmp_path / "empty.bf").write_bytes(b"")
    (tmp_path / "short.bf").write_bytes(stream.read_bytes()[:10])
    before = sorted(os.listdir(tmp_path))
    for arguments, status, message in [
        (("no.bf", "-o", "b.hdr"), 6, "no.bf"),
        (("text.bf", "-o", "b.hdr"), 6, ""),
        (("empty.bf", "-o", "b.hdr"), 6, ""),
        (("short.bf", "-o", "b.hdr"), 6, ""),
        (("a.bf", "-o", "b.hdr", "--memory-limit", "1k"), 7, "--memory-limit"),
        (("a.bf", "-o", "b.hdr", "--memory-limit", "much"), 2, "is no size"),
        (("a.bf", "-o", "b.hdr", "--bands", "30:50"), 2, "bands 30:50 are not a part of the scene"),
        (("a.bf", "-o", "b.hdr", "--lines", "24:"), 2, "lines 24:24 are not a part of the scene"),
        (("a.bf", "-o", "b.hdr", "--bands", "3"), 2, "is no range"),
        (("a.bf", "-o", "b.mat"), 2, "is not written"),
        (("a.bf", "-o", "b.tif", "--to", "npy"), 2, "is not named like npy"),
        (("a.bf", "-o", "/"), 2, "is not named like an ENVI header"),
        (("a.bf", "-o", ""), 2, "is not named like an ENVI header"),
        (("a.bf", "-o", "b.img"), 2, "end it in .hdr"),
        (("a.bf", "-o", "b.nc", "--byte-order", "big"), 2, "--byte-order is not for netcdf"),
        (("a.bf", "-o", "b.tif", "--interleave", "bil"), 2, "use bsq or bip"),
        (("a.bf", "-o", "no/b.hdr"), 8, "No such file or directory"),
    ]:
        check_failure(run("decode", *arguments), status, message)
        assert sorted(os.listdir(tmp_path)) == before


def test_samples_are_cropped(run, tmp_path, stream):
    assert run("decode", "a.bf", "-o", "b.hdr", "--samples", "5:12", "--lines", "3:9").status == 0
    np.testing.assert_array_equal(cube_of(tmp_path / "b.hdr"), Decoder(stream).decode()[:, 3:9, 5:12])
    check_failure(run("decode", "a.bf", "-o", "c.hdr", "--samples", "5:21"), 2, "samples 5:21")


@pytest.mark.parametrize(
    ("options", "axes", "stored"),
    [
        ((), (1, 0, 2), "<u2"),
        (("--interleave", "bip", "--byte-order", "big"), (1, 2, 0), ">u2"),
        (("--interleave", "bsq"), (0, 1, 2), "<u2"),
    ],
)
def test_raw_lines_between_pipes(run, monkeypatch, stream, options, axes, stored):
    """Raw lines come out as `encode -` takes them; what is said goes to standard error."""
    expected = Decoder(stream).decode(lines=slice(4, 20), samples=slice(0, 9))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stream.read_bytes())))
    output = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", output)
    result = run("decode", "-", "-o", "-", "--lines", "4:20", "--samples", ":9", *options)
    assert result.status == 0
    assert result.err.startswith("-: 40 bands, 16 lines, 9 samples, ")
    assert output.buffer.getvalue() == expected.transpose(axes).astype(stored).tobytes()


def test_other_formats_on_standard_output(run, monkeypatch, tmp_path, stream):
    output = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", output)
    assert run("decode", "a.bf", "-o", "-", "--to", "npy", "--json").status == 0
    output.buffer.seek(0)
    np.testing.assert_array_equal(np.load(output.buffer), Decoder(stream).decode())
    result = run("decode", "a.bf", "-o", "-", "--to", "zarr")
    assert (result.status, "Zarr is a folder" in result.err) == (2, True)
    monkeypatch.undo()


def test_archives_are_made_of_files(run, stream):
    check_failure(run("decode", "a.bf", "-", "-o", "out"), 2, "an archive is made of files")
    check_failure(run("decode", "a.bf", "s3://b/c.bf", "-o", "out"), 2, "an archive is made of files")
