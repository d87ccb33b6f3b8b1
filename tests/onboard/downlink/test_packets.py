"""Packets: what is in each of them, and that another library reads them."""

import hashlib
import io
import logging
import os
import re
import struct
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import ccsdspy
import numpy as np
import pytest
from fastcrc import crc16

from bandfold.bitstream.container.packet_layout import OVERHEAD_BYTES, PacketHead, packet_control
from bandfold.bitstream.container.sections import Section, read_sections, write_preamble, write_section
from bandfold.common.errors import SettingsError, StreamError
from bandfold.onboard import Encoder
from bandfold.onboard.downlink.packets import Packetiser, PacketSettings, cds_time, packetise

TIME = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=timezone.utc)
LAYOUT = ccsdspy.VariableLength(
    [
        ccsdspy.PacketField("TIME_CODE", "uint", 8),
        ccsdspy.PacketField("DAY", "uint", 16),
        ccsdspy.PacketField("MILLISECONDS", "uint", 32),
        ccsdspy.PacketField("IDENTITY", "uint", 16),
        ccsdspy.PacketField("KIND", "uint", 8),
        ccsdspy.PacketField("VERSION", "uint", 16),
        ccsdspy.PacketField("SCENE", "uint", 32),
        ccsdspy.PacketField("STREAM", "uint", 64),
        ccsdspy.PacketField("PACKET", "uint", 32),
        ccsdspy.PacketField("SECTION", "uint", 32),
        ccsdspy.PacketField("LENGTH", "uint", 32),
        ccsdspy.PacketField("OFFSET", "uint", 32),
        ccsdspy.PacketArray(name="DATA", data_type="uint", bit_length=8, array_shape="expand"),
        ccsdspy.PacketField("CONTROL", "uint", 16),
    ]
)


@pytest.fixture(scope="module")
def stream():
    rng = np.random.default_rng(0)
    cube = rng.integers(0, 900, (5, 48, 19)).cumsum(axis=1).astype(np.uint16)
    return Encoder(step=20.0, strip_lines=8).encode(cube)


def framed(stream):
    """The sections of a stream with their frames."""
    position, parts = len(write_preamble()), []
    for section in read_sections(stream):
        parts.append(stream[position : position + section.size])
        position += section.size
    return parts


def read(packets):
    """Packets as the independent reader sees them."""
    return LAYOUT.load(io.BytesIO(b"".join(packets)), include_primary_header=True)


def test_another_library_reads_the_stream_back(stream):
    packets = list(packetise(stream, PacketSettings(77, size=256, scene=9, repeat=0, time=TIME)))
    found = read(packets)
    assert set(found["CCSDS_APID"]) == {77}
    assert set(found["CCSDS_VERSION_NUMBER"]) == set(found["CCSDS_PACKET_TYPE"]) == {0}
    assert set(found["CCSDS_SECONDARY_FLAG"]) == {1}
    assert found["CCSDS_SEQUENCE_COUNT"].tolist() == list(range(len(packets)))
    assert (found["CCSDS_PACKET_LENGTH"] + 7).tolist() == [len(packet) for packet in packets]
    assert set(found["SCENE"]) == {9}
    parts = framed(stream)
    closing = found["KIND"] == 0
    assert closing.tolist() == [False] * (len(packets) - 2) + [True, True]
    for number, part in enumerate(parts):
        rows = np.flatnonzero((found["SECTION"] == number) & ~closing)
        assert b"".join(bytes(found["DATA"][row].astype(np.uint8)) for row in rows) == part
        assert set(found["KIND"][rows]) == {part[0]}
        assert set(found["LENGTH"][rows]) == {len(part)}
        assert found["OFFSET"][rows].tolist() == list(range(0, len(part), 256 - OVERHEAD_BYTES))
        # 1 first, 0 in between, 2 last, 3 alone.
        flags = [1, *[0] * (len(rows) - 2), 2] if len(rows) > 1 else [3]
        assert found["CCSDS_SEQUENCE_FLAG"][rows].tolist() == flags
    assert found["SECTION"][-2:].tolist() == [len(parts)] * 2
    digest = hashlib.sha256(b"".join(parts)).digest()[:8]
    assert bytes(found["DATA"][-1].astype(np.uint8)) == struct.pack(">I", len(packets)) + digest
    # Of a finished stream the digest is its identity as well.
    assert set(found["STREAM"]) == {int.from_bytes(digest, "big")}


