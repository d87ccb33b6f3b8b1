"""What a report shows, collected in one pass over the strips of a scene."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import SceneInfo, SceneSource
from bandfold.formats.header_fields import WAVELENGTH, numbers
from bandfold.ground.compare import DistortionStatistics, present_samples
from bandfold.ground.distortion import Comparison
from bandfold.ground.ordinary_values import OrdinaryValues
from bandfold.ground.synthesis.strip_decoder import Damage

from .bit_counting_decoder import BitCountingDecoder
from .picture_bands import clear_bands, told_bands
from .tile_folder import DECODED, MAPS, REFERENCE, TileFolder

LARGEST_PICTURE = 1024
"""Lines and samples of the picture in colours, at most."""

FEWEST_PIXELS = 1 << 14
"""As many pixels keep their spectra, at least, before bands are left out instead."""

FEWEST_BANDS = 32
"""As many bands are kept, at least, before pixels are left out again."""


@dataclass(frozen=True)
class SampleGrid:
    """Which samples of a scene a report keeps.

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
        """Bands, lines and samples that are kept.

        Parameters
        ----------
        info : SceneInfo
            Geometry of the scene.

        Returns
        -------
        (int, int, int)
            Shape of a cube of the samples on the grid.
        """
        return (
            -(-info.bands // self.bands),
            -(-info.lines // self.pixels),
            -(-info.samples // self.pixels),
        )

    @staticmethod
    def within(info: SceneInfo, values: int) -> SampleGrid:
        """Choose the finest grid that keeps no more values than a limit.

        Pixels are left out first, down to about `FEWEST_PIXELS`, then bands, down to `FEWEST_BANDS`, then
        pixels again.

        Parameters
        ----------
        info : SceneInfo
            Geometry of the scene.
        values : int
            Values at most, at least 1.

        Returns
        -------
        SampleGrid
            Pixels are left out alike along lines and samples.
        """
        grid = SampleGrid(1, 1)
        while math.prod(grid.shape(info)) > values:
            coarser = SampleGrid(grid.pixels + 1, grid.bands)
            lines, samples = coarser.shape(info)[1:]
            fewer = SampleGrid(grid.pixels, grid.bands + 1)
            few = lines * samples < FEWEST_PIXELS and fewer.shape(info)[0] >= FEWEST_BANDS
            grid = fewer if few or grid.shape(info)[1:] == (1, 1) else coarser
        return grid


@dataclass(frozen=True)
class Cubes:
    """Samples that a report can show one by one.

    Parameters
    ----------
    grid : SampleGrid
        Which samples of the scene are kept.
    decoded, reference : ndarray of float32, shape (bands, lines, samples), or None
        Samples on the grid, NaN where there is no data; no reference if none was given.
    """

    grid: SampleGrid
    decoded: NDArray[np.float32]
    reference: NDArray[np.float32] | None


@dataclass(frozen=True)
class Picture:
    """The decoded scene in colours.

    Parameters
    ----------
    bands : tuple of int
        Bands of red, green and blue, from 0.
    step : int
        Every so many lines and samples of the scene are in the picture.
    samples : ndarray of float32, shape (lines, samples, 3)
        Decoded samples of these bands; NaN where there is no data.
    """

    bands: tuple[int, int, int]
    step: int
    samples: NDArray[np.float32]


@dataclass(frozen=True)
class ReportContents:
    """What a report shows.

    Parameters
    ----------
    info : SceneInfo
        Geometry, type and metadata of the scene.
    stream : dict
        What `Decoder.report` tells of the stream.
    cubes : Cubes
        Decoded samples and those of the reference.
    picture : Picture
        The scene in colours.
    damage : list of Damage
        Strips that could not be decoded.
    comparison : Comparison or None
        With the reference, over the strips that could be decoded.
    component_bits, interval_bits : ndarray of float64, shapes (components,) and (intervals,)
        What latents cost, estimated; see `BitCountingDecoder`.
    every_band : Cubes or None
        Where there are tiles, samples of all bands, of fewer pixels: they tell how each band is shown.
    """

    info: SceneInfo
    stream: dict[str, Any]
    cubes: Cubes
    picture: Picture
    damage: list[Damage]
    comparison: Comparison | None
    component_bits: NDArray[np.float64]
    interval_bits: NDArray[np.float64]
    every_band: Cubes | None = None


def collect(
    decoder: BitCountingDecoder,
    reference: SceneSource | None,
    values: int,
    colours: Sequence[int] | None = None,
    progress: Callable[[str, float], None] | None = None,
    tiles: TileFolder | None = None,
) -> ReportContents:
    """Decode a scene strip by strip and keep what a report shows.

    Parameters
    ----------
    decoder : BitCountingDecoder
        Of the stream; nothing was decoded with it yet.
    reference : SceneSource or None
        The scene that was encoded, to measure the distortion.
    values : int
        Samples to keep of each cube, at most.
    colours : sequence of int, optional
        Bands of red, green and blue. By default those of the header, those of its wavelengths, or clear ones
        (`bandfold.ground.report.picture_bands`).
    progress : callable, optional
        Called with a stage and the fraction done.
    tiles : TileFolder, optional
        Gets all samples, and the maps.

    Returns
    -------
    ReportContents
        Of the whole scene.

    Raises
    ------
    SceneError
        If the reference has another geometry.
    OutputError
        If tiles cannot be written.
    """
    info = decoder.info
    if reference is not None and reference.info.shape != info.shape:
        raise SceneError(
            f"the reference has {reference.info.bands} bands, {reference.info.lines} lines and "
            f"{reference.info.samples} samples, the stream {info.bands}, {info.lines} and {info.samples}: "
            "name the scene that was encoded"
        )
    told = told_bands(info, colours)
    shown = told or (0, 0, 0)
    kept = [_empty_cubes(SampleGrid.within(info, values), info, reference)]
    if tiles is not None:
        few = 1 + math.isqrt(info.lines * info.samples // FEWEST_PIXELS)
        kept.append(_empty_cubes(SampleGrid(few, 1), info, reference))
    step = max(1, -(-max(info.lines, info.samples) // LARGEST_PICTURE))
    picture = np.full((-(-info.lines // step), -(-info.samples // step), 3), np.nan, np.float32)
    ends = decoder.fold.ends
    parts = [slice(first, last) for first, last in zip((0, *ends[:-1]), ends, strict=True)]
    statistics = None
    if reference is not None:
        ordinary = OrdinaryValues.of(reference, reference.info.no_data)
        statistics = DistortionStatistics(reference.info, parts, ordinary)
    everything, damaged = slice(0, info.bands), 0
    for lines, block in decoder.strips(progress=progress):
        values_of = _present(block, info.no_data)
        intact = len(decoder.damage) == damaged
        damaged = len(decoder.damage)
        if told is None and (intact or lines.start == 0):
            # A damaged strip tells little: the first one that is intact tells, and all before it are hatched.
            shown = clear_bands(values_of)
            told = shown if intact else None
        for cubes in kept:
            _keep(cubes.decoded, values_of, lines, cubes.grid)
        if tiles is not None:
            tiles.add(DECODED, values_of, lines)
        rows = np.arange(-(-lines.start // step) * step, lines.stop, step)
        picture[rows // step] = values_of[list(shown)][:, rows - lines.start, ::step].transpose(1, 2, 0)
        if reference is not None and statistics is not None:
            whole = reference.read(everything, lines)
            values_of = _present(whole, reference.info.no_data)
            for cubes in kept:
                if cubes.reference is not None:
                    _keep(cubes.reference, values_of, lines, cubes.grid)
            if tiles is not None:
                tiles.add(REFERENCE, values_of, lines)
            if intact:
                statistics.add(whole, block, lines)
    comparison = None if statistics is None else statistics.result()
    if tiles is not None and comparison is not None:
        for name, found in zip(MAPS, (comparison.sam_map, comparison.rmse_map), strict=True):
            tiles.add(name, found[None], slice(0, info.lines))
    return ReportContents(
        info,
        decoder.report(),
        kept[0],
        Picture(shown, step, picture),
        list(decoder.damage),
        comparison,
        decoder.component_bits,
        decoder.interval_bits,
        kept[1] if tiles is not None else None,
    )


def _empty_cubes(grid: SampleGrid, info: SceneInfo, reference: SceneSource | None) -> Cubes:
    """Cubes of a scene without any data yet."""
    decoded = np.full(grid.shape(info), np.nan, np.float32)
    return Cubes(grid, decoded, None if reference is None else decoded.copy())


def _present(block: NDArray[Any], no_data: float | None) -> NDArray[np.float32]:
    """Samples, NaN where there is no data."""
    with np.errstate(over="ignore"):
        values = block.astype(np.float32)
    values[~(present_samples(block, no_data) & np.isfinite(values))] = np.nan
    return values


def _keep(cube: NDArray[np.float32], values: NDArray[np.float32], lines: slice, grid: SampleGrid) -> None:
    """Put the samples of some lines that lie on the grid into a cube."""
    rows = np.arange(-(-lines.start // grid.pixels) * grid.pixels, lines.stop, grid.pixels)
    cube[:, rows // grid.pixels] = values[:: grid.bands][:, rows - lines.start, :: grid.pixels]


def wavelengths_of(info: SceneInfo) -> NDArray[np.float64] | None:
    """Wavelengths of the bands as numbers.

    Parameters
    ----------
    info : SceneInfo
        Metadata of the scene.

    Returns
    -------
    ndarray of float64, shape (bands,), or None
        In the unit of the metadata; None if they are missing, or not all are numbers.
    """
    if isinstance(info.metadata.get(WAVELENGTH), str):
        return None
    found = numbers(info.metadata, WAVELENGTH, info.bands)
    return found if found is not None and np.isfinite(found).all() else None
