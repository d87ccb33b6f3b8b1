"""How one codec stands against the others, scene by scene and on average."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bandfold.benchmarks.measures.bdrate import BdRate, Curve, bd_rate, mean, quality_at

from .curves import Measured

GAP_RATE = 0.5
"""Bits per sample at which gaps in dB are stated: band-by-band codecs share no quality for a delta rate."""


@dataclass(frozen=True)
class SceneResult:
    """All that was measured on a scene.

    Attributes
    ----------
    scene : str
        Its name.
    shape : tuple of int
        (bands, lines, samples).
    aviris : bool
        Whether AVIRIS took it.
    candidate : Measured
        The codec that is to be judged.
    rivals : tuple of Measured
        Codecs that ran beside it.
    recorded : mapping
        Recorded curves: codec to curve.
    rates : (float, float)
        The part of the rivals' curves that counts.
    """

    scene: str
    shape: tuple[int, int, int]
    aviris: bool
    candidate: Measured
    rivals: tuple[Measured, ...]
    recorded: Mapping[str, Curve]
    rates: tuple[float, float]

    @property
    def anchors(self) -> dict[str, Curve]:
        """Curves of all other codecs; one that ran live replaces its recorded curve."""
        return {**self.recorded, **{rival.codec: rival.curve for rival in self.rivals}}

    def against(self, anchor: str) -> BdRate:
        """Delta rate of the candidate.

        Parameters
        ----------
        anchor : str
            Name of another codec.

        Returns
        -------
        BdRate
            Negative where the candidate takes fewer bytes.
        """
        return bd_rate(self.anchors[anchor], self.candidate.curve, self.rates)

    def gap(self, anchor: str) -> float:
        """How many dB the candidate is better at `GAP_RATE`.

        Parameters
        ----------
        anchor : str
            Name of another codec.

        Returns
        -------
        float
            dB; NaN where one of them was not measured around that rate.
        """
        return quality_at(self.candidate.curve, GAP_RATE) - quality_at(self.anchors[anchor], GAP_RATE)


@dataclass(frozen=True)
class Mean:
    """A codec's mean standing against another one over some scenes.

    Attributes
    ----------
    anchor, scenes : str
        The other codec, and which scenes.
    percent : float
        Mean delta rate; NaN where no scene has one.
    counted : int
        Scenes with a delta rate.
    gap : float
        Mean difference in dB at `GAP_RATE`.
    gap_counted : int
        Scenes with such a difference.
    """

    anchor: str
    scenes: str
    percent: float
    counted: int
    gap: float
    gap_counted: int


def means(results: Sequence[SceneResult]) -> list[Mean]:
    """Average over all scenes, and over those of AVIRIS.

    Parameters
    ----------
    results : sequence of SceneResult
        The scenes.

    Returns
    -------
    list of Mean
        Two per other codec, in the order in which the codecs first appear.
    """
    anchors = list(dict.fromkeys(anchor for result in results for anchor in result.anchors))
    return [
        _mean(anchor, label, [result for result in chosen if anchor in result.anchors])
        for anchor in anchors
        for label, chosen in (("all", results), ("AVIRIS", [result for result in results if result.aviris]))
    ]


def _mean(anchor: str, label: str, results: list[SceneResult]) -> Mean:
    percents = [result.against(anchor).percent for result in results]
    gaps = [result.gap(anchor) for result in results]
    return Mean(anchor, label, mean(percents), _counted(percents), mean(gaps), _counted(gaps))


def _counted(values: list[float]) -> int:
    return len(values) - sum(map(math.isnan, values))
