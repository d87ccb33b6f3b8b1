"""Speed beside OpenJPEG, stage by stage, over threads and sizes: ``python -m bandfold.benchmarks.speed``."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bandfold.benchmarks.measures.one_core import machine, one_core, restart_with_one_thread
from bandfold.benchmarks.timing.lossless_commands import file_codecs, lossless_text, time_lossless
from bandfold.benchmarks.timing.runners import BandfoldRunner, OpenJpegRunner, Runner
from bandfold.benchmarks.timing.speed_text import duel_text, sweep_text, threads_text
from bandfold.benchmarks.timing.stages import stages_text, time_stages
from bandfold.benchmarks.timing.sweep import Geometry, sweep, synthetic_file
from bandfold.benchmarks.timing.turns import elapsed_times, take_turns
from bandfold.programs.options import bps_option, figures_option, geometry_options, whole_numbers
from bandfold.programs.program import run, write_figures


@click.command()
@geometry_options(512, 680, 224)
@bps_option
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True, help="Timed rounds.")
@click.option(
    "--lossless-runs",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Timed rounds of lossless commands; 0 for none.",
)
@click.option(
    "--stage-runs", type=click.IntRange(0), default=3, show_default=True, help="Of each stage; 0 for none."
)
@click.option(
    "--sweep-bands",
    default="56,112,224,448,896",
    callback=whole_numbers,
    show_default=True,
    help="Empty for no sweep.",
)
@click.option(
    "--sweep-lines",
    default="512,1024,2048,4096,8192",
    callback=whole_numbers,
    show_default=True,
    help="Over a quarter of the samples and bands, whole and as a stream; empty for no sweep.",
)
@click.option("--sweep-runs", type=click.IntRange(1), default=3, show_default=True)
@figures_option("Write times here.")
def main(
    lines: int,
    samples: int,
    bands: int,
    bps: float,
    runs: int,
    lossless_runs: int,
    stage_runs: int,
    sweep_bands: list[int],
    sweep_lines: list[int],
    sweep_runs: int,
    json_path: Path | None,
) -> None:
    """Encode and decode times on one core, beside OpenJPEG and lossless codecs; stages, and two threads."""
    scene = Geometry(lines, samples, bands)
    content: dict[str, Any] = {"machine": machine(), "scene": asdict(scene), "bps": bps}
    click.echo(f"{scene} at {bps:g} bps on {content['machine']['processor']}\n")
    with tempfile.TemporaryDirectory(prefix="bandfold-speed-") as name:
        folder = Path(name)
        header = synthetic_file(folder, scene)
        with one_core():
            runners: list[Runner] = [
                BandfoldRunner(bps),
                BandfoldRunner(bps, uniform=True),
                BandfoldRunner(bps, stream=True),
                BandfoldRunner(bps, stream=True, uniform=True),
                OpenJpegRunner(bps),
            ]
            duel = take_turns(runners, header, runs)
        click.echo("One core:\n\n" + duel_text(duel, scene.count) + "\n")
        content["duel"] = [asdict(entry) for entry in duel]
        if lossless_runs:
            with one_core():
                lossless = time_lossless(file_codecs(), header, folder, lossless_runs)
            said = lossless_text(lossless, scene.count)
            click.echo(f"One core, by the clock on the wall:\n\n{said}\n")
            content["lossless"] = [asdict(entry) for entry in lossless]
        threads = elapsed_times([BandfoldRunner(bps), BandfoldRunner(bps, threads=2)], header, runs)
        click.echo("Elapsed time on all cores:\n\n" + threads_text(threads, scene.count) + "\n")
        content["threads"] = [asdict(entry) for entry in threads]
        if stage_runs:
            stages = [time_stages(header, bps, count, stage_runs) for count in (1, 2)]
            click.echo(stages_text(stages, scene.count) + "\n")
            content["stages"] = [asdict(entry) for entry in stages]
        header.with_suffix(".img").unlink()
        with one_core():
            wide = [Geometry(lines, samples, count) for count in sweep_bands]
            narrow = [Geometry(count, max(samples // 4, 8), max(bands // 4, 1)) for count in sweep_lines]
            for what, scenes in (("bands", wide), ("lines", narrow), ("lines of a stream", narrow)):
                if scenes:
                    counts = sweep_bands if scenes is wide else sweep_lines
                    times = sweep(folder, scenes, bps, sweep_runs, stream="stream" in what)
                    click.echo(sweep_text(what, counts, times) + "\n")
                    key = {"lines of a stream": "sweep_stream_lines"}.get(what, f"sweep_{what}")
                    content[key] = dict(zip(counts, map(asdict, times), strict=True))
    if json_path:
        write_figures(json_path, content)


if __name__ == "__main__":
    restart_with_one_thread("bandfold.benchmarks.speed")
    run(main)
