"""Packets lost, doubled, shuffled, cut off or flipped: what is whole comes back, the rest is told."""

import json
import os
import struct
from dataclasses import replace
from datetime import datetime, timezone
from itertools import groupby, zip_longest

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.packet_layout import OVERHEAD_BYTES, PacketHead, packet_control
from bandfold.bitstream.container.sections import VERSION, Section, read_sections, write_section
from bandfold.common.errors import StreamError
from bandfold.ground import Decoder
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.ground.packets.received_scene import StreamName
from bandfold.onboard.downlink.packets import Packetiser, PacketSettings, packetise, packetiser_for

from ..streams import encode, scene

SIZE, STRIP, LINES = 88, 8, 40
STREAM = encode(scene(lines=LINES), strip_lines=STRIP)
WHOLE = Decoder(STREAM).decode()
SETTINGS = PacketSettings(
    100, size=SIZE, scene=5, repeat=2, count=16_350, time=datetime(2026, 1, 1, tzinfo=timezone.utc)
)
IDENTITY = packetiser_for(STREAM, SETTINGS).identity
PACKETS = list(packetise(STREAM, SETTINGS))
CLOSING = len(PACKETS) - 2
PARTS = [(section.kind, section.payload, section.size) for section in read_sections(STREAM)]


def place(packet):
    """Section and offset of a packet, read from its bytes."""
    return struct.unpack_from(">I", packet, 34)[0], struct.unpack_from(">I", packet, 42)[0]


PLACES = [place(packet) for packet in PACKETS]


def assembled(*files):
    reassembly = Reassembly()
    for data in files:
        reassembly.add(find_packets(data).packets)
    return reassembly.assemble()


def ranges(numbers):
    """Half-open ranges of rising numbers."""
    groups = groupby(enumerate(sorted(numbers)), lambda one: one[1] - one[0])
    return [(items[0], items[-1] + 1) for items in ([item for _, item in group] for _, group in groups)]


def check(arrived, data):
    """Compare what `data` gives with what follows from the numbers of the packets that arrived intact."""
    expected_places = {PLACES[number] for number in arrived if number < CLOSING}
    room = SIZE - OVERHEAD_BYTES
    lacking = {}
    for section, (_, _, size) in enumerate(PARTS):
        offsets = [at for at in range(0, size, room) if (section, at) not in expected_places]
        lacking[section] = [(at, min(at + room, size)) for at in offsets]
    reassembly = Reassembly()
    reassembly.add(find_packets(data).packets)
    if not arrived:
        with pytest.raises(StreamError, match="no packet of bandfold has been found"):
            reassembly.assemble()
        return
    assembly = reassembly.assemble()
    closed = any(number >= CLOSING for number in arrived)
    assert assembly.packets.sent == (len(PACKETS) if closed else None)
    end = len(PACKETS) if closed else max(arrived) + 1
    assert assembly.packets.lost == ranges(set(range(end)) - set(arrived))
    known = len(PARTS) if closed else max((section for section, _ in expected_places), default=-1) + 1
    touched = {section for section, _ in expected_places}
    assert assembly.sections.lost == ranges(set(range(known)) - touched)
    merged = {
        section: [(group[0], group[1]) for group in _merge(gaps)]
        for section, gaps in lacking.items()
        if gaps and section in touched
    }
    assert {one.number: one.missing for one in assembly.sections.partial} == merged
    assert [one.kind for one in assembly.sections.partial] == [PARTS[section][0] for section in merged]
    whole = [section for section, gaps in lacking.items() if not gaps]
    intact = [part.payload for part in read_sections(assembly.stream) if part.intact]
    assert intact == [PARTS[one][1] for one in whole]
    strips = assembly.lost_strips()
    needed = [section for section, part in enumerate(PARTS) if part[0] in (Section.HEADER, Section.FOLD)]
    if not set(needed) <= set(whole):
        assert strips.reason is not None
        return
    segments = dict(enumerate(one for one, part in enumerate(PARTS) if part[0] == Section.SEGMENT))
    lost = {index: one for index, one in segments.items() if one not in whole}
    assert strips.lines == {index: (index * STRIP, (index + 1) * STRIP) for index in sorted(lost)}
    assert assembly.complete(strips) == (len(whole) == len(PARTS))
    decoder = Decoder(assembly.stream)
    decoded = decoder.decode()
    assert [(one.lines.start, one.lines.stop) for one in decoder.damage] == list(strips.lines.values())
    for index in set(segments) - set(lost):
        lines = slice(index * STRIP, (index + 1) * STRIP)
        np.testing.assert_array_equal(decoded[:, lines], WHOLE[:, lines])
    report = assembly.report(strips)
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def _merge(gaps):
    joined = []
    for start, stop in gaps:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


