"""From counts to samples, absent ones marked, as decoders do and encoders that bound errors check."""

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


def mark_no_data(
    counts: NDArray[Any],
    absent: NDArray[np.bool_] | None,
    info: SceneInfo,
    units: BandUnits | None = None,
) -> NDArray[Any]:
    """Turn decoded counts into samples, and give those without data the no-data value of the scene.

    Parameters
    ----------
    counts : ndarray of an integer type, shape (bands, lines, samples)
        As decoded, of type ``info.coded_dtype``.
    absent : ndarray of bool, same shape, or None
        Samples without data; None if all have data.
    info : SceneInfo
        Says the sample type, the scaling and the no-data value; one that the sample type cannot hold marks
        nothing.
    units : BandUnits, optional
        What counts of these bands are worth; by default what the scaling says of the first ones.

    Returns
    -------
    ndarray, same shape
        Samples of type ``info.dtype``. A present one that was decoded to the no-data value lies one count
        beside it or, where a count is too small to see, at the next value of the type.
    """
    samples = apply_scaling(counts, info, units)
    marker = info.no_data
    if marker is None:
        return samples
    mistaken = samples == marker
    if absent is not None and mistaken.any():
        mistaken &= ~absent
    if mistaken.any():
        moved = counts.copy()
        highest = np.iinfo(info.coded_dtype.name).max
        moved[mistaken] += np.where(moved[mistaken] < highest, 1, -1).astype(moved.dtype)
        samples = apply_scaling(moved, info, units)
        mistaken &= samples == marker
        if mistaken.any():
            samples[mistaken] = _next_value(samples[mistaken][0])
    return samples if absent is None else put_no_data(samples, absent, info)


def put_no_data(samples: NDArray[Any], absent: NDArray[np.bool_], info: SceneInfo) -> NDArray[Any]:
    """Give samples without data the no-data value of the scene.

    Parameters
    ----------
    samples : ndarray, shape (bands, lines, samples)
        Of type ``info.dtype``; changed in place.
    absent : ndarray of bool, same shape
        Samples without data.
    info : SceneInfo
        Says the no-data value; without one nothing is changed.

    Returns
    -------
    ndarray, same shape
        The samples.
    """
    if info.no_data is not None and absent.any():
        # An encoder never marks what the type cannot hold; a stream that does may have any value there.
        with np.errstate(invalid="ignore", over="ignore"):
            np.copyto(samples, np.array(info.no_data).astype(info.dtype), where=absent)
    return samples


def _next_value(value: Any) -> Any:
    """The next larger value of its type, or the next smaller one of the largest."""
    limits: Any = np.finfo(value.dtype) if value.dtype.kind == "f" else np.iinfo(value.dtype)
    if value.dtype.kind == "f":
        return np.nextafter(value, limits.min if value >= limits.max else limits.max, dtype=value.dtype)
    return value - 1 if value == limits.max else value + 1
