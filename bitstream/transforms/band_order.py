"""The order in which predicted bands are coded, and which bands each is predicted from.

Every band is predicted from bands that were coded before it. In the order of wavelengths a band would have
neighbours on one side only. In this order it has them on both: first every `span`-th band, then the bands
half-way between those, then again the bands half-way, and so on (the hierarchy of pictures of video codecs,
Schwarz, Marpe and Wiegand, ICME 2006). What comes late is predicted better and predicts less.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

MOST_REFERENCES = 4
"""Bands that a band is predicted from, at most."""

MOST_SPAN = 8
"""Logarithm to base 2 of the distance of the bands that are coded first, at most."""


MOST_GAIN = 15
"""Eighths of an octave by which the step grows from one tier to the next, at most."""

FARTHEST_STEP = MOST_SPAN * MOST_GAIN
"""Eighths of an octave between the step of a band and that of its strip, at most."""

_EIGHTHS = (256, 279, 304, 332, 362, 395, 431, 470)
"""``256 * 2**(n / 8)``."""


@dataclass(frozen=True)
class OrderedBand:
    """A band in the order of coding.

    Parameters
    ----------
    band : int
        Its number in the scene.
    tier : int
        How often the distance of bands was halved before its turn came; 0 for those that are coded first.
    references : tuple of int
        Numbers of the bands that it may be predicted from, the nearest first; all are coded before it.
    """

    band: int
    tier: int
    references: tuple[int, ...]


@dataclass(frozen=True)
class Hierarchy:
    """An order of coding, and the steps that go with it.

    Parameters
    ----------
    gains : tuple of int
        Eighths of an octave by which the step grows from each tier to the next. The bands that are coded
        first are two to the power of their number apart. Without any, bands are coded one after the other,
        and each is predicted from the four before it.
    first : int
        The first of the bands that are coded first; less than their distance.
    steps : tuple of int
        For each band, how many eighths of an octave its step is above that of its strip (below it where
        negative). Then gains only tell how many tiers there are, and are 0. Empty where all bands of a tier
        have the same step.
    """

    gains: tuple[int, ...] = ()
    first: int = 0
    steps: tuple[int, ...] = ()

    def bands(self, count: int) -> tuple[OrderedBand, ...]:
        """So many bands in the order of coding, each once."""
        return _band_order(count, len(self.gains), self.first)

    def eighths(self, one: OrderedBand) -> int:
        """How many eighths of an octave the step of a band is above that of its strip."""
        return self.steps[one.band] if self.steps else sum(self.gains[: one.tier])

    def with_steps(self, bands: int, moved: int = 0) -> Hierarchy:
        """The same for so many bands, each with a step of its own.

        Parameters
        ----------
        bands : int
            Number of bands.
        moved : int
            Eighths of an octave that all steps grow by.

        Returns
        -------
        Hierarchy
        """
        steps = {one.band: self.eighths(one) + moved for one in self.bands(bands)}
        return Hierarchy((0,) * len(self.gains), self.first, tuple(steps[band] for band in range(bands)))

    def step(self, step_code: int, one: OrderedBand) -> int:
        """Step of a band.

        Parameters
        ----------
        step_code : int
            Step of the strip, in units of 1/256 of a count: where bands have no steps of their own, that of
            the bands that are coded first.
        one : OrderedBand
            The band.

        Returns
        -------
        int
            In the same unit.
        """
        octaves, eighths = divmod(self.eighths(one), len(_EIGHTHS))
        scaled = step_code * _EIGHTHS[eighths]
        return max(scaled << octaves >> 8 if octaves >= 0 else scaled >> 8 - octaves, 1)


_REACH = ((1, 2, 3, 4), (1, 2))
"""Distances of the references of the bands that are coded first, in units of their own distance: without and
with bands between them."""

_OFFSETS = (-1, 1, -3, 3, -2)
"""Distances of the references of all others, in units of the distance of the tier, the preferred first."""


@cache
def _band_order(bands: int, span: int, first: int) -> tuple[OrderedBand, ...]:
    distance = 1 << span
    # A scene may have fewer bands than the distance.
    start = range(min(first, bands - 1), bands, distance)
    reach = _REACH[span > 0]
    ordered = [
        OrderedBand(band, 0, tuple(band - distance * n for n in reach if band - distance * n in start))
        for band in start
    ]
    coded = set(start)
    for tier in range(1, span + 1):
        distance >>= 1
        for band in range((start[0] + distance) % (2 * distance), bands, 2 * distance):
            near = (band + distance * offset for offset in _OFFSETS)
            references = tuple(other for other in near if other in coded)[:MOST_REFERENCES]
            ordered.append(OrderedBand(band, tier, references))
            coded.add(band)
    return tuple(ordered)
