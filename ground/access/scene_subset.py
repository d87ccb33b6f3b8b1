"""Geometry and metadata of a part of a scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from bandfold.common.scene import MetadataValue, SceneInfo, range_inside
from bandfold.formats.georeference import read_georeference
from bandfold.formats.header_fields import number_text
from bandfold.formats.tie_points import GEO_POINTS, moved

Range = tuple[int | None, int | None]
"""Start and stop of a range, None where it is open."""

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


@dataclass(frozen=True)
class ScenePart:
    """Which bands, lines and samples of a scene.

    Parameters
    ----------
    bands, lines, samples : slice
        Half-open ranges with explicit bounds inside the scene and no step.
    """

    bands: slice
    lines: slice
    samples: slice

    @staticmethod
    def whole(info: SceneInfo) -> ScenePart:
        """All of a scene.

        Parameters
        ----------
        info : SceneInfo
            Its geometry.

        Returns
        -------
        ScenePart
        """
        return ScenePart(slice(0, info.bands), slice(0, info.lines), slice(0, info.samples))


def part_of_scene(
    info: SceneInfo, bands: Range | None, lines: Range | None, samples: Range | None
) -> ScenePart:
    """What a user asks for.

    Parameters
    ----------
    info : SceneInfo
        Geometry of the scene.
    bands, lines, samples : tuple of (int or None), or None
        Start and stop of a range, None where it is open; None stands for everything.

    Returns
    -------
    ScenePart

    Raises
    ------
    SettingsError
        If a range is empty or not inside the scene.
    """
    everything = (None, None)
    return ScenePart(
        range_inside("bands", slice(*(bands or everything)), info.bands),
        range_inside("lines", slice(*(lines or everything)), info.lines),
        range_inside("samples", slice(*(samples or everything)), info.samples),
    )


def subset_info(info: SceneInfo, part: ScenePart) -> SceneInfo:
    """Describe a part of a scene, so that its header stays true.

    Lists with an item per band (wavelengths, FWHM, bad bands, band names, gains, offsets) are cut, default
    bands renumbered, the map reference, tie points, ``x start`` and ``y start`` moved by the lines and
    samples that are left out before the part. What cannot be kept true (default bands left out, RPC
    coefficients where lines or samples are cut off ahead) is dropped.

    Parameters
    ----------
    info : SceneInfo
        Geometry, type and metadata of the whole scene.
    part : ScenePart
        What is kept of it.

    Returns
    -------
    SceneInfo
        Geometry, type and metadata of the part.
    """
    metadata = dict(info.metadata)
    bands, lines, samples = (one.stop - one.start for one in (part.bands, part.lines, part.samples))
    for key in _PER_BAND:
        items = metadata.get(key)
        if isinstance(items, tuple) and len(items) == info.bands:
            metadata[key] = items[part.bands]
    if bands != info.bands and "default bands" in metadata:
        shown = _renumbered(metadata.pop("default bands"), part.bands)
        if shown:
            metadata["default bands"] = shown
    if part.lines.start or part.samples.start:
        metadata.pop("rpc info", None)
        _move(metadata, part.lines.start, part.samples.start)
    return replace(info, bands=bands, lines=lines, samples=samples, metadata=MappingProxyType(metadata))


def _renumbered(value: MetadataValue, bands: slice) -> tuple[str, ...]:
    """Return the numbers of bands (from 1) within the part; empty if one is not in it."""
    try:
        numbers = [int(item) - bands.start for item in ((value,) if isinstance(value, str) else value)]
    except ValueError:
        return ()
    inside = all(1 <= number <= bands.stop - bands.start for number in numbers)
    return tuple(str(number) for number in numbers) if inside else ()


def _move(metadata: dict[str, MetadataValue], lines: int, samples: int) -> None:
    """Let the georeference refer to the line and the sample that are now the first."""
    points = moved(metadata.pop(GEO_POINTS, ()), lines, samples)
    if points is not None:
        metadata[GEO_POINTS] = points
    for key, change in (("y start", lines), ("x start", samples)):
        start = metadata.get(key)
        if isinstance(start, str) and change:
            metadata[key] = _sum(start, change)
    transform = metadata.get("geotransform")
    if isinstance(transform, tuple) and len(transform) == 6:
        x, x_sample, x_line, y, y_sample, y_line = transform
        try:
            x = str(float(x) + lines * float(x_line) + samples * float(x_sample))
            y = str(float(y) + lines * float(y_line) + samples * float(y_sample))
        except ValueError:
            x, y = transform[0], transform[3]
        metadata["geotransform"] = (x, x_sample, x_line, y, y_sample, y_line)
    # {projection, x and y of the reference pixel, its map coordinates, pixel sizes, ...}
    reference = metadata.get("map info")
    if not isinstance(reference, tuple) or len(reference) < 3:
        return
    if any("rotation" in item.lower() for item in reference[7:]):
        # The reference pixel stays, its place moves: readers turn pixels around the corner, not around it.
        place = read_georeference({"map info": reference}).transform
        if place is not None:
            shift = (lines * step + samples * along for along, step in (place[1:3], place[4:6]))
            corner = [
                number_text(float(text) + change) for text, change in zip(reference[3:5], shift, strict=True)
            ]
            metadata["map info"] = (*reference[:3], *corner, *reference[5:])
    else:
        pixel = _sum(reference[1], -samples) if samples else reference[1]
        line = _sum(reference[2], -lines) if lines else reference[2]
        metadata["map info"] = (reference[0], pixel, line, *reference[3:])


def _sum(text: str, change: int) -> str:
    """Add to a number written as text, keeping its decimals."""
    whole, dot, decimals = text.partition(".")
    try:
        return f"{float(text) + change:.{len(decimals)}f}" if dot else str(int(whole) + change)
    except ValueError:
        return text
