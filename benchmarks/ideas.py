"""What each idea buys: ``python -m bandfold.benchmarks.ideas --scenes DIR``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from numpy.typing import NDArray

from bandfold.benchmarks.codecs.ablation import STEPS, AblatedCodec
from bandfold.benchmarks.codecs.held_out import HeldOut
from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000Klt
from bandfold.benchmarks.codecs.recorded import Recorded, read_anchors
from bandfold.benchmarks.measures.bdrate import Curve
from bandfold.benchmarks.rate_distortion.ablation_table import RIVAL, figures, means_table, rows, table
from bandfold.benchmarks.rate_distortion.curves import measure
from bandfold.benchmarks.scenes.evaluation_scenes import EvaluationScene, find_scenes
from bandfold.programs.options import FILE, FOLDER, figures_option, names_option, rates, rates_option
from bandfold.programs.program import run, write_figures


@click.command()
@click.option("--scenes", "folder", type=FOLDER, required=True, help="Folder of ENVI scenes.")
@click.option("--anchors", type=FILE, help="Recorded curves of other codecs (JSON).")
@click.option("--tile", type=click.IntRange(1, 8), default=1, help="Mirrored copies along each side.")
@click.option("--mosaic", is_flag=True, help="The Los Angeles mosaic instead of single scenes.")
@click.option("--tables", type=FOLDER, help="Tables that have not seen the scenes, and folds.json.")
@figures_option("Write all figures here.")
@names_option
@rates_option
@click.option(
    "--banded-rates",
    default="0.25,0.5,1,2,4",
    callback=rates,
    show_default=True,
    help="Bits per sample of what has no fold.",
)
def main(
    folder: Path,
    anchors: Path | None,
    tile: int,
    mosaic: bool,
    tables: Path | None,
    json_path: Path | None,
    names: tuple[str, ...],
    asked: tuple[float, ...],
    banded_rates: tuple[float, ...],
) -> None:
    """What each idea of bandfold buys, as one table."""
    recorded = read_anchors(anchors) if anchors else {}
    held_out = {step: HeldOut(tables, step.quantiser, step.extended) for step in STEPS} if tables else {}
    measured = {}
    for scene in find_scenes(folder, names, tile=tile, mosaic=mosaic):
        codecs = [
            AblatedCodec(
                step,
                held_out[step].tables(scene.base),
                held_out[step].restoration(scene.base),
            )
            if held_out
            else AblatedCodec(step)
            for step in STEPS
        ]
        asked_of_steps = [asked if step.spectral else banded_rates for step in STEPS]
        cube = scene.read()
        measured[scene.name] = rows(codecs, cube, asked_of_steps, _rival(scene, cube, asked, recorded))
        click.echo(table(scene.name, measured[scene.name]) + "\n")
    click.echo(means_table(list(measured.values())))
    if json_path:
        report = {name: [figures(row) for row in scene] for name, scene in measured.items()}
        write_figures(json_path, report)


def _rival(scene: EvaluationScene, cube: NDArray[Any], rates: Sequence[float], recorded: Recorded) -> Curve:
    """Recorded, or measured live."""
    known = recorded.get(scene.name, {})
    return known[RIVAL] if RIVAL in known else measure(Jpeg2000Klt(), cube, rates).curve


if __name__ == "__main__":
    run(main)
