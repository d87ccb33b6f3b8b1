"""What the texts of options mean: ranges, sizes, names, no-data values, partitions, settings of packets."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import SettingsError
from bandfold.common.input_files import read_list

if TYPE_CHECKING:
    from bandfold.common.scene import NoData
    from bandfold.onboard.downlink.packets import PacketSettings

Range = tuple[int | None, int | None]
"""Start and stop of a range, None where it is open."""

PACKETS_METAVAR = "apid=N[,KEY=VALUE...]"


def parse_range(text: str) -> Range:
    """Read a range like ``10:40``, ``:40`` or ``10:``.

    Parameters
    ----------
    text : str
        As given.

    Returns
    -------
    tuple of int or None
        Start and stop, None where open.

    Raises
    ------
    click.BadParameter
        If the text is no range.
    """
    match = re.fullmatch(r"([0-9]{0,18}):([0-9]{0,18})", text.strip())
    if match is None:
        raise click.BadParameter(
            f"{text!r} is no range: write 10:40, :40 or 10: (counted from 0, end excluded)"
        )
    start, stop = (int(bound) if bound else None for bound in match.groups())
    return start, stop


def parse_size(text: str) -> int:
    """Read a size like ``500000``, ``512M`` or ``1.5G``, powers of 1024.

    Parameters
    ----------
    text : str
        As given.

    Returns
    -------
    int
        Bytes, at least 1.

    Raises
    ------
    click.BadParameter
        If the text is no size.
    """
    match = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    size = int(float(match[1]) * 1024.0 ** " KMGT".index(match[2].upper() or " ")) if match else 0
    if size < 1:
        raise click.BadParameter(f"{text!r} is no size: write 4G, 512M or a number of bytes")
    return size


def parse_no_data(text: str | None) -> float | NoData | None:
    """Read the value of ``--no-data``.

    Parameters
    ----------
    text : str or None
        A number, ``none``, or None where the option is not given.

    Returns
    -------
    float, NoData or None
        What `bandfold.formats.scene_options.SceneOptions` expects.

    Raises
    ------
    SettingsError
        If the text is neither.
    """
    from bandfold.common.scene import NoData

    if text is None:
        return NoData.HEADER
    if text.strip().lower() == "none":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise SettingsError(f"--no-data {text!r} is not a number: give one, nan, or none") from error


def parse_partition(text: str) -> str | tuple[int, ...]:
    """Read the value of ``--partition``.

    Parameters
    ----------
    text : str
        ``auto``, ``aviris-2022`` or a file that ``bandfold partition -o`` wrote.

    Returns
    -------
    str or tuple of int
        What the encoder expects: a name, or the ends that the file lists.

    Raises
    ------
    SettingsError
        If the file cannot be read or lists no ends.
    """
    if text in ("auto", "aviris-2022"):
        return text
    try:
        content = json.loads(read_list(text))
    except OSError as error:
        raise SettingsError(
            f"--partition {text!r} cannot be read: {error.strerror}; give auto, aviris-2022 or a file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"--partition {text} is not JSON: write it with bandfold partition -o") from error
    ends = content.get("ends") if isinstance(content, dict) else None
    if not isinstance(ends, list) or not ends or any(type(end) is not int for end in ends):
        raise SettingsError(
            f'--partition {text} does not hold {{"ends": [integers]}}: see bandfold partition -o'
        )
    return tuple(ends)


def parse_max_error(text: str) -> float | tuple[float, ...]:
    """Read the value of ``--max-error``.

    Parameters
    ----------
    text : str
        A number, or a file that lists a number for each band: separated by spaces, commas or line ends.

    Returns
    -------
    float or tuple of float
        In the units of the samples.

    Raises
    ------
    SettingsError
        If it is no number, and no such file.
    """
    try:
        return float(text)
    except ValueError:
        return _numbers_of_bands("--max-error", text, "number")


def parse_weights(text: str) -> str | tuple[float, ...]:
    """Read the value of ``--weights``.

    Parameters
    ----------
    text : str
        ``snr``, or a file that lists a number for each band: separated by spaces, commas or line ends.

    Returns
    -------
    str or tuple of float
        What `bandfold.onboard.settings.EncoderSettings` expects.

    Raises
    ------
    SettingsError
        If it is neither.
    """
    return text if text == "snr" else _numbers_of_bands("--weights", text, "name")


def _numbers_of_bands(option: str, text: str, other: str) -> tuple[float, ...]:
    """Numbers of a file that an option names, where its text is nothing else that it takes."""
    try:
        words = read_list(text).replace(",", " ").split()
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{option} {text!r} is no {other} and no text file that can be read: give one, or a file that "
            "lists a number for each band"
        ) from error
    try:
        numbers = tuple(map(float, words))
    except ValueError as error:
        raise SettingsError(f"{option} {text}: {error}; list one number for each band") from error
    if not numbers:
        raise SettingsError(f"{option} {text} is empty: list one number for each band")
    return numbers


def parse_packet_settings(text: str) -> PacketSettings:
    """Read the settings of packets, like ``apid=100,size=1024``.

    Parameters
    ----------
    text : str
        As given.

    Returns
    -------
    PacketSettings
        What the text says; everything else as it is by default.

    Raises
    ------
    SettingsError
        If a key is unknown, given twice or absent, or a value out of range.
    """
    from bandfold.onboard.downlink.packets import Packetiser, PacketSettings

    values: dict[str, Any] = {}
    for item in text.split(","):
        key, _, value = (part.strip() for part in item.partition("="))
        if key in values or key not in PacketSettings.__dataclass_fields__:
            raise SettingsError(
                f"--packets {text!r}: {key!r} is unknown or there twice; write {PACKETS_METAVAR}"
            )
        read = {"time": _time, "identity": _identity}.get(key)
        values[key] = _number(key, value) if read is None else read(value)
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


def _identity(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise SettingsError(f"--packets: identity {text!r} is not made of hexadecimal digits") from error


def _time(text: str) -> datetime:
    try:
        # Python 3.10 does not know Z.
        time = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError as error:
        raise SettingsError(f"--packets: time {text!r} is not like 2026-03-01T12:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)
