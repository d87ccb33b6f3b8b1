"""Rate-distortion curves as a figure: one panel per scene."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bandfold.benchmarks.measures.bdrate import Curve

from .panels import make_panels, save_panels
from .standings import SceneResult

_COLUMNS = 4
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which colour-blind readers can tell apart; the candidate is black."""


def plot(results: Sequence[SceneResult], path: Path) -> None:
    """Draw the curves of all scenes.

    Parameters
    ----------
    results : sequence of SceneResult
        At least one.
    path : Path
        Image to write; its suffix decides the format.

    Raises
    ------
    OutputError
        If the file cannot be written.
    SettingsError
        If matplotlib is not installed.
    """
    figure, panels = make_panels(len(results), _COLUMNS)
    names = list(dict.fromkeys(anchor for result in results for anchor in result.anchors))
    colours = {name: _COLOURS[index % len(_COLOURS)] for index, name in enumerate(names)}
    for panel, result in zip(panels, results, strict=False):
        for name, curve in result.anchors.items():
            _draw(panel, curve, name, colours[name])
        _draw(panel, result.candidate.curve, result.candidate.codec, "black")
        panel.set_xscale("log")
        ticks = sorted({point.asked for point in result.candidate.points})
        panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        panel.minorticks_off()
        panel.set_title(result.scene, fontsize=9)
        panel.grid(alpha=0.3)
    figure.supxlabel("bits per sample, all bytes counted")
    figure.supylabel("PSNR in dB (peak 65535)")
    save_panels(figure, panels, path, legend="outside upper center", columns=len(names) + 1, dpi=120)


def _draw(panel: Any, curve: Curve, label: str, colour: str) -> None:
    points = sorted(curve)
    rates, qualities = zip(*points, strict=True) if points else ((), ())
    panel.plot(rates, qualities, "o-", ms=3, label=label, color=colour)
