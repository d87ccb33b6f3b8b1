"""Segments: whatever they hold comes back, through either coder, and only from an intact payload."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream import coder
from bandfold.bitstream.bandsegment import read_band_segment, write_band_segment
from bandfold.bitstream.contexts import Past
from bandfold.bitstream.errors import BandfoldError, StreamError
from bandfold.bitstream.header import Header
from bandfold.bitstream.latents import classify
from bandfold.bitstream.registry import Registry
from bandfold.bitstream.scene import SceneInfo
from bandfold.bitstream.segment import Segment, mode_name, read_segment, segment_index, write_segment
from bandfold.bitstream.tables import load_tables
from bandfold.bitstream.varint import read_varint, write_varint
from bandfold.ground.stream import Stream

TABLES = load_tables()
GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.bndf"))
REGISTRY = Registry(sorted((Path(__file__).parents[1] / "golden").glob("*.bfm")))


def _header(lines=20, samples=9, bands=3, *, spectral=False, no_data=None):
    info = SceneInfo(bands, lines, samples, np.dtype("uint8"), no_data=no_data)
    return Header(info, 16, 256, spectral, False, "dct8", TABLES.identity)


def _segment(shape, seed, *, spectral, rotations=0, mask=None):
    generator = np.random.Generator(np.random.PCG64(seed))
    quantised = np.rint(generator.standard_t(1.5, size=(64, *shape))).astype(np.int32)
    classes, _ = classify(quantised, TABLES.modes[mode_name(spectral=spectral)], Past.empty(2, *shape[1:]))
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
    payload = write_segment(index, segment, TABLES, spectral=spectral, rotations=rotations)
    assert segment_index(payload) == index
    found = read_segment(payload, header, 4, rotations, TABLES)
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
    payload = write_segment(0, empty, TABLES, spectral=True, rotations=0)
    assert payload == b"\0\0"
    assert read_segment(payload, header, 0, 0, TABLES).quantised.shape == (64, 0, 1, 1)


@pytest.mark.parametrize("index", [2, 77, (1 << 64) - 1])
def test_a_number_of_no_strip_is_refused(index):
    payload = write_segment(0, _segment((1, 2, 2), 1, spectral=False), TABLES, spectral=False, rotations=0)
    with pytest.raises(StreamError, match=str(index)):
        read_segment(write_varint(index) + payload[1:], _header(), 1, 0, TABLES)


def test_other_numbers_of_components_or_rotations_do_not_fit():
    payload = write_segment(0, _segment((3, 2, 2), 1, spectral=False), TABLES, spectral=False, rotations=0)
    for components, rotations in ((2, 0), (4, 0), (3, 2)):
        with pytest.raises(StreamError):
            read_segment(payload, _header(), components, rotations, TABLES)


def _tables(stream):
    return TABLES if stream.codec is None else stream.codec.tables(TABLES)


def _read(stream, payload, tables):
    if stream.codec is not None:
        return read_band_segment(payload, stream.header, tables, stream.fold)
    return read_segment(payload, stream.header, stream.fold.components, len(stream.rotations), tables)


def _write(stream, index, segment, tables):
    if stream.codec is not None:
        return write_band_segment(index, segment, tables, stream.fold)
    spectral, rotations = stream.header.spectral, len(stream.rotations)
    return write_segment(index, segment, tables, spectral=spectral, rotations=rotations)


@pytest.fixture
def plain(monkeypatch):
    """Makes tables whose coder is the one in plain Python, as on a machine without constriction."""

    def make(tables):
        copy = replace(tables)
        with monkeypatch.context() as patch:
            patch.setattr(coder, "constriction", None)
            assert isinstance(copy.coder, coder.RansBackend)
        return copy

    return make


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_coder_in_plain_python_reads_and_writes_the_same(path, plain):
    stream = Stream.parse(path.read_bytes(), plain(TABLES), 1 << 30, REGISTRY)
    usual, slow = _tables(stream), plain(_tables(stream))
    for index in range(stream.header.strip_count):
        payload = stream.segment(index)
        found, expected = (_read(stream, payload, tables) for tables in (slow, usual))
        np.testing.assert_array_equal(found.quantised, expected.quantised)
        if stream.codec is None:
            np.testing.assert_array_equal(found.classes, expected.classes)
        assert _write(stream, index, found, slow) == payload


@pytest.mark.parametrize(
    "path", [path for path in GOLDEN if path.stem != "single"], ids=lambda path: path.stem
)
def test_corrupt_payloads_behind_good_checksums_raise_nothing_else(path):
    """A stream made with intent has checksums that agree: every payload must be read with distrust."""
    stream = Stream.parse(path.read_bytes(), TABLES, 1 << 30, REGISTRY)
    payload, tables = stream.segment(0), _tables(stream)
    count, first = read_varint(payload, 1)
    end = first + 4 * count
    refused = 0
    generator = np.random.Generator(np.random.PCG64(1))
    # Numbers of words and words first, then raw bits, of which many are signs and free to change.
    places = [
        *generator.integers(1, end, size=40).tolist(),
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
