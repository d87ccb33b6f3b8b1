"""Packets of a stream as it is made: out with their strip, and put together again on the ground."""

import io
import random
from datetime import datetime, timezone

import ccsdspy
import numpy as np
import pytest

from bandfold.bitstream.container.packet_layout import PacketHead
from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.onboard import StreamEncoder
from bandfold.onboard.downlink.packet_writer import PacketWriter
from bandfold.onboard.downlink.packets import PacketSettings, packetise

from ..test_stream_encoder import STRIP, three_lands
from .test_packets import LAYOUT

TIME = datetime(2026, 3, 1, tzinfo=timezone.utc)
SETTINGS = PacketSettings(
    5, size=136, scene=3, repeat=2, count=16_370, time=TIME, identity=bytes.fromhex("0123456789abcdef")
)


@pytest.fixture(scope="module")
def cube():
    return three_lands()


@pytest.fixture(scope="module")
def sent(cube):
    """The stream, its packets, and how many there were after each line."""
    stream, packets, after = [], [], []
    writer = PacketWriter(SETTINGS, packets.append)

    def write(data):
        stream.append(data)
        writer.write(data)

    info = SceneInfo(*cube.shape, cube.dtype, interleave="bil", metadata={"sensor": "made up"})
    encoder = StreamEncoder(info, write, step=60.0, strip_lines=STRIP, repeat=0)
    for line in range(cube.shape[1]):
        encoder.push(cube[:, line : line + 1].transpose(1, 0, 2))
        after.append(len(packets))
    encoder.flush()
    writer.close()
    assert writer.packetiser.packets == len(packets)
    assert writer.packetiser.left_out == 0
    return b"".join(stream), packets, after


def assembled(packets):
    reassembly = Reassembly()
    reassembly.add(find_packets(b"".join(packets)).packets)
    return reassembly.assemble()


def kinds(stream):
    return [section.kind for section in read_sections(stream)]


def test_the_packets_are_those_of_the_finished_stream(sent):
    stream, packets, _ = sent
    assert packets == list(packetise(stream, SETTINGS))
    assert kinds(stream).count(Section.FOLD) > 1
    assert assembled(packets).stream == stream


def test_a_strip_is_sent_before_the_next_line_comes(sent):
    _, packets, after = sent
    assert {line for line in range(1, len(after)) if after[line] > after[line - 1]} == {
        line for line in range(1, len(after)) if line % STRIP == STRIP - 1
    }
    heads = [PacketHead.unpack(packet, 13) for packet in packets]
    for strip in range(len(after) // STRIP):
        of_segments = {head.section for head in heads[: after[(strip + 1) * STRIP - 1]] if head.kind == 5}
        assert len(of_segments) == strip + 1


def test_another_library_reads_the_stream_back(sent, caplog):
    stream, packets, _ = sent
    caplog.set_level("ERROR", logger="ccsdspy")
    found = LAYOUT.load(io.BytesIO(b"".join(packets)), include_primary_header=True)
    numbers = np.arange(len(packets))
    np.testing.assert_array_equal(found["CCSDS_SEQUENCE_COUNT"], (16_370 + numbers) % 16_384)
    np.testing.assert_array_equal(found["PACKET"], numbers)
    assert len(packets) > 14
    parts = {}
    for row in np.flatnonzero(found["KIND"]):
        data = bytes(found["DATA"][row].astype(np.uint8))
        parts.setdefault((found["SECTION"][row], found["OFFSET"][row]), data)
    assert stream[:10] + b"".join(parts[key] for key in sorted(parts)) == stream
    # A count that starts again from 0 is no gap.
    assert ccsdspy.utils.validate(io.BytesIO(b"".join(packets))) == []


@pytest.mark.parametrize("percent", [1, 5, 10, 30])
def test_losses_cost_the_strips_that_are_reported_and_no_others(sent, percent):
    stream, packets, _ = sent
    whole = Decoder(stream).decode()
    chance = random.Random(percent)
    seen = 0
    for _ in range(6):
        assembly = assembled([one for one in packets if chance.random() * 100 >= percent])
        strips = assembly.lost_strips()
        if strips.reason is not None:
            continue
        decoder = Decoder(assembly.stream)
        decoded = decoder.decode()
        lost = set()
        for start, stop in strips.lines.values():
            lost.update(range(start, stop))
        assert {line for one in decoder.damage for line in range(one.lines.start, one.lines.stop)} == lost
        kept = [line for line in range(decoded.shape[1]) if line not in lost]
        np.testing.assert_array_equal(decoded[:, kept], whole[:, kept])
        assert decoded.shape == whole.shape or not decoder.complete
        seen += bool(lost)
    assert seen


def test_what_is_given_up_is_closed_by_hand(cube):
    packets = []
    writer = PacketWriter(SETTINGS, packets.append)
    encoder = StreamEncoder(
        SceneInfo(*cube.shape, cube.dtype), writer.write, step=60.0, strip_lines=STRIP, repeat=0
    )
    encoder.push(cube[:, : 2 * STRIP + 1].transpose(1, 0, 2))
    writer.close()
    count = len(packets)
    writer.close()
    assert len(packets) == count
    assembly = assembled(packets)
    assert assembly.packets.sent == count
    decoder = Decoder(assembly.stream)
    assert decoder.decode().shape[1] == 2 * STRIP
    assert not decoder.complete