def test_other_readers_find_nothing_to_complain_about(stream):
    packets = b"".join(packetise(stream, PacketSettings(77, size=128, count=5)))
    assert ccsdspy.utils.validate(io.BytesIO(packets)) == []


def test_time_code(stream):
    packet = next(packetise(stream, PacketSettings(1, time=TIME)))
    assert packet[6] == 0x40
    days, milliseconds = struct.unpack_from(">HI", packet, 7)
    assert datetime(1958, 1, 1, tzinfo=timezone.utc) + timedelta(days, 0, 0, milliseconds) == TIME
    found = read([packet])
    assert (found["DAY"][0], found["MILLISECONDS"][0]) == (days, milliseconds)
    # Milliseconds are cut, never rounded up to a day that has 86,400,000 of them.
    assert cds_time(TIME.replace(hour=23, minute=59, second=59, microsecond=999_999))[1] == 86_399_999
    for bad in (TIME.replace(tzinfo=None), datetime(1957, 12, 31, tzinfo=timezone.utc)):
        with pytest.raises(SettingsError, match="of the packets"):
            PacketSettings(1, time=bad)


def test_time_and_scene_are_those_of_the_clock_by_default(stream):
    before = datetime.now(timezone.utc)
    packet = next(packetise(stream, PacketSettings(1)))
    after = datetime.now(timezone.utc)
    assert cds_time(before) <= struct.unpack_from(">HI", packet, 7) <= cds_time(after)
    head = PacketHead.unpack(packet, 13)
    assert int(before.timestamp()) <= head.scene <= after.timestamp()


def test_the_control_is_that_of_ecss(stream):
    for packet in packetise(stream, PacketSettings(1, size=100)):
        assert packet_control(packet[:-2]) == packet[-2:]
        assert crc16.ibm_3740(packet) == 0
    assert packet_control(b"123456789") == b"\x29\xb1"


@pytest.mark.parametrize("size", [64, 100, 65542])
def test_sizes(stream, size):
    packets = list(packetise(stream, PacketSettings(1, size=size)))
    assert max(map(len, packets)) <= size
    assert all(len(packet) > OVERHEAD_BYTES for packet in packets)


def test_counts_wrap_around_and_numbers_do_not():
    section = write_section(Section.SEGMENT, os.urandom(16 * 17_000))
    packetiser = Packetiser(PacketSettings(3, size=64, count=16_000, repeat=0))
    found = read([*packetiser.push(section), *packetiser.close()])
    numbers = np.arange(len(found["PACKET"]))
    assert len(numbers) > 17_000
    np.testing.assert_array_equal(found["PACKET"], numbers)
    np.testing.assert_array_equal(found["CCSDS_SEQUENCE_COUNT"], (16_000 + numbers) % 16_384)
    assert packetiser.next_count == (16_000 + len(numbers)) % 16_384


def kinds(packets):
    return [PacketHead.unpack(packet, 13).section for packet in packets]


def push(packetiser, *sections):
    return [kinds(packetiser.push(write_section(kind, bytes([number])))) for number, kind in sections]


