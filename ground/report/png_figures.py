"""Pictures of scenes and comparisons, as PNG files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import atomic_output
from bandfold.ground.distortion import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_comparison(
    comparison: Comparison, path: str | os.PathLike[str], *, wavelengths: Sequence[float] | None = None
) -> None:
    """Draw the PSNR of each band and maps of the spectral angle and the error.

    Parameters
    ----------
    comparison : Comparison
        What to draw.
    path : path_like
        PNG file to write.
    wavelengths : sequence of float, optional
        Position of each band on the axis; band numbers from 0 without.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = new_figure(10, 7)
    curve, *maps = figure.subplot_mosaic([["psnr", "psnr"], ["sam", "rmse"]]).values()
    psnr = np.array(comparison.band_psnr)
    psnr[~np.isfinite(psnr)] = np.nan
    if wavelengths is None:
        curve.plot(psnr)
        curve.set_xlabel("band")
    else:
        # Not joined: wavelengths may jump back where two detectors overlap.
        curve.plot(wavelengths, psnr, ".")
        curve.set_xlabel("wavelength")
    curve.set_ylabel("PSNR in dB (peak 65535)")
    curve.set_title(f"{comparison.whole.psnr:.2f} dB over all bands; bands without error are left out")
    curve.grid(visible=True)
    for axes, values, title in zip(
        maps,
        (comparison.sam_map, comparison.rmse_map),
        ("spectral angle in degrees", "RMSE over the bands"),
        strict=True,
    ):
        picture = axes.imshow(values, interpolation="nearest")
        figure.colorbar(picture, ax=axes)
        axes.set_title(title)
    save(figure, path)


def plot_partition(correlation: NDArray[Any], ends: Sequence[int], path: str | os.PathLike[str]) -> None:
    """Draw the intervals of a partition over the correlation of the bands.

    Parameters
    ----------
    correlation : ndarray of float, shape (bands, bands)
        Correlation coefficients; NaN for constant bands.
    ends : sequence of int
        Ends of the intervals; the last is the number of bands.
    path : path_like
        PNG file to write.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from matplotlib.patches import Rectangle

    figure = new_figure(7, 6)
    axes = figure.subplots()
    picture = axes.imshow(np.abs(correlation), vmin=0, vmax=1, interpolation="nearest")
    figure.colorbar(picture, ax=axes, label="absolute correlation of two bands")
    for first, last in pairwise((0, *ends)):
        size = last - first
        axes.add_patch(Rectangle((first - 0.5, first - 0.5), size, size, fill=False, edgecolor="red"))
    axes.set_xlabel("band")
    axes.set_ylabel("band")
    axes.set_title(f"intervals ending at {', '.join(map(str, ends))}")
    save(figure, path)


def plot_rates(
    pictures: Sequence[tuple[str, NDArray[np.float64]]],
    points: Sequence[tuple[float, float]],
    path: str | os.PathLike[str],
) -> None:
    """Draw a scene beside what was decoded at several rates, and the quality over the rate.

    Parameters
    ----------
    pictures : sequence of (str, ndarray of float64, shape (lines, samples, 3))
        Title and colours (0 to 1) of each; the original first.
    points : sequence of (float, float)
        Bits per sample and PSNR in dB.
    path : path_like
        PNG file to write.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = new_figure(3 * len(pictures), 7)
    names = [f"picture {index}" for index in range(len(pictures))]
    layout: list[Any] = [names, ["curve"] * len(pictures)]
    axes = figure.subplot_mosaic(layout)
    for name, (title, colours) in zip(names, pictures, strict=True):
        axes[name].imshow(colours, interpolation="nearest")
        axes[name].set_title(title)
        axes[name].set_axis_off()
    curve = axes["curve"]
    curve.plot([rate for rate, _ in points], [psnr for _, psnr in points], "o-")
    curve.set_xscale("log")
    curve.set_xlabel("bits per sample")
    curve.set_ylabel("PSNR in dB (peak 65535)")
    curve.grid(visible=True, which="both", alpha=0.4)
    save(figure, path)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure that needs no display.

    Parameters
    ----------
    width, height : float
        Size in inches.

    Returns
    -------
    matplotlib.figure.Figure
        Made without pyplot, so that no global state is touched.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as a PNG file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write.
    path : path_like
        Where.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_output(path) as file:
        figure.savefig(file, format="png", dpi=120)
