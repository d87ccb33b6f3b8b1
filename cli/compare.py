"""`bandfold compare`: how far a scene is from another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import json_option, need_matplotlib, parse_no_data, print_json, wavelengths

if TYPE_CHECKING:
    from bandfold.ground.compare import Comparison


EXAMPLE = """\b
Example:
  bandfold compare scene.hdr again.hdr --plot difference.png
"""


@click.command(epilog=EXAMPLE)
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("other", type=click.Path(path_type=Path))
@click.option(
    "--no-data",
    metavar="V|none",
    help="Value that marks absent data in REFERENCE.  [default: the data ignore value of its header]",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Draw the PSNR of each band and maps of angle and error into this PNG file.",
)
@json_option
def compare(reference: Path, other: Path, no_data: str | None, plot: Path | None, as_json: bool) -> None:
    """Measure how far OTHER is from REFERENCE.

    PSNR (peak 65535, and peak of the data) and SNR from the error pooled over all samples, the largest
    error, and the spectral angle between the spectra of each pixel; over all bands and by interval (those
    usual for AVIRIS where there are 224 bands). Samples without data in REFERENCE do not count.
    """
    from bandfold.formats.opening import open_scene
    from bandfold.formats.scene_options import SceneOptions
    from bandfold.ground.compare import compare_scenes

    if plot is not None:
        need_matplotlib("--plot")
    first = open_scene(reference, SceneOptions(no_data=parse_no_data(no_data), for_coding=False))
    second = open_scene(other, SceneOptions(no_data=None, for_coding=False))
    comparison = compare_scenes(first, second)
    if plot is not None:
        from bandfold.ground.report.plots import plot_comparison

        plot_comparison(comparison, plot, wavelengths=wavelengths(first.info.metadata, first.info.bands))
    if as_json:
        print_json({"reference": str(reference), "other": str(other), **comparison.to_dict()})
    else:
        _print(comparison)


def _print(comparison: Comparison) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("bands", "MSE", "PSNR", "data PSNR", "SNR", "max error", "SAM", "max SAM")
    parts = [*comparison.intervals, comparison.whole] if len(comparison.intervals) > 1 else [comparison.whole]
    for part in parts:
        table.add_row(
            f"{part.first_band}:{part.last_band}",
            f"{part.mse:.5g}",
            f"{part.psnr:.2f}",
            f"{part.psnr_data_peak:.2f}",
            f"{part.snr:.2f}",
            f"{part.max_error:g}",
            f"{part.mean_sam:.4f}",
            f"{part.max_sam:.3f}",
            end_section=len(parts) > 1 and part is parts[-2],
        )
    table.caption = "PSNR and SNR in dB (peak 65535, and the data's own), SAM in degrees"
    Console().print(table)
