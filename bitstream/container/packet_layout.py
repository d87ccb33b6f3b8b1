"""What is in a packet behind the headers of CCSDS: which part of which section; see ``docs/packets.md``."""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

IDENTITY = b"\xbf\x01"
"""First bytes behind the time code: this is a packet of bandfold, in the first layout."""

CLOSING = 0
"""Kind of the packets that end a scene; no section has this kind."""

PRIMARY_BYTES = 6
"""Of the primary header of a space packet."""

TIME_BYTES = 7
"""Of the secondary header: CCSDS day segmented time code (CDS), 16-bit days, milliseconds of the day."""

COUNTS = 1 << 14
"""Sequence counts of a space packet wrap around here."""

CLOSING_DATA = struct.Struct(">I")
"""What a closing packet holds: the number of packets of the scene, itself and its copies included."""

_FIELDS = struct.Struct(">BHIIIII")

HEAD_BYTES = len(IDENTITY) + _FIELDS.size
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
    """

    kind: int
    version: int
    scene: int
    packet: int
    section: int
    length: int
    offset: int

    def pack(self) -> bytes:
        """Bytes of the head, most significant first as in all of CCSDS."""
        return IDENTITY + _FIELDS.pack(
            self.kind, self.version, self.scene, self.packet, self.section, self.length, self.offset
        )

    @staticmethod
    def unpack(data: bytes, position: int) -> PacketHead | None:
        """Read a head.

        Parameters
        ----------
        data : bytes
            A packet.
        position : int
            Where it starts; `HEAD_BYTES` must follow.

        Returns
        -------
        PacketHead or None
            None if this is something else.
        """
        start = position + len(IDENTITY)
        if data[position:start] != IDENTITY:
            return None
        return PacketHead(*_FIELDS.unpack_from(data, start))


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
