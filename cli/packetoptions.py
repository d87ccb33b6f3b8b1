"""Packets as the command line names them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import SettingsError

if TYPE_CHECKING:
    from bandfold.onboard.downlink.packets import Packetiser, PacketSettings

PACKETS_METAVAR = "apid=N[,KEY=VALUE...]"

PACKETS_HELP = (
    "apid (0-2046); size: bytes of a packet at most [4096]; repeat: segments after which header and bases "
    "are sent again, 0 for never [8]; count: first sequence count [0]; scene: number of the scene; time: "
    "time code of all packets, like 2026-03-01T12:00:00Z [both: now]."
)


def read_packet_settings(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> PacketSettings | None:
    """Convert an option like ``apid=100,size=1024`` (callback of `click.option`).

    Parameters
    ----------
    context, parameter
        Not used.
    text : str or None
        As given.

    Returns
    -------
    PacketSettings or None
        None if the option is not given.

    Raises
    ------
    SettingsError
        If a key is unknown, given twice or absent, or a value out of range.
    """
    if text is None:
        return None
    from bandfold.onboard.downlink.packets import Packetiser, PacketSettings

    values: dict[str, Any] = {}
    for item in text.split(","):
        key, _, value = (part.strip() for part in item.partition("="))
        if key in values or key not in PacketSettings.__dataclass_fields__:
            raise SettingsError(
                f"--packets {text!r}: {key!r} is unknown or there twice; write {PACKETS_METAVAR}"
            )
        values[key] = _time(value) if key == "time" else _number(key, value)
    if "apid" not in values:
        raise SettingsError(f"--packets {text!r} has no apid: write {PACKETS_METAVAR}")
    settings = PacketSettings(**values)
    # Fails without the library: now, not after the scene has been coded.
    Packetiser(settings)
    return settings


def _number(key: str, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError as error:
        raise SettingsError(f"--packets: {key} {text!r} is not a whole number") from error


def _time(text: str) -> datetime:
    try:
        # Python 3.10 does not know Z.
        time = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError as error:
        raise SettingsError(f"--packets: time {text!r} is not like 2026-03-01T12:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def write_packets(stream: bytes, settings: PacketSettings, output: Path) -> dict[str, Any]:
    """Write a stream as packets; the file appears whole or not at all.

    Parameters
    ----------
    stream : bytes
    settings : PacketSettings
    output : Path

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
        "packets": packetiser.packets,
        "copies": packetiser.copies,
        "sections": packetiser.sections,
        "bytes": size,
        "next_count": packetiser.next_count,
        "damaged_bytes_left_out": packetiser.left_out,
    }
