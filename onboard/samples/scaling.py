"""Floats and 32-bit integers as 16-bit counts, through a declared scaling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import Scaling, SceneInfo, SceneSource

from .no_data import no_data_mask

_PIECE_SAMPLES = 1 << 20
"""About as many samples are looked at in one go when a scene is searched for its range."""

_NOT_FINITE = "is not finite: declare it as the no-data value (--no-data), or repair the scene"


def auto_scaling(source: SceneSource) -> Scaling:
    """Find the finest scaling that holds a whole scene: its range is spread over all 65536 counts.

    Takes one pass over the scene. Integers whose range is at most 65535 stay exact.

    Parameters
    ----------
    source : SceneSource
        The scene; its ``info.scaling`` is not used. Open it with ``open_envi(path, for_coding=False)``.

    Returns
    -------
    Scaling
        To uint16 counts, the least value of the scene becoming count 0.

    Raises
    ------
    SceneError
        If a sample that does not mark absent data is NaN or infinite, or the range overflows a float64.
    """
    info = source.info
    least, greatest = np.inf, -np.inf
    height = max(1, _PIECE_SAMPLES // (info.bands * info.samples))
    for start in range(0, info.lines, height):
        lines = slice(start, min(start + height, info.lines))
        for band, plane in enumerate(source.read(slice(0, info.bands), lines)):
            present = ~no_data_mask(plane, info.no_data)
            _refuse(plane, present & ~np.isfinite(plane), band, start, _NOT_FINITE)
            if present.any():
                values = plane[present]
                least, greatest = min(least, float(values.min())), max(greatest, float(values.max()))
    if least > greatest:
        # Nothing but absent data: any scaling will do.
        return Scaling(1.0, 0.0, np.dtype("uint16"))
    spread = greatest - least
    if not np.isfinite(spread):
        raise SceneError(
            f"the samples reach from {least:g} to {greatest:g}, which is too wide for a scaling: "
            "declare a no-data value (--no-data), or repair the scene"
        )
    exact = spread == 0 or (info.dtype.kind in "iu" and spread <= 65535)
    # A range of a few subnormal numbers divides to zero.
    scale = 1.0 if exact else max(spread / 65535, 5e-324)
    return Scaling(scale, least, np.dtype("uint16"))


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
            "give another --scale and --offset, or --scale auto"
        )
        # Plane by plane: float64 takes four times the memory of the counts.
        for index, plane in enumerate(block):
            present = ~no_data_mask(plane, self.source.info.no_data)
            band = bands.start + index
            _refuse(plane, present & ~np.isfinite(plane), band, lines.start, _NOT_FINITE)
            values = np.where(present, plane, scaling.offset).astype(np.float64)
            with np.errstate(over="ignore"):
                values = np.rint((values - scaling.offset) / scaling.scale)
            _refuse(plane, (values < limits.min) | (values > limits.max), band, lines.start, outside)
            counts[index] = values
        return counts


def _refuse(plane: NDArray[Any], bad: NDArray[np.bool_], band: int, first_line: int, reason: str) -> None:
    """Name the first bad sample of a plane, if there is one."""
    if bad.any():
        line, sample = np.unravel_index(int(bad.argmax()), bad.shape)
        place = f"band {band}, line {first_line + line}, sample {sample}"
        raise SceneError(f"the sample {plane[line, sample]:g} at {place} (counted from 0) {reason}")
