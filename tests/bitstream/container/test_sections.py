"""The container: no byte of a stream changes unnoticed, and unknown sections are passed over."""

import struct
import time

import google_crc32c
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.sections import (
    SIGNATURE,
    VERSION,
    RawSection,
    Section,
    read_sections,
    section_bytes,
    write_preamble,
    write_section,
    write_varint,
)
from bandfold.common.errors import BandfoldError, StreamError
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.onboard.encoder import Encoder

PARTS = [(Section.HEADER, b"head"), (Section.FOLD, b""), (Section.SEGMENT, bytes(range(200)))]
STREAM = write_preamble() + b"".join(write_section(*part) for part in PARTS)
ENDS = [10 + sum(len(write_section(*part)) for part in PARTS[: number + 1]) for number in range(len(PARTS))]


def test_bytes_of_a_section():
    # Bit by bit, with the reflected polynomial of CRC-32C.
    data = write_section(Section.FOLD, b"abc")

    def crc32c(data):
        crc = 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF

    check = bytes([crc32c(b"\x03\x03") & 0xFF])
    assert data == b"\x03\x03" + check + struct.pack("<I", crc32c(b"\x03\x03abc")) + b"abc"
    assert write_preamble() == bytes.fromhex("89424e44460d0a1a0200")


@pytest.mark.parametrize("length", [0, 1, 127, 128, 70_000])
def test_bytes_of_a_section_are_known_before_it_is_written(length):
    assert section_bytes(length) == len(write_section(Section.SEGMENT, bytes(length)))


def test_sections_come_back():
    found = list(read_sections(STREAM))
    assert [(section.kind, section.payload) for section in found] == PARTS
    assert all(section.intact for section in found)
    assert sum(section.size for section in found) + 10 == len(STREAM)
    assert list(read_sections(write_preamble())) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Section), st.binary(max_size=300)), max_size=5))
def test_any_sections_come_back(parts):
    stream = write_preamble() + b"".join(write_section(*part) for part in parts)
    assert [(section.kind, section.payload) for section in read_sections(stream)] == parts


def _intact(data):
    return [(section.kind, section.payload) for section in read_sections(data) if section.intact]


@pytest.mark.parametrize("position", range(len(STREAM)))
def test_every_changed_byte_is_noticed(position):
    for change in (1, 0x80, 0xFF):
        data = bytearray(STREAM)
        data[position] ^= change
        if position < 10:
            with pytest.raises(StreamError):
                list(read_sections(bytes(data)))
            continue
        found = list(read_sections(bytes(data)))
        assert not all(section.intact for section in found)
        # One section is lost, wherever the byte is: those behind it are found again.
        hit = next(part for part, end in zip(PARTS, ENDS, strict=True) if position < end)
        assert _intact(bytes(data)) == [part for part in PARTS if part != hit]
        assert sum(section.size for section in found) + 10 == len(STREAM)


@pytest.mark.parametrize("length", range(len(STREAM)))
def test_every_truncation_is_noticed_or_at_the_end_of_a_section(length):
    data = STREAM[:length]
    if length < 10:
        with pytest.raises(StreamError, match="signature" if length < 8 else "truncated"):
            list(read_sections(data))
        return
    found = list(read_sections(data))
    kept = [section for section in found if section.intact]
    assert _intact(data) == PARTS[: len(kept)]
    ends = {
        10 + sum(section.size for section in read_sections(STREAM[:10] + STREAM[10:]) if section.kind < kind)
        for kind in (0, 3, 5)
    }
    assert (len(kept) == len(found)) == (length in ends)


@pytest.mark.parametrize("kind", [0, 7, 77, 255])
def test_unknown_kinds_are_passed_over(kind):
    unknown = write_section(kind, b"from the future")
    found = list(read_sections(STREAM + unknown + write_section(Section.METADATA, b"x")))
    assert found[3] == RawSection(kind, b"from the future", True, len(unknown))
    assert (found[4].kind, found[4].intact) == (Section.METADATA, True)


