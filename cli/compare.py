"""`bandfold compare`: how far a scene is from another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .console import need_matplotlib, print_json
from .options import (
    STREAM_PLACE,
    OtherOptions,
    ReadingOptions,
    json_option,
    option_group,
    plot_option,
)
from .scene_input import open_other, open_reference
from .tables import print_whole

if TYPE_CHECKING:
    from bandfold.ground.distortion import Comparison, Distortion


EXAMPLE = """\b
Examples:
  bandfold compare scene.hdr again.hdr --plot difference.png
  bandfold compare granule.nc granule.bf
"""


@click.command(epilog=EXAMPLE)
@click.argument("reference", type=STREAM_PLACE)
@click.argument("other", type=STREAM_PLACE)
@option_group("reading", ReadingOptions, "no_data", "variable", "band_axis")
@option_group("other_reading", OtherOptions)
@plot_option(help="Draw the PSNR of each band and maps of angle and error into this PNG file.")
@json_option
def compare(
    reference: Path | str,
    other: Path | str,
    reading: ReadingOptions,
    other_reading: OtherOptions,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure how far OTHER is from REFERENCE.

    Each is a scene in any format that encode reads, or a stream, which is decoded: a file, or an address
    (https://, s3://, ..., with the extra "remote"). --no-data, --variable and --band-axis are about
    REFERENCE.

    PSNR (peak 65535, and peak of the data; of floats and 32-bit integers the range of their ordinary values)
    and SNR from the error pooled over all samples, the largest
    error, and the spectral angle between the spectra of each pixel; over all bands and by interval (those
    usual for AVIRIS where there are 224 bands). Samples without data in REFERENCE do not count, and
    outliers of floats are told apart.
    """
    from bandfold.formats.header_fields import WAVELENGTH, numbers
    from bandfold.ground.compare import compare_scenes

    if plot is not None:
        need_matplotlib("--plot")
    first = open_reference(reference, reading)
    second = open_other(other, other_reading)
    comparison = compare_scenes(first, second)
    if plot is not None:
        from bandfold.ground.report.png_figures import plot_comparison

        centres = numbers(first.info.metadata, WAVELENGTH, first.info.bands)
        plot_comparison(comparison, plot, wavelengths=None if centres is None else centres.tolist())
    if as_json:
        print_json({"reference": str(reference), "other": str(other), **comparison.to_dict()})
    else:
        _print(comparison)


def _print(comparison: Comparison) -> None:
    from rich.table import Table

    from bandfold.ground.distortion import PEAK

    own = comparison.whole.full_scale != PEAK
    table = Table("bands", *(name for name, _ in _figures(comparison.whole, own=own)))
    parts = [*comparison.intervals, comparison.whole] if len(comparison.intervals) > 1 else [comparison.whole]
    for part in parts:
        table.add_row(
            f"{part.first_band}:{part.last_band}",
            *(text for _, text in _figures(part, own=own)),
            end_section=len(parts) > 1 and part is parts[-2],
        )
    if own:
        peak = f"{comparison.whole.full_scale:.4g}"
        table.caption = f"PSNR and SNR in dB (peak {peak}: the range of the values), SAM in degrees"
    else:
        table.caption = "PSNR and SNR in dB (peak 65535, and the data's own), SAM in degrees"
    print_whole(table)
    outliers, changed = comparison.whole.outliers
    if outliers:
        kept = "all" if not changed else f"all but {changed}"
        click.echo(f"{outliers} outliers and fill values: {kept} are the same in both, and do not count")


def _figures(part: Distortion, *, own: bool) -> list[tuple[str, str]]:
    """Names and texts of the figures of a row; floats are judged by their own range, and SNR comes first."""
    snr, psnr = ("SNR", f"{part.snr:.2f}"), ("PSNR", f"{part.psnr:.2f}")
    angles = [("SAM", f"{part.mean_sam:.4f}"), ("max SAM", f"{part.max_sam:.3f}")]
    error = [("max error", f"{part.max_error:g}"), *angles]
    if own:
        return [snr, psnr, ("RMSE", f"{part.mse**0.5:.5g}"), *error]
    return [("MSE", f"{part.mse:.5g}"), psnr, ("data PSNR", f"{part.psnr_data_peak:.2f}"), snr, *error]
