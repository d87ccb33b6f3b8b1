"""Segments: whatever they hold comes back, through either coder, and only from an intact payload."""

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.header import CodingTools, Header
from bandfold.bitstream.container.sections import read_varint, write_varint
from bandfold.bitstream.container.segment_layout import SegmentHeader, split_segment, worth_of
from bandfold.bitstream.contexts.features import Past
from bandfold.bitstream.contexts.tables import load_tables, shipped_tables
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.band_segment import read_band_segment, write_band_segment
from bandfold.bitstream.segments.latents import classify
from bandfold.bitstream.segments.segment import (
    CHUNK_BYTES,
    Segment,
    chunks_together,
    encode_segment,
    mode_name,
    read_segment,
)
from bandfold.common import kernels
from bandfold.common.errors import BandfoldError, StreamError
from bandfold.common.scene import SceneInfo
from bandfold.ground.stream.parsed_stream import ParsedStream

TABLES = load_tables()
GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*.bndf"))
REGISTRY = Registry(sorted((Path(__file__).parents[2] / "golden").glob("*.bfm")))


def _header(lines=20, samples=9, bands=3, *, spectral=False, no_data=None):
    info = SceneInfo(bands, lines, samples, np.dtype("uint8"), no_data=no_data)
    return Header(info, 16, 256, CodingTools(spectral, "dct8"), TABLES.identity)


def _segment(shape, seed, *, spectral, rotations=0, mask=None):
    generator = np.random.Generator(np.random.PCG64(seed))
    quantised = np.rint(generator.standard_t(1.5, size=(64, *shape))).astype(np.int32)
    classes, _ = classify(
        quantised, TABLES.modes[mode_name(spectral=spectral)].network, Past.empty(2, *shape[1:])
    )
    chosen = generator.integers(0, rotations, shape[1:]).astype(np.uint8) if rotations else None
    absent = None if mask is None else generator.random(mask) < 0.2
    return Segment(quantised, classes, chosen, absent)


@settings(max_examples=25, deadline=None)
@given(st.booleans(), st.integers(0, 5), st.booleans(), st.integers(0, 1), st.integers(0, 1 << 30))
def test_any_segment_comes_back(spectral, rotations, masked, index, seed):
    header = _header(spectral=spectral, no_data=0.0 if masked else None)
    # The second strip of 20 lines in strips of 16 has 4 lines: one row of blocks.
    height, shape = (16, (4, 2, 2)) if index == 0 else (4, (4, 1, 2))
    segment = _segment(
        shape, seed, spectral=spectral, rotations=rotations, mask=(3, height, 9) if masked else None
    )
    place = SegmentHeader(index, rotation=3 if rotations else None, lines=4 if index else None)
    payload = encode_segment(
        place, segment, TABLES, spectral=spectral, rotations=rotations, step_code=256
    ).pack()
    assert split_segment(payload).place == place
    found = read_segment(split_segment(payload), header, 4, rotations, TABLES)
    np.testing.assert_array_equal(found.quantised, segment.quantised)
    for name in ("chosen", "absent"):
        one, other = getattr(found, name), getattr(segment, name)
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_array_equal(one, other)


def test_a_scene_without_components_is_a_short_segment():
    header = _header(lines=8, samples=8, spectral=True)
    quantised = np.zeros((64, 0, 1, 1), dtype=np.int32)
    empty = Segment(quantised, quantised.astype(np.uint8))
    payload = encode_segment(
        SegmentHeader(0, lines=8), empty, TABLES, spectral=True, rotations=0, step_code=256
    ).pack()
    assert payload == b"\0\x08\x08\1\0\0"
    assert read_segment(split_segment(payload), header, 0, 0, TABLES).quantised.shape == (64, 0, 1, 1)


@pytest.mark.parametrize("index", [2, 77, (1 << 64) - 1])
def test_a_number_of_no_strip_is_refused(index):
    payload = _written((1, 2, 2))
    with pytest.raises(StreamError, match=str(index)):
        read_segment(split_segment(write_varint(index) + payload[1:]), _header(), 1, 0, TABLES)


def _written(shape, place=SegmentHeader(0)):  # noqa: B008 - immutable
    segment = _segment(shape, 1, spectral=False)
    return encode_segment(place, segment, TABLES, spectral=False, rotations=0, step_code=256).pack()


