"""CCSDS space packets: the sections of a stream, cut to the size of a packet."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.packet_layout import (
    CLOSING,
    CLOSING_DATA,
    COUNTS,
    IDENTITY_BYTES,
    OVERHEAD_BYTES,
    PRIMARY_BYTES,
    PacketHead,
    packet_control,
    section_digest,
)
from bandfold.bitstream.container.sections import (
    CHECK_BYTES,
    SIGNATURE,
    VERSION,
    Section,
    read_sections,
    read_varint,
    write_preamble,
)
from bandfold.common.errors import SettingsError, StreamError

if TYPE_CHECKING:
    from spacepackets.ccsds.spacepacket import SequenceFlags

EPOCH = datetime(1958, 1, 1, tzinfo=timezone.utc)
"""Day 0 of the time code."""

SMALLEST, LARGEST = 64, PRIMARY_BYTES + (1 << 16)
"""Bytes of a packet: the least that makes sense, and the most that its length field can say."""

IDLE_APID = (1 << 11) - 1
"""Reserved for idle packets."""

CLOSING_COPIES = 2
"""Closing packets of a scene."""

_UINT32 = (1 << 32) - 1


@dataclass(frozen=True)
class PacketSettings:
    """How packets are made.

    Parameters
    ----------
    apid : int
        Application process identifier, 0 to 2046.
    size : int
        Bytes of a packet at most, headers included: 64 to 65542.
    scene : int, optional
        Number of the scene, by which people name it, 32 bits. The time of the first packet in seconds since
        1970 by default. Streams are told apart by their identity.
    repeat : int
        After so many segments, and at the end, the sections that are not segments are sent again; 0 for
        never.
    count : int
        Sequence count of the first packet, 0 to 16383.
    time : datetime, optional
        Time code of all packets. The time at which each section is cut by default.
    identity : bytes, optional
        What all packets of this stream carry and those of no other, 8 bytes. By default the digest of a
        finished stream, so that the same stream cut again goes together with what was cut before; and a
        random number for a stream that is sent while it is made. A clock has no part in it.

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    apid: int
    size: int = 4096
    scene: int | None = None
    repeat: int = 8
    count: int = 0
    time: datetime | None = None
    identity: bytes | None = None

    def __post_init__(self) -> None:
        ranges = {
            "apid": (self.apid, 0, IDLE_APID - 1),
            "size": (self.size, SMALLEST, LARGEST),
            "scene": (self.scene or 0, 0, _UINT32),
            "repeat": (self.repeat, 0, _UINT32),
            "count": (self.count, 0, COUNTS - 1),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise SettingsError(f"{name} {value} of the packets is out of range: give {low} to {high}")
        if self.time is not None:
            cds_time(self.time)
        if self.identity is not None and len(self.identity) != IDENTITY_BYTES:
            raise SettingsError(
                f"identity of the packets has {len(self.identity)} bytes: give {IDENTITY_BYTES} "
                f"({2 * IDENTITY_BYTES} hexadecimal digits)"
            )


class Packetiser:
    """Cuts sections into packets, one after the other, as they are made.

    Parameters
    ----------
    settings : PacketSettings
        APID, size, scene number and repetition of the packets.
    version : int
        Version of the format of the sections.

    Raises
    ------
    SettingsError
        If spacepackets is not installed.

    Attributes
    ----------
    packets, sections : int
        Made so far, copies counted among the packets.
    copies : int
        Packets among them that are sent again.
    left_out : int
        Bytes of sections that were not intact and are not sent.
    identity : bytes
        Of the stream, in each packet: that of the settings, or a random one.
    """

    def __init__(self, settings: PacketSettings, version: int = VERSION) -> None:
        self._header, self._flags, self._time_code = _spacepackets()
        self._settings = settings
        self._version = version
        self._scene = settings.scene
        self.identity = (
            secrets.token_bytes(IDENTITY_BYTES) if settings.identity is None else settings.identity
        )
        self._digest = hashlib.sha256()
        self._since = 0
        self._whole = False
        self._latest: dict[tuple[int, int], tuple[int, bytes]] = {}
        self._fresh: dict[int, bytes] = {}
        self.packets = self.sections = self.copies = self.left_out = 0

    @property
    def scene(self) -> int | None:
        """Number of the scene; None before the first packet, if it is to follow from the time."""
        return self._scene

    @property
    def next_count(self) -> int:
        """Sequence count of the next packet: where the next scene goes on."""
        return (self._settings.count + self.packets) % COUNTS

    def push(self, section: bytes) -> Iterator[bytes]:
        """Cut a section.

        Parameters
        ----------
        section : bytes
            Kind, length, checksum and payload, as `bandfold.bitstream.container.sections.write_section` makes
            them.

        Yields
        ------
        bytes
            Packets, first to last; and after as many segments as the settings say, copies of the sections
            that all segments need.

        Raises
        ------
        StreamError
            If it is longer than 4 GiB.
        """
        number, kind = self.sections, section[0]
        self.sections += 1
        self._digest.update(section)
        yield from self._cut(number, section)
        if not self._settings.repeat:
            return
        if kind == Section.REFINEMENT:
            return
        if kind != Section.SEGMENT:
            self._latest[self._name(section)] = (number, section)
            self._fresh[number] = section
            return
        self._since += 1
        if self._since == self._settings.repeat:
            yield from self._repeat()

    def push_stream(self, data: bytes) -> Iterator[bytes]:
        """Cut all intact sections of a stream.

        Parameters
        ----------
        data : bytes
            A stream from its signature on; `close` is still to be called.

        Yields
        ------
        bytes
            Packets.

        Raises
        ------
        StreamError
            If this is no stream, or one of an unknown version.
        """
        for section, intact in _framed(data):
            if intact:
                yield from self.push(section)
            else:
                self.left_out += len(section)

    def close(self) -> Iterator[bytes]:
        """End the scene.

        Yields
        ------
        bytes
            Copies of what was not repeated yet, and closing packets, which say how much there was and the
            digest of it.
        """
        if self._since or self._fresh:
            yield from self._repeat()
        total = CLOSING_DATA.pack(
            self.packets + CLOSING_COPIES & _UINT32, self._digest.digest()[:IDENTITY_BYTES]
        )
        for _ in range(CLOSING_COPIES):
            yield self._packet(CLOSING, self.sections, total, 0, len(total), self._now())

    def _repeat(self) -> Iterator[bytes]:
        """The last section of each kind, and those before it that have been sent only once.

        All folds and rotations of a stream that is not open: any segment that follows may name them.
        """
        again = {**self._fresh, **dict(self._latest.values())}
        self._fresh.clear()
        self._since = 0
        before = self.packets
        for number in sorted(again):
            yield from self._cut(number, again[number])
        self.copies += self.packets - before

    def _name(self, section: bytes) -> tuple[int, int]:
        """Kind of a section, and its number if older ones than the last are still needed."""
        kind, payload = section[0], section[read_varint(section, 1)[1] + CHECK_BYTES :]
        with suppress(StreamError):
            if kind == Section.HEADER:
                self._whole = not Header.unpack(payload).open
            elif self._whole and kind in (Section.FOLD, Section.ROTATION):
                return kind, read_varint(payload, 0)[0]
        return kind, 0

    def _cut(self, number: int, section: bytes) -> Iterator[bytes]:
        if len(section) > _UINT32:
            raise StreamError(
                f"section of {len(section)} bytes does not go into packets: encode lower strips"
            )
        time = self._now()
        room = self._settings.size - OVERHEAD_BYTES
        for offset in range(0, len(section), room):
            yield self._packet(
                section[0], number, section[offset : offset + room], offset, len(section), time
            )

    def _packet(self, kind: int, section: int, data: bytes, offset: int, length: int, time: bytes) -> bytes:
        if self._scene is None:
            self._scene = int((self._settings.time or datetime.now(timezone.utc)).timestamp()) & _UINT32
        head = PacketHead(
            kind,
            self._version,
            self._scene,
            self.packets & _UINT32,
            section & _UINT32,
            length,
            offset,
            self.identity,
        )
        first, last = offset == 0, offset + len(data) == length
        flags = self._flags((1 if first else 0) | (2 if last else 0))
        primary = self._header.tm(
            apid=self._settings.apid,
            seq_count=self.next_count,
            data_len=OVERHEAD_BYTES - PRIMARY_BYTES + len(data) - 1,
            sec_header_flag=True,
            seq_flags=flags,
        )
        self.packets += 1
        packet = bytes(primary.pack()) + time + head.pack() + data
        return packet + packet_control(packet)

    def _now(self) -> bytes:
        days, milliseconds = cds_time(self._settings.time or datetime.now(timezone.utc))
        return bytes(self._time_code(days, milliseconds))


def packetise(data: bytes, settings: PacketSettings) -> Iterator[bytes]:
    """Cut a stream into packets.

    Parameters
    ----------
    data : bytes
        The stream.
    settings : PacketSettings
        APID, size, scene number and repetition of the packets.

    Yields
    ------
    bytes
        Packets, the closing ones last.

    Raises
    ------
    StreamError
        If this is no stream, or one of an unknown version.
    SettingsError
        If spacepackets is not installed.
    """
    packetiser = packetiser_for(data, settings)
    yield from packetiser.push_stream(data)
    yield from packetiser.close()


def packetiser_for(data: bytes, settings: PacketSettings) -> Packetiser:
    """Make a packetiser for a finished stream.

    Parameters
    ----------
    data : bytes
        The whole stream.
    settings : PacketSettings
        As for `Packetiser`.

    Returns
    -------
    Packetiser
        For the version of the format of the stream, with the digest of its intact sections as its identity
        if the settings give none.

    Raises
    ------
    StreamError
        If this is no stream, or one of an unknown version.
    SettingsError
        If spacepackets is not installed.
    """
    if settings.identity is None:
        identity = section_digest(section for section, intact in _framed(data) if intact)
        settings = replace(settings, identity=identity)
    return Packetiser(settings, int.from_bytes(data[len(SIGNATURE) : len(SIGNATURE) + 2], "little"))


def _framed(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Sections of a stream with their frames, and whether they are intact."""
    position = len(write_preamble())
    for section in read_sections(data):
        yield data[position : position + section.size], section.intact
        position += section.size


def cds_time(time: datetime) -> tuple[int, int]:
    """Days since 1958 and milliseconds of the day.

    Parameters
    ----------
    time : datetime
        With a time zone.

    Returns
    -------
    days, milliseconds : int

    Raises
    ------
    SettingsError
        If the time has no zone or does not fit 16-bit days (1958 to mid 2137).
    """
    if time.tzinfo is None:
        raise SettingsError(f"time {time.isoformat()} of the packets has no zone: add Z for UTC")
    since = time - EPOCH
    if not 0 <= since.days < 1 << 16:
        raise SettingsError(f"time {time.isoformat()} of the packets is out of range: give 1958 to 2137")
    return since.days, timedelta(0, since.seconds, since.microseconds) // timedelta(milliseconds=1)


def _spacepackets() -> tuple[Any, type[SequenceFlags], Callable[[int, int], bytes]]:
    """Header, flags and time code of the library, which an encoder without packets does not need."""
    try:
        from spacepackets.ccsds.spacepacket import SequenceFlags, SpacePacketHeader
        from spacepackets.ccsds.time import CdsShortTimestamp
    except ImportError as error:
        raise SettingsError(
            "packets need spacepackets: pip install 'bandfold[packets]', or write a stream"
        ) from error

    def time_code(days: int, milliseconds: int) -> bytes:
        return bytes(CdsShortTimestamp(days, milliseconds, init_dt_unix_stamp=False).pack())

    return SpacePacketHeader, SequenceFlags, time_code
