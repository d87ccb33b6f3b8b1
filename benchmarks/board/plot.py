"""Figures of a board as a picture: throughput, energy and latency of each configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bandfold.ground.report.png_figures import new_figure, save

from .estimates import PERCENTILES
from .text import describe

_HEIGHT = 0.45
"""Inches of a configuration."""


def plot(path: Path, report: dict[str, Any]) -> None:
    """Draw a report as a PNG file.

    Parameters
    ----------
    path : Path
        File to write.
    report : dict
        What `bandfold bench` collects; see "JSON" in `docs/boards.md`. What failed is left out.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    rows = [row for row in report["measurements"] if "error" not in row]
    energy = any(row["encode"]["watts"] is not None for row in rows)
    decode = any(row["decode"] is not None for row in rows)
    panels = [("msamples_per_second", 1.0, "Msamples/s")]
    if energy:
        panels.append(("net_joules_per_sample", 1e6, "energy above rest, µJ/sample"))
    figure = new_figure(4.0 * (len(panels) + 1) + 3.0, 1.6 + _HEIGHT * max(len(rows), 2))
    axes = figure.subplots(1, len(panels) + 1, sharey=True, squeeze=False)[0]
    for axis, (name, unit, title) in zip(axes, panels, strict=False):
        for shift, kind in ((-0.2, "encode"), (0.2, "decode")) if decode else ((0.0, "encode"),):
            _bars(axis, rows, (kind, name), shift, unit)
        axis.set_xlabel(title)
        axis.axvline(0, color="black", linewidth=0.8)
        if decode:
            axis.legend(fontsize=8)
    _latencies(axes[-1], rows)
    axes[0].set_yticks(range(len(rows)), [describe(row) for row in rows], fontsize=8)
    axes[0].invert_yaxis()
    machine = report["machine"]
    figure.suptitle(
        f"{machine['board'] or machine['processor']}: mean and 95 % confidence interval", fontsize=10
    )
    save(figure, path)


def _bars(axis: Any, rows: list[dict[str, Any]], where: tuple[str, str], shift: float, unit: float) -> None:
    kind, name = where
    told = [(place, row[kind][name]) for place, row in enumerate(rows) if row[kind] and row[kind][name]]
    axis.barh(
        [place + shift for place, _ in told],
        [one["mean"] * unit for _, one in told],
        0.36 if shift else 0.6,
        xerr=[(one["ci95"] or 0.0) * unit for _, one in told],
        capsize=3,
        label=kind,
    )


def _latencies(axis: Any, rows: list[dict[str, Any]]) -> None:
    for name, marker in zip(PERCENTILES, "o|dx", strict=True):
        told = [(row["strip_milliseconds"][name], place) for place, row in enumerate(rows)]
        known = [one for one in told if one[0] is not None]
        axis.plot([one[0] for one in known], [one[1] for one in known], marker, color="tab:blue", label=name)
    axis.set_xlabel("a strip, ms")
    axis.set_xlim(left=0)
    axis.legend(fontsize=8)
