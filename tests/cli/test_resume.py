"""`bandfold encode --stream` after an interruption: nothing is destroyed, damage is told and repaired."""

import io
import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.common.growing_file import GrowingFile
from bandfold.common.scene import SceneInfo
from bandfold.formats.envi.reader import open_envi
from bandfold.formats.envi.writer import write_envi
from bandfold.ground import Decoder

from .conftest import check_failure

RAW = ("--bands", 40, "--samples", 20, "--dtype", "uint16")
COMMON = ("--step", 8, "--strip-lines", 8, "--repeat", 0)
FILE = ("encode", "scene.hdr", "-o", "a.bf", "--stream", *COMMON)
PIPE = ("encode", "-", "-o", "a.bf", *RAW, *COMMON)


@dataclass
class _Stdin:
    buffer: io.BytesIO


@pytest.fixture
def feed(monkeypatch):
    return lambda cube: monkeypatch.setattr(
        sys, "stdin", _Stdin(io.BytesIO(cube.transpose(1, 0, 2).astype("<u2").tobytes()))
    )


@pytest.fixture
def tall(tmp_path, scene):
    """A scene of 40 lines, five strips."""
    source = open_envi(tmp_path / "scene.hdr")
    cube = np.concatenate([scene, scene[:, : 40 - scene.shape[1]] // 2], axis=1)
    write_envi(tmp_path / "scene.hdr", cube, replace(source.info, lines=40))
    return cube


@pytest.fixture
def whole(run, tmp_path, tall):
    assert run(*FILE).status == 0
    data = (tmp_path / "a.bf").read_bytes()
    (tmp_path / "a.bf").unlink()
    return data


def test_a_strip_waits_for_the_disk_once(run, tmp_path, whole, monkeypatch):
    """Also the first one, before which header, metadata and fold go."""
    sizes, write = [0], GrowingFile.write

    def noted(file, data):
        write(file, data)
        sizes.append(file.size)

    monkeypatch.setattr(GrowingFile, "write", noted)
    assert run(*FILE).status == 0
    assert (tmp_path / "a.bf").read_bytes() == whole
    ends = [end for kind, _, end in places(whole) if kind in (Section.SEGMENT, Section.END)]
    assert sizes == [0, *ends]
    assert len(ends) == 6 < len(places(whole))


def places(stream):
    """Kind, beginning and end of each section."""
    found, position = [], 10
    for section in read_sections(stream):
        found.append((section.kind, position, position + section.size))
        position += section.size
    return found


def flipped(stream, *positions):
    data = bytearray(stream)
    for position in positions:
        data[position] ^= 0x10
    return bytes(data)


def segments(stream):
    return [(begin, end) for kind, begin, end in places(stream) if kind == Section.SEGMENT]


def part(tmp_path):
    return tmp_path / "a.bf.part"


def check_whole(tmp_path, whole, cube):
    """The stream has all lines, and none is worse than in the stream that was never interrupted."""
    decoder = Decoder(tmp_path / "a.bf")
    decoded = decoder.decode()
    assert decoder.damage == []
    assert decoder.complete
    assert decoded.shape == cube.shape
    errors = [np.abs(one.astype(int) - cube).max() for one in (decoded, Decoder(whole).decode())]
    assert errors[0] <= 2 * errors[1] + 8
    assert not part(tmp_path).exists()


def test_a_restart_does_not_destroy_what_is_there(run, tmp_path, tall, whole, feed):
    left = whole[: segments(whole)[2][1] + 9]
    part(tmp_path).write_bytes(left)
    feed(tall)
    for command in (FILE, PIPE, (*FILE, "--packets", "apid=1")):
        check_failure(run(*command), 8, r"a.bf.part holds")
        assert part(tmp_path).read_bytes() == left
    result = run(*FILE, "--overwrite")
    assert (result.status, result.err) == (0, "")
    assert (tmp_path / "a.bf").read_bytes() == whole


def test_two_encoders_of_one_output(run, tmp_path, tall, feed):
    with GrowingFile(tmp_path / "a.bf") as file:
        file.write(b"of another encoder")
        for command in (
            FILE,
            PIPE,
            (*FILE, "--resume"),
            (*FILE, "--overwrite"),
            (*FILE, "--packets", "apid=1"),
        ):
            feed(tall)
            check_failure(run(*command), 8, "is being written by this process")
    assert (tmp_path / "a.bf").read_bytes() == b"of another encoder"


def test_a_second_process_is_refused_until_the_first_has_ended(tmp_path, tall):
    command = [sys.executable, "-m", "bandfold.cli.main", *map(str, PIPE)]
    options = {
        "cwd": tmp_path,
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    lines = tall.transpose(1, 0, 2).astype("<u2").tobytes()
    with subprocess.Popen(command, **options) as first:
        # Two strips are on the disk, and the encoder waits for more lines; they come in pieces of a MiB.
        while not part(tmp_path).exists():
            assert first.poll() is None
        second = subprocess.run(command, cwd=tmp_path, input=lines, capture_output=True, check=False)
        assert second.returncode == 8
        assert re.search(
            rb"error: .*a.bf.part is being written by (process \d+|another process)", second.stderr
        )
        _, _ = first.communicate(lines)
        assert first.returncode == 0
    assert Decoder(tmp_path / "a.bf").decode().shape == tall.shape


@pytest.mark.parametrize("strip", [1, 2, 4])
def test_a_damaged_strip_is_told_and_coded_again(run, tmp_path, tall, whole, strip):
    begin, end = segments(whole)[strip]
    part(tmp_path).write_bytes(flipped(whole[: segments(whole)[4][1]], (begin + end) // 2))
    result = run(*FILE, "--resume")
    assert result.status == 0
    assert (
        f"strip {strip} is damaged or missing; cut back to line {8 * strip}: lines {8 * strip}:40 "
        in result.err
    )
    assert f"({5 - strip} strips) are lost and are coded again" in result.err
    check_whole(tmp_path, whole, tall)


def test_a_lost_strip_or_fold_is_found(run, tmp_path, tall, whole):
    (begin, end), left = segments(whole)[2], whole[: segments(whole)[4][1]]
    part(tmp_path).write_bytes(left[:begin] + left[end:])
    assert "strip 2 is damaged or missing; cut back to line 16" in run(*FILE, "--resume").err
    check_whole(tmp_path, whole, tall)


def test_damage_that_hurts_no_strip_costs_none(run, tmp_path, tall):
    command = (*FILE[:-1], 1)
    assert run(*command).status == 0
    repeated = (tmp_path / "a.bf").read_bytes()
    folds = [begin for kind, begin, _ in places(repeated) if kind == Section.FOLD]
    assert len(folds) > 3
    part(tmp_path).write_bytes(flipped(repeated[: segments(repeated)[3][1]], folds[2] + 9))
    result = run(*command, "--resume")
    assert result.status == 0
    assert result.err == "warning: 32 lines are there already: going on with line 32\n"
    check_whole(tmp_path, repeated, tall)


def test_a_damaged_fold_costs_the_strips_that_need_it(run, tmp_path, tall, whole):
    fold = next(begin for kind, begin, _ in places(whole) if kind == Section.FOLD)
    left = flipped(whole[: segments(whole)[2][1]], fold + 12)
    part(tmp_path).write_bytes(left)
    check_failure(run(*FILE, "--resume"), 6, "fold 0, which strip 0 needs, is damaged or missing")
    assert part(tmp_path).read_bytes() == left


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Section.HEADER, "the header of the stream that was begun is damaged"),
        (Section.SEGMENT, "strip 0 is damaged"),
    ],
)
def test_what_nothing_can_be_built_on_is_refused_and_kept(run, tmp_path, tall, whole, kind, message):
    left = whole[: segments(whole)[3][1]]
    begins = [begin for one, begin, _ in places(left) if one == kind]
    # A header comes again with each new fold.
    left = flipped(left, *(begin + 12 for begin in (begins if kind == Section.HEADER else begins[:1])))
    part(tmp_path).write_bytes(left)
    check_failure(run(*FILE, "--resume"), 6, message)
    assert part(tmp_path).read_bytes() == left
    (tmp_path / "a.bf.part").write_bytes(flipped(left, 3))
    check_failure(run(*FILE, "--resume"), 6, "a.bf.part: not a bandfold stream")


def test_damaged_metadata_come_again(run, tmp_path, tall, whole):
    metadata = [begin for kind, begin, _ in places(whole) if kind == Section.METADATA]
    part(tmp_path).write_bytes(flipped(whole[: segments(whole)[1][1]], metadata[0] + 12))
    assert run(*FILE, "--resume").status == 0
    assert Decoder(tmp_path / "a.bf").info.metadata == Decoder(whole).info.metadata != {}


def test_lines_of_a_pipe_must_say_where_they_begin_where_a_strip_is_damaged(run, tmp_path, tall, whole, feed):
    left = flipped(whole[: segments(whole)[3][1]], segments(whole)[1][0] + 20)
    part(tmp_path).write_bytes(left)
    feed(tall[:, 8:])
    message = "strip 1 is damaged or missing. Send lines from 8 on again, with --from-line 8; or, if they"
    check_failure(run(*PIPE, "--resume"), 2, message)
    check_failure(run(*PIPE, "--resume", "--from-line", 16), 2, "--from-line 16: what")
    assert part(tmp_path).read_bytes() == left
    result = run(*PIPE, "--resume", "--from-line", 8)
    assert result.status == 0
    assert "lines 8:32 (3 strips) are lost and have to be sent again" in result.err
    check_whole(tmp_path, whole, tall)
    # Or what comes behind them, if the camera has forgotten them.
    part(tmp_path).write_bytes(left)
    feed(tall[:, 32:])
    result = run(*PIPE, "--resume", "--from-line", 32)
    assert result.status == 0
    assert "strip 1 is damaged or missing, and stays so: going on with line 32" in result.err
    decoder = Decoder(tmp_path / "a.bf")
    assert decoder.decode().shape == tall.shape
    assert [(one.lines.start, one.lines.stop) for one in decoder.damage] == [(8, 16)]


def test_where_lines_of_a_pipe_begin_is_compared(run, tmp_path, tall, whole, feed):
    part(tmp_path).write_bytes(whole[: segments(whole)[1][1] + 5])
    feed(tall[:, 8:])
    check_failure(
        run(*PIPE, "--resume", "--from-line", 8), 2, "lacks begins with line 16; send lines from there on"
    )
    feed(tall[:, 16:])
    assert run(*PIPE, "--resume", "--from-line", 16).status == 0
    check_whole(tmp_path, whole, tall)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--step", 16, "--strip-lines", 8), "step 8 and not 16"),
        (("--step", 8, "--strip-lines", 16), "strip height 8 and not 16"),
        (
            ("--step", 8, "--strip-lines", 8, "--quantiser", "uniform"),
            "quantiser dependent-32 and not uniform; tables",
        ),
        (("--step", 8, "--strip-lines", 8, "--spectral", "none"), "spectral transform True and not none"),
        (
            ("--bps", 3, "--strip-lines", 8),
            "the first strip of the stream that was begun is not that of this scene",
        ),
    ],
)
def test_other_settings_are_refused_with_what_differs(run, tmp_path, tall, whole, options, message):
    left = whole[: segments(whole)[1][1] + 20]
    part(tmp_path).write_bytes(left)
    result = run("encode", "scene.hdr", "-o", "a.bf", "--stream", "--repeat", 0, *options, "--resume")
    check_failure(result, 2, message)
    assert part(tmp_path).read_bytes() == left


