"""Packets of several streams with one APID and number: never mixed, and never called complete too early."""

import random
from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
import pytest

from bandfold.bitstream.container.packet_layout import (
    CLOSING,
    CLOSING_DATA,
    PacketHead,
    packet_control,
)
from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.common.errors import StreamError
from bandfold.common.scene import SceneInfo
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.onboard import StreamEncoder
from bandfold.onboard.downlink.packet_writer import PacketWriter
from bandfold.onboard.downlink.packets import Packetiser, PacketSettings, packetise

from ..streams import encode, scene

LINES, STRIP = 40, 8
TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)
SETTINGS = PacketSettings(100, size=128, scene=7, repeat=2, time=TIME)


def sent_while_made(cube, settings=SETTINGS):
    """The stream of an encoder of lines, and its packets."""
    stream, packets = [], []
    writer = PacketWriter(settings, packets.append)

    def write(section):
        stream.append(section)
        writer.write(section)

    encoder = StreamEncoder(SceneInfo(*cube.shape, cube.dtype), write, step=8.0, strip_lines=STRIP, repeat=0)
    encoder.push(cube.transpose(1, 0, 2))
    encoder.flush()
    return b"".join(stream), packets


@pytest.fixture(scope="module")
def cube():
    return scene(lines=LINES)


@pytest.fixture(scope="module")
def other(cube):
    """A scene that begins with the lines of the first one."""
    return np.concatenate([cube[:, : 2 * STRIP], cube[:, :1:-1][:, : LINES - 2 * STRIP]], axis=1)


def reassembled(packets):
    reassembly = Reassembly()
    reassembly.add(find_packets(b"".join(packets)).packets)
    return reassembly


def heads(packets):
    return [PacketHead.unpack(packet, 13) for packet in packets]


def in_layout_1(packets):
    """The same packets as an earlier release made them."""
    older = []
    for packet in packets:
        head = PacketHead.unpack(packet, 13)
        data = packet[13 + head.size : -2]
        head = replace(head, identity=None)
        if head.kind == CLOSING:
            data = data[:4]
            head = replace(head, length=4)
        length = (head.overhead - 7 + len(data)).to_bytes(2, "big")
        body = packet[:4] + length + packet[6:13] + head.pack() + data
        older.append(body + packet_control(body))
    return older


def test_two_scenes_of_one_number_are_two(cube, other):
    first, second = sent_while_made(cube), sent_while_made(other)
    mixed = [*first[1], *second[1]]
    random.Random(1).shuffle(mixed)
    kept = [packet for packet in mixed if packet not in first[1][3:9]]
    reassembly = reassembled(kept)
    assert len(reassembly.streams) == 2
    with pytest.raises(
        StreamError, match=r"choose one stream .* packets of scene 7 of APID 100 \(identity .* \(identity "
    ):
        reassembly.assemble(100, 7)
    by_identity = {name.identity: name.identity.hex() for name in reassembly.streams}
    one = reassembly.assemble(identity=by_identity[heads(second[1])[0].identity])
    assert one.stream == second[0]
    assert one.complete(one.lost_strips())
    one = reassembly.assemble(identity=by_identity[heads(first[1])[0].identity][:12].upper())
    intact = [section.payload for section in read_sections(one.stream) if section.intact]
    assert set(intact) < {section.payload for section in read_sections(first[0])}
    assert not one.complete(one.lost_strips())


