"""`bandfold partition`: the spectral intervals of a scene."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .console import need_matplotlib, print_json
from .kept_inputs import keep_input
from .options import ReadingOptions, json_option, option_group, output_option, plot_option
from .scene_input import open_source

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
@plot_option(help="Draw correlation and intervals into this PNG file.")
@output_option(help="File to write, for encode --partition FILE.")
@option_group("reading", ReadingOptions, "no_data", "variable", "band_axis")
@json_option
def partition(
    scene: Path,
    intervals: int | None,
    plot: Path | None,
    output: Path | None,
    reading: ReadingOptions,
    as_json: bool,
) -> None:
    """Find the spectral intervals of SCENE.

    The bands of an interval correlate with each other, and with those of other intervals less.
    """
    from bandfold.common.atomic_files import atomic_output
    from bandfold.formats.header_fields import WAVELENGTH, numbers
    from bandfold.onboard.planning.partition import find_partition
    from bandfold.onboard.samples.samples import Samples

    if plot is not None:
        need_matplotlib("--plot")
    source = open_source(scene, replace(reading, scale="auto"))
    keep_input("the scene", [scene, source.path], [one for one in (output, plot) if one is not None])
    info = source.info
    counts: SceneSource = Samples.of(source).counts
    ends = tuple(int(end) for end in find_partition(counts, intervals))
    if plot is not None:
        _plot(counts, ends, plot)
    if output is not None:
        with atomic_output(output) as file:
            file.write((json.dumps({"ends": ends}) + "\n").encode())
    if as_json:
        print_json({"scene": str(scene), "bands": info.bands, "ends": ends})
        return
    centres = numbers(info.metadata, WAVELENGTH, info.bands)
    for first, last in pairwise((0, *ends)):
        place = f"  {centres[first]:g} to {centres[last - 1]:g}" if centres is not None else ""
        click.echo(f"bands {first}:{last}{place}")


def _plot(counts: SceneSource, ends: tuple[int, ...], path: Path) -> None:
    import numpy as np

    from bandfold.ground.report.png_figures import plot_partition
    from bandfold.onboard.planning.block_sample import covariance, sample_blocks

    covariances = covariance(sample_blocks(counts).blocks)[1]
    spread = np.sqrt(np.diag(covariances))
    with np.errstate(invalid="ignore", divide="ignore"):
        plot_partition(covariances / np.outer(spread, spread), ends, path)
