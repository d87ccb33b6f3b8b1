"""Curves of models of single bands: one panel for the whole scene and one for each interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .band_panels import Panel
from .panels import make_panels, save_panels

_COLUMNS = 3
_MARKS = "os^Dv*"

_BEYOND = 2.5
"""Curves of other codecs are drawn up to so many times the greatest rate of the models."""


def plot_panels(title: str, panels: Sequence[Panel], path: Path) -> None:
    """Draw the points of every model and the curves of other codecs.

    Parameters
    ----------
    title : str
        Above all panels.
    panels : sequence of Panel
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
    figure, axes = make_panels(len(panels), _COLUMNS, title_inches=0.6)
    from matplotlib.ticker import NullFormatter

    for axis, panel in zip(axes, panels, strict=False):
        models = list(dict.fromkeys(model for _, _, model, _ in panel.points))
        for mark, model in zip(_MARKS, models, strict=False):
            chosen = sorted((rate, level) for rate, level, name, _ in panel.points if name == model)
            axis.plot(*zip(*chosen, strict=True), f"{mark}-", ms=4, color="black", label=model)
        # Other codecs reach much further than models of one bottleneck.
        last = _BEYOND * max(rate for rate, _, _, _ in panel.points)
        for name, curve in panel.others.items():
            shown = sorted(point for point in curve if point[0] <= last)
            if shown:
                axis.plot(*zip(*shown, strict=True), ".--", label=name)
        axis.set_xscale("log")
        # On a short axis Matplotlib would label these too, one over the other.
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_title(panel.name, fontsize=9)
        axis.grid(alpha=0.3, which="both")
    figure.suptitle(title, fontsize=10)
    figure.supxlabel("bits per sample")
    figure.supylabel("PSNR in dB (peak 65535)")
    save_panels(figure, axes, path, legend="outside lower center", columns=4, dpi=110)
