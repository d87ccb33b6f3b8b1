"""`bandfold partition`: the spectral intervals of a scene."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import json_option, need_matplotlib, print_json, wavelengths
from .sceneoptions import array_options, open_source

if TYPE_CHECKING:
    from bandfold.common.scene import SceneSource


EXAMPLE = """\b
Example:
  bandfold partition scene.hdr -o scene.json
  bandfold encode scene.hdr -o scene.bf --bps 0.25 --partition scene.json
"""


@click.command(epilog=EXAMPLE)
@click.argument("scene", type=click.Path(path_type=Path))
@click.option("--intervals", type=int, help="Number of intervals.  [default: one per 45 bands]")
@click.option(
    "--no-data",
    metavar="V|none",
    help="Value that marks absent data.  [default: the data ignore value of the header]",
)
@click.option(
    "--plot", type=click.Path(path_type=Path), help="Draw correlation and intervals into this PNG file."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write, for encode --partition FILE."
)
@array_options
@json_option
def partition(
    scene: Path,
    intervals: int | None,
    no_data: str | None,
    plot: Path | None,
    output: Path | None,
    variable: str | None,
    band_axis: str | None,
    as_json: bool,
) -> None:
    """Find the spectral intervals of SCENE.

    The bands of an interval correlate with each other, and with those of other intervals less.
    """
    from bandfold.common.atomic_files import atomic_output
    from bandfold.onboard.planning.partition import find_partition
    from bandfold.onboard.samples.scaling import ScaledSource

    if plot is not None:
        need_matplotlib("--plot")
    source = open_source(scene, "auto", None, no_data, variable, band_axis)
    info = source.info
    counts: SceneSource = source if info.scaling is None else ScaledSource(source)
    ends = tuple(int(end) for end in find_partition(counts, intervals))
    if plot is not None:
        _plot(counts, ends, plot)
    if output is not None:
        with atomic_output(output) as file:
            file.write((json.dumps({"ends": ends}) + "\n").encode())
    if as_json:
        print_json({"scene": str(scene), "bands": info.bands, "ends": ends})
        return
    centres = wavelengths(info.metadata, info.bands)
    for first, last in pairwise((0, *ends)):
        place = f"  {centres[first]:g} to {centres[last - 1]:g}" if centres else ""
        click.echo(f"bands {first}:{last}{place}")


def _plot(counts: SceneSource, ends: tuple[int, ...], path: Path) -> None:
    import numpy as np

    from bandfold.ground.report.plots import plot_partition
    from bandfold.onboard.planning.block_sample import covariance, sample_blocks

    covariances = covariance(sample_blocks(counts).blocks)[1]
    spread = np.sqrt(np.diag(covariances))
    with np.errstate(invalid="ignore", divide="ignore"):
        plot_partition(covariances / np.outer(spread, spread), ends, path)
