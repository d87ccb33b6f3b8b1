"""Decoding in part, and with damage: what is intact comes back, what is not is named."""

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.container.header import PackageReference
from bandfold.bitstream.container.sections import Section, read_sections, write_varint
from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, SHIPPED_TABLES, load_tables
from bandfold.bitstream.segments import segment as segments_module
from bandfold.common.errors import MemoryLimitError, ModelError, SettingsError, StreamError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.synthetic.scenes import SyntheticScene

from .streams import (
    BANDS,
    LINES,
    SAMPLES,
    STRIP,
    encode,
    flipped,
    joined,
    scene,
    sections,
    with_header,
    without,
)


@pytest.fixture(scope="module")
def cube():
    return scene()


GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module", autouse=True)
def packages():
    """The golden packages are on the search path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANDFOLD_MODELS", str(GOLDEN))
        yield


@pytest.fixture(scope="module", params=["auto", "none", "model"])
def stream(request, cube, packages):
    if request.param == "model":
        return encode(cube, model=GOLDEN / "golden-walsh.bfm")
    return encode(cube, spectral=request.param)


@pytest.fixture(scope="module")
def whole(stream):
    return Decoder(stream).decode()


@pytest.mark.parametrize("bands", [slice(0, 1), slice(2, 5), slice(5, 6), slice(None), slice(-2, None)])
@pytest.mark.parametrize("lines", [slice(0, 1), slice(15, 17), slice(3, 39), slice(32, 40), slice(None)])
def test_a_part_is_the_part_of_the_whole(stream, whole, bands, lines):
    np.testing.assert_array_equal(Decoder(stream).decode(bands, lines), whole[bands, lines])


@pytest.mark.parametrize(
    ("bands", "lines"),
    [
        (slice(6, 9), None),
        (slice(3, 3), None),
        (None, slice(0, 10, 2)),
        (None, slice(9, 2)),
        (None, slice(40, 50)),
        (None, slice(30, 50)),
        (None, slice(-41, None)),
    ],
)
def test_ranges_that_are_empty_stepped_or_outside_are_refused(stream, bands, lines):
    with pytest.raises(SettingsError, match="are not a part of the scene"):
        Decoder(stream).decode(bands, lines)


def test_strips_come_in_order_and_make_up_the_whole(stream, whole):
    parts = list(Decoder(stream).strips(slice(1, 4)))
    assert [(lines.start, lines.stop) for lines, _ in parts] == [(0, 16), (16, 32), (32, 40)]
    np.testing.assert_array_equal(np.concatenate([block for _, block in parts], axis=1), whole[1:4])


def test_only_the_strips_asked_for_are_decoded(stream, whole):
    # What is broken elsewhere does not matter.
    broken = Decoder(flipped(stream, Section.SEGMENT, 0))
    parts = list(broken.strips(lines=slice(20, 34)))
    assert [(lines.start, lines.stop) for lines, _ in parts] == [(20, 32), (32, 34)]
    assert broken.damage == []
    np.testing.assert_array_equal(np.concatenate([block for _, block in parts], axis=1), whole[:, 20:34])


def test_a_file_is_decoded_like_its_bytes(tmp_path, stream, whole):
    path = tmp_path / "scene.bf"
    path.write_bytes(stream)
    np.testing.assert_array_equal(Decoder(path).decode(), whole)
    with pytest.raises(StreamError, match=r"none\.bf cannot be read"):
        Decoder(tmp_path / "none.bf")


def test_progress_goes_to_the_end(stream):
    told = []
    Decoder(stream).decode(progress=lambda stage, done: told.append((stage, done)))
    assert told == [("decode", pytest.approx(number / 3)) for number in (1, 2, 3)]


def damaged(number):
    lines = slice(number * STRIP, min((number + 1) * STRIP, LINES))
    return lines, [line for line in range(LINES) if not lines.start <= line < lines.stop]


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("damage", [flipped, without])
def test_a_lost_segment_is_named_and_filled(cube, stream, whole, number, damage):
    lines, others = damaged(number)
    decoder = Decoder(damage(stream, Section.SEGMENT, number))
    decoded = decoder.decode()
    assert [one.lines for one in decoder.damage] == [lines]
    assert f"segment {number} is missing or its checksum is wrong" in decoder.damage[0].reason
    np.testing.assert_array_equal(decoded[:, others], whole[:, others])
    lost = decoded[:, lines].reshape(BANDS, -1)
    assert (lost == lost[:, :1]).all()
    # The mean of the blocks, which counts mirrored pixels too: the bands themselves reach from 0 to 1200.
    np.testing.assert_allclose(lost[:, 0], cube.reshape(BANDS, -1).mean(axis=1), atol=8)
    intact = [segment["intact"] for segment in decoder.report()["segments"]]
    assert intact == [place != number for place in range(3)]
    assert (decoder.report()["damaged_bytes"] > 0) == (damage is flipped)


def test_damage_is_forgotten_by_the_next_call(stream):
    decoder = Decoder(flipped(stream, Section.SEGMENT, 1))
    decoder.decode()
    assert len(decoder.damage) == 1
    decoder.decode(lines=slice(0, 16))
    assert decoder.damage == []


def test_a_segment_that_lies_is_damage_too(stream, whole):
    """Its checksum is right, its content is not."""
    parts = sections(stream)
    place = [number for number, (kind, _) in enumerate(parts) if kind == Section.SEGMENT][1]
    payload = parts[place][1]
    parts[place] = (Section.SEGMENT, payload[: len(payload) - 3])
    decoder = Decoder(joined(parts))
    decoded = decoder.decode()
    assert [one.lines for one in decoder.damage] == [slice(16, 32)]
    assert "corrupt" in decoder.damage[0].reason
    np.testing.assert_array_equal(decoded[:, :16], whole[:, :16])


def test_a_segment_that_comes_twice_counts_once(stream, whole):
    parts = sections(stream)
    decoder = Decoder(joined([*parts, parts[-1]]))
    np.testing.assert_array_equal(decoder.decode(), whole)
    assert decoder.damage == []


def test_order_of_sections_and_unknown_ones_do_not_matter(stream, whole):
    parts = sections(stream)
    decoder = Decoder(joined([(200, b"later"), *parts[::-1]]))
    np.testing.assert_array_equal(decoder.decode(), whole)


@pytest.mark.parametrize("kind", [Section.HEADER, Section.FOLD])
@pytest.mark.parametrize("damage", [flipped, without])
def test_what_all_strips_need_must_be_intact(stream, kind, damage):
    with pytest.raises(StreamError, match=f"{kind.name.lower()} section is missing or corrupt"):
        Decoder(damage(stream, kind))


def test_absent_samples_are_lost_with_their_segment_only(cube):
    marked = cube.copy()
    marked[:, ::3, ::5] = -1
    stream = encode(ArraySource(marked, no_data=-1.0))
    decoder = Decoder(flipped(stream, Section.SEGMENT, 2))
    decoded = decoder.decode()
    assert (decoded[:, :32][marked[:, :32] == -1] == -1).all()
    assert (decoded[:, 32:] != -1).all()
    assert len(decoder.damage) == 1


@pytest.mark.parametrize("no_data", [1e34, 65535.0, 0.5, float("nan"), float("-inf")])
def test_a_mark_that_the_type_cannot_hold_marks_nothing(cube, no_data):
    decoded = Decoder(encode(ArraySource(cube, no_data=no_data))).decode()
    np.testing.assert_array_equal(decoded, Decoder(encode(cube)).decode())


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": 1 << 24, "samples": 1 << 24, "strip_lines": 1 << 20},
        {"samples": 1 << 24},
        {"lines": 1 << 24, "strip_lines": 1 << 24},
    ],
)
def test_absurd_sizes_are_refused_before_memory_is_taken(stream, changes):
    hostile = with_header(stream, **changes)
    tracemalloc.start()
    started = time.perf_counter()
    try:
        with pytest.raises(MemoryLimitError, match="--memory-limit"):
            Decoder(hostile, memory_limit=1 << 28).decode()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - started < 2
    assert peak < 8 << 20


def test_the_limit_counts_the_result(stream, whole):
    # More strips would be refused for the work that each claims.
    hostile = with_header(stream, lines=1 << 16)
    with pytest.raises(MemoryLimitError, match="decode fewer lines"):
        Decoder(hostile, memory_limit=8 << 20).decode()
    part = Decoder(hostile, memory_limit=8 << 20).decode(lines=slice(0, 16))
    np.testing.assert_array_equal(part, whole[:, :16])
    np.testing.assert_array_equal(Decoder(stream, memory_limit=8 << 20).decode(), whole)


def test_more_bands_than_the_fold_tells_are_refused(stream):
    with pytest.raises(StreamError):
        Decoder(with_header(stream, bands=BANDS + 1))


def test_other_tables_are_refused(tmp_path, stream, whole):
    needed = Decoder(stream).report()["tables"]
    (path,) = (
        path for path in (SHIPPED_TABLES, DEPENDENT_TABLES) if load_tables(path).identity.hex() == needed
    )
    with np.load(path) as archive:
        arrays = dict(archive.items())
    copy, other = tmp_path / "copy.npz", tmp_path / "other.npz"
    np.savez(copy, **arrays)
    np.savez(other, **{**arrays, "folded_points": arrays["folded_points"] + 1})
    np.testing.assert_array_equal(Decoder(stream, tables=copy).decode(), whole)
    with pytest.raises(ModelError, match="stream needs the tables"):
        Decoder(stream, tables=other)
    with pytest.raises(ModelError, match="cannot be read"):
        Decoder(stream, tables=tmp_path / "none.npz")


def test_a_model_that_is_not_installed_is_named(stream):
    named = {"transform": "planes16", "model": PackageReference("sharp", b"12345678")}
    with pytest.raises(ModelError, match=r"needs the package 'sharp' with hash 3132333435363738.*--model"):
        Decoder(with_header(stream, **named, spectral=False, quantiser="uniform"))


def test_a_report_says_where_the_bytes_went(stream):
    report = Decoder(stream).report()
    assert report["file_bytes"] == len(stream) == sum(report["bytes"].values())
    assert report["bps"] == len(stream) * 8 / (BANDS * LINES * SAMPLES)
    assert (report["bands"], report["lines"], report["samples"]) == (BANDS, LINES, SAMPLES)
    assert sum(segment["bytes"] for segment in report["segments"]) == report["bytes"]["segments"]
    assert report["damaged_bytes"] == 0


# Streams of unknown length


@pytest.fixture(scope="module")
def opened(cube):
    return encode(cube, stream=True)


def told(lines, strips):
    return (Section.END, write_varint(lines) + write_varint(strips))


def parts_without_end(stream):
    return [part for part in sections(stream) if part[0] != Section.END]


def test_the_end_tells_the_lines(opened, cube):
    assert Decoder(opened).info.lines == LINES
    short = Decoder(joined([*parts_without_end(opened), told(32, 2)]))
    np.testing.assert_array_equal(short.decode(), Decoder(opened).decode()[:, :32])
    more = Decoder(joined([*parts_without_end(opened), told(60, 4)]))
    assert more.decode().shape == (BANDS, 60, SAMPLES)
    # The low strip has not the height of a third of four, and there is no fourth.
    assert [one.lines for one in more.damage] == [slice(32, 48), slice(48, 60)]


@pytest.mark.parametrize("content", [(0, 0), (40, 2), (40, 4), (1 << 25, 1 << 21)])
def test_an_impossible_end_is_refused(opened, content):
    with pytest.raises(StreamError, match="end of the stream"):
        Decoder(joined([*parts_without_end(opened), told(*content)]))


def test_without_an_end_the_strips_tell_the_lines(opened):
    whole = Decoder(opened).decode()
    parts = parts_without_end(opened)
    decoder = Decoder(joined(parts))
    assert not decoder.complete
    np.testing.assert_array_equal(decoder.decode(), whole)
    segments = [part for part in parts if part[0] == Section.SEGMENT]
    others = [part for part in parts if part[0] != Section.SEGMENT]
    hole = Decoder(joined([*others, segments[1]]))
    np.testing.assert_array_equal(hole.decode()[:, 16:], whole[:, 16:32])
    assert [one.lines for one in hole.damage] == [slice(0, 16)]
    with pytest.raises(StreamError, match="before its first segment"):
        Decoder(joined(others))


def test_an_end_of_a_stream_that_is_not_open_is_ignored(stream, whole):
    np.testing.assert_array_equal(Decoder(joined([*sections(stream), told(8, 1)])).decode(), whole)


def test_a_damaged_segment_is_decoded_from_its_first_chunks(monkeypatch, cube):
    monkeypatch.setattr(segments_module, "CHUNK_BYTES", 100)
    stream = encode(cube)
    whole = Decoder(stream).decode()
    assert min(one["chunks"] for one in Decoder(stream).report()["segments"][:2]) >= 2
    place = stream.rindex(sections(stream)[-2][1]) + len(sections(stream)[-2][1]) - 1
    damaged = bytearray(stream)
    damaged[place] ^= 1
    decoder = Decoder(bytes(damaged))
    decoded = decoder.decode()
    (damage,) = decoder.damage
    assert damage.lines == slice(16, 32)
    assert not damage.filled
    assert "chunks" in damage.reason
    np.testing.assert_array_equal(decoded[:, :16], whole[:, :16])
    np.testing.assert_array_equal(decoded[:, 32:], whole[:, 32:])
    errors = [np.mean((one[:, 16:32].astype(float) - cube[:, 16:32]) ** 2) for one in (whole, decoded)]
    spread = cube[:, 16:32].reshape(BANDS, -1).var(axis=1).mean()
    assert errors[0] < errors[1] < spread / 4


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_decode_the_same_and_tell_damage_in_order(threads):
    cube = SyntheticScene(90, 40, 24, seed=11).read(slice(0, 24), slice(0, 90))
    stream = bytearray(Encoder(bps=1.0, strip_lines=16, threads=threads).encode(cube))
    assert bytes(stream) == Encoder(bps=1.0, strip_lines=16).encode(cube)
    segments = [one.payload for one in read_sections(bytes(stream)) if one.kind == Section.SEGMENT]
    for payload in (segments[1], segments[4]):
        stream[stream.index(payload) + len(payload) // 2] ^= 1
    one, some = (Decoder(bytes(stream), threads=count) for count in (1, threads))
    np.testing.assert_array_equal(one.decode(), some.decode())
    assert [damage.lines for damage in one.damage] == [damage.lines for damage in some.damage]
    assert len(some.damage) == 2
