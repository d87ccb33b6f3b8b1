"""Points of models that code band by band, on whole scenes and on each spectral interval of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.codecs.band_model import HEADER_BYTES, BandModel, Coded, code_scene
from bandfold.benchmarks.codecs.ccsds122 import Ccsds122
from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000
from bandfold.benchmarks.measures.bdrate import Curve, bd_rate
from bandfold.benchmarks.measures.quality import decibels

from .curves import measure

CODECS = ("JPEG 2000", "CCSDS 122")
"""Recorded curves that a whole scene is put beside: these code band by band too."""

RATES = (0.05, 0.1, 0.25, 0.5, 1.0)
"""Bits per sample at which JPEG 2000 and CCSDS 122 code an interval."""

POINTS = 4
"""Steps tried with each model, evenly over its range of contrasts in the logarithm."""

Point = tuple[float, float, str, float]
"""Bits per sample, dB, name of the model, step in counts."""


@dataclass(frozen=True)
class Panel:
    """Points of models on a scene or on an interval of it, and curves of other codecs there.

    Attributes
    ----------
    name : str
        Scene or interval, as a title.
    points : list of Point
        Of all models, in any order.
    others : mapping of str to curve
        Other codecs by name.
    """

    name: str
    points: list[Point]
    others: Mapping[str, Curve]

    def text(self) -> str:
        """Describe the points, each beside the quality of other codecs at the same rate, and delta rates.

        Returns
        -------
        str
            Lines of text.
        """
        head = "".join(f"{codec:>12}" for codec in self.others)
        lines = [f"  {'model':<18}{'step':>9}{'bps':>9}{'dB':>8}{head}"]
        for rate, level, model, step in sorted(self.points):
            there = "".join(f"{_text(interpolate(curve, rate)):>12}" for curve in self.others.values())
            lines.append(f"  {model:<18}{step:9.1f}{rate:9.4f}{level:8.2f}{there}")
        for codec, curve in self.others.items():
            found = bd_rate(curve, [(rate, level) for rate, level, _, _ in self.points])
            said = f"{found.percent:+.1f} % ({found.low:.1f} to {found.high:.1f} dB)"
            lines.append(
                f"  BD-rate against {codec}: {'no shared quality' if np.isnan(found.percent) else said}"
            )
        return "\n".join(lines)


def _text(level: float | None) -> str:
    return "-" if level is None else f"{level:.2f}"


def scene_panels(
    models: Sequence[BandModel],
    cube: NDArray[Any],
    ends: tuple[int, ...],
    recorded: Mapping[str, Curve],
    *,
    live: bool,
) -> list[Panel]:
    """Code a scene with each model at several steps.

    Parameters
    ----------
    models : sequence of BandModel
        None of them trained on the scene.
    cube : ndarray of integers, shape (bands, lines, samples)
        The scene.
    ends : tuple of int
        Last band of each interval plus one, rising; see `bandfold.onboard.networks.intervals.interval_ends`.
    recorded : mapping of str to curve
        Recorded curves of other codecs on the whole scene; those of `CODECS` are taken.
    live : bool
        Whether JPEG 2000 and CCSDS 122 code each interval.

    Returns
    -------
    list of Panel
        The whole scene, then each interval that has bands.
    """
    deviation = float(np.sqrt(cube.var(axis=(1, 2), dtype=np.float64).mean()))
    whole: list[Point] = []
    parts: dict[int, list[Point]] = {}
    for model in models:
        for contrast in np.geomspace(*model.contrast, POINTS):
            step = deviation / float(contrast)
            coded = code_scene(model, cube, ends, step)
            whole.append((*_point(list(coded.values()), HEADER_BYTES), model.name, step))
            for number, one in coded.items():
                parts.setdefault(number, []).append((*_point([one], 0), model.name, step))
    panels = [Panel("whole scene", whole, {codec: recorded[codec] for codec in CODECS if codec in recorded})]
    for number, (first, last) in enumerate(pairwise((0, *ends)), start=1):
        if last > first:
            rivals = (Jpeg2000(), Ccsds122()) if live else ()
            others = {rival.name: measure(rival, cube[first:last], RATES).curve for rival in rivals}
            panels.append(Panel(f"interval {number}, bands {first + 1}-{last}", parts[number], others))
    return panels


def _point(coded: Sequence[Coded], more_bytes: int) -> tuple[float, float]:
    """Bits per sample and dB of parts of a scene together."""
    samples = sum(one.samples for one in coded)
    error = sum(one.squared_error for one in coded) / samples
    nbytes = sum(one.nbytes for one in coded) + more_bytes
    return 8 * nbytes / samples, decibels(error)


def interpolate(curve: Curve, rate: float) -> float | None:
    """Quality of a curve at a rate, linear over the logarithm of the rate.

    Parameters
    ----------
    curve : sequence of (bits per sample, dB)
        At least one point, in any order.
    rate : float
        Bits per sample.

    Returns
    -------
    float or None
        In dB; None outside the curve.
    """
    ordered = sorted(curve)
    rates = [point[0] for point in ordered]
    if not rates[0] <= rate <= rates[-1]:
        return None
    return float(np.interp(np.log(rate), np.log(rates), [point[1] for point in ordered]))
