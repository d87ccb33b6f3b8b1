"""Band by band, interval by interval: ``python -m bandfold.benchmarks.bands EXPORT... --scenes DIR``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from bandfold.benchmarks.codecs.band_model import BandModel
from bandfold.benchmarks.codecs.recorded import read_anchors
from bandfold.benchmarks.rate_distortion.band_panels import scene_panels
from bandfold.benchmarks.rate_distortion.band_plot import plot_panels
from bandfold.benchmarks.scenes.evaluation_scenes import find_scenes
from bandfold.common.errors import SettingsError
from bandfold.formats.envi.reader import open_envi
from bandfold.onboard.networks.intervals import interval_ends
from bandfold.programs import options
from bandfold.programs.program import run, write_figures


@click.command()
@click.argument("exports", nargs=-1, type=options.FOLDER, required=True)
@click.option("--scenes", "folder", type=options.FOLDER, required=True, help="Folder of ENVI scenes.")
@click.option("--names", required=True, callback=options.names, help="These scenes: a,b,c.")
@click.option(
    "--anchors", type=options.FILE, help="Recorded curves of other codecs (JSON), for whole scenes."
)
@click.option(
    "--intervals/--whole", default=True, help="Also each interval, beside JPEG 2000 and CCSDS 122 run live."
)
@options.figures_option("Write all points.")
@click.option(
    "--plot", "plot_folder", type=options.FOLDER, help="Draw NAME.png for each scene into this folder."
)
def main(
    exports: tuple[Path, ...],
    folder: Path,
    names: tuple[str, ...],
    anchors: Path | None,
    intervals: bool,
    json_path: Path | None,
    plot_folder: Path | None,
) -> None:
    """Measure exported models on scenes that they were not trained on."""
    models = [BandModel(path) for path in exports]
    seen = sorted({name for name in names for model in models if name in model.scenes})
    if seen:
        raise SettingsError(f"models were trained on {', '.join(seen)}: nothing is measured on such scenes")
    scenes = {scene.name: scene for scene in find_scenes(folder, names)}
    recorded = read_anchors(anchors) if anchors else {}
    report: dict[str, Any] = {}
    for name in names:
        cube, ((path,),) = scenes[name].read(), scenes[name].parts
        ends = interval_ends(len(cube), open_envi(path, for_coding=False).info.metadata)
        panels = scene_panels(models, cube, ends, recorded.get(name, {}), live=intervals)
        for panel in panels:
            click.echo(f"{name}: {panel.name}\n{panel.text()}")
        report[name] = [dataclasses.asdict(panel) for panel in panels]
        if plot_folder is not None:
            plot_panels(f"{name}, band by band", panels, plot_folder / f"{name}.png")
    if json_path is not None:
        write_figures(json_path, report)


if __name__ == "__main__":
    run(main)
