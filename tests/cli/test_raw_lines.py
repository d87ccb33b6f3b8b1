"""`bandfold encode` with lines that come one after the other: files, pipes, and what a crash leaves."""

import io
import json
import sys

import numpy as np
import pytest

from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.ground import Decoder

from .conftest import check_failure

RAW = ("--bands", 40, "--samples", 20, "--dtype", "uint16")


@pytest.fixture
def feed(monkeypatch):
    """Hand bytes to standard input."""

    def call(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return call


def lines_of(cube, order="<"):
    return cube.transpose(1, 0, 2).astype(f"{order}u2").tobytes()


def segments(path):
    return [
        section.payload for section in read_sections(path.read_bytes()) if section.kind == Section.SEGMENT
    ]


def test_a_pipe_gives_the_segments_of_the_file(run, tmp_path, scene, feed):
    common = ("--step", 8, "--strip-lines", 8)
    assert run("encode", "scene.hdr", "-o", "file.bf", "--stream", *common).status == 0
    feed(lines_of(scene))
    result = run("encode", "-", "-o", "pipe.bf", *RAW, *common, "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert (report["lines"], report["bands"], report["samples"]) == (24, 40, 20)
    assert report["bytes"] == (tmp_path / "pipe.bf").stat().st_size
    # The file has metadata that a pipe has not.
    assert segments(tmp_path / "pipe.bf") == segments(tmp_path / "file.bf")
    assert not list(tmp_path.glob("*.part"))
    feed(lines_of(scene, ">"))
    assert run("encode", "-", "-o", "big.bf", *RAW, *common, "--byte-order", "big").status == 0
    assert segments(tmp_path / "big.bf") == segments(tmp_path / "file.bf")
    assert run("decode", "pipe.bf", "-o", "again.hdr").status == 0
    info = json.loads(run("info", "pipe.bf", "--json").out)
    assert (info["open"], info["complete"], info["folds"]) == (True, True, len(set(info_folds(info))))


def test_what_a_pipe_misses_is_told_in_json_too(run, scene, feed):
    cube = scene[:6].astype("f4") / 100
    cube[:, 8:16] *= 1000
    feed(cube.transpose(1, 0, 2).tobytes())
    layout = ("--bands", 6, "--samples", 20, "--dtype", "float32")
    result = run("encode", "-", "-o", "pipe.bf", *layout, "--strip-lines", 8, "--rmse", 0.01, "--json")
    assert result.status == 0
    precision, missed = json.loads(result.out)["notes"]
    assert precision.startswith("precision ")
    assert "is out of reach in a strip: lines 8:16 have" in missed
    assert f"warning: {missed}" in result.err


def test_lines_of_a_pipe_go_through_a_trained_model(run, tmp_path, scene, feed):
    common = ("--step", 30, "--strip-lines", 8, "--model", "innovations")
    result = run("encode", "scene.hdr", "-o", "file.bf", "--stream", *common, "--json")
    assert result.status == 0
    assert json.loads(result.out)["engine"]
    feed(lines_of(scene))
    assert run("encode", "-", "-o", "pipe.bf", *RAW, *common).status == 0
    assert segments(tmp_path / "pipe.bf") == segments(tmp_path / "file.bf")
    feed(lines_of(scene))
    refused = run("encode", "-", "-o", "other.bf", *RAW, "--step", 30, "--model", "balle48-relu-cal-l1")
    check_failure(refused, 2, "take a model that predicts bands")


def info_folds(info):
    return [segment["fold"] for segment in info["segments"]]


def test_to_standard_output(run, tmp_path, scene, feed, monkeypatch):
    assert run("encode", "scene.hdr", "-o", "file.bf", "--stream", "--bps", 2).status == 0
    pipe = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", pipe)
    result = run("encode", "scene.hdr", "-o", "-", "--stream", "--bps", 2)
    assert result.status == 0
    assert "bits per sample" in result.err
    assert pipe.buffer.getvalue() == (tmp_path / "file.bf").read_bytes()


def test_floats_with_a_scaling(run, float_scene, feed):
    feed(float_scene.transpose(1, 0, 2).astype("<f4").tobytes())
    options = ("--bands", 12, "--samples", 20, "--dtype", "float32", "--scale", 1e-5, "--no-data", -9999)
    assert run("encode", "-", "-o", "a.bf", *options, "--psnr", 70).status == 0
    decoded = Decoder("a.bf").decode()
    np.testing.assert_array_equal(decoded == -9999, float_scene == -9999)


def test_a_run_that_was_cut_off_is_continued(run, tmp_path, scene, feed):
    common = ("--step", 8, "--strip-lines", 8)
    assert run("encode", "scene.hdr", "-o", "whole.bf", "--stream", *common).status == 0
    whole = (tmp_path / "whole.bf").read_bytes()
    end = 10
    for section in read_sections(whole):
        end += section.size
        if section.kind == Section.SEGMENT:
            break
    for source in ("scene.hdr", "-"):
        (tmp_path / "cut.bf.part").write_bytes(whole[: end + 30])
        result = run("decode", "cut.bf.part", "-o", "cut.hdr")
        assert result.status == 9
        assert "no end" in result.err
        if source == "-":
            feed(lines_of(scene[:, 8:]))
            # Without metadata it is the same stream: only the header counts.
            result = run("encode", "-", "-o", "cut.bf", "--resume", *RAW, *common)
        else:
            result = run("encode", source, "-o", "cut.bf", "--resume", *common)
        assert result.status == 0
        assert "going on with line 8" in result.err
        again = Decoder(tmp_path / "cut.bf")
        np.testing.assert_array_equal(again.decode()[:, :8], Decoder(whole).decode()[:, :8])
        assert again.decode().shape == scene.shape
        assert again.complete
        assert not (tmp_path / "cut.bf.part").exists()


def test_what_a_failure_leaves_can_be_continued(run, tmp_path, scene, feed):
    """A line that ends too early: all lines before it are there."""
    common = ("--step", 8, "--strip-lines", 8, *RAW)
    feed(lines_of(scene)[:-7])
    check_failure(run("encode", "-", "-o", "a.bf", *common), 3, "ends inside a line")
    assert Decoder(tmp_path / "a.bf.part").decode().shape == (40, 23, 20)


PACKETS = "apid=100,size=256,scene=7,repeat=2,count=9,time=2026-03-01T12:00:00Z,identity=0123456789abcdef"


@pytest.mark.parametrize("source", ["scene.hdr", "-"])
@pytest.mark.parametrize("repeat", [(), ("--repeat", 1)])
def test_packets_of_a_stream(run, tmp_path, scene, feed, source, repeat):
    common = (*(RAW if source == "-" else ("--stream",)), "--step", 8, "--strip-lines", 8)
    feed(lines_of(scene))
    assert run("encode", source, "-o", "a.bf", *common, *(repeat or ("--repeat", 0))).status == 0
    assert run("packetise", "a.bf", "-o", "a.ccsds", "--packets", PACKETS).status == 0
    feed(lines_of(scene))
    result = run("encode", source, "-o", "b.ccsds", *common, *repeat, "--packets", PACKETS, "--json")
    assert (result.status, result.err) == (0, "")
    data = (tmp_path / "b.ccsds").read_bytes()
    assert data == (tmp_path / "a.ccsds").read_bytes()
    assert not list(tmp_path.glob("*.part"))
    report = json.loads(result.out)
    assert report["bytes"] == (tmp_path / "a.bf").stat().st_size
    assert report["packets"]["bytes"] == len(data)
    assert report["packets"]["next_count"] == report["packets"]["packets"] + 9
    assert run("depacketise", "b.ccsds", "-o", "b.bf").status == 0
    assert (tmp_path / "b.bf").read_bytes() == (tmp_path / "a.bf").read_bytes()


def test_packets_to_standard_output(run, tmp_path, scene, feed, monkeypatch):
    common = (*RAW, "--step", 8, "--strip-lines", 8, "--packets", PACKETS)
    feed(lines_of(scene))
    assert run("encode", "-", "-o", "a.ccsds", *common).status == 0
    pipe = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", pipe)
    feed(lines_of(scene))
    result = run("encode", "-", "-o", "-", *common)
    assert result.status == 0
    assert " packets, " in result.err
    assert pipe.buffer.getvalue() == (tmp_path / "a.ccsds").read_bytes()


def test_packets_that_a_failure_leaves(run, tmp_path, scene, feed):
    """The lines before the failure are sent, and the stream that they give can be continued."""
    common = ("--step", 8, "--strip-lines", 8, *RAW)
    feed(lines_of(scene)[:-7])
    result = run("encode", "-", "-o", "a.ccsds", *common, "--packets", PACKETS)
    check_failure(result, 3, "ends inside a line")
    assert run("depacketise", "a.ccsds.part", "-o", "a.bf").status == 0
    assert Decoder(tmp_path / "a.bf").decode().shape == (40, 23, 20)
    # A power cut after the second strip.
    data = (tmp_path / "a.ccsds.part").read_bytes()
    second = [place for place in range(len(data) - 15) if data[place : place + 2] == b"\x08\x64"]
    kinds = [data[place + 15] for place in second]
    (tmp_path / "cut").write_bytes(data[: second[len(kinds) - kinds[::-1].index(Section.SEGMENT) - 3]])
    assert run("depacketise", "cut", "-o", "b.bf.part").status == 9
    feed(lines_of(scene[:, 16:]))
    assert run("encode", "-", "-o", "b.bf", *common, "--resume").status == 0
    assert Decoder(tmp_path / "b.bf").decode().shape == scene.shape


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("-", "-o", "a.bf", "--step", 8, "--resume", *RAW, "--packets", "apid=1"), 2, "depacketise"),
        (("-", "-o", "a.bf", "--step", 8), 2, "--bands, --samples and --dtype"),
        (("-", "-o", "a.bf", "--bytes", 800, *RAW), 2, "unknown number"),
        (("-", "-o", "a.bf", "--step", 8, *RAW, "--scale", "one"), 2, "or auto"),
        (("-", "-o", "a.bf", "--step", 8, *RAW, "--offset", 1), 2, "--offset goes with"),
        (("-", "-o", "a.bf", "--step", 8, "--resume", *RAW), 2, "nothing to resume"),
        (("-", "-o", "-", "--step", 8, "--resume", *RAW), 2, "needs a file"),
        (("-", "-o", "a.bf", "--step", 8, *RAW), 3, "at least one"),
        (("scene.hdr", "-o", "-", "--step", 8), 2, "add --stream"),
        (("scene.hdr", "-o", "a.bf", "--step", 8, "--bands", 4), 2, "--bands: a file has a header"),
        (("scene.hdr", "-o", "a.bf", "--step", 8, "--repeat", 4), 2, "settings of streams"),
        (("scene.hdr", "-o", "a.bf", "--bytes", 900, "--stream"), 2, "no size"),
    ],
)
def test_failures(run, scene, feed, arguments, status, message):
    feed(b"")
    check_failure(run("encode", *arguments), status, message)
