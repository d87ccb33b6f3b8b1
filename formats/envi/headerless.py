"""Raw files without a header, as HYPSO sends them: their layout is told, or known of the mission."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from bandfold.common.errors import SceneError
from bandfold.common.scene import INTERLEAVES
from bandfold.formats.scene_options import RawLayout, SceneOptions

from .raw_file import EnviSource

SUFFIXES = tuple(f".{interleave}" for interleave in INTERLEAVES)
"""Suffixes that tell the interleave of a raw file."""

HYPSO = RawLayout(bands=120, samples=684, dtype=np.dtype("uint16"))
"""A nominal capture of HYPSO-1 and HYPSO-2: 684 pixels across, 1080 columns of the sensor in bins of 9."""

_CAPTURE = "capture_config.ini"
"""File beside a capture of HYPSO that tells its geometry."""


class _Known(NamedTuple):
    """A layout, and what to say of it."""

    layout: RawLayout
    notes: tuple[str, ...] = ()


def open_headerless(path: Path, options: SceneOptions) -> EnviSource:
    """Open a raw file that has no header.

    Parameters
    ----------
    path : Path
        The file: ``.bip``, ``.bil`` or ``.bsq``, without anything in front of the samples.
    options : SceneOptions
        Its layout, scaling and no-data value. Without a layout, ``.bip`` files are taken for captures of
        HYPSO if ``capture_config.ini`` lies beside them, or their size is a number of lines of a nominal one.

    Returns
    -------
    EnviSource
        As many lines as the file holds.

    Raises
    ------
    SceneError
        If the layout is not known, or the file is no whole number of lines (of bands, for ``.bsq``).
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SceneError(f"cannot read {path}: {error.strerror or error}") from error
    known = _Known(options.layout) if options.layout is not None else _hypso(path, size)
    if known is None or path.suffix.lower() not in SUFFIXES:
        raise SceneError(
            f"no header beside {path}: {path.with_suffix('.hdr')} or {path}.hdr is looked for; of .bip, .bil "
            "and .bsq files --bands, --samples and --dtype tell the layout"
        )
    layout = known.layout
    line = layout.bands * layout.samples * layout.dtype.itemsize
    if not size or size % line:
        raise SceneError(
            f"{path} has {size} bytes, not a number of lines of {layout.bands} bands x "
            f"{layout.samples} samples of {layout.dtype} ({line} bytes): correct --bands, --samples, --dtype"
        )
    dtype = layout.dtype.newbyteorder("<" if layout.byte_order == "little" else ">")
    shape = (layout.bands, size // line, layout.samples)
    info = options.scene_info(shape, dtype, {}, None, path.suffix.lower()[1:])
    return EnviSource(path, 0, info, known.notes)


def _hypso(path: Path, size: int) -> _Known | None:
    """Layout of a capture of HYPSO; None if the file is none."""
    if path.suffix.lower() != ".bip":
        return None
    beside = path.with_name(_CAPTURE)
    lacks = "it carries no wavelengths and no georeference"
    if beside.is_file():
        layout = _captured(beside)
        return _Known(layout, (f"{path.name} has no header: geometry of {_CAPTURE}; {lacks}",))
    line = HYPSO.bands * HYPSO.samples * HYPSO.dtype.itemsize
    if size and size % line == 0:
        about = (
            f"taken for a capture of HYPSO, {HYPSO.bands} bands x {HYPSO.samples} samples of {HYPSO.dtype}"
        )
        return _Known(HYPSO, (f"{path.name} has no header: {about}; {lacks}",))
    return None


def _captured(path: Path) -> RawLayout:
    """Layout that a ``capture_config.ini`` tells: columns are bands before they are binned."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        pairs = (line.partition("=") for line in lines)
        values = {key.strip().lower(): value.strip() for key, _, value in pairs}
        binned = max(int(values.get("bin_factor", "1")), 1)
        bands, samples = int(values["column_count"]) // binned, int(values["row_count"])
    except (OSError, KeyError, ValueError) as error:
        raise SceneError(
            f"{path} does not tell row_count, column_count and bin_factor: give --bands, --samples, --dtype"
        ) from error
    if bands < 1 or samples < 1:
        raise SceneError(f"{path} tells {bands} bands and {samples} samples: give --bands and --samples")
    return RawLayout(bands, samples, HYPSO.dtype)
