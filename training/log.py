"""The log of a training: rows in a CSV file, and a picture of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from bandfold.common.atomic_files import atomic_output, output_errors
from bandfold.common.errors import SettingsError

COLUMNS = ("step", "loss", "bits_per_sample", "squared_error", "learning_rate", "seconds")
"""Means since the row before; the error is in steps squared, seconds are of this process."""

Row = tuple[float, ...]


class TrainingLog:
    """Rows of a training, kept in ``log.csv``.

    Parameters
    ----------
    folder : Path
        Of the training; the log is kept there.
    last_step : int
        Rows beyond this step are dropped: an interrupted training repeats them.

    Raises
    ------
    SettingsError
        If there is a log of another kind.
    """

    def __init__(self, folder: Path, last_step: int) -> None:
        self._path = folder / "log.csv"
        self.rows: list[Row] = []
        if last_step and self._path.is_file():
            self.rows = [row for row in _read(self._path) if row[0] <= last_step]

    def add(self, row: Row) -> None:
        """Append a row; `write` keeps it.

        Parameters
        ----------
        row : tuple of float
            As `COLUMNS` says.
        """
        self.rows.append(row)

    def write(self) -> None:
        """Write all rows; raises `OutputError` if that fails."""
        with atomic_output(self._path) as file:
            lines = [",".join(COLUMNS), *(",".join(f"{value:.6g}" for value in row) for row in self.rows)]
            file.write(("\n".join(lines) + "\n").encode())


def _read(path: Path) -> list[Row]:
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            if tuple(next(reader, ())) != COLUMNS:
                raise ValueError("its columns are others")
            return [tuple(map(float, row)) for row in reader]
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} is not the log of a training: {error}; remove it") from error


def plot_rows(rows: Sequence[Row], title: str, path: Path) -> None:
    """Draw loss, rate and error over the steps.

    Parameters
    ----------
    rows : sequence of tuple
        As `COLUMNS` says; at least one.
    title : str
        Above the picture.
    path : Path
        PNG file to write.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots(3, sharex=True)
    steps = [row[0] for row in rows]
    labels = ("loss", "bits per sample", "squared error (steps²)")
    for place, (axis, label) in enumerate(zip(axes, labels, strict=True), start=1):
        values = [row[place] for row in rows]
        axis.plot(steps, values)
        axis.set_ylabel(label)
        # A network of the ground takes no bits.
        axis.set_yscale("log" if max(values) > 0 else "linear")
        axis.grid(alpha=0.3)
    axes[0].set_title(title)
    axes[-1].set_xlabel("step")
    with output_errors(path):
        figure.savefig(path, dpi=100, format="png")