def test_the_counts_of_these_packets_wrap_around():
    counts = [struct.unpack_from(">H", packet, 2)[0] & 0x3FFF for packet in PACKETS]
    assert counts[0] == 16_350
    assert min(counts) == 0
    assert len({section for section, _ in PLACES[:CLOSING]}) == len(PARTS) >= 7


def test_all_packets_give_the_stream():
    assembly = assembled(b"".join(PACKETS))
    assert assembly.stream == STREAM
    assert assembly.complete(assembly.lost_strips())
    assert assembly.name == StreamName(100, 5, IDENTITY)
    assert assembly.packets.sent == len(PACKETS)
    assert assembly.proof.digest is True
    assert assembly.packets.duplicates == 0
    assert find_packets(b"".join(PACKETS)).skipped == []
    check(range(len(PACKETS)), b"".join(PACKETS))


@settings(max_examples=120, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    dropped=st.sampled_from([0.0, 0.01, 0.1, 0.4, 0.9]),
    doubled=st.sampled_from([0.0, 0.2]),
    flipped=st.sampled_from([0.0, 0.02, 0.2]),
    cut=st.booleans(),
    junk=st.booleans(),
    shuffled=st.booleans(),
    rng=st.randoms(use_true_random=False),
)
def test_whatever_happens_to_packets(dropped, doubled, flipped, cut, junk, shuffled, rng):
    numbers = [number for number in range(len(PACKETS)) if rng.random() >= dropped]
    numbers += [number for number in numbers if rng.random() < doubled]
    if shuffled:
        rng.shuffle(numbers)
    data, ends = bytearray(), []
    for number in numbers:
        packet = bytearray(PACKETS[number])
        damaged = rng.random() < flipped
        if damaged:
            for bit in rng.sample(range(8 * len(packet)), rng.choice([1, 1, 2, 7])):
                packet[bit // 8] ^= 1 << bit % 8
        if junk and rng.random() < 0.1:
            data += rng.randbytes(rng.randrange(1, 90))
        data += packet
        if not damaged:
            ends.append((number, len(data)))
    end = min(2500, len(data)) if cut else len(data)
    check(sorted({number for number, last in ends if last <= end}), bytes(data[:end]))


@pytest.mark.parametrize("number", [0, 3, CLOSING - 1, CLOSING])
def test_every_flipped_bit_of_a_packet_is_noticed(number):
    rest = [one for one in range(len(PACKETS)) if one != number]
    for bit in range(8 * len(PACKETS[number])):
        packet = bytearray(PACKETS[number])
        packet[bit // 8] ^= 1 << bit % 8
        data = b"".join([*PACKETS[:number], bytes(packet), *PACKETS[number + 1 :]])
        found = find_packets(data)
        assert [one.head.packet for one in found.packets] == rest
        start = len(b"".join(PACKETS[:number]))
        assert found.skipped == [(start, start + len(packet))]


def test_two_passes_make_one_scene():
    first, second = b"".join(PACKETS[::2]), b"".join(PACKETS[1::2])
    assert assembled(first).stream != STREAM
    assert assembled(second, first).stream == STREAM


def test_packets_of_another_size_fill_the_gaps():
    settings = PacketSettings(100, size=SIZE + 13, scene=5)
    again = list(packetise(STREAM, settings))
    first = b"".join(packet for packet in PACKETS if place(packet)[0] != 2 or place(packet)[1] != 0)
    assert assembled(first, b"".join(again)).stream == STREAM


def test_scenes_are_told_apart():
    other = encode(scene(lines=LINES)[::-1], strip_lines=STRIP)
    others = packetise(other, PacketSettings(100, size=SIZE, scene=6))
    mixed = b"".join(packet for pair in zip_longest(PACKETS, others, fillvalue=b"") for packet in pair)
    mixed += b"".join(packetise(other, PacketSettings(101, size=SIZE, scene=6)))
    reassembly = Reassembly()
    reassembly.add(find_packets(mixed).packets)
    assert {(name.apid, name.scene) for name in reassembly.streams} == {(100, 5), (100, 6), (101, 6)}
    assert reassembly.assemble(apid=101).stream == other
    assert reassembly.assemble(scene=5).stream == STREAM
    message = (
        r"choose one stream with --scene, --apid and --identity; .* \d+ packets of scene 5 of APID 100 "
        r"\(identity [0-9a-f]{16}\), \d+ packets of scene 6 of APID 100 .*, \d+ packets of scene 6 of APID"
    )
    for wanted in ({}, {"apid": 100}, {"scene": 6}, {"scene": 8}):
        with pytest.raises(StreamError, match=message):
            reassembly.assemble(**wanted)


def packet(head, data, apid=100):
    """A packet with a right control, whatever it claims."""
    body = struct.pack(">HHH", 0x0800 | apid, 0xC000, head.overhead - 7 + len(data))
    body += bytes.fromhex("40000000000000") + head.pack() + data
    return body + packet_control(body)


def test_claims_cost_no_memory():
    huge = packet(PacketHead(5, VERSION, 5, 2**32 - 2, 2**32 - 1, 2**32 - 1, 7, IDENTITY), b"abc")
    closing = packet(PacketHead(0, VERSION, 5, 2**32 - 1, 2**32 - 1, 12, 0, IDENTITY), b"\xff" * 12)
    assembly = assembled(huge + closing)
    assert assembly.packets.lost == [(0, 2**32 - 2)]
    assert assembly.sections.lost == [(0, 2**32 - 1)]
    assert assembly.sections.partial[0].missing == [(0, 7), (10, 2**32 - 1)]
    beginning = packet(PacketHead(5, VERSION, 5, 2**32 - 2, 2**32 - 1, 2**32 - 1, 0, IDENTITY), b"abc")
    assert len(assembled(beginning).stream) == 10
    # Data beyond the end of their section, or none at all.
    assert find_packets(packet(PacketHead(5, VERSION, 5, 0, 0, 4, 2, IDENTITY), b"abc")).packets == []
    assert find_packets(packet(PacketHead(5, VERSION, 5, 0, 0, 4, 0, IDENTITY), b"")).packets == []


def test_what_arrived_of_a_segment_is_kept():
    segment = max(section for section, _ in PLACES[:CLOSING])
    gone = [number for number, at in enumerate(PLACES[:CLOSING]) if at == (segment, SIZE - OVERHEAD_BYTES)]
    assembly = assembled(b"".join(packet for number, packet in enumerate(PACKETS) if number not in gone))
    assert [one.number for one in assembly.sections.partial] == [segment]
    assert assembly.sections.whole == len(PARTS) - 1
    (start, stop), size = assembly.sections.partial[0].missing[0], sum(one[2] for one in PARTS[:segment])
    expected = bytearray(STREAM)
    expected[10 + size + start : 10 + size + stop] = bytes(stop - start)
    assert assembly.stream == bytes(expected)
    assert list(assembly.lost_strips().lines) == [LINES // STRIP - 1]


EDGE = st.one_of(st.integers(0, 3), st.integers(2**32 - 4, 2**32 - 1), st.integers(0, 2**32 - 1))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    heads=st.lists(
        st.tuples(
            st.integers(0, 6), st.integers(0, 2), EDGE, EDGE, EDGE, EDGE, st.binary(min_size=1, max_size=40)
        ),
        max_size=6,
    )
)
def test_whatever_packets_claim(heads):
    """With right controls, among the real ones: an error of our own at worst, and no memory for claims."""
    version = int.from_bytes(STREAM[8:10], "little")
    wrong = b"".join(
        packet(PacketHead(kind, version + (other == 2), 5, number, section, length, offset, IDENTITY), data)
        for kind, other, number, section, length, offset, data in heads
    )
    for data in (wrong, b"".join([*PACKETS[:5], wrong, *PACKETS[5:]]), b"".join([*PACKETS, wrong])):
        try:
            assembly = assembled(data)
        except StreamError:
            continue
        assert len(assembly.stream) <= 17 * len(data) + 10
        json.dumps(assembly.report(assembly.lost_strips()), allow_nan=False)


def test_a_section_that_is_whole_but_wrong_is_not_written():
    section = bytearray(write_section(Section.SEGMENT, b"payload"))
    section[-1] ^= 1
    wrong = packet(PacketHead(5, VERSION, 5, 0, 3, len(section), 0, IDENTITY), bytes(section))
    assembly = assembled(b"".join(PACKETS), wrong)
    # Of the same section, of another length: what is right wins.
    assert assembly.stream == STREAM
    assembly = assembled(wrong)
    assert (
        assembly.sections.whole,
        assembly.sections.partial[0].missing,
        assembly.sections.partial[0].number,
    ) == (0, [], 3)


def test_an_unknown_version_is_refused():
    with pytest.raises(StreamError, match="version 999"):
        assembled(packet(PacketHead(5, 999, 5, 0, 0, 3, 0, IDENTITY), b"abc"))


def test_bytes_without_packets():
    for data in (b"", b"\x08" * 5000, os.urandom(5000), STREAM):
        assert find_packets(data).packets == []
        assert find_packets(data).skipped == ([(0, len(data))] if data else [])


def test_sections_can_be_cut_as_they_are_made():
    """As a camera process would: no more than a section is held."""
    packetiser = Packetiser(replace(SETTINGS, identity=IDENTITY))
    made = []
    for kind, payload, _ in PARTS:
        made += packetiser.push(write_section(Section(kind), payload))
    assert [*made, *packetiser.close()] == PACKETS
