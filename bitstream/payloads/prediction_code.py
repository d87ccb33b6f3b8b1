"""How the predictions of the bands of a strip are written: in the order of coding, each as a change."""

from __future__ import annotations

from collections.abc import Sequence

from bandfold.bitstream.container.stream_budget import BLOCK_WORK
from bandfold.bitstream.transforms.band_order import OrderedBand
from bandfold.bitstream.transforms.band_prediction import LARGEST_WEIGHT, WEIGHT_UNIT, Prediction
from bandfold.common.errors import StreamError

from .payload import SIDE_UNIT, PayloadReader, PayloadWriter

FINEST_SHIFT, COARSEST_SHIFT = 0, 8
"""Weights are told in units of two to this power."""

FURTHER_SHIFT = 2
"""All weights but the first are told in coarser units, by so many bits: bands look alike."""

LARGEST_OFFSET = 1 << 20
"""Offsets stay below this, in half steps."""

_COUNT_MEAN = 2 * SIDE_UNIT
_OFFSET_MEAN = SIDE_UNIT // 2
_WEIGHT_MEAN = 8 * SIDE_UNIT


def weight_shift(place: int, shift: int) -> int:
    """Logarithm of the unit of the weight of the first reference, or of one behind it."""
    return shift if place == 0 else min(shift + FURTHER_SHIFT, COARSEST_SHIFT)


def write_predictions(payload: PayloadWriter, predictions: Sequence[Prediction], shift: int) -> None:
    """Append the predictions of a strip.

    Parameters
    ----------
    payload : PayloadWriter
        Where they are written.
    predictions : sequence of Prediction
        In the order of coding; weights are multiples of their units.
    shift : int
        Logarithm of the unit of the first weight of each.
    """
    payload.integers([shift], _COUNT_MEAN, signed=False)
    payload.integers([len(one.weights) for one in predictions], _COUNT_MEAN, signed=False)
    payload.integers([one.offset for one in predictions], _OFFSET_MEAN)
    expected = _Expected(shift)
    changes = []
    for one in predictions:
        units = [weight >> weight_shift(place, shift) for place, weight in enumerate(one.weights)]
        changes += [found - usual for found, usual in zip(units, expected.of(len(units)), strict=True)]
        expected.learn(units)
    payload.integers(changes, _WEIGHT_MEAN)


def read_predictions(
    payload: PayloadReader, order: Sequence[OrderedBand]
) -> tuple[tuple[Prediction, ...], int]:
    """Read what `write_predictions` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where they are read.
    order : sequence of OrderedBand
        Bands in the order of coding.

    Returns
    -------
    predictions : tuple of Prediction
        As many.
    shift : int
        Logarithm of the unit of the first weight of each.

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    payload.budget.work(BLOCK_WORK * len(order), "predictions")
    shift = payload.integers(1, _COUNT_MEAN, signed=False)[0]
    if shift > COARSEST_SHIFT:
        raise StreamError(f"weights are in units of 2**{shift}: the segment is corrupt")
    counts = payload.integers(len(order), _COUNT_MEAN, signed=False)
    if any(count > len(one.references) for count, one in zip(counts, order, strict=True)):
        raise StreamError("a band is predicted from more bands than it may be: the segment is corrupt")
    offsets = payload.integers(len(order), _OFFSET_MEAN)
    changes = iter(payload.integers(sum(counts), _WEIGHT_MEAN))
    expected = _Expected(shift)
    predictions = []
    for count, offset in zip(counts, offsets, strict=True):
        units = [usual + next(changes) for usual in expected.of(count)]
        expected.learn(units)
        weights = tuple(unit << weight_shift(place, shift) for place, unit in enumerate(units))
        if abs(offset) > LARGEST_OFFSET or any(abs(weight) > LARGEST_WEIGHT for weight in weights):
            raise StreamError("a band is predicted with weights out of range: the segment is corrupt")
        predictions.append(Prediction(weights, offset))
    return tuple(predictions), shift


class _Expected:
    """Weights of the last band that was predicted from as many; at first, equal shares."""

    def __init__(self, shift: int) -> None:
        self._shift = shift
        self._last: dict[int, list[int]] = {}

    def of(self, count: int) -> list[int]:
        return self._last.get(count) or [
            WEIGHT_UNIT // count >> weight_shift(place, self._shift) for place in range(count)
        ]

    def learn(self, units: list[int]) -> None:
        self._last[len(units)] = units