@pytest.mark.parametrize("garbage", [b"\0", b"\x05", b"\xff" * 30, bytes(range(1, 60))])
def test_garbage_at_the_end_is_no_section(garbage):
    found = list(read_sections(STREAM + garbage))
    assert [(section.kind, section.payload) for section in found[:3]] == PARTS
    assert found[3:]
    assert not any(section.intact for section in found[3:])


@pytest.mark.parametrize("length", [201, 1 << 31, (1 << 64) - 1])
def test_a_length_that_leads_past_the_end(length):
    head = b"\x05" + write_varint(length)
    data = write_preamble() + head + bytes([google_crc32c.value(head) & 0xFF]) + b"1234" + bytes(200)
    (section,) = read_sections(data)
    assert not section.intact
    assert section.size == len(data) - 10
    assert section.payload == bytes(200)


def test_bytes_that_come_or_go_cost_one_section():
    for place in range(10, len(STREAM)):
        hit = next(part for part, end in zip(PARTS, ENDS, strict=True) if place < end)
        for data in (STREAM[:place] + STREAM[place + 1 :], STREAM[:place] + b"\x05" + STREAM[place:]):
            assert [part for part in PARTS if part != hit] == [part for part in _intact(data) if part != hit]


def test_a_search_for_sections_ends_soon():
    """Frames that claim much and are wrong: looking at each of them whole would take hours."""
    frames = []
    for size in range(3_000_000, 0, -10):
        head = b"\x05" + write_varint(size)
        frames.append(head + bytes([google_crc32c.value(head) & 0xFF]) + b"abcd")
    data = write_preamble() + b"".join(frames)
    started = time.perf_counter()
    assert not any(section.intact for section in read_sections(data))
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("version", [0, 1, 3, 256, 65535])
def test_other_versions_are_refused(version):
    with pytest.raises(StreamError, match=f"version {version}"):
        list(read_sections(SIGNATURE + struct.pack("<H", version)))


def test_text_mode_transfer_is_noticed():
    with pytest.raises(StreamError, match="signature"):
        list(read_sections(STREAM.replace(b"\r\n", b"\n")))


@pytest.fixture(scope="module")
def whole():
    """A complete stream of two strips, and what it parses to."""
    scene = (np.arange(3 * 16 * 9).reshape(3, 16, 9) * 7 % 251).astype(np.uint8)
    data = Encoder(step=16.0, strip_lines=8, spectral="none").encode(scene)
    return data, ParsedStream.parse(data)


def test_every_changed_byte_of_a_whole_stream_costs_at_most_what_it_touches(whole):
    data, intact = whole
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x55
        try:
            stream = ParsedStream.parse(bytes(changed))
        except BandfoldError:
            continue
        # Header and fold were intact, so the change is in a segment: it is missing, and nothing is false.
        assert len(stream.segments) < len(intact.segments)
        assert stream.sizes.damaged > 0
        for index, section in stream.segments.items():
            assert section.payload == intact.segments[index].payload


def test_sections_in_any_order_and_repeated(whole):
    data, intact = whole
    frames, position = [], 10
    for section in read_sections(data):
        frames.append(data[position : position + section.size])
        position += section.size
    shuffled = data[:10] + frames[-1] + b"".join(reversed(frames)) + frames[0] + write_section(99, b"?")
    stream = ParsedStream.parse(shuffled)
    assert stream.header == intact.header
    assert {index: one.payload for index, one in stream.segments.items()} == {
        index: one.payload for index, one in intact.segments.items()
    }
    # A damaged copy in front does no harm.
    broken = bytearray(frames[0])
    broken[-1] ^= 1
    assert ParsedStream.parse(data[:10] + bytes(broken) + data[10:]).header == intact.header


def test_the_version_written_is_the_one_read():
    assert write_preamble() == SIGNATURE + struct.pack("<H", VERSION)
