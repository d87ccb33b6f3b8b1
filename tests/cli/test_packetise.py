"""`bandfold encode --packets`, `bandfold packetise` and `bandfold depacketise`."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from bandfold.common.scene import SceneInfo
from bandfold.formats.envi.reader import open_envi
from bandfold.formats.envi.writer import write_envi

from .conftest import check_failure

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
FIXED = "apid=100,size=256,scene=7,repeat=2,time=2026-03-01T12:00:00Z"
ENCODE = ("encode", "scene.hdr", "--step", 8, "--strip-lines", 8)


@pytest.fixture
def stream(run, tmp_path, scene):
    assert run(*ENCODE, "-o", "a.bf").status == 0
    return (tmp_path / "a.bf").read_bytes()


def packets_of(data):
    parts, position = [], 0
    while position < len(data):
        end = position + 7 + int.from_bytes(data[position + 4 : position + 6], "big")
        parts.append(data[position:end])
        position = end
    return parts


def test_there_and_back(run, tmp_path, stream):
    result = run("packetise", "a.bf", "-o", "a.ccsds", "--packets", FIXED)
    assert (result.status, result.err) == (0, "")
    count = len(packets_of((tmp_path / "a.ccsds").read_bytes()))
    assert result.out.startswith(f"a.ccsds: {count} packets (")
    identity = (tmp_path / "a.ccsds").read_bytes()[22:30].hex()
    assert f"scene 7 of APID 100, identity {identity}; the next sequence count is {count}" in result.out
    result = run("depacketise", "a.ccsds", "-o", "b.bf")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith(
        f"b.bf: {len(stream)} bytes, scene 7 of APID 100 (identity {identity}), "
        f"{count} packets (0 duplicates)"
    )
    assert result.out.endswith(", complete\n")
    assert (tmp_path / "b.bf").read_bytes() == stream


def test_encoding_into_packets_is_encoding_and_packetising(run, tmp_path, stream):
    run("packetise", "a.bf", "-o", "a.ccsds", "--packets", FIXED)
    result = run(*ENCODE, "-o", "b.ccsds", "--packets", FIXED, "--json")
    assert (result.status, result.err) == (0, "")
    data = (tmp_path / "b.ccsds").read_bytes()
    assert data == (tmp_path / "a.ccsds").read_bytes()
    report = json.loads(result.out)
    assert report["bytes"] == len(stream)
    assert report["packets"]["bytes"] == len(data)
    assert report["packets"]["packets"] == len(packets_of(data)) == report["packets"]["next_count"]
    assert run(*ENCODE, "-o", "c.ccsds", "--packets", "apid=1").out.count(" packets, ") == 1


def test_losses_are_reported(run, tmp_path, scene, stream):
    run("packetise", "a.bf", "-o", "a.ccsds", "--packets", FIXED + ",count=16380")
    packets = packets_of((tmp_path / "a.ccsds").read_bytes())
    segment = [number for number, packet in enumerate(packets) if packet[15] == 5]
    # The last segment, all of it, and the first packet of the first one.
    last = [number for number in segment if packets[number][34:38] == packets[segment[-1]][34:38]]
    gone = {segment[0], *last}
    kept = [packet for number, packet in enumerate(packets) if number not in gone]
    (tmp_path / "one.ccsds").write_bytes(b"".join(kept[::2]))
    (tmp_path / "two.ccsds").write_bytes(b"noise" + b"".join(kept))
    result = run("depacketise", "one.ccsds", "two.ccsds", "-o", "b.bf")
    assert result.status == 9
    assert result.out.endswith(", not complete\n")
    warnings = result.err.splitlines()
    assert all(line.startswith("warning: ") for line in warnings)
    assert "lines 0:8 are lost (strip 0)" in warnings[0]
    assert "lines 16:24 are lost (strip 2)" in warnings[1]
    assert "(segment) lacks bytes 0:208 of " in warnings[2]
    assert f"packets {last[0]}:{last[-1] + 1} are lost, sequence counts from {last[0] - 4}" in result.err
    assert "bytes 0:5 of two.ccsds are no intact packets" in warnings[-1]
    result = run("depacketise", "one.ccsds", "two.ccsds", "-o", "b.bf", "--json")
    report = json.loads(result.out)
    assert result.status == 9
    assert report["strips"]["missing"] == [{"strip": 0, "lines": [0, 8]}, {"strip": 2, "lines": [16, 24]}]
    assert report["packets"]["missing"] == len(gone)
    assert report["packets"]["duplicates"] == len(kept[::2])
    assert report["skipped"] == [{"file": "two.ccsds", "bytes": [0, 5]}]
    run("decode", "a.bf", "-o", "whole.hdr")
    result = run("decode", "b.bf", "-o", "part.hdr")
    assert result.status == 9
    whole, part = (
        open_envi(tmp_path / name).read(slice(0, 40), slice(8, 16)) for name in ("whole.hdr", "part.hdr")
    )
    np.testing.assert_array_equal(part, whole)


def test_lost_header_and_many_losses(run, tmp_path, stream):
    run("packetise", "a.bf", "-o", "a.ccsds", "--packets", "apid=3,size=72,repeat=0")
    packets = packets_of((tmp_path / "a.ccsds").read_bytes())
    (tmp_path / "b.ccsds").write_bytes(b"".join(packets[1:-2:2]))
    result = run("depacketise", "b.ccsds", "-o", "b.bf")
    assert result.status == 9
    assert "which lines are lost is not known: header section is missing" in result.err
    assert result.err.count("\n") == 21
    assert " more: --json lists all\n" in result.err
    assert "of an unknown number, 0 sections whole" in result.out


def test_a_damaged_stream_is_sent_without_the_damage(run, tmp_path, stream):
    (tmp_path / "a.bf").write_bytes(stream[:-3])
    result = run("packetise", "a.bf", "-o", "a.ccsds", "--packets", FIXED)
    assert result.status == 9
    assert result.err.endswith("bytes of the stream are damaged and were left out\n")
    result = run("depacketise", "a.ccsds", "-o", "b.bf")
    assert result.status == 9
    assert result.err == "warning: lines 16:24 are lost (strip 2)\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size=100", "has no apid"),
        ("apid=1,apid=2", "'apid' is unknown or there twice"),
        ("apid=1,color=2", "'color' is unknown"),
        ("apid", "apid '' is not a whole number"),
        ("apid=x", "apid 'x' is not a whole number"),
        ("apid=5000", "apid 5000 of the packets is out of range: give 0 to 2046"),
        ("apid=1,time=noon", "time 'noon' is not like"),
        ("apid=1,identity=xyz", "identity 'xyz' is not made of hexadecimal digits"),
        ("apid=1,identity=0011", "identity of the packets has 2 bytes: give 8"),
        ("apid=1,time=1957-01-01T00:00:00Z", "out of range"),
    ],
)
def test_bad_settings_are_refused_before_any_work(run, tmp_path, text, message):
    for command in (("encode", "no.hdr", "--bps", 1), ("packetise", "no.bf")):
        check_failure(run(*command, "-o", "a.ccsds", "--packets", text), 2, message)


def test_without_the_library_nothing_is_encoded(run, monkeypatch, scene):
    monkeypatch.setitem(sys.modules, "spacepackets.ccsds.spacepacket", None)
    check_failure(run(*ENCODE, "-o", "a.ccsds", "--packets", "apid=1"), 2, "pip install 'bandfold[packets]'")


def test_failures(run, tmp_path, stream):
    (tmp_path / "text").write_text("no packets at all")
    check_failure(run("packetise", "no.bf", "-o", "a.ccsds", "--packets", "apid=1"), 6, "cannot be read")
    check_failure(
        run("packetise", "text", "-o", "a.ccsds", "--packets", "apid=1"), 6, "not a bandfold stream"
    )
    check_failure(run("packetise", "a.bf", "-o", "no/a", "--packets", "apid=1"), 8, "cannot write no/a")
    check_failure(run("packetise", "a.bf", "-o", "a"), 2, "Missing option '--packets'")
    check_failure(run("depacketise", "no", "-o", "b.bf"), 6, "packets no cannot be read")
    check_failure(run("depacketise", "text", "-o", "b.bf"), 6, "no packet of bandfold has been found")
    check_failure(run("depacketise", "-o", "b.bf"), 2, "Missing argument")
    run("packetise", "a.bf", "-o", "a.ccsds", "--packets", "apid=1,scene=1")
    run("packetise", "a.bf", "-o", "b.ccsds", "--packets", "apid=1,scene=2")
    check_failure(run("depacketise", "a.ccsds", "b.ccsds", "-o", "b.bf"), 6, "scene 2 of APID 1 (identity ")
    assert run("depacketise", "a.ccsds", "b.ccsds", "-o", "b.bf", "--scene", 2).status == 0
    assert (tmp_path / "b.bf").read_bytes() == stream


def test_a_scene_of_zeros_needs_few_packets(run, tmp_path):
    write_envi(tmp_path / "z.hdr", np.zeros((3, 8, 8), np.uint8), SceneInfo(3, 8, 8, np.dtype("uint8")))
    report = json.loads(
        run("encode", "z.hdr", "-o", "z.ccsds", "--step", 1, "--packets", "apid=0x1f", "--json").out
    )
    assert report["packets"]["apid"] == 31
    assert report["packets"]["packets"] <= 8


def test_streams_of_one_number_are_chosen_by_their_identity(run, tmp_path, stream):
    """Two scenes, and the same number of the scene in their packets."""
    write_envi(tmp_path / "z.hdr", np.ones((3, 8, 8), np.uint8), SceneInfo(3, 8, 8, np.dtype("uint8")))
    run("encode", "z.hdr", "-o", "z.bf", "--step", 1)
    streams = {"a": stream, "z": (tmp_path / "z.bf").read_bytes()}
    identities = {}
    for name in streams:
        report = run("packetise", f"{name}.bf", "-o", f"{name}.ccsds", "--packets", FIXED, "--json").out
        identities[name] = json.loads(report)["identity"]
    both = ("depacketise", "a.ccsds", "z.ccsds", "-o", "b.bf")
    result = run(*both)
    check_failure(result, 6, "choose one stream with --scene, --apid and --identity")
    assert all(identity in result.err for identity in identities.values())
    assert not (tmp_path / "b.bf").exists()
    for name, identity in identities.items():
        assert run(*both, "--identity", identity[:6]).status == 0
        assert (tmp_path / "b.bf").read_bytes() == streams[name]
    check_failure(run(*both, "--identity", "nothing"), 6, "choose one stream")


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases is not there")
def test_a_lost_tail_of_an_earlier_release_is_not_complete(run, tmp_path):
    """All packets up to some strip of a stream of lines, and no closing packet."""
    result = run("depacketise", CASES / "tail-lost-complete.ccsds", "-o", "a.bf", "--json")
    assert result.status == 9
    assert "the end of the stream is missing" in result.err
    report = json.loads(result.out)
    assert (report["complete"], report["stream_ended"], report["end_seen"]) == (False, False, False)
    assert run("decode", "a.bf", "-o", "a.npy").status == 9
    assert np.load(tmp_path / "a.npy").shape[1] > 0


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases is not there")
def test_mixed_passes_of_an_earlier_release_are_refused(run, tmp_path):
    result = run("depacketise", CASES / "mixed-passes.ccsds", "-o", "a.bf")
    assert result.status == 6
    assert "packets of two streams are mixed under scene" in result.err
    assert not (tmp_path / "a.bf").exists()
