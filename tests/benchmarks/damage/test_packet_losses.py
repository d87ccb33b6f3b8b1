"""The figures of lost packets: what is lost is counted, and nothing else is touched."""

import random

import pytest

from bandfold.benchmarks.damage.packet_losses import lose, lost_sections, measure_losses, strips_that_differ
from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.onboard import Encoder
from bandfold.onboard.downlink.packets import PacketSettings, packetise
from bandfold.synthetic.scenes import SyntheticScene


@pytest.fixture(scope="module")
def stream():
    return Encoder(step=20.0, strip_lines=8).encode(SyntheticScene(64, 24, 8, 1))


def test_shares_are_those_of_chance(stream):
    alone = measure_losses(stream, PacketSettings(1, size=65542, scene=1, repeat=0), 8, 0.25, 400)
    # Each section is one packet: HEADER, FOLD and perhaps ROTATION are lost independently of each other.
    assert alone.packets in (8 + 3 + 2, 8 + 4 + 2)
    assert alone.strips_lost == pytest.approx(0.25, abs=0.03)
    assert 0.37 < alone.undecodable < 0.64
    often = measure_losses(stream, PacketSettings(1, size=65542, scene=1, repeat=1), 8, 0.25, 400)
    assert often.undecodable < 0.01
    assert often.overhead > alone.overhead > 0
    assert measure_losses(stream, PacketSettings(1), 8, 0.0, 1).strips_lost == 0
    everything = measure_losses(stream, PacketSettings(1), 8, 1.0, 3)
    assert (everything.undecodable, everything.strips_lost) == (1, 0)


def test_lost_segments_are_lost_strips(stream):
    packets = find_packets(b"".join(packetise(stream, PacketSettings(1, size=128, repeat=1)))).packets
    kinds = [section.kind for section in read_sections(stream)]
    first = kinds.index(Section.SEGMENT)
    seen = set()
    for seed in range(20):
        assembly = lose(packets, 0.08, random.Random(seed))
        strips = assembly.lost_strips()
        lost = lost_sections(assembly, len(kinds))
        if strips.reason is None:
            segments = [number for number in lost if kinds[number] == Section.SEGMENT]
            assert [number - first for number in segments] == sorted(strips.lines)
            seen.add(len(segments))
        else:
            assert set(lost) & {number for number, kind in enumerate(kinds) if kind != Section.SEGMENT}
    assert len(seen) > 2


def test_no_other_strip_differs(stream):
    strips, lost, differing = strips_that_differ(stream, PacketSettings(1, size=128, repeat=1), 0.05)
    assert strips == 8
    assert 0 < lost < 8
    assert differing == 0
