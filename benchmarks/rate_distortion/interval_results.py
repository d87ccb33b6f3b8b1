"""A scene and each of its spectral intervals, every codec run on each of them as on a scene of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from bandfold.benchmarks.codecs.codec import Codec
from bandfold.benchmarks.measures.bdrate import Curve

from .curves import Measured, measure
from .standings import SceneResult


@dataclass(frozen=True)
class Part:
    """Bands that are measured together.

    Attributes
    ----------
    name : str
        As a title.
    bands : slice
        Which bands of the scene.
    ends : tuple of int
        End of each interval in them, exclusive, counted from their first band.
    intervals : tuple of int
        Numbers of those intervals, from 0.
    """

    name: str
    bands: slice
    ends: tuple[int, ...]
    intervals: tuple[int, ...]


@dataclass(frozen=True)
class Contestant:
    """A codec and the rates that it is run at.

    Attributes
    ----------
    make : callable
        Makes the codec for a part.
    rates : sequence of float
        Bits per sample.
    """

    make: Callable[[Part], Codec]
    rates: Sequence[float]

    def measure(self, cube: NDArray[Any], part: Part) -> Measured:
        """Run the codec.

        Parameters
        ----------
        cube : ndarray of integers, shape (bands, lines, samples)
            The bands of the part.
        part : Part
            The part.

        Returns
        -------
        Measured
            Its points.
        """
        return measure(self.make(part), cube, self.rates)


def parts_of(name: str, ends: Sequence[int]) -> list[Part]:
    """Divide a scene.

    Parameters
    ----------
    name : str
        Of the scene.
    ends : sequence of int
        Last band of each interval plus one, rising; see `bandfold.onboard.networks.intervals.interval_ends`.

    Returns
    -------
    list of Part
        Intervals that have bands, then the whole scene.
    """
    limits = [
        (number, first, last) for number, (first, last) in enumerate(pairwise((0, *ends))) if last > first
    ]
    parts = [
        Part(
            f"interval {number + 1}, bands {first + 1}-{last}", slice(first, last), (last - first,), (number,)
        )
        for number, first, last in limits
    ]
    used = tuple(number for number, _, _ in limits)
    whole = Part(f"{name}, all bands", slice(0, ends[-1]), tuple(last for _, _, last in limits), used)
    return [*parts, whole]


def interval_results(
    cube: NDArray[Any],
    parts: Sequence[Part],
    contestants: Sequence[Contestant],
    rates: tuple[float, float],
    recorded: Mapping[str, Curve],
) -> Iterator[SceneResult]:
    """Run all codecs on all parts.

    Parameters
    ----------
    cube : ndarray of integers, shape (bands, lines, samples)
        The scene.
    parts : sequence of Part
        From `parts_of`.
    contestants : sequence of Contestant
        The codec to judge, then those that it is compared with.
    rates : (float, float)
        The part of the curves of the others, in bits per sample, that delta rates are taken over.
    recorded : mapping of str to curve
        Recorded curves of the others on the whole scene, which they are held against; those of codecs that do
        not run are left out.

    Yields
    ------
    SceneResult
        For each part.
    """
    for part in parts:
        bands = cube[part.bands]
        candidate, *rivals = (contestant.measure(bands, part) for contestant in contestants)
        known = {one.codec: recorded[one.codec] for one in rivals if one.codec in recorded}
        own = known if len(bands) == len(cube) else {}
        yield SceneResult(part.name, bands.shape, False, candidate, tuple(rivals), own, rates)
