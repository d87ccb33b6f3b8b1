"""How the order of coding of predicted bands is written, and the steps that go with it."""

from __future__ import annotations

import math
from itertools import pairwise

from bandfold.bitstream.transforms.band_order import (
    FARTHEST_STEP,
    MOST_GAIN,
    MOST_SPAN,
    Hierarchy,
    OrderedBand,
)
from bandfold.common.errors import StreamError

from .payload import SIDE_UNIT, PayloadReader, PayloadWriter

_COUNT_MEAN = 8 * SIDE_UNIT
_UNIT_MEAN = SIDE_UNIT
_GAIN_MEAN = 2 * SIDE_UNIT
_DIFFERENCE_MEAN = SIDE_UNIT


def write_hierarchy(payload: PayloadWriter, hierarchy: Hierarchy) -> None:
    """Append an order of coding, and the steps of the bands if they have their own.

    Parameters
    ----------
    payload : PayloadWriter
        Where it is written.
    hierarchy : Hierarchy
        Order and steps.
    """
    gains = hierarchy.gains
    payload.integers([len(gains), hierarchy.first], _COUNT_MEAN, signed=False)
    if not hierarchy.steps:
        payload.integers(gains, _GAIN_MEAN, signed=False)
        return
    order = hierarchy.bands(len(hierarchy.steps))
    unit = math.gcd(*hierarchy.steps) or 1
    steps = [hierarchy.steps[one.band] // unit for one in order]
    usual = _usual_steps(order, steps, len(gains))
    payload.integers([unit], _UNIT_MEAN, signed=False)
    payload.integers([after - before for before, after in pairwise((0, *usual))], _GAIN_MEAN)
    payload.integers(
        [step - usual[one.tier] for one, step in zip(order, steps, strict=True)], _DIFFERENCE_MEAN
    )


def read_hierarchy(payload: PayloadReader, bands: int, *, stepped: bool) -> Hierarchy:
    """Read what `write_hierarchy` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where it is read.
    bands : int
        Bands of the scene.
    stepped : bool
        Whether bands have steps of their own.

    Returns
    -------
    Hierarchy

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    tiers, first = payload.integers(2, _COUNT_MEAN, signed=False)
    if tiers > MOST_SPAN or first >= 1 << tiers:
        raise StreamError(f"bands are predicted over 2**{tiers} of them: the stream is corrupt")
    if stepped:
        return _read_steps(payload, Hierarchy((0,) * tiers, first), bands)
    gains = payload.integers(tiers, _GAIN_MEAN, signed=False)
    if any(gain > MOST_GAIN for gain in gains):
        raise StreamError(f"steps grow by {max(gains)} eighths of an octave: the stream is corrupt")
    return Hierarchy(tuple(gains), first)


def _read_steps(payload: PayloadReader, hierarchy: Hierarchy, bands: int) -> Hierarchy:
    (unit,) = payload.integers(1, _UNIT_MEAN, signed=False)
    usual, steps = [0], [0] * bands
    for gain in payload.integers(len(hierarchy.gains) + 1, _GAIN_MEAN):
        usual.append(usual[-1] + gain)
    differences = payload.integers(bands, _DIFFERENCE_MEAN)
    for one, difference in zip(hierarchy.bands(bands), differences, strict=True):
        steps[one.band] = unit * (usual[one.tier + 1] + difference)
    if unit < 1 or max(map(abs, steps)) > FARTHEST_STEP:
        raise StreamError("a band has an impossible step: the stream is corrupt")
    return Hierarchy(hierarchy.gains, hierarchy.first, tuple(steps))


def _usual_steps(order: tuple[OrderedBand, ...], steps: list[int], tiers: int) -> list[int]:
    """The step in the middle of each tier; that of the tier before where one has no bands."""
    usual: list[int] = []
    for tier in range(tiers + 1):
        own = sorted(step for one, step in zip(order, steps, strict=True) if one.tier == tier)
        usual.append(own[len(own) // 2] if own else usual[-1])
    return usual
