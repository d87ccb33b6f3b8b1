"""Geometry and metadata of a part of a scene."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from bandfold.common.scene import MetadataValue, SceneInfo
from bandfold.formats.georeference import read_georeference
from bandfold.formats.header_fields import number_text
from bandfold.formats.tie_points import GEO_POINTS, moved

_PER_BAND = (
    "wavelength",
    "fwhm",
    "bbl",
    "band names",
    "data gain values",
    "data offset values",
    "data reflectance gain values",
    "data reflectance offset values",
)


def subset_info(info: SceneInfo, bands: slice, lines: slice) -> SceneInfo:
    """Describe a part of a scene, so that its header stays true.

    Lists with an item per band (wavelengths, FWHM, bad bands, band names, gains, offsets) are cut, default
    bands renumbered, the map reference, tie points and ``y start`` moved by the lines that are left out
    before the part. What cannot be kept true (default bands left out, RPC coefficients where lines are
    cut off ahead) is dropped.

    Parameters
    ----------
    info : SceneInfo
        Geometry, type and metadata of the whole scene.
    bands, lines : slice
        Half-open ranges with explicit bounds inside the scene and no step.

    Returns
    -------
    SceneInfo
        Geometry, type and metadata of the part.
    """
    metadata = dict(info.metadata)
    count = bands.stop - bands.start
    for key in _PER_BAND:
        items = metadata.get(key)
        if isinstance(items, tuple) and len(items) == info.bands:
            metadata[key] = items[bands]
    if count != info.bands and "default bands" in metadata:
        shown = _renumbered(metadata.pop("default bands"), bands)
        if shown:
            metadata["default bands"] = shown
    if lines.start:
        metadata.pop("rpc info", None)
        points = moved(metadata.pop(GEO_POINTS, ()), lines.start)
        if points is not None:
            metadata[GEO_POINTS] = points
        _move(metadata, lines.start)
    return replace(info, bands=count, lines=lines.stop - lines.start, metadata=MappingProxyType(metadata))


def _renumbered(value: MetadataValue, bands: slice) -> tuple[str, ...]:
    """Return the numbers of bands (from 1) within the part; empty if one is not in it."""
    try:
        numbers = [int(item) - bands.start for item in ((value,) if isinstance(value, str) else value)]
    except ValueError:
        return ()
    inside = all(1 <= number <= bands.stop - bands.start for number in numbers)
    return tuple(str(number) for number in numbers) if inside else ()


def _move(metadata: dict[str, MetadataValue], lines: int) -> None:
    """Let the georeference refer to the line that is now the first."""
    start = metadata.get("y start")
    if isinstance(start, str):
        metadata["y start"] = _sum(start, lines)
    # {projection, x and y of the reference pixel, its map coordinates, pixel sizes, ...}
    reference = metadata.get("map info")
    transform = metadata.get("geotransform")
    if isinstance(transform, tuple) and len(transform) == 6:
        x0, across, x_line, y0, up, y_line = transform
        try:
            corner = [str(float(start) + lines * float(step)) for start, step in ((x0, x_line), (y0, y_line))]
        except ValueError:
            corner = [x0, y0]
        metadata["geotransform"] = (corner[0], across, x_line, corner[1], up, y_line)
    turned = isinstance(reference, tuple) and any("rotation" in item.lower() for item in reference[7:])
    if isinstance(reference, tuple) and turned:
        # The reference pixel stays, its place moves: readers turn pixels around the corner, not around it.
        place = read_georeference({"map info": reference}).transform
        if place is not None:
            moved = [
                number_text(float(text) + lines * step)
                for text, step in zip(reference[3:5], (place[2], place[5]), strict=True)
            ]
            metadata["map info"] = (*reference[:3], *moved, *reference[5:])
    elif isinstance(reference, tuple) and len(reference) > 2:
        metadata["map info"] = (*reference[:2], _sum(reference[2], -lines), *reference[3:])


def _sum(text: str, change: int) -> str:
    """Add to a number written as text, keeping its decimals."""
    whole, dot, decimals = text.partition(".")
    try:
        return f"{float(text) + change:.{len(decimals)}f}" if dot else str(int(whole) + change)
    except ValueError:
        return text
