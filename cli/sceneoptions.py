"""Scenes and partitions as the command line names them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import SettingsError

from .common import parse_no_data

if TYPE_CHECKING:
    from bandfold.formats.opening import FileSource


def scaling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--scale``, ``--offset`` and ``--no-data``, which `open_source` takes."""
    scale = click.option(
        "--scale",
        metavar="S|auto",
        help="Value of one count, for 32-bit integers and floats; "
        "auto takes the finest that holds the scene.",
    )
    offset = click.option("--offset", type=float, help="Value of count 0; with --scale S.  [default: 0]")
    no_data = click.option(
        "--no-data",
        metavar="V|none",
        help="Value that marks absent data.  [default: the data ignore value of the header]",
    )
    return scale(offset(no_data(command)))


def array_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--variable`` and ``--band-axis``, which `open_source` takes."""
    variable = click.option(
        "--variable",
        metavar="NAME",
        help="Array to take from a file of several (NetCDF, HDF5, Zarr, MATLAB, .npz).  "
        "[default: the only cube]",
    )
    axis = click.option(
        "--band-axis",
        metavar="N|NAME",
        help="Which axis of the array are the bands, from 0, or its name.  [default: found by its name or "
        "wavelengths; else the first one of .npy, the last one of MATLAB]",
    )
    return variable(axis(command))


def open_source(
    scene: Path,
    scale: str | None,
    offset: float | None,
    no_data: str | None,
    variable: str | None = None,
    band_axis: str | None = None,
) -> FileSource:
    """Open a scene with its declared scaling.

    Parameters
    ----------
    scene : Path
        Its suffix tells the format.
    scale, no_data : str or None
        Values of ``--scale`` and ``--no-data``.
    offset : float or None
        Value of ``--offset``.
    variable, band_axis : str or None
        Values of ``--variable`` and ``--band-axis``.

    Returns
    -------
    FileSource

    Raises
    ------
    SceneError
        If it cannot be read or scaled.
    SettingsError
        If an option makes no sense.
    """
    from bandfold.common.scene import Scaling
    from bandfold.formats.opening import open_scene
    from bandfold.formats.scene_options import SceneOptions
    from bandfold.onboard.samples.scaling import auto_scaling

    def opened(scaling: Scaling | None = None, *, for_coding: bool = True) -> FileSource:
        return open_scene(scene, SceneOptions(variable, band_axis, scaling, absent, for_coding))

    absent = parse_no_data(no_data)
    if offset is not None and (scale is None or scale == "auto"):
        raise SettingsError("--offset goes with a number as --scale: add --scale S, or remove --offset")
    if scale is None:
        return opened()
    if scale == "auto":
        source = opened(for_coding=False)
        # Integers of 8 or 16 bits need none.
        return source if source.info.scaling is None else opened(auto_scaling(source))
    try:
        value = float(scale)
    except ValueError as error:
        raise SettingsError(f"--scale {scale!r} is not a number: give one, or auto") from error
    return opened(Scaling(value, offset or 0.0))


def read_partition(text: str) -> str | tuple[int, ...]:
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
        content = json.loads(Path(text).read_text(encoding="utf-8"))
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
