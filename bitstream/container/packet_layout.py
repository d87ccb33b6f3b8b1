"""What is in a packet behind the headers of CCSDS: which part of which section; see ``docs/packets.md``."""

from __future__ import annotations

import binascii
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

LAYOUT_1, LAYOUT_2 = b"\xbf\x01", b"\xbf\x02"
"""First bytes behind the time code: this is a packet of bandfold, in the first or the second layout.

Packets of the second layout, the only one that is written, say which stream they are of.
"""

IDENTITY_BYTES = 8
"""Of the identity of a stream."""

CLOSING = 0
"""Kind of the packets that end a scene; no section has this kind."""

PRIMARY_BYTES = 6
"""Of the primary header of a space packet."""

TIME_BYTES = 7
"""Of the secondary header: CCSDS day segmented time code (CDS), 16-bit days, milliseconds of the day."""

COUNTS = 1 << 14
"""Sequence counts of a space packet wrap around here."""

CLOSING_DATA = struct.Struct(f">I{IDENTITY_BYTES}s")
"""What a closing packet holds: the number of packets of the scene, itself and its copies included, and the
`section_digest` of all its sections."""

CLOSING_DATA_1 = struct.Struct(">I")
"""What a closing packet of the first layout holds: the number of packets alone."""

_FIELDS = struct.Struct(f">BHI{IDENTITY_BYTES}sIIII")
_FIELDS_1 = struct.Struct(">BHIIIII")

HEAD_BYTES = len(LAYOUT_2) + _FIELDS.size
"""Of a `PacketHead`."""

CONTROL_BYTES = 2
"""Of the packet error control at the end."""

OVERHEAD_BYTES = PRIMARY_BYTES + TIME_BYTES + HEAD_BYTES + CONTROL_BYTES
"""Bytes of a packet that hold nothing of the stream."""


@dataclass(frozen=True)
class PacketHead:
    """Where the data of a packet belong.

    Parameters
    ----------
    kind : int
        Of the section, as in the container; `CLOSING` in a closing packet.
    version : int
        Version of the format of the stream.
    scene : int
        Number of the scene, 32 bits.
    packet : int
        Number of the packet in the scene, from 0, copies counted: 32 bits, where the sequence count has 14.
    section : int
        Number of the section in the stream, from 0; in a closing packet the number of sections.
    length : int
        Bytes of the section, frame included.
    offset : int
        Where in the section the data begin.
    identity : bytes or None
        Of the stream, 8 bytes, the same in all its packets and in those of no other stream; None in packets
        of the first layout, which tell streams apart by the number of the scene alone.
    """

    kind: int
    version: int
    scene: int
    packet: int
    section: int
    length: int
    offset: int
    identity: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes of the head in a packet."""
        return HEAD_BYTES if self.identity is not None else len(LAYOUT_1) + _FIELDS_1.size

    @property
    def overhead(self) -> int:
        """Bytes of a packet with this head that hold nothing of the stream."""
        return PRIMARY_BYTES + TIME_BYTES + self.size + CONTROL_BYTES

    def pack(self) -> bytes:
        """Bytes of the head, most significant first as in all of CCSDS."""
        place = self.packet, self.section, self.length, self.offset
        if self.identity is None:
            return LAYOUT_1 + _FIELDS_1.pack(self.kind, self.version, self.scene, *place)
        return LAYOUT_2 + _FIELDS.pack(self.kind, self.version, self.scene, self.identity, *place)

    @staticmethod
    def unpack(data: bytes, position: int) -> PacketHead | None:
        """Read a head.

        Parameters
        ----------
        data : bytes
            A packet.
        position : int
            Where the head starts.

        Returns
        -------
        PacketHead or None
            None if this is something else.
        """
        layout = data[position : position + len(LAYOUT_2)]
        start = position + len(LAYOUT_2)
        if layout == LAYOUT_1 and len(data) >= start + _FIELDS_1.size:
            return PacketHead(*_FIELDS_1.unpack_from(data, start))
        if layout == LAYOUT_2 and len(data) >= start + _FIELDS.size:
            kind, version, scene, identity, packet, section, length, offset = _FIELDS.unpack_from(data, start)
            return PacketHead(kind, version, scene, packet, section, length, offset, identity)
        return None


def section_digest(sections: Iterable[bytes]) -> bytes:
    """Digest of sections, by which closing packets bind all that was sent.

    Parameters
    ----------
    sections : iterable of bytes
        All sections of a stream in order, frames included.

    Returns
    -------
    bytes
        First 8 bytes of the SHA-256 of all of them, one behind the other.
    """
    digest = hashlib.sha256()
    for section in sections:
        digest.update(section)
    return digest.digest()[:IDENTITY_BYTES]


def packet_control(data: bytes | bytearray | memoryview) -> bytes:
    """Packet error control of ECSS-E-ST-70-41C: CRC-16, polynomial 0x1021, all ones at first.

    Parameters
    ----------
    data : bytes
        The packet from its first byte to the last one before the control.

    Returns
    -------
    bytes
        Two bytes, most significant first.
    """
    return binascii.crc_hqx(data, 0xFFFF).to_bytes(CONTROL_BYTES, "big")
