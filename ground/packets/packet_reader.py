"""CCSDS space packets found again in what arrived, whatever lies between them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bandfold.bitstream.container.packet_layout import (
    CONTROL_BYTES,
    LAYOUT_1,
    LAYOUT_2,
    PRIMARY_BYTES,
    TIME_BYTES,
    PacketHead,
    packet_control,
)
from bandfold.common.errors import SettingsError

if TYPE_CHECKING:
    from spacepackets.ccsds.spacepacket import SpacePacketHeader

_CANDIDATE = re.compile(
    # Version 0, telemetry, secondary header; a time code with 16-bit days and milliseconds; our layouts.
    rb"[\x08-\x0f].{%d}\x40.{%d}(?:%s|%s)"
    % (PRIMARY_BYTES - 1, TIME_BYTES - 1, re.escape(LAYOUT_1), re.escape(LAYOUT_2)),
    re.DOTALL,
)

_EFFORT, _LEAST_EFFORT = 8, 1 << 20
"""Times the bytes of a file that packets with a wrong error control may claim before they are passed over,
and bytes that they may claim of any file."""


@dataclass(frozen=True)
class Packet:
    """A packet whose error control agrees.

    Parameters
    ----------
    apid : int
        Application process identifier.
    count : int
        Sequence count, 14 bits.
    time : datetime
        When it was made, by its time code, UTC.
    head : PacketHead
        Which part of which section of which stream it holds.
    data : bytes
        That part of the section.
    """

    apid: int
    count: int
    time: datetime
    head: PacketHead
    data: bytes


@dataclass
class FoundPackets:
    """Packets found in a file.

    Parameters
    ----------
    packets : list of Packet
        In order of arrival.
    skipped : list of tuple of int
        Half-open ranges of bytes that are no packets of bandfold: damaged ones, fill, those of others.
    """

    packets: list[Packet] = field(default_factory=list)
    skipped: list[tuple[int, int]] = field(default_factory=list)


def find_packets(data: bytes) -> FoundPackets:
    """Find all packets of bandfold.

    Space packets have no marks between them, and one wrong length would lose all those behind it. So
    lengths are not followed blindly: wherever no packet with a right error control begins, the next place
    that looks like one is tried.

    Parameters
    ----------
    data : bytes
        Packets, one after the other or with anything in between.

    Returns
    -------
    FoundPackets
        With what lies between them.

    Raises
    ------
    SettingsError
        If spacepackets is not installed.
    """
    header_type, read_time = _spacepackets()
    found = FoundPackets()
    done = position = 0
    effort = _LEAST_EFFORT + _EFFORT * len(data)
    while (match := _CANDIDATE.search(data, position)) is not None:
        start = match.start()
        header = header_type.unpack(data[start : start + PRIMARY_BYTES])
        packet = _read(data, start, header, read_time)
        if packet is None:
            position, end = start + 1, start + header.packet_len
            if end <= len(data):
                # What many candidates lie over is looked at so often, and then passed over.
                effort -= header.packet_len
                position = position if effort >= 0 else end
            continue
        if start > done:
            found.skipped.append((done, start))
        found.packets.append(packet)
        done = position = start + header.packet_len
    if done < len(data):
        found.skipped.append((done, len(data)))
    return found


def _read(data: bytes, start: int, header: SpacePacketHeader, read_time: Any) -> Packet | None:
    """The packet that starts here, if one does."""
    end = start + header.packet_len
    behind_time = start + PRIMARY_BYTES + TIME_BYTES
    head = PacketHead.unpack(data, behind_time)
    if head is None or end > len(data) or header.packet_len <= head.overhead:
        return None
    body = end - CONTROL_BYTES
    if packet_control(memoryview(data)[start:body]) != data[body:end]:
        return None
    content = data[behind_time + head.size : body]
    if head.offset + len(content) > head.length:
        return None
    time: datetime = read_time.unpack(data[start + PRIMARY_BYTES : behind_time]).as_datetime()
    return Packet(header.apid, header.seq_count, time, head, content)


def _spacepackets() -> tuple[type[SpacePacketHeader], Any]:
    try:
        from spacepackets.ccsds.spacepacket import SpacePacketHeader
        from spacepackets.ccsds.time import CdsShortTimestamp
    except ImportError as error:
        raise SettingsError("packets need spacepackets: pip install 'bandfold[packets]'") from error
    return SpacePacketHeader, CdsShortTimestamp