def test_what_all_segments_need_is_repeated():
    packetiser = Packetiser(PacketSettings(3, repeat=2))
    segment = (0, Section.SEGMENT)
    start = [(0, Section.HEADER), (1, Section.FOLD), (2, Section.ROTATION)]
    assert push(packetiser, *start, segment, segment, segment) == [[0], [1], [2], [3], [4, 0, 1, 2], [5]]
    # A later fold takes the place of the first one, but two in a row are both repeated.
    assert push(packetiser, (6, Section.FOLD), (7, Section.FOLD), segment) == [[6], [7], [8, 0, 2, 6, 7]]
    assert push(packetiser, segment, segment) == [[9], [10, 0, 2, 7]]
    assert kinds(packetiser.close()) == [11, 11]
    assert packetiser.copies == 10


def test_copies_come_at_the_end_at_the_latest():
    packetiser = Packetiser(PacketSettings(3))
    push(packetiser, (0, Section.HEADER), (1, Section.SEGMENT))
    assert kinds(packetiser.close()) == [0, 2, 2]
    packetiser = Packetiser(PacketSettings(3, repeat=0))
    push(packetiser, (0, Section.HEADER), (1, Section.SEGMENT))
    assert kinds(packetiser.close()) == [2, 2]
    assert packetiser.copies == 0


def test_the_identity_of_a_stream_is_of_its_content_or_random(stream):
    def identities(packets):
        return {PacketHead.unpack(packet, 13).identity for packet in packets}

    settings = PacketSettings(3, scene=7, time=TIME)
    other = Encoder(step=21.0, strip_lines=8).encode(np.ones((2, 8, 8), np.uint8))
    (first,), (second,) = identities(packetise(stream, settings)), identities(packetise(other, settings))
    assert first != second
    assert identities(packetise(stream, PacketSettings(4, size=100, scene=8, count=9))) == {first}
    given = replace(settings, identity=bytes(range(8)))
    assert identities(packetise(stream, given)) == {bytes(range(8))}
    # While a stream is made its content is not known: nothing but chance tells two runs apart.
    assert len({Packetiser(settings).identity for _ in range(20)}) == 20
    assert Packetiser(given).identity == bytes(range(8))


def test_what_is_damaged_is_left_out(stream):
    parts = framed(stream)
    damaged = bytearray(stream)
    damaged[len(write_preamble()) + len(b"".join(parts[:3])) - 1] ^= 1
    packetiser = Packetiser(PacketSettings(3, repeat=0))
    assert len(set(kinds(packetiser.push_stream(bytes(damaged))))) == len(parts) - 1
    assert packetiser.left_out == len(parts[2])


def test_what_is_no_stream_is_refused():
    for data in (b"", b"no stream at all"):
        with pytest.raises(StreamError, match="not a bandfold stream"):
            list(packetise(data, PacketSettings(1)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"apid": -1}, "apid -1 of the packets is out of range: give 0 to 2046"),
        ({"apid": 2047}, "apid 2047"),
        ({"size": 63}, "size 63"),
        ({"size": 65543}, "size 65543"),
        ({"scene": 1 << 32}, "scene"),
        ({"repeat": -1}, "repeat -1"),
        ({"count": 1 << 14}, "count 16384"),
        ({"identity": b"1234567"}, "identity of the packets has 7 bytes: give 8 (16 hexadecimal digits)"),
    ],
)
def test_settings_out_of_range_are_refused(given, message):
    with pytest.raises(SettingsError, match=re.escape(message)):
        PacketSettings(**{"apid": 1, **given})


def test_flight_without_the_library_still_encodes(tmp_path):
    script = (
        "import sys; sys.modules['spacepackets'] = None\n"
        "import numpy as np\n"
        "from bandfold.onboard import Encoder\n"
        "from bandfold.onboard.downlink.packets import PacketSettings, packetise\n"
        "stream = Encoder(step=4.0).encode(np.ones((2, 8, 8), np.uint8))\n"
        "try:\n    list(packetise(stream, PacketSettings(1)))\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("SettingsError packets need spacepackets: pip install 'bandfold[packets]'")


@pytest.fixture(autouse=True)
def quiet(caplog):
    """The reader tells on its own logger that sequence counts wrap around."""
    caplog.set_level(logging.ERROR, logger="ccsdspy")
