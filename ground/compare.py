"""The distortion of one scene against another, measured block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError, SettingsError
from bandfold.common.scene import SceneInfo, SceneSource

from .distortion import Comparison, Distortion
from .ordinary_values import OrdinaryValues

AVIRIS_ENDS = (40, 96, 155, 165, 224)
"""Ends of the intervals that are usual for the 224 bands of AVIRIS."""

_PIECE_SAMPLES = 1 << 20
"""About as many samples of each scene are compared at once: in float64, several times over."""


def compare_scenes(
    reference: SceneSource, other: SceneSource, ends: tuple[int, ...] | None = None
) -> Comparison:
    """Measure how far a scene is from a reference.

    Parameters
    ----------
    reference : SceneSource
        The original. Its ``info.no_data`` says which samples do not count.
    other : SceneSource
        The scene to judge; the same geometry, any sample type.
    ends : tuple of int, optional
        Ends of the spectral intervals, increasing up to the number of bands. Default: `AVIRIS_ENDS` for 224
        bands, else one interval.

    Returns
    -------
    Comparison
        Figures over all bands and over each interval, and maps.

    Raises
    ------
    SceneError
        If the geometries differ, or a sample that counts is NaN or infinite.
    SettingsError
        If `ends` do not divide the bands.
    """
    info = reference.info
    if other.info.shape != info.shape:
        raise SceneError(
            f"the scenes differ in geometry: {_geometry(info)} against {_geometry(other.info)}; "
            "compare scenes of the same part"
        )
    if ends is None:
        ends = AVIRIS_ENDS if info.bands == AVIRIS_ENDS[-1] else (info.bands,)
    edges = (0, *ends)
    if edges[-1] != info.bands or any(last <= first for first, last in pairwise(edges)):
        raise SettingsError(
            f"interval ends {ends} do not divide {info.bands} bands: let them rise to {info.bands}"
        )
    ordinary = OrdinaryValues.of(reference, info.no_data)
    parts = [slice(first, last) for first, last in pairwise(edges)]
    statistics = DistortionStatistics(info, parts, ordinary)
    everything = slice(0, info.bands)
    for lines in _pieces(slice(0, info.lines), info.bands * info.samples):
        statistics.add(reference.read(everything, lines), other.read(everything, lines), lines)
    return statistics.result()


class DistortionStatistics:
    """Sums over the blocks seen so far, whatever their order.

    Parameters
    ----------
    info : SceneInfo
        Geometry and no-data value of the reference.
    parts : list of slice
        Bands of each interval.
    ordinary : OrdinaryValues, optional
        Which values of the reference count: outliers that the other scene holds exactly do not. All, if not
        given.
    """

    def __init__(self, info: SceneInfo, parts: list[slice], ordinary: OrdinaryValues | None = None) -> None:
        self._info = info
        self._ordinary = ordinary or OrdinaryValues()
        self._outliers = np.zeros((2, info.bands), np.int64)
        # The whole scene is one more part, the last.
        self._parts = [*parts, slice(0, info.bands)]
        self._count = np.zeros(info.bands)
        self._mean = np.zeros(info.bands)
        self._scatter = np.zeros(info.bands)
        self._error = np.zeros(info.bands)
        self._max_error = np.zeros(info.bands)
        self._peak = np.zeros(info.bands)
        self._pixels = np.zeros(len(self._parts))
        self._sam = np.zeros(len(self._parts))
        self._max_sam = np.zeros(len(self._parts))
        self._sam_map = np.full((info.lines, info.samples), np.nan, np.float32)
        self._rmse_map = np.full((info.lines, info.samples), np.nan, np.float32)

    def add(self, reference: NDArray[Any], other: NDArray[Any], lines: slice) -> None:
        """Add a block of whole spectra.

        Parameters
        ----------
        reference, other : ndarray, shape (bands, lines, samples)
            All bands of some lines.
        lines : slice
            Which lines of the scene: a half-open range.

        Raises
        ------
        SceneError
            If a sample that counts is NaN or infinite.
        """
        for piece in _pieces(lines, reference.shape[0] * reference.shape[2]):
            within = slice(piece.start - lines.start, piece.stop - lines.start)
            self._add_piece(reference[:, within], other[:, within], piece)

    def _add_piece(self, reference: NDArray[Any], other: NDArray[Any], lines: slice) -> None:
        present = present_samples(reference, self._info.no_data)
        outliers = self._ordinary.outliers(reference) & present
        if outliers.any():
            with np.errstate(invalid="ignore"):
                kept = (reference == other) | ((reference != reference) & (other != other))
            self._outliers[0] += np.count_nonzero(outliers, axis=(1, 2))
            self._outliers[1] += np.count_nonzero(outliers & ~kept, axis=(1, 2))
            # Bands of another order of values would drown all others: their precision is told apart.
            forgiven = kept | (self._ordinary.wild[:, None, None] & np.isfinite(reference))
            present &= ~(outliers & forgiven)
        first = _samples(reference, present, "reference", lines.start)
        second = _samples(other, present, "other scene", lines.start)
        self._add_bands(first, second, present)
        squares = np.square(first - second).sum(axis=0)
        counts = present.sum(axis=0)
        seen = counts > 0
        self._rmse_map[lines][seen] = np.sqrt(squares[seen] / counts[seen])
        for index, part in enumerate(self._parts):
            angles = _angles(first[part], second[part])
            pixels = present[part].any(axis=0)
            if pixels.any():
                self._pixels[index] += pixels.sum()
                self._sam[index] += angles[pixels].sum()
                self._max_sam[index] = max(self._max_sam[index], angles[pixels].max())
        self._sam_map[lines][seen] = angles[seen]

    def _add_bands(self, first: NDArray[Any], second: NDArray[Any], present: NDArray[np.bool_]) -> None:
        for band, (x, y, mask) in enumerate(zip(first, second, present, strict=True)):
            count = int(mask.sum())
            if not count:
                continue
            # Samples without data are zero in both: they add nothing here, but would to the scatter.
            error = np.abs(x - y)
            self._error[band] += np.square(error).sum()
            self._max_error[band] = max(self._max_error[band], error.max())
            self._peak[band] = max(self._peak[band], np.abs(x).max())
            mean = x.sum() / count
            # Sums of squares around the mean, merged pairwise: their difference would cancel.
            shift, total = mean - self._mean[band], self._count[band] + count
            self._scatter[band] += (
                np.square(x[mask] - mean).sum() + shift**2 * count * self._count[band] / total
            )
            self._mean[band] += shift * count / total
            self._count[band] = total

    def result(self) -> Comparison:
        """Return the figures of what has been added."""
        with np.errstate(invalid="ignore"):
            band_mse = self._error / self._count
        distortions = [self._distortion(index) for index in range(len(self._parts))]
        return Comparison(
            distortions[-1], tuple(distortions[:-1]), tuple(band_mse.tolist()), self._sam_map, self._rmse_map
        )

    def _outliers_of(self, part: slice) -> tuple[int, int]:
        found, changed = self._outliers[:, part].sum(axis=1).tolist()
        return found, changed

    def _distortion(self, index: int) -> Distortion:
        part = self._parts[index]
        counts = self._count[part]
        count = int(counts.sum())
        if not count:
            nan = math.nan
            return Distortion(
                part.start,
                part.stop,
                0,
                nan,
                nan,
                nan,
                nan,
                (nan, nan),
                self._ordinary.peak,
                self._outliers_of(part),
            )
        mse = float(self._error[part].sum()) / count
        mean = float(counts @ self._mean[part]) / count
        between = float(counts @ np.square(self._mean[part] - mean))
        variance = (float(self._scatter[part].sum()) + between) / count
        return Distortion(
            part.start,
            part.stop,
            count,
            mse,
            float(self._peak[part].max()),
            variance,
            float(self._max_error[part].max()),
            (float(self._sam[index] / self._pixels[index]), float(self._max_sam[index])),
            self._ordinary.peak,
            self._outliers_of(part),
        )


def _pieces(lines: slice, samples_of_line: int) -> Iterator[slice]:
    """Cut lines into pieces of about `_PIECE_SAMPLES` samples."""
    height = max(1, _PIECE_SAMPLES // samples_of_line)
    for start in range(lines.start, lines.stop, height):
        yield slice(start, min(start + height, lines.stop))


def present_samples(block: NDArray[Any], no_data: float | None) -> NDArray[np.bool_]:
    """Tell which samples hold data; the no-data value is compared in the type of the block.

    Parameters
    ----------
    block : ndarray, any shape
        Samples.
    no_data : float or None
        No-data value; None if all samples have data.

    Returns
    -------
    ndarray of bool, same shape
        Whether each sample has data.
    """
    if no_data is None:
        return np.ones(block.shape, np.bool_)
    if math.isnan(no_data):
        return np.asarray(~np.isnan(block), np.bool_)
    if block.dtype.kind != "f":
        return np.asarray(block.astype(np.float64) != no_data, np.bool_)
    with np.errstate(over="ignore"):
        return np.asarray(block != block.dtype.type(no_data), np.bool_)


def _samples(
    block: NDArray[Any], present: NDArray[np.bool_], name: str, first_line: int
) -> NDArray[np.float64]:
    """Return samples in float64, 0 where there is no data."""
    bad = present & ~np.isfinite(block)
    if bad.any():
        band, line, sample = np.unravel_index(int(bad.argmax()), bad.shape)
        raise SceneError(
            f"the {name} holds {block[band, line, sample]} at band {band}, line {first_line + line}, "
            f"sample {sample} (counted from 0): repair it, or declare it as no-data value of the reference"
        )
    return np.where(present, block, 0).astype(np.float64)


def _angles(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angle between the spectra (first axis) of two blocks, in degrees."""
    norms = [np.sqrt(np.square(block).sum(axis=0)) for block in (first, second)]
    units = [block / np.where(norm > 0, norm, 1) for block, norm in zip((first, second), norms, strict=True)]
    # From half chords: near 0 degrees the arc cosine has 1e-6 degrees of noise, this has none.
    near = np.sqrt(np.square(units[0] - units[1]).sum(axis=0))
    far = np.sqrt(np.square(units[0] + units[1]).sum(axis=0))
    angles = np.degrees(2 * np.arctan2(near, far))
    zeros = [norm == 0 for norm in norms]
    return np.where(zeros[0] | zeros[1], np.where(zeros[0] & zeros[1], 0.0, 90.0), angles)


def _geometry(info: SceneInfo) -> str:
    return f"{info.bands} bands, {info.lines} lines, {info.samples} samples"