@pytest.mark.parametrize("place", [SegmentHeader(0, lines=9), SegmentHeader(1), SegmentHeader(1, lines=5)])
def test_another_height_than_that_of_the_strip_is_refused(place):
    with pytest.raises(StreamError, match="lines of its strip"):
        read_segment(split_segment(_written((1, 2, 2), place)), _header(), 1, 0, TABLES)


def test_other_numbers_of_components_or_rotations_do_not_fit():
    segmented = split_segment(_written((3, 2, 2)))
    for components, rotations in ((2, 0), (3, 2)):
        with pytest.raises(StreamError):
            read_segment(segmented, _header(), components, rotations, TABLES)


def test_components_that_a_segment_lacks_are_zero():
    segment = _segment((3, 2, 2), 1, spectral=False)
    found = read_segment(split_segment(_written((3, 2, 2))), _header(), 5, 0, TABLES).quantised
    np.testing.assert_array_equal(found[:, :3], segment.quantised)
    assert not found[:, 3:].any()


@pytest.fixture(scope="module")
def large():
    """A segment of several chunks, some components of it empty."""
    segment = _segment((90, 8, 9), 5, spectral=True, rotations=3)
    segment.quantised[:, 70:75] = 0
    classes, _ = classify(segment.quantised, TABLES.modes["folded"].network, Past.empty(2, 8, 9))
    segment = replace(segment, classes=classes)
    place = SegmentHeader(0, 2, 1, 512, None)
    return segment, encode_segment(place, segment, TABLES, spectral=True, rotations=3, step_code=512).pack()


def test_a_large_segment_has_chunks_that_can_be_taken_away(large):
    segment, payload = large
    header = replace(_header(64, 72, spectral=True), strip_lines=64)
    whole = split_segment(payload)
    sizes = [len(chunk.data) for chunk in whole.chunks]
    assert len(sizes) > 5
    assert max(sizes) < 2 * min(sizes)
    assert min(sizes) > 0.5 * CHUNK_BYTES
    assert whole.components == 90
    assert split_segment(whole.pack()) == whole
    assert whole.pack() == payload
    for count in range(1, len(sizes) + 1):
        part = split_segment(whole.first(count).pack())
        found = read_segment(part, header, 90, 3, TABLES)
        np.testing.assert_array_equal(found.chosen, segment.chosen)
        kept = part.components
        assert kept == sum(chunk.components for chunk in whole.chunks[:count])
        np.testing.assert_array_equal(found.quantised[:, :kept], segment.quantised[:, :kept])
        assert not found.quantised[:, kept:].any()


@pytest.mark.parametrize(
    ("tokens", "groups"),
    [
        ([], []),
        ([5], [[0]]),
        ([5, 5, 5, 5], [[2, 3], [0, 1]]),
        ([1, 2, 3, 4, 9], [[1, 2, 3, 4], [0]]),
        ([1, 1, 9], [[0, 1, 2]]),
    ],
)
def test_no_chunk_is_coded_alone_where_others_are_left(tokens, groups):
    assert [list(one) for one in chunks_together(tokens)] == groups


def test_the_worth_of_chunks_falls_with_their_energy():
    spread = (60.0 / (1 + np.arange(90)))[None, :, None, None]
    normal = np.random.Generator(np.random.PCG64(3)).normal(size=(64, 90, 8, 9))
    falling = np.rint(normal * spread).astype(np.int32)
    classes, _ = classify(falling, TABLES.modes["folded"].network, Past.empty(2, 8, 9))
    data = encode_segment(
        SegmentHeader(0), Segment(falling, classes), TABLES, spectral=True, rotations=0, step_code=256
    ).pack()
    worth = [chunk.worth for chunk in split_segment(data).chunks]
    assert len(worth) > 3
    assert all(first >= second for first, second in pairwise(worth))
    assert worth[0] > worth[-1] + 4


def test_worth_is_on_a_scale_of_two_degrees_an_octave():
    assert worth_of(0, 256, 100) == 0
    assert worth_of(2, 256, 100) - worth_of(1, 256, 100) == 2
    assert worth_of(1000, 512, 100) - worth_of(1000, 256, 100) == 4
    assert worth_of(1000, 256, 100) - worth_of(1000, 256, 400) == 4
    assert worth_of(1 << 60, 1 << 40, 1) == 255


