"""Packets do not change by accident, and those of the first layout stay readable."""

import struct
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.onboard.downlink.packets import PacketSettings, packetise

GOLDEN = Path(__file__).parent / "golden"
STREAMS = ("rotated", "streamed")
HEADS = {1: struct.Struct(">HBHIIIII"), 2: struct.Struct(">HBHI8sIIII")}
"""Behind the time code: layout, kind, version, scene, identity, packet, section, length, offset."""


def golden(name, layout):
    return (GOLDEN / "packets" / f"{name}-layout{layout}.ccsds").read_bytes()


def stream_of(name, layout):
    """Packets of layout 1 hold streams of the release that wrote them."""
    return (GOLDEN / (f"packets/{name}-layout1.bndf" if layout == 1 else f"{name}.bndf")).read_bytes()


@pytest.mark.parametrize("name", STREAMS)
def test_the_packets_that_are_written(name):
    settings = PacketSettings(
        100, size=256, scene=7, repeat=2, count=16380, time=datetime(2026, 1, 1, tzinfo=timezone.utc)
    )
    assert b"".join(packetise(stream_of(name, 2), settings)) == golden(name, 2)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("layout", [1, 2])
def test_both_layouts_are_read(name, layout):
    found = find_packets(golden(name, layout))
    assert found.skipped == []
    reassembly = Reassembly()
    reassembly.add(found.packets)
    assembly = reassembly.assemble()
    assert assembly.stream == stream_of(name, layout)
    assert assembly.complete(assembly.lost_strips())
    assert (assembly.name.identity is None) == (layout == 1)
    assert assembly.proof.digest == (True if layout == 2 else None)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("layout", [1, 2])
def test_a_reader_written_after_the_document(name, layout):
    """Nothing of the package: lengths, fields and data as docs/packets.md has them."""
    data, position, sections, identities, closing = golden(name, layout), 0, {}, set(), []
    head = HEADS[layout]
    while position < len(data):
        end = position + 7 + int.from_bytes(data[position + 4 : position + 6], "big")
        mark, kind, version, scene, *rest = head.unpack_from(data, position + 13)
        identities.add(rest.pop(0) if layout == 2 else None)
        _, section, length, offset = rest
        content = data[position + 13 + head.size : end - 2]
        assert (mark, version, scene) == (0xBF00 + layout, 2, 7)
        if kind:
            whole = sections.setdefault(section, bytearray(length))
            whole[offset : offset + len(content)] = content
        else:
            closing.append((section, content))
        position = end
    stream = stream_of(name, layout)
    assert stream[:10] + b"".join(sections[number] for number in sorted(sections)) == stream
    assert len(identities) == 1
    assert [number for number, _ in closing] == [len(sections)] * 2
    if layout == 2:
        # Of a finished stream the digest of its sections is the identity too.
        assert {content[4:] for _, content in closing} == identities