def test_a_stream_that_is_begun_anew_is_another_one(cube):
    """The same lines from the same encoder after a restart, which may have counted and coded otherwise."""
    _, packets = sent_while_made(cube)
    stream, again = sent_while_made(cube)
    reassembly = reassembled([*packets[: len(packets) // 2], *again])
    assert len(reassembly.streams) == 2
    assembled = reassembly.assemble(identity=heads(again)[0].identity.hex())
    assert assembled.stream == stream
    assert assembled.complete(assembled.lost_strips())


def test_a_finished_stream_that_is_sent_again_fills_the_gaps(cube):
    stream = encode(cube, strip_lines=STRIP)
    first = list(packetise(stream, SETTINGS))
    again = packetise(stream, replace(SETTINGS, size=100, count=900))
    assembly = reassembled([*first[:4], *first[9:], *again]).assemble()
    assert assembly.stream == stream
    assert assembly.complete(assembly.lost_strips())
    assert assembly.packets.renumbered > 0


def test_no_prefix_of_a_stream_of_lines_is_complete(cube):
    stream, packets = sent_while_made(cube)
    ends = [number for number, head in enumerate(heads(packets)) if head.kind == Section.END]
    for count in range(1, len(packets)):
        assembly = reassembled(packets[:count]).assemble()
        strips = assembly.lost_strips()
        # Behind the end there are only copies and closing packets.
        assert assembly.complete(strips) == strips.ended == (count > ends[0])
        if strips.ended:
            assert assembly.stream == stream


def test_a_scene_whose_header_tells_its_lines_needs_no_closing_packets(cube):
    stream = encode(cube, strip_lines=STRIP)
    assembly = reassembled(list(packetise(stream, replace(SETTINGS, repeat=0)))[:-2]).assemble()
    strips = assembly.lost_strips()
    assert assembly.packets.sent is None
    assert strips.ended
    assert assembly.complete(strips)


def test_a_stream_that_was_given_up_is_not_complete(cube):
    packets = []
    writer = PacketWriter(SETTINGS, packets.append)
    info = SceneInfo(*cube.shape, cube.dtype)
    encoder = StreamEncoder(info, writer.write, step=8.0, strip_lines=STRIP, repeat=0)
    encoder.push(cube[:, : 2 * STRIP].transpose(1, 0, 2))
    writer.close()
    assembly = reassembled(packets).assemble()
    assert assembly.proof.digest is True
    assert not assembly.sections.lost
    assert not assembly.complete(assembly.lost_strips())


def test_packets_of_two_streams_under_one_identity_are_refused(cube, other):
    settings = replace(SETTINGS, identity=bytes(8))
    packets = [*sent_while_made(cube, settings)[1], *sent_while_made(other, settings)[1]]
    with pytest.raises(
        StreamError, match=r"two streams are mixed .* section .* came intact with 2 different"
    ):
        reassembled(packets).assemble()


def test_the_digest_notices_a_section_of_another_stream(cube, other):
    """Without any contradiction: what the first stream lost comes from the second one."""
    settings = replace(SETTINGS, identity=bytes(8))
    (_, first), (_, second) = (sent_while_made(one, settings) for one in (cube, other))
    last = max(head.section for head in heads(first) if head.kind == Section.SEGMENT)
    mixed = [packet for packet, head in zip(first, heads(first), strict=True) if head.section != last]
    mixed += [packet for packet, head in zip(second, heads(second), strict=True) if head.section == last]
    assembly = reassembled(mixed).assemble()
    assert not assembly.sections.lost
    assert not assembly.sections.partial
    assert assembly.proof.digest is False
    assert not assembly.complete(assembly.lost_strips())


def test_other_bytes_of_a_section_are_told_and_its_checksum_decides(cube):
    _, packets = sent_while_made(cube)
    place, head = next(
        (number, head) for number, head in enumerate(heads(packets)) if head.kind == Section.SEGMENT
    )
    wrong = bytearray(packets[place])
    wrong[-5] ^= 1
    wrong[-2:] = packet_control(wrong[:-2])
    for order in ([bytes(wrong), *packets], [*packets, bytes(wrong)]):
        assembly = reassembled(order).assemble()
        assert assembly.sections.contradicted == [head.section]
        assert assembly.sections.partial == []
        assert assembly.complete(assembly.lost_strips())
        # Without closing packets nothing proves that the rest is of one stream.
        assembly = reassembled([packet for packet in order if packet not in packets[-2:]]).assemble()
        assert "different bytes" in assembly.proof.doubts[0]
        assert not assembly.complete(assembly.lost_strips())


def test_closing_packets_that_contradict_each_other_are_told(cube):
    _, packets = sent_while_made(cube)
    head = heads(packets)[-1]
    body = packets[-1][:13] + replace(head, section=head.section - 1).pack() + CLOSING_DATA.pack(9, bytes(8))
    assembly = reassembled([*packets, body + packet_control(body)]).assemble()
    assert "closing packets contradict each other" in assembly.proof.doubts
    assert not assembly.complete(assembly.lost_strips())


def test_what_layout_1_can_tell(cube, other):
    stream, first = sent_while_made(cube)
    _, second = sent_while_made(other)
    first, second = in_layout_1(first), in_layout_1(second)
    assembly = reassembled([*first, *first[4:9]]).assemble()
    assert assembly.stream == stream
    assert assembly.packets.duplicates == 5
    assert assembly.complete(assembly.lost_strips())
    end = next(number for number, head in enumerate(heads(first)) if head.kind == Section.END)
    assembly = reassembled(first[:end]).assemble()
    assert not assembly.complete(assembly.lost_strips())
    with pytest.raises(StreamError, match=r"mixed under scene 7 of APID 100 \(without identity\)"):
        reassembled([*first[:5], *first[7:], *second]).assemble()
    # One packet of another stream that fits nowhere: told, and nothing is called complete.
    alone = [packet for packet, head in zip(second, heads(second), strict=True) if head.length > 128][-1]
    assembly = reassembled([*first, alone]).assemble()
    assert assembly.proof.doubts
    assert not assembly.complete(assembly.lost_strips())


def test_layout_1_of_several_runs_is_doubted(cube):
    """The first half of one run and the second half of another one contradict each other nowhere."""
    stream = encode(cube, strip_lines=STRIP)
    first, second = (list(packetise(stream, replace(SETTINGS, count=count))) for count in (0, 77))
    half = len(first) // 2
    assembly = reassembled(in_layout_1([*first[:half], *second[half:]])).assemble()
    assert assembly.proof.doubts == ("sequence counts and numbers of packets are those of several runs",)
    assert not assembly.complete(assembly.lost_strips())


def test_many_versions_of_one_place_cost_little(cube):
    """Only a few of them are kept, and the number of ways to put a section together is bounded."""
    _, packets = sent_while_made(cube)
    head = next(head for head in heads(packets) if head.kind == Section.SEGMENT and head.length > 128)
    packetiser = Packetiser(replace(SETTINGS, identity=head.identity))
    chance = random.Random(3)
    forged = []
    for _ in range(300):
        data = chance.randbytes(head.length)
        forged += [
            packet
            for packet in packetiser._cut(head.section, data)
            if PacketHead.unpack(packet, 13).kind == data[0]
        ]
    assembly = reassembled([*forged, *packets]).assemble()
    assert head.section in assembly.sections.contradicted
    assert len(assembly.stream) < 2 * sum(map(len, packets))
