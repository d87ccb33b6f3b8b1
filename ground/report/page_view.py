"""What the script of a page needs: samples, picture, axes and how they are shown."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .packed_samples import PackedSamples
from .report_contents import ReportContents
from .report_plots import band_axis, highest_shown
from .tile_folder import MAPS, TileFolder

_STRETCH = (1.0, 99.0)
"""Percentiles of a band that are shown black and white."""


def page_view(contents: ReportContents, tiles: TileFolder | None = None) -> dict[str, Any]:
    """Describe the picture and the spectra of a page.

    Parameters
    ----------
    contents : ReportContents
        What is shown.
    tiles : TileFolder, optional
        What goes with the page; the contents were collected with it.

    Returns
    -------
    dict
        Ready for JSON, as the script reads it.
    """
    info, grid = contents.info, contents.cubes.grid
    positions, axis = band_axis(contents)
    cubes = {"decoded": contents.cubes.decoded, "reference": contents.cubes.reference}
    packed = {
        name: _packed(cube, exact=info.dtype.kind != "f") for name, cube in cubes.items() if cube is not None
    }
    low, high = _stretch(contents.cubes.decoded)
    return {
        "lines": info.lines,
        "samples": info.samples,
        "pixels": grid.pixels,
        "shape": list(grid.shape(info)),
        "bandNumbers": list(range(0, info.bands, grid.bands)),
        "positions": positions.tolist(),
        "axis": axis,
        "low": low,
        "high": high,
        "cubes": packed,
        "picture": _image(contents.picture.samples),
        "pictureStep": contents.picture.step,
        "damage": [one.bounds for one in contents.damage],
        "tiles": tiles and {**tiles.as_json(), **_tile_scales(contents)},
    }


def _tile_scales(contents: ReportContents) -> dict[str, Any]:
    """How tiles are shown: what is black and white of each band and colour, the largest errors and maps."""
    cubes = contents.every_band
    if cubes is None:
        raise ValueError("these contents were collected without tiles")
    low, high = _stretch(cubes.decoded)
    scales: dict[str, Any] = {"low": low, "high": high, "colours": list(contents.picture.bands)}
    planes = np.moveaxis(contents.picture.samples, 2, 0)
    scales["colourLow"], scales["colourHigh"] = _stretch(planes)
    if cubes.reference is not None:
        scales["errors"] = _largest_errors(cubes.decoded, cubes.reference)
    if contents.comparison is not None:
        maps = (contents.comparison.sam_map, contents.comparison.rmse_map)
        scales.update(zip(MAPS, map(highest_shown, maps), strict=True))
    return scales


def _largest_errors(decoded: NDArray[np.float32], reference: NDArray[np.float32]) -> list[float]:
    """Error of each band that is shown in full colour."""
    found = []
    for first, second in zip(decoded, reference, strict=True):
        errors = np.abs(first.astype(np.float64) - second)
        present = errors[np.isfinite(errors)]
        found.append(float(np.percentile(present, _STRETCH[1])) if present.size else 0.0)
    return [one or 1.0 for one in found]


def _packed(cube: NDArray[np.float32], *, exact: bool) -> dict[str, Any]:
    """Scale, offset and codes in base64."""
    packed = PackedSamples.of(cube, exact=exact)
    return {
        "scale": packed.scale,
        "offset": packed.offset,
        "codes": base64.b64encode(packed.codes.tobytes()).decode("ascii"),
    }


def _stretch(cube: NDArray[np.float32]) -> tuple[list[float], list[float]]:
    """Values of each band that are shown black and white."""
    low, high = [], []
    for band in cube:
        present = band[np.isfinite(band)]
        first, last = np.percentile(present, _STRETCH) if present.size else (0.0, 1.0)
        low.append(float(first))
        high.append(float(last) if last > first else float(first) + 1)
    return low, high


def _image(picture: NDArray[np.float32]) -> str:
    """A picture in colours, each stretched on its own, as a data URI; transparent where there is no data."""
    from PIL import Image

    planes = []
    for plane in np.moveaxis(picture, 2, 0):
        (low,), (high,) = _stretch(plane[None])
        with np.errstate(invalid="ignore"):
            planes.append(np.nan_to_num(np.clip((plane - low) / (high - low), 0, 1) * 255))
    alpha = np.where(np.isfinite(picture).all(axis=2), 255, 0)
    pixels = np.stack([*planes, alpha], axis=2).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "WEBP", quality=90, method=4)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
