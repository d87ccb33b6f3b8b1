"""The spectral intervals that the published models were made for, found in any scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bandfold.common.scene import MetadataValue
from bandfold.common.wavelengths import wavelengths
from bandfold.onboard.planning.partition import AVIRIS_2022

AVIRIS_LIMITS = (736.0, 1258.0, 1836.0, 1921.0)
"""The ends of `AVIRIS_2022` in nanometres, halfway between nominal centres of bands some 10 nm apart."""

WHOLE = 180
"""Scenes without wavelengths and with fewer bands show a first part of the spectrum; with more, all of it."""


def interval_ends(
    bands: int,
    metadata: Mapping[str, MetadataValue] | None = None,
    ends: Sequence[int] = AVIRIS_2022,
    limits: Sequence[float] = AVIRIS_LIMITS,
) -> tuple[int, ...]:
    """Find the intervals in a scene.

    Parameters
    ----------
    bands : int
        Bands of the scene.
    metadata : mapping, optional
        ENVI header fields; ``wavelength`` and ``wavelength units`` are looked at.
    ends : sequence of int
        Ends of the intervals of the sensor, exclusive; the last one is its number of bands.
    limits : sequence of float
        The same in nanometres, without the last one.

    Returns
    -------
    tuple of int
        As many rising ends (exclusive, counted from 0). By wavelength where every band has one, rising. Else
        by number: bands of a scene that lost some of the sensor's (water vapour, dead bands) are mapped in
        proportion, and those of a scene with fewer than `WHOLE` are taken to be the first ones. Intervals
        may be empty.
    """
    centres = wavelengths(metadata or {}, bands)
    if centres is not None and bool((np.diff(centres) > 0).all()):
        return (*np.searchsorted(centres, limits).tolist(), bands)
    if bands >= WHOLE:
        return tuple(round(end * bands / ends[-1]) for end in ends)
    return (*(min(end, bands) for end in ends[:-1]), bands)
