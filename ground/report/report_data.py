"""What a report shows, collected in one pass over the strips of a scene."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import SceneInfo
from bandfold.ground.compare import Comparison, Scene, Tally, present_samples
from bandfold.ground.decoder import Damage

from .accounting import CountingDecoder

LARGEST_PICTURE = 1024
"""Lines and samples of the picture in colours, at most."""

FEWEST_PIXELS = 1 << 14
"""As many pixels keep their spectra, at least, before bands are left out instead."""

FEWEST_BANDS = 32
"""As many bands are kept, at least, before pixels are left out again."""

NANOMETRES = (650.0, 550.0, 460.0)
"""Wavelengths of the picture in colours, where no default bands are told."""


@dataclass(frozen=True)
class Grid:
    """Which samples keep their values.

    Parameters
    ----------
    pixels : int
        Every so many lines and samples.
    bands : int
        Every so many bands.
    """

    pixels: int
    bands: int

    def shape(self, info: SceneInfo) -> tuple[int, int, int]:
        """Bands, lines and samples that are kept."""
        return (
            -(-info.bands // self.bands),
            -(-info.lines // self.pixels),
            -(-info.samples // self.pixels),
        )

    @staticmethod
    def within(info: SceneInfo, values: int) -> Grid:
        """Choose the finest grid that keeps no more values than a limit.

        Pixels are left out first, down to about `FEWEST_PIXELS`, then bands, down to `FEWEST_BANDS`, then
        pixels again.

        Parameters
        ----------
        info : SceneInfo
        values : int
            Values at most, at least 1.

        Returns
        -------
        Grid
        """

        def count(grid: Grid) -> int:
            return math.prod(grid.shape(info))

        grid = Grid(1, 1)
        while count(grid) > values:
            coarser = Grid(grid.pixels + 1, grid.bands)
            lines, samples = coarser.shape(info)[1:]
            fewer = Grid(grid.pixels, grid.bands + 1)
            few = lines * samples < FEWEST_PIXELS and fewer.shape(info)[0] >= FEWEST_BANDS
            grid = fewer if few or grid.shape(info)[1:] == (1, 1) else coarser
        return grid


@dataclass(frozen=True)
class Contents:
    """What a report shows.

    Attributes
    ----------
    info : SceneInfo
        The scene.
    stream : dict
        `Decoder.report`.
    grid : Grid
        Which samples are in the cubes.
    decoded, reference : ndarray of float32, shape (bands, lines, samples), or None
        Samples on the grid, NaN where there is no data.
    colours : tuple of int
        Bands of red, green and blue.
    picture : ndarray of float32, shape (lines, samples, 3)
        Decoded samples of these bands; NaN where there is no data.
    picture_step : int
        Every so many lines and samples of the scene are in the picture.
    damage : list of Damage
        Strips that could not be decoded.
    comparison : Comparison or None
        With the reference, over the strips that could be decoded.
    component_bits, interval_bits : ndarray of float64
        See `CountingDecoder`.
    """

    info: SceneInfo
    stream: dict[str, Any]
    grid: Grid
    decoded: NDArray[np.float32]
    reference: NDArray[np.float32] | None
    colours: tuple[int, int, int]
    picture: NDArray[np.float32]
    picture_step: int
    damage: list[Damage]
    comparison: Comparison | None
    component_bits: NDArray[np.float64]
    interval_bits: NDArray[np.float64]


def collect(
    decoder: CountingDecoder,
    reference: Scene | None,
    values: int,
    colours: Sequence[int] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Contents:
    """Decode a scene strip by strip and keep what a report shows.

    Parameters
    ----------
    decoder : CountingDecoder
    reference : Scene or None
        What was encoded.
    values : int
        Samples to keep of each cube, at most.
    colours : sequence of int, optional
        Bands of red, green and blue. By default those of the header, or the nearest to `NANOMETRES`.
    progress : callable, optional
        Called with a stage and the fraction done.

    Returns
    -------
    Contents

    Raises
    ------
    SceneError
        If the reference has another geometry.
    """
    info = decoder.info
    if reference is not None and reference.info.shape != info.shape:
        raise SceneError(
            f"the reference has {reference.info.bands} bands, {reference.info.lines} lines and "
            f"{reference.info.samples} samples, the stream {info.bands}, {info.lines} and {info.samples}: "
            "name the scene that was encoded"
        )
    shown = _colours(info, colours)
    grid = Grid.within(info, values)
    step = max(1, -(-max(info.lines, info.samples) // LARGEST_PICTURE))
    decoded = np.full(grid.shape(info), np.nan, np.float32)
    original = None if reference is None else decoded.copy()
    picture = np.full((-(-info.lines // step), -(-info.samples // step), 3), np.nan, np.float32)
    ends = decoder.fold.ends
    parts = [slice(first, last) for first, last in zip((0, *ends[:-1]), ends, strict=True)]
    tally = None if reference is None else Tally(reference.info, parts)
    everything, damaged = slice(0, info.bands), 0
    for lines, block in decoder.strips(progress=progress):
        values_of = _present(block, info.no_data)
        _keep(decoded, values_of, lines, grid)
        rows = np.arange(-(-lines.start // step) * step, lines.stop, step)
        picture[rows // step] = values_of[list(shown)][:, rows - lines.start, ::step].transpose(1, 2, 0)
        intact = len(decoder.damage) == damaged
        damaged = len(decoder.damage)
        if reference is not None and original is not None and tally is not None:
            whole = reference.read(everything, lines)
            _keep(original, _present(whole, reference.info.no_data), lines, grid)
            if intact:
                tally.add(whole, block, lines)
    return Contents(
        info,
        decoder.report(),
        grid,
        decoded,
        original,
        shown,
        picture,
        step,
        list(decoder.damage),
        None if tally is None else tally.result(),
        decoder.component_bits,
        decoder.interval_bits,
    )


def _present(block: NDArray[Any], no_data: float | None) -> NDArray[np.float32]:
    """Samples, NaN where there is no data."""
    with np.errstate(over="ignore"):
        values = block.astype(np.float32)
    values[~(present_samples(block, no_data) & np.isfinite(values))] = np.nan
    return values


def _keep(cube: NDArray[np.float32], values: NDArray[np.float32], lines: slice, grid: Grid) -> None:
    """Put the samples of some lines that lie on the grid into a cube."""
    rows = np.arange(-(-lines.start // grid.pixels) * grid.pixels, lines.stop, grid.pixels)
    cube[:, rows // grid.pixels] = values[:: grid.bands][:, rows - lines.start, :: grid.pixels]


def _colours(info: SceneInfo, given: Sequence[int] | None) -> tuple[int, int, int]:
    """Bands of red, green and blue, from 0."""
    if given is not None:
        red, green, blue = given
        return red, green, blue
    shown = info.metadata.get("default bands")
    if isinstance(shown, tuple) and len(shown) == 3:
        try:
            red, green, blue = (int(item) - 1 for item in shown)
        except ValueError:
            red = -1
        if red >= 0 and all(0 <= band < info.bands for band in (red, green, blue)):
            return red, green, blue
    centres = wavelengths_of(info)
    if centres is not None and str(info.metadata.get("wavelength units", "")).lower().startswith("nano"):
        red, green, blue = (int(np.abs(np.array(centres) - want).argmin()) for want in NANOMETRES)
        return red, green, blue
    return int(info.bands * 0.75), info.bands // 2, info.bands // 4


def wavelengths_of(info: SceneInfo) -> tuple[float, ...] | None:
    """Wavelengths of the bands as numbers; None if there are none."""
    items = info.metadata.get("wavelength")
    if not isinstance(items, tuple) or len(items) != info.bands:
        return None
    try:
        found = tuple(float(item) for item in items)
    except ValueError:
        return None
    return found if all(math.isfinite(item) for item in found) else None
