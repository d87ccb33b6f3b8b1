"""From real numbers to integer counts, and from counts to sample values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError, StreamError
from bandfold.common.scene import SceneInfo


@dataclass(frozen=True)
class BandUnits:
    """What counts of some bands are worth: ``value = count * scale + offset``.

    Parameters
    ----------
    scales, offsets : ndarray of float64, shape (bands,)
        Value of one count, and of count 0, of each band.
    """

    scales: NDArray[np.float64]
    offsets: NDArray[np.float64]

    @staticmethod
    def of(info: SceneInfo, bands: slice, doublings: int = 0) -> BandUnits | None:
        """Find what counts of a strip are worth.

        Parameters
        ----------
        info : SceneInfo
            Says the scaling.
        bands : slice
            Which bands: a half-open range.
        doublings : int
            Counts of the strip are worth ``2**doublings`` times what the scaling says.

        Returns
        -------
        BandUnits or None
            None without a scaling: counts are the samples.

        Raises
        ------
        StreamError
            If a count would be worth more than any float64.
        """
        if info.scaling is None:
            return None
        try:
            scaling = info.scaling.coarser(doublings)
        except SceneError as error:
            raise StreamError(
                f"counts of a strip are worth 2**{doublings} times their value: it is corrupt"
            ) from error
        count = bands.stop - bands.start
        scales, offsets = np.full(count, scaling.scale), np.full(count, scaling.offset)
        for own in scaling.bands:
            if bands.start <= own.band < bands.stop:
                scales[own.band - bands.start] *= 2.0**own.doublings
                offsets[own.band - bands.start] = own.offset
        return BandUnits(scales, offsets)


def round_to_counts(values: NDArray[np.float64], info: SceneInfo) -> NDArray[Any]:
    """Round to the integers that an encoder was given.

    Parameters
    ----------
    values : ndarray of float64, any shape
        In counts.
    info : SceneInfo
        Says the integer type of the counts.

    Returns
    -------
    ndarray, same shape
        Of type ``info.coded_dtype``: rounded half to even and clipped to its range.
    """
    limits = np.iinfo(info.coded_dtype.name)
    # Where a band is one number all over, that one is enough.
    source = values[:, :1, :1] if values.ndim == 3 and values.strides[1:] == (0, 0) else values
    counts = np.empty(source.shape, dtype=info.coded_dtype)
    # Plane by plane: float64 takes four times the memory of the counts.
    for plane, out in zip(source, counts, strict=True):
        out[...] = np.clip(np.rint(plane), limits.min, limits.max)
    return counts if counts.shape == values.shape else np.array(np.broadcast_to(counts, values.shape))


def apply_scaling(counts: NDArray[Any], info: SceneInfo, units: BandUnits | None = None) -> NDArray[Any]:
    """Turn decoded counts into samples: ``count * scale + offset``.

    Parameters
    ----------
    counts : ndarray of int16 or uint16, shape (bands, lines, samples)
        As decoded.
    info : SceneInfo
        Says the sample type and the scaling. Without a scaling the counts are the samples.
    units : BandUnits, optional
        What counts of these bands are worth; by default what the scaling says of the first ones.

    Returns
    -------
    ndarray, same shape
        Samples of type ``info.dtype``: computed in float64, for integers rounded half to even and clipped to
        the range of the type, for floats clipped to the finite range.
    """
    units = units or BandUnits.of(info, slice(0, len(counts)))
    if units is None:
        return counts.astype(info.dtype, copy=False)
    values = np.empty(counts.shape, info.dtype)
    dtype: Any = info.dtype
    limits = np.finfo(dtype) if info.dtype.kind == "f" else np.iinfo(dtype)
    # Plane by plane: float64 takes four times the memory of the counts.
    for plane, source, scale, offset in zip(values, counts, units.scales, units.offsets, strict=True):
        with np.errstate(over="ignore"):
            exact = source * scale + offset
        if info.dtype.kind != "f":
            np.rint(exact, out=exact)
        plane[...] = np.clip(exact, limits.min, limits.max)
    return values