def test_another_scene_is_refused(run, tmp_path, tall, whole):
    left = whole[: segments(whole)[1][1] + 20]
    part(tmp_path).write_bytes(left)
    info = open_envi(tmp_path / "scene.hdr").info
    write_envi(tmp_path / "scene.hdr", tall[:, ::-1], info)
    check_failure(
        run(*FILE, "--resume"), 2, "first strip of the stream that was begun is not that of this scene"
    )
    write_envi(tmp_path / "scene.hdr", tall[:, :8], replace(info, lines=8))
    check_failure(run(*FILE, "--resume"), 8, "the scene 8: it is that of another scene")
    write_envi(tmp_path / "scene.hdr", tall[:20], SceneInfo(20, 40, 20, tall.dtype))
    check_failure(run(*FILE, "--resume"), 2, "bands 40 and not 20")
    assert part(tmp_path).read_bytes() == left


def test_packets_are_not_resumed_as_a_stream(run, tmp_path, tall):
    assert run(*FILE, "--packets", "apid=100").status == 0
    (tmp_path / "a.bf").rename(part(tmp_path))
    check_failure(run(*FILE, "--resume"), 2, "holds packets, and --resume continues a stream")


def test_a_complete_part_is_not_coded_again(run, tmp_path, tall, whole):
    part(tmp_path).write_bytes(whole)
    check_failure(
        run(*FILE, "--resume"), 6, "stream is complete: there is nothing to resume; give it the name"
    )
    # With a damaged strip it is not complete.
    part(tmp_path).write_bytes(flipped(whole, segments(whole)[3][0] + 20))
    assert run(*FILE, "--resume").status == 0
    check_whole(tmp_path, whole, tall)


@pytest.mark.parametrize("size", [0, 5, 10, 30])
def test_a_part_without_a_strip_is_begun_anew(run, tmp_path, tall, whole, size):
    part(tmp_path).write_bytes(whole[:size])
    result = run(*FILE, "--resume", "--json")
    assert result.status == 0
    assert "no strip of" in result.err
    assert json.loads(result.out)["bytes"] == len(whole)
    assert (tmp_path / "a.bf").read_bytes() == whole


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ((*FILE, "--resume"), "nothing to resume: there is no"),
        ((*FILE, "--resume", "--overwrite"), "give one of them"),
        ((*FILE, "--from-line", 3), "--from-line goes with --resume"),
        ((*FILE, "--resume", "--from-line", 3), "--from-line is of standard input"),
        (("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--overwrite"), "--overwrite is of streams"),
    ],
)
def test_options_that_do_not_fit(run, tmp_path, tall, command, message):
    check_failure(run(*command), 2, message)
    assert not part(tmp_path).exists()
