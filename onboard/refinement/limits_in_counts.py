"""Limits in the units of the data, as users give them, become limits in counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.refinement_layout import LARGEST_LIMIT
from bandfold.bitstream.transforms.scaling import BandUnits
from bandfold.common.errors import SettingsError
from bandfold.common.scene import SceneInfo


def limits_in_counts(limits: Sequence[float], info: SceneInfo) -> NDArray[np.int32]:
    """Limits in counts that keep every sample within limits in its own units.

    What a scaling rounds counts too: a limit is to cover half a count, and what the sample type rounds.

    Parameters
    ----------
    limits : sequence of float
        Largest absolute errors in the units of the samples, not negative: one for all bands, or one for each
        band. 0 asks for samples that come back exactly.
    info : SceneInfo
        Of the scene: its bands, its sample type and its scaling.

    Returns
    -------
    ndarray of int32, shape (bands,)

    Raises
    ------
    SettingsError
        If there are neither one nor as many limits as bands, or one is too small for the scaling.
    """
    check_limit_count(limits, info)
    asked = np.broadcast_to(np.array(limits, dtype=np.float64), info.bands)
    units = BandUnits.of(info, slice(0, info.bands))
    if units is None:
        return np.minimum(asked, LARGEST_LIMIT).astype(np.int32)
    rows = zip(asked.tolist(), units.scales.tolist(), units.offsets.tolist(), strict=True)
    counts = [
        _in_counts(limit, abs(scale), offset, band, info) for band, (limit, scale, offset) in enumerate(rows)
    ]
    return np.array(counts, dtype=np.int32)


def check_limit_count(limits: Sequence[float], info: SceneInfo) -> None:
    """Refuse limits that are neither one for all bands nor one for each.

    Parameters
    ----------
    limits : sequence of float
        As for `limits_in_counts`.
    info : SceneInfo
        Of the scene.

    Raises
    ------
    SettingsError
        If they are another number.
    """
    if len(limits) not in (1, info.bands):
        raise SettingsError(
            f"there are {len(limits)} limits for {info.bands} bands: give one for all, or one for each"
        )


def _in_counts(limit: float, scale: float, offset: float, band: int, info: SceneInfo) -> int:
    if limit == 0:
        return 0
    if scale == 1 and offset.is_integer() and info.dtype.kind in "iu":
        # Counts are the samples but for an offset.
        return int(min(limit, LARGEST_LIMIT))
    rounded = _rounding(scale, offset, info)
    least = scale / 2 + rounded
    if limit < least:
        raise SettingsError(
            f"a limit of {limit:g} is below what the scaling of band {band} rounds, {least:.3g}: give a "
            "larger limit (--max-error FILE has one for each band), or a finer --scale"
        )
    return int(min((limit - rounded) / scale - 0.5, LARGEST_LIMIT))


def _rounding(scale: float, offset: float, info: SceneInfo) -> float:
    """What samples are rounded by at most when they are computed from counts."""
    if info.dtype.kind in "iu":
        return 0.5
    ends = np.iinfo(info.coded_dtype.name)
    largest = max(abs(ends.min), abs(ends.max)) * scale + abs(offset)
    # Half a unit in the last place of the type, and as much again for what float64 rounds on the way.
    return largest * float(np.finfo(info.dtype.name).eps)
