"""Packets in place of a stream: of one that is there, or of one while it is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bandfold.common.atomic_files import atomic_output

if TYPE_CHECKING:
    from bandfold.onboard.downlink.packets import Packetiser, PacketSettings


def write_packets(stream: bytes, settings: PacketSettings, output: Path) -> dict[str, Any]:
    """Write a stream as packets; the file appears whole or not at all.

    Parameters
    ----------
    stream : bytes
        The whole stream.
    settings : PacketSettings
        APID, sizes, counts and times of the packets.
    output : Path
        File of the packets.

    Returns
    -------
    dict
        What was written, ready for JSON.
    """
    from bandfold.onboard.downlink.packets import packetiser_for

    packetiser = packetiser_for(stream, settings)
    with atomic_output(output) as file:
        size = sum(file.write(packet) for packet in packetiser.push_stream(stream))
        size += sum(file.write(packet) for packet in packetiser.close())
    return _report(settings, packetiser, size)


class PacketOutput:
    """Where a stream goes that is sent as packets while it is made.

    Parameters
    ----------
    settings : PacketSettings
        APID, sizes, counts and times of the packets.
    write : callable
        Called once with all packets of what is written at once.
    """

    def __init__(self, settings: PacketSettings, write: Callable[[bytes], object]) -> None:
        from bandfold.onboard.downlink.packet_writer import PacketWriter

        self._settings = settings
        self._write = write
        self._made: list[bytes] = []
        self._writer = PacketWriter(settings, self._made.append)
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send sections."""
        self._writer.write(data)
        packets = b"".join(self._made)
        self._made.clear()
        self._write(packets)
        self._size += len(packets)

    def report(self) -> dict[str, Any]:
        """What was written; see `write_packets`."""
        return _report(self._settings, self._writer.packetiser, self._size)


def _report(settings: PacketSettings, packetiser: Packetiser, size: int) -> dict[str, Any]:
    return {
        "apid": settings.apid,
        "scene": packetiser.scene,
        "identity": packetiser.identity.hex(),
        "packets": packetiser.packets,
        "copies": packetiser.copies,
        "sections": packetiser.sections,
        "bytes": size,
        "next_count": packetiser.next_count,
        "damaged_bytes_left_out": packetiser.left_out,
    }
