"""The published comparison, run live on a scene: ``python -m bandfold.benchmarks.paper SCENE -o FIGURE``.

Mijares i Verdú et al. compare encoders that were trained for spectral intervals of AVIRIS with JPEG 2000 and
CCSDS 122 band by band, in each interval and in all, on calibrated scenes and on raw ones. This does so with a
model that predicts bands, with the published method (a model of single bands) and with both standards.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bandfold.benchmarks.codecs.candidate import Bandfold, CandidateSettings
from bandfold.benchmarks.codecs.ccsds122 import Ccsds122
from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000
from bandfold.benchmarks.codecs.published_model import PublishedModel
from bandfold.benchmarks.codecs.recorded import read_anchors
from bandfold.benchmarks.rate_distortion.interval_results import Contestant, interval_results, parts_of
from bandfold.benchmarks.rate_distortion.rd_plot import plot
from bandfold.benchmarks.rate_distortion.rd_text import as_json, delta_table, scene_text
from bandfold.benchmarks.scenes.scene_file import read_any_scene
from bandfold.bitstream.packages.package import Package
from bandfold.bitstream.packages.registry import Registry
from bandfold.calibration.folds import scene_descriptions
from bandfold.common.errors import SettingsError
from bandfold.onboard.networks.intervals import interval_ends
from bandfold.programs import options
from bandfold.programs.program import run, write_figures

PUBLISHED = {True: "balle48-relu-cal-l1", False: "balle48-relu-uncal-l1"}
"""Models of the published method for calibrated scenes, and for raw ones."""

RANGE = (0.02, 1.0)
"""Bits per sample of the other codecs that delta rates are taken over."""

SCENE = click.Path(exists=True, path_type=Path)


def _rates_option(name: str, field: str, default: str, text: str) -> Callable[[Any], Any]:
    return click.option(name, field, default=default, callback=options.rates, show_default=True, help=text)


@click.command()
@click.argument("scene", type=SCENE)
@click.option("-o", "--output", type=options.OUTPUT, help="Draw a panel for each interval and one for all.")
@click.option(
    "--model", metavar="NAME|FILE", default="innovations", show_default=True, help="Predicts bands."
)
@click.option("--published", metavar="NAME|FILE|none", help="Codes single bands; by the level of the scene.")
@click.option("--calibrated/--raw", default=None, help="As scenes.json beside the scene says, or calibrated.")
@click.option("--fold", is_flag=True, help="Also the folded codec, without any model.")
@click.option("--seen", is_flag=True, help="Also with models that were trained on this scene.")
@_rates_option("--rates", "asked", "0.02,0.05,0.1,0.25,0.5,1", "Of the standards, in bits per sample.")
@_rates_option("--model-rates", "model_rates", "0.005,0.01,0.02,0.05,0.1,0.25,0.5,1", "Of models and fold.")
@click.option("--anchors", type=options.FILE, help="Recorded curves (JSON), to hold the standards against.")
@click.option("--segment-blocks", type=click.IntRange(0), default=0, help="Of CCSDS 122; 0 for whole bands.")
@options.figures_option("Write all points.")
def main(
    scene: Path,
    output: Path | None,
    model: str,
    published: str | None,
    calibrated: bool | None,
    fold: bool,
    seen: bool,
    asked: tuple[float, ...],
    model_rates: tuple[float, ...],
    anchors: Path | None,
    segment_blocks: int,
    json_path: Path | None,
) -> None:
    """Compare trained encoders with JPEG 2000 and CCSDS 122, interval by interval."""
    registry = Registry()
    if calibrated is None:
        calibrated = _is_calibrated(scene)
    other = published or PUBLISHED[calibrated]
    packages = [registry.find(name) for name in (model, other) if name != "none"]
    for package in packages:
        _say_if_seen(package, scene.stem, allowed=seen)
    cube, metadata = read_any_scene(scene)
    settings = CandidateSettings(model=str(packages[0].source))
    contestants = [
        Contestant(lambda part: Bandfold(settings, name="predicted bands"), model_rates),
        Contestant(lambda part: Jpeg2000(), asked),
        Contestant(lambda part: Ccsds122(segment_blocks), asked),
    ]
    if other != "none":
        contestants.append(
            Contestant(lambda part: PublishedModel(packages[1], part.ends, part.intervals), model_rates)
        )
    if fold:
        contestants.append(Contestant(lambda part: Bandfold(name="fold"), model_rates))
    level = "calibrated" if calibrated else "raw"
    names = " and ".join(package.name for package in packages)
    click.echo(f"{scene.stem} ({level}): models {names}; every interval is coded as a scene of its own")
    parts = parts_of(scene.stem, interval_ends(len(cube), metadata))
    recorded = read_anchors(anchors).get(scene.stem, {}) if anchors else {}
    results = []
    for result in interval_results(cube, parts, contestants, RANGE, recorded):
        results.append(result)
        click.echo(scene_text(result) + "\n")
    click.echo(delta_table(results))
    if json_path is not None:
        write_figures(json_path, as_json(results, ()))
    if output is not None:
        plot(results, output)


def _is_calibrated(scene: Path) -> bool:
    """Whether the description beside a scene says that it is calibrated, or says nothing."""
    _, _, level = scene_descriptions(scene.parent / "scenes.json").get(scene.stem, ("", "", ""))
    return not level.startswith("raw")


def _say_if_seen(package: Package, scene: str, *, allowed: bool) -> None:
    """Warn of a model that was trained on the scene, or refuse it."""
    if scene not in _training_scenes(package):
        return
    if not allowed:
        raise SettingsError(
            f"model {package.name} was trained on {scene}: give another one with --model or --published, "
            "or --seen for figures that flatter it"
        )
    click.echo(f"note: {package.name} was trained on {scene}, which flatters it", err=True)


def _training_scenes(package: Package) -> tuple[str, ...]:
    return tuple(package.manifest.card.get("training scenes", ()))


if __name__ == "__main__":
    run(main)
