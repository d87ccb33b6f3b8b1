"""Rate-distortion benchmark: ``python -m bandfold.benchmarks.rd --scenes DIR``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from bandfold.benchmarks.codecs.bounded_error import live_codecs
from bandfold.benchmarks.codecs.candidate import CandidateSettings
from bandfold.benchmarks.codecs.ccsds122 import Ccsds122
from bandfold.benchmarks.codecs.codec import Codec
from bandfold.benchmarks.codecs.external import External
from bandfold.benchmarks.codecs.held_out import HeldOut
from bandfold.benchmarks.codecs.json_object import read_object
from bandfold.benchmarks.codecs.live_anchors import LIVE, live_anchors
from bandfold.benchmarks.codecs.recorded import read_anchors
from bandfold.benchmarks.rate_distortion.campaign import perform, plan
from bandfold.benchmarks.rate_distortion.near_lossless import (
    NearLossless,
    near_lossless,
    near_lossless_text,
)
from bandfold.benchmarks.rate_distortion.rd_plot import plot
from bandfold.benchmarks.rate_distortion.rd_text import as_json, means_text, scene_text
from bandfold.benchmarks.rate_distortion.standings import means
from bandfold.benchmarks.scenes.evaluation_scenes import EvaluationScene, find_scenes
from bandfold.bitstream.container.header import DEPENDENT, UNIFORM
from bandfold.common.errors import SettingsError
from bandfold.onboard.effort import DEFAULT_EFFORT
from bandfold.programs.options import (
    FILE,
    FOLDER,
    OUTPUT,
    figures_option,
    names_option,
    rates_option,
    whole_numbers,
)
from bandfold.programs.program import run, write_figures


@click.command()
@click.option("--scenes", "folder", type=FOLDER, required=True, help="Folder of ENVI scenes.")
@click.option("--anchors", type=FILE, help="Recorded curves of other codecs (JSON).")
@names_option
@rates_option
@click.option("--tile", type=click.IntRange(1, 8), default=1, help="Mirrored copies along each side.")
@click.option("--mosaic", is_flag=True, help="The Los Angeles mosaic instead of single scenes.")
@click.option("--floats", is_flag=True, help="Also scenes of floats, as 16-bit counts.")
@click.option("--spectral", type=click.Choice(["auto", "none"]), default="auto", show_default=True)
@click.option("--model", metavar="NAME|FILE", help="Package of a model, which codes band by band.")
@click.option("--restore", metavar="auto|off|NAME|FILE", default="auto", show_default=True)
@click.option(
    "--quantiser",
    type=click.Choice(["dependent", "dependent-32", "uniform"]),
    help="As for 'bandfold encode'.",
)
@click.option("--effort", type=click.IntRange(1, 9), default=DEFAULT_EFFORT, show_default=True)
@click.option("--tables", type=FOLDER, help="Tables that have not seen the scenes, and folds.json.")
@click.option(
    "--ccsds122",
    type=click.Choice(["recorded", "live"]),
    default="recorded",
    show_default=True,
    help="Take the recorded curve of CCSDS 122, or run it on each scene.",
)
@click.option(
    "--live",
    "wanted",
    type=click.Choice(list(LIVE)),
    multiple=True,
    help="Another codec to run on every scene, through imagecodecs; may be repeated.",
)
@click.option("--external", "externals", multiple=True, help="'name=enc {in} {out} {bps} ; dec {in} {out}'")
@click.option("--timeout", default=600.0, show_default=True, help="Seconds for an external command.")
@figures_option("Write all figures here.")
@click.option("--plot", "plot_path", type=OUTPUT, help="Write the curves here, as an image.")
@click.option("--limits", default="", callback=whole_numbers, help="Near-lossless rows: errors in counts.")
@click.option("--bounded", type=FILE, help="Recorded sizes of codecs within limits (JSON).")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Scenes at a time.")
def main(
    folder: Path,
    anchors: Path | None,
    names: tuple[str, ...],
    asked: tuple[float, ...],
    tile: int,
    mosaic: bool,
    floats: bool,
    spectral: str,
    model: str | None,
    restore: str,
    quantiser: str | None,
    effort: int,
    tables: Path | None,
    ccsds122: str,
    wanted: tuple[str, ...],
    externals: tuple[str, ...],
    timeout: float,
    json_path: Path | None,
    plot_path: Path | None,
    limits: list[int],
    bounded: Path | None,
    jobs: int,
) -> None:
    """Rate and distortion of bandfold and of other codecs."""
    if mosaic and (names or tile > 1):
        raise SettingsError("--mosaic goes with neither --names nor --tile")
    if tables and quantiser == DEPENDENT:
        raise SettingsError(
            "tables that have not seen the scenes leave the trellis to the effort: "
            "leave out --quantiser dependent"
        )
    recorded = read_anchors(anchors) if anchors else {}
    if tile > 1 and not names:
        # On every scene, live JPEG 2000 on tiles would take hours: without names, those with recorded curves.
        names = tuple(name.partition("@")[0] for name in recorded if name.endswith(f"@{tile}x{tile}"))
    scenes = find_scenes(folder, names, tile=tile, mosaic=mosaic, floats=floats)
    live: list[Codec] = [Ccsds122()] if ccsds122 == "live" else []
    others = live_anchors(wanted)
    tasks = plan(
        scenes,
        asked,
        recorded=recorded,
        settings=CandidateSettings(spectral, model, restore, quantiser, effort),
        held_out=HeldOut(tables, UNIFORM if quantiser == UNIFORM else DEPENDENT) if tables else None,
        externals=[*live, *others, *(External.parse(template, timeout) for template in externals)],
    )
    results = []
    for result in perform(tasks, jobs):
        results.append(result)
        click.echo(scene_text(result) + "\n")
    click.echo(
        "CCSDS 122: run live by the encoder of these benchmarks"
        if live
        else "CCSDS 122: recorded curves, where there are any (--ccsds122 live runs it)"
    )
    standings = means(results)
    click.echo(means_text(standings, tasks[0].rates))
    near = _near_lossless(scenes, limits, bounded)
    if near:
        click.echo(
            "\nBits per sample, no sample off by more than a limit in counts:\n\n" + near_lossless_text(near)
        )
    if json_path:
        figures = as_json(results, standings) | {"near_lossless": [asdict(one) for one in near]}
        write_figures(json_path, figures)
    if plot_path:
        plot(results, plot_path)


def _near_lossless(
    scenes: Sequence[EvaluationScene], limits: Sequence[int], bounded: Path | None
) -> list[NearLossless]:
    """Sizes within limits; without imagecodecs those of bandfold and recorded ones."""
    if not limits:
        return []
    try:
        rivals = list(live_codecs())
    except SettingsError as error:
        click.echo(f"\nno other codec runs within limits: {error}", err=True)
        rivals = []
    recorded = {} if bounded is None else read_object(bounded)
    return [
        one for scene in scenes for one in near_lossless(scene.name, scene.read(), limits, rivals, recorded)
    ]


if __name__ == "__main__":
    run(main)
