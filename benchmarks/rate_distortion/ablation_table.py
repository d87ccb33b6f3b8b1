"""What each idea of the codec saves: rows of a table, each compared with the row before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.codecs.codec import Codec
from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000Klt
from bandfold.benchmarks.measures.bdrate import BdRate, Curve, bd_rate, mean

from .curves import Measured, measure

RIVAL = Jpeg2000Klt.name
"""The codec that every row is compared with."""


@dataclass(frozen=True)
class Row:
    """A codec on a scene.

    Parameters
    ----------
    measured : Measured
        Its points.
    before, rival : BdRate
        Delta rates against the codec of the row before, and against JPEG 2000 + KLT.
    """

    measured: Measured
    before: BdRate
    rival: BdRate


def rows(
    codecs: Sequence[Codec], cube: NDArray[Any], rates: Sequence[Sequence[float]], rival: Curve
) -> list[Row]:
    """Measure codecs on a scene.

    Parameters
    ----------
    codecs : sequence of Codec
        Each one with an idea more than the one before.
    cube : ndarray, shape (bands, lines, samples)
        8 or 16 bit integers.
    rates : sequence of sequence of float
        Bits per sample of each codec: without a spectral transform it takes more for the same quality.
    rival : curve
        Of JPEG 2000 + KLT on this scene.

    Returns
    -------
    list of Row
        One for each codec.
    """
    found: list[Row] = []
    before: Curve = []
    for codec, asked in zip(codecs, rates, strict=True):
        measured = measure(codec, cube, asked)
        found.append(Row(measured, bd_rate(before, measured.curve), bd_rate(rival, measured.curve)))
        before = measured.curve
    return found


def table(title: str, scene: Sequence[Row]) -> str:
    """A scene's rows as text.

    Parameters
    ----------
    title : str
        First line of the text.
    scene : sequence of Row
        What `rows` gives for a scene.

    Returns
    -------
    str
        A line for each step, with its points and delta rates.
    """
    lines = [title, f"  {'':<20}{'vs before':>11}{'vs ' + RIVAL:>20}   bits per sample: dB"]
    for row in scene:
        points = ", ".join(f"{rate:.3f}: {level:.2f}" for rate, level in row.measured.curve)
        figures = f"{_percent(row.before.percent):>11}{_percent(row.rival.percent):>20}"
        lines.append(f"  {row.measured.codec:<20}{figures}   {points}")
        lines.extend(f"  ! {failure}" for failure in row.measured.failures)
    return "\n".join(lines)


def means_table(scenes: Sequence[Sequence[Row]]) -> str:
    """Mean delta rates over scenes as a table in Markdown.

    Parameters
    ----------
    scenes : sequence of sequence of Row
        What `rows` gives for each scene.

    Returns
    -------
    str
        With the number of scenes that a mean is over.
    """
    lines = [f"| idea | against the row before | against {RIVAL} |", "|---|---:|---:|"]
    for steps in zip(*scenes, strict=True):
        percents = ([row.before.percent for row in steps], [row.rival.percent for row in steps])
        texts = [
            ""
            if np.isnan(mean(one))
            else f"{_percent(mean(one))} ({sum(not np.isnan(value) for value in one)})"
            for one in percents
        ]
        lines.append(f"| {steps[0].measured.codec} | {texts[0]} | {texts[1]} |")
    return "\n".join(lines)


def figures(row: Row) -> dict[str, Any]:
    """Collect the figures of a row for a file.

    Parameters
    ----------
    row : Row
        What was measured.

    Returns
    -------
    dict
        Only what JSON can hold; delta rates that do not exist are None.
    """
    return {
        "idea": row.measured.codec,
        "points": row.measured.curve,
        "failures": row.measured.failures,
        "against the row before": _finite(row.before.percent),
        f"against {RIVAL}": _finite(row.rival.percent),
    }


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else value


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:+.1f} %"
