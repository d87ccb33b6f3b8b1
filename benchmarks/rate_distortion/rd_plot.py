"""Rate-distortion curves as a figure: one panel per scene."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bandfold.benchmarks.measures.bdrate import Curve
from bandfold.common.errors import OutputError, SettingsError

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
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SettingsError("a plot needs matplotlib: pip install 'bandfold[bench]'") from error
    columns = min(_COLUMNS, len(results))
    rows = -(-len(results) // columns)
    # No pyplot: it keeps global state and may look for a display.
    figure = Figure(figsize=(4 * columns, 3.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    names = list(dict.fromkeys(anchor for result in results for anchor in result.anchors))
    colours = {name: _COLOURS[index % len(_COLOURS)] for index, name in enumerate(names)}
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
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
    for panel in panels[len(results) :]:
        panel.set_axis_off()
    figure.supxlabel("bits per sample, all bytes counted")
    figure.supylabel("PSNR in dB (peak 65535, whole cube)")
    handles = {line.get_label(): line for panel in panels for line in panel.get_lines()}
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper center", ncols=len(handles), frameon=False
    )
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be written: {error}") from error


def _draw(panel: Any, curve: Curve, label: str, colour: str) -> None:
    points = sorted(curve)
    rates, qualities = zip(*points, strict=True) if points else ((), ())
    panel.plot(rates, qualities, "o-", ms=3, label=label, color=colour)