def test_what_is_left_of_a_damaged_segment(large):
    _, payload = large
    whole = split_segment(payload)
    start = len(payload) - sum(len(chunk.data) for chunk in whole.chunks)
    ends = [start + sum(len(chunk.data) for chunk in whole.chunks[: n + 1]) for n in range(len(whole.chunks))]
    for number, end in enumerate(ends):
        changed = bytearray(payload)
        changed[end - 1] ^= 4
        cut = payload[: end - 1]
        for data in (bytes(changed), cut):
            if number == 0:
                with pytest.raises(StreamError):
                    split_segment(data, intact=False)
                continue
            left = split_segment(data, intact=False)
            assert left.chunks == whole.chunks[:number]
            assert left.lost == len(ends) - number
            assert left.place == whole.place
    with pytest.raises(StreamError, match="corrupt"):
        split_segment(payload[:-1])


def test_no_byte_of_a_segment_changes_unnoticed(large):
    _, payload = large
    whole = split_segment(payload)
    generator = np.random.Generator(np.random.PCG64(1))
    head = len(payload) - sum(len(chunk.data) for chunk in whole.chunks)
    for place in [*range(head), *generator.integers(head, len(payload), size=60).tolist()]:
        changed = bytearray(payload)
        changed[place] ^= int(generator.integers(1, 256))
        with suppress(StreamError):
            left = split_segment(bytes(changed), intact=False)
            assert left.place == whole.place
            assert left.chunks == whole.chunks[: len(left.chunks)]
            assert left.lost


def _tables(stream):
    tables = shipped_tables(stream.header.tables)
    return tables if stream.codec is None else stream.codec.tables(tables)


def _read(stream, payload, tables):
    fold = stream.fold
    if isinstance(stream.codec, BandCodec):
        return read_band_segment(split_segment(payload), stream.header, tables, fold)
    order = () if fold.prediction is None else fold.prediction.bands(fold.bands)
    return read_segment(
        split_segment(payload), stream.header, fold.components, len(stream.rotations), tables, order
    )


def _write(stream, place, segment, tables):
    if isinstance(stream.codec, BandCodec):
        return write_band_segment(place, segment, tables, stream.fold)
    settings = {"spectral": stream.header.spectral, "rotations": len(stream.rotations)}
    return encode_segment(place, segment, tables, **settings, step_code=stream.header.step_code).pack()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_coder_in_plain_python_reads_and_writes_the_same(path):
    stream = ParsedStream.parse(path.read_bytes(), registry=REGISTRY)
    tables = _tables(stream)
    for index in range(stream.header.strip_count):
        payload = stream.segments[index].payload
        expected = _read(stream, payload, tables)
        with kernels.switched_off():
            found = _read(stream, payload, tables)
            assert _write(stream, split_segment(payload).place, found, tables) == payload
        np.testing.assert_array_equal(found.quantised, expected.quantised)
        if not isinstance(stream.codec, BandCodec):
            np.testing.assert_array_equal(found.classes, expected.classes)


@pytest.mark.parametrize(
    "path", [path for path in GOLDEN if path.stem != "single"], ids=lambda path: path.stem
)
def test_corrupt_payloads_behind_good_checksums_raise_nothing_else(path):
    """A stream made with intent has checksums that agree: every payload must be read with distrust."""
    stream = ParsedStream.parse(path.read_bytes(), registry=REGISTRY)
    payload, tables = stream.segments[0].payload, _tables(stream)
    (chunk,) = stream.strips.segment(0).chunks
    count, first = read_varint(chunk.data, 0)
    first += len(payload) - len(chunk.data)
    end = first + 4 * count
    refused = 0
    generator = np.random.Generator(np.random.PCG64(1))
    # Numbers of words and words first, then raw bits, of which many are signs and free to change.
    places = [
        *generator.integers(first - 1, end, size=40).tolist(),
        *generator.integers(end, len(payload), size=20).tolist(),
    ]
    for trial, place in enumerate(places):
        changed = bytearray(payload)
        changed[place] ^= int(generator.integers(1, 256))
        try:
            _read(stream, bytes(changed), tables)
        except BandfoldError:
            refused += trial < 40
    # The coder must end in state 0 with all words read: nonsense is nearly always noticed.
    assert refused > 30
