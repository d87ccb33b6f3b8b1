"""Floats and 32-bit integers as 16-bit counts, through a scaling that is declared or was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import SceneInfo, SceneSource
from bandfold.common.values.band_fills import FoundFills
from bandfold.common.values.fill_values import no_data_mask

from .count_plan import bounds_of
from .no_data import fill

_NOT_FINITE = (
    "is not finite: declare it as the no-data value (--no-data), or leave out --scale, which keeps it exactly"
)


class ScaledSource:
    """The 16-bit counts of a scene that declares a scaling.

    Parameters
    ----------
    source : SceneSource
        A scene whose ``info.scaling`` is set.

    Attributes
    ----------
    source : SceneSource
        The scene itself; ``source.info`` keeps its own type, scaling and no-data value.

    Raises
    ------
    SceneError
        If the scene declares no scaling.
    """

    def __init__(self, source: SceneSource) -> None:
        if source.info.scaling is None:
            raise SceneError(f"a scene of {source.info.dtype} samples declares no scaling: code it as it is")
        self.source = source
        self._scaling = source.info.scaling
        self._info = replace(source.info, dtype=source.info.coded_dtype, scaling=None, no_data=None)

    @property
    def info(self) -> SceneInfo:
        """Geometry and metadata of the scene, type of the counts; neither scaling nor no-data value."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block as counts: ``round((value - offset) / scale)``, half to even.

        Parameters
        ----------
        bands, lines : slice
            As for `SceneSource.read`.

        Returns
        -------
        ndarray of int16 or uint16, shape (bands, lines, samples)
            Counts; 0 where data is absent (see `no_data_mask`).

        Raises
        ------
        SceneError
            If a sample is NaN or infinite without marking absent data, or its count does not fit.
        """
        block = self.source.read(bands, lines)
        counts = np.empty(block.shape, self._info.dtype)
        limits = np.iinfo(counts.dtype)
        scaling = self._scaling
        ends = sorted(count * scaling.scale + scaling.offset for count in (limits.min, limits.max))
        outside = (
            f"is outside {ends[0]:g} to {ends[1]:g}, which is what the scaling can hold: "
            "give another --scale and --offset, or --scale auto, which keeps it exactly"
        )
        # Lines of a stream are a scene of their own, and named by their place in all of it.
        first_line = lines.start + getattr(self.source, "first_line", 0)
        # Plane by plane: float64 takes four times the memory of the counts.
        for index, plane in enumerate(block):
            present = ~no_data_mask(plane, self.source.info.no_data)
            band = bands.start + index
            _refuse(plane, present & ~np.isfinite(plane), band, first_line, _NOT_FINITE)
            values = np.where(present, plane, scaling.offset).astype(np.float64)
            with np.errstate(over="ignore"):
                values = np.rint((values - scaling.offset) / scaling.scale)
            _refuse(plane, (values < limits.min) | (values > limits.max), band, first_line, outside)
            counts[index] = values
        return counts


class EscapedSource:
    """The 16-bit counts of a scene whose scaling was found: what no count stands for is filled.

    Parameters
    ----------
    source : SceneSource
        A scene whose ``info.scaling`` is set.
    fills : FoundFills
        Values that mark absent data although nobody declared them: no count stands for them either.
    """

    def __init__(self, source: SceneSource, fills: FoundFills) -> None:
        self.source = source
        self.fills = fills
        info = source.info
        self._info = replace(info, dtype=info.coded_dtype, scaling=None, no_data=None)
        if info.scaling is None:
            raise ValueError("the scaling of the scene is not known yet")
        self._bounds = bounds_of(info.scaling, 0, info.bands)
        declared = () if info.no_data is None else (info.no_data,)
        # What lies outside of all counts, and NaN, is met anyway.
        self._markers = [
            tuple(one for one in (*declared, *fills.of_band(band)) if low <= one <= high)
            for band, (low, high) in enumerate(self._bounds[:, :2].tolist())
        ]

    @property
    def info(self) -> SceneInfo:
        """Geometry and metadata of the scene, type of the counts; neither scaling nor no-data value."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block as counts; see `SceneSource.read`.

        Returns
        -------
        ndarray of int16 or uint16, shape (bands, lines, samples)
            ``round((value - offset) / scale)``, half to even. Samples without data, and those beyond what
            counts reach, have the count of a neighbour on their line.
        """
        block = self.source.read(bands, lines)
        counts = np.empty(block.shape, self._info.dtype)
        limits = np.iinfo(counts.dtype)
        for plane, out, band in zip(block, counts, range(bands.start, bands.stop), strict=True):
            scale, offset = self._bounds[band, 2:].tolist()
            missing = self._uncounted(plane, band)
            # NaN may be a signalling one, of which NumPy warns.
            with np.errstate(invalid="ignore"):
                values = plane.astype(np.float64)
            if missing is not None:
                values = fill(values, missing)
                # A line that has nothing to fill with is as dark as a count can be told cheaply: 0.
                values[missing.all(axis=1)] = offset
            values -= offset
            values /= scale
            out[...] = np.clip(np.rint(values, out=values), limits.min, limits.max)
        return counts

    def uncounted(self, block: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Tell which samples of all bands of some lines have no count.

        Parameters
        ----------
        block : ndarray, shape (bands, lines, samples)
            All bands of some lines.

        Returns
        -------
        ndarray of bool, same shape, or None
            True for samples without data and for those beyond what counts reach; None if there are none.
        """
        found: NDArray[np.bool_] | None = None
        for band, plane in enumerate(block):
            missing = self._uncounted(plane, band)
            if missing is not None:
                found = np.zeros(block.shape, np.bool_) if found is None else found
                found[band] = missing
        return found

    def _uncounted(self, plane: NDArray[Any], band: int) -> NDArray[np.bool_] | None:
        """Samples of a band without a count; None if there are none."""
        markers = self._markers[band]
        limits: Any = np.finfo(plane.dtype) if plane.dtype.kind == "f" else np.iinfo(plane.dtype)
        low, high = (float(bound) for bound in self._bounds[band, :2])
        low, high = max(low, float(limits.min)), min(high, float(limits.max))
        # NaN fails both comparisons.
        if not markers and plane.min() >= low and plane.max() <= high:
            return None
        missing = ~((plane >= low) & (plane <= high))
        for marker in markers:
            missing |= no_data_mask(plane, marker)
        return missing if missing.any() else None


def _refuse(plane: NDArray[Any], bad: NDArray[np.bool_], band: int, first_line: int, reason: str) -> None:
    """Name the first bad sample of a plane, if there is one."""
    if bad.any():
        line, sample = np.unravel_index(int(bad.argmax()), bad.shape)
        place = f"band {band}, line {first_line + line}, sample {sample}"
        raise SceneError(f"the sample {plane[line, sample]:g} at {place} (counted from 0) {reason}")
