"""A figure with one panel for each scene or interval, and one legend for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bandfold.common.errors import OutputError, SettingsError


def make_panels(count: int, columns: int, title_inches: float = 0.0) -> tuple[Any, Any]:
    """Lay out a figure.

    Parameters
    ----------
    count : int
        Panels wanted, at least one.
    columns : int
        Most panels side by side.
    title_inches : float
        Height that is left for a title above all panels.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    panels : ndarray of matplotlib.axes.Axes
        At least `count` panels; those beyond are blank.

    Raises
    ------
    SettingsError
        If matplotlib is not installed.
    """
    try:
        # No pyplot: it keeps global state and may look for a display.
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SettingsError("a plot needs matplotlib: pip install 'bandfold[bench]'") from error
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(4 * columns, 3.2 * rows + title_inches), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[count:]:
        panel.set_axis_off()
    return figure, panels


def save_panels(figure: Any, panels: Any, path: Path, *, legend: str, columns: int, dpi: int) -> None:
    """Add the legend and write the image.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        From `make_panels`.
    panels : ndarray of matplotlib.axes.Axes
        Its panels, with their curves.
    path : Path
        Image to write; its suffix decides the format.
    legend : str
        Where the legend stands, as Matplotlib names it.
    columns : int
        Most entries of the legend side by side.
    dpi : int
        Pixels of an inch.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    handles = {line.get_label(): line for panel in panels for line in panel.get_lines()}
    columns = min(columns, len(handles))
    figure.legend(handles.values(), handles.keys(), loc=legend, ncols=columns, frameon=False)
    try:
        figure.savefig(path, dpi=dpi)
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be written: {error}") from error
