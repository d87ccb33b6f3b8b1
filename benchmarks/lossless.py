"""Lossless and near-lossless sizes of scenes: ``python -m bandfold.benchmarks.lossless --scenes FOLDER``.

Prints, for each scene and limit, bits per sample of bases with their refinement, and of a whole stream as
`bandfold encode` writes it without more options, beside recorded figures of other codecs. Every sample is
checked against its limit. Tables that have not seen a scene are for bases with their refinement; the stream
has those that are shipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bandfold.benchmarks.codecs.bounded_error import live_codecs
from bandfold.benchmarks.codecs.json_object import read_object
from bandfold.benchmarks.codecs.recorded_sizes import recorded_sizes
from bandfold.benchmarks.measures.refined_size import RefinedSize, refined_sizes, stream_bps
from bandfold.bitstream.refinement.tables import RefinementTables, load_refinement_tables
from bandfold.calibration.refinement import FOLDS
from bandfold.common.errors import SettingsError
from bandfold.common.scene import SCALED_DTYPES
from bandfold.formats.envi.reader import open_envi
from bandfold.programs.options import FILE, FOLDER, figures_option, names, whole_numbers
from bandfold.programs.program import run, write_figures


def _numbers(_: click.Context, __: click.Parameter, text: str) -> list[float]:
    try:
        return [float(item) for item in text.split(",") if item.strip()]
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no list of numbers") from error


@click.command()
@click.option("--scenes", "folder", type=FOLDER, required=True, help="Folder of ENVI scenes; integers count.")
@click.option("--names", default="", callback=names, help="Only these: a,b,c.")
@click.option("--recorded", type=FILE, help="Recorded sizes of other codecs (JSON).")
@click.option("--tables", type=FOLDER, help=f"Tables that have not seen the scenes, and {FOLDS}.")
@click.option("--limits", default="0", callback=whole_numbers, show_default=True, help="Errors in counts.")
@click.option(
    "--bases", default="0.1,0.25,0.5", callback=_numbers, show_default=True, help="Bits per sample; 0: means."
)
@click.option("--live", is_flag=True, help="Run other codecs, too (needs imagecodecs).")
@figures_option("Write all figures here.")
def main(
    folder: Path,
    names: tuple[str, ...],
    recorded: Path | None,
    tables: Path | None,
    limits: list[int],
    bases: list[float],
    live: bool,
    json_path: Path | None,
) -> None:
    """Measure sizes of scenes within limits of error."""
    rivals = {} if recorded is None else read_object(recorded)
    held_out = None if tables is None else read_object(tables / FOLDS)
    others = list(live_codecs()) if live else []
    table = Table("scene", "limit", box=SIMPLE)
    headings = (f"base {rate:g}" for rate in bases)
    for heading in (
        *headings,
        "stream",
        "tuned 123",
        "best",
        "write Ms/s",
        "read Ms/s",
        *(one.name for one in others),
    ):
        table.add_column(heading, justify="right")
    figures: dict[str, list[dict[str, Any]]] = {}
    gains: dict[tuple[str, int], list[float]] = {}
    for path in sorted(folder.glob("*.hdr")):
        if names and path.stem not in names:
            continue
        source = open_envi(path, for_coding=False)
        if source.info.dtype in SCALED_DTYPES:
            continue
        cube = source.read(slice(0, source.info.bands), slice(0, source.info.lines))
        statistics = _tables(tables, held_out, path.stem)
        sizes = list(refined_sizes(cube, bases, limits, statistics))
        whole = {limit: stream_bps(cube, limit) for limit in limits}
        run_live = {
            limit: {one.name: one.bps(cube, limit) for one in others if one.lossy or not limit}
            for limit in limits
        }
        figures[path.stem] = [
            asdict(one) | {"bps": one.bps, "stream": whole[one.limit]} | run_live[one.limit] for one in sizes
        ]
        for limit in limits:
            chosen = [one for one in sizes if one.limit == limit]
            rival, least = recorded_sizes(rivals, path.stem, limit)
            smallest = min(one.bps for one in chosen)
            if rival is not None:
                gains.setdefault(("base and refinement", limit), []).append(smallest / rival - 1.0)
                gains.setdefault(("stream", limit), []).append(whole[limit] / rival - 1.0)
            beside = [run_live[limit].get(one.name) for one in others]
            table.add_row(
                path.stem,
                str(limit),
                *_cells(chosen, whole[limit], rival, least),
                *("" if bps is None else f"{bps:.4f}" for bps in beside),
            )
    console = Console()
    console.print("Bits per sample, base and refinement; against recorded codecs in percent")
    console.print(table)
    for (what, limit), found in gains.items():
        console.print(
            f"limit {limit}, {what}: {100 * np.mean(found):+.2f} % on the mean of {len(found)} scenes"
        )
    if json_path is not None:
        write_figures(json_path, figures)


def _tables(folder: Path | None, files: Mapping[str, Any] | None, scene: str) -> RefinementTables:
    """Tables for a scene: those that have not seen it where there are such."""
    if folder is None or files is None:
        return load_refinement_tables()
    if scene not in files:
        raise SettingsError(f"{folder / FOLDS} names no tables that have not seen {scene}")
    return load_refinement_tables(folder / str(files[scene]))


def _cells(sizes: list[RefinedSize], whole: float, rival: float | None, least: float | None) -> list[str]:
    """Sizes with each base and of the stream, what the stream gains over rivals, and speeds of refinement."""
    best = min(sizes, key=lambda one: one.bps)
    speeds = [
        f"{one.samples / max(seconds, 1e-9) / 1e6:.0f}"
        for one, seconds in ((best, best.write_seconds), (best, best.read_seconds))
    ]
    against = [
        "" if other is None else f"{other:.3f} ({100 * (whole / other - 1):+.1f})" for other in (rival, least)
    ]
    return [*(f"{one.bps:.4f}" for one in sizes), f"{whole:.4f}", *against, *speeds]


if __name__ == "__main__":
    run(main)
