"""`bandfold bench`: speed, latency, memory and energy of the codec on this board."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import BandfoldError, SettingsError

from .bench_options import (
    BenchCodingOptions,
    BenchOutputOptions,
    MadeUpScene,
    MeasuringOptions,
    MeterOptions,
)
from .console import FAILED, need, need_matplotlib, tell, warn
from .options import json_option, option_group

if TYPE_CHECKING:
    from bandfold.benchmarks.board.configuration import Configuration
    from bandfold.benchmarks.board.job import Job

EXAMPLE = """\b
Examples:
  bandfold bench                             a made-up scene of 512 x 680 x 224
  bandfold bench scene.hdr --step 8 --json   a scene of your own, at a fixed step
  bandfold bench --model none,innovations --engine litert,onnxruntime --threads 1,4 --csv board.csv
  bandfold bench --sweep --decode --csv board.csv --plot board.png
  bandfold bench --meter './read-wattmeter'  an external meter, a line of watts for each reading
"""

SCHEMA = "bandfold-bench-1"
"""What the JSON report is: it counts up when a field changes its meaning or goes."""


@click.command(epilog=EXAMPLE)
@click.argument("scene", type=click.Path(path_type=Path), required=False)
@option_group("coding", BenchCodingOptions)
@option_group("made_up", MadeUpScene)
@option_group("measuring", MeasuringOptions)
@option_group("meter", MeterOptions)
@option_group("files", BenchOutputOptions)
@json_option
@click.pass_context
def bench(
    context: click.Context,
    scene: Path | None,
    coding: BenchCodingOptions,
    made_up: MadeUpScene,
    measuring: MeasuringOptions,
    meter: MeterOptions,
    files: BenchOutputOptions,
    as_json: bool,
) -> None:
    """Measure the codec on this board.

    Encodes SCENE, or a made-up one, again and again from a file, and prints a Markdown table: samples a
    second, latency, processor time, peak memory, clocks, temperature and throttling, and where there is a
    sensor (Jetson INA3221 and INA238, Raspberry Pi 5, Intel and AMD RAPL, an external meter) power and
    joules per sample, above those of the board at rest, with confidence intervals. The lines are encoded
    as a stream too, one by one as from a camera, for the latency of a strip. Several values with commas
    between, or --sweep, measure all combinations, each in a process of its own. Nothing else should run
    meanwhile.
    """
    need("bench needs", "power", "psutil")
    if files.plot is not None:
        need_matplotlib("--plot")
    if meter.interval is not None and meter.command is None:
        raise SettingsError(
            "--meter-interval says how often --meter is called: give a meter, or leave it out"
        )

    from bandfold.benchmarks.board.job import Job
    from bandfold.benchmarks.board.machine import describe_board
    from bandfold.benchmarks.board.measurement import Plan
    from bandfold.benchmarks.board.text import markdown
    from bandfold.benchmarks.power.sensor_choice import SensorSource
    from bandfold.benchmarks.scenes.scene_file import write_scene
    from bandfold.formats.envi.reader import open_envi
    from bandfold.synthetic.scenes import SyntheticScene

    configurations = _configurations(coding)
    with ExitStack() as stack:
        if scene is None:
            scene = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="bandfold-bench-")), "scene.hdr"
            )
            write_scene(scene, SyntheticScene(made_up.lines, made_up.samples, made_up.bands, 1))
        plan = Plan(measuring.repeat, measuring.seconds, measuring.warm_up, measuring.idle)
        source = SensorSource(meter.root, meter.command, meter.interval)
        restore = measuring.restore if measuring.decode else None
        report: dict[str, Any] = {
            "schema": SCHEMA,
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": describe_board(meter.root),
            "scene": open_envi(scene).info.geometry,
            "plan": {**asdict(plan), "decode": measuring.decode},
            "sensor": None,
            "no_sensor": None,
            "measurements": [],
        }
        jobs = [Job(scene, one, plan, source, restore) for one in configurations]
        _measure_all(jobs, report, files)
    tell(report, markdown(report), as_json=as_json)
    if any("error" in row for row in report["measurements"]):
        context.exit(FAILED)


def _configurations(coding: BenchCodingOptions) -> list[Configuration]:
    """What is to be measured, checked."""
    from bandfold.benchmarks.board.configuration import Choices

    if coding.bps and coding.step:
        raise SettingsError("--bps and --step are given: give one of them, or none for 0.5 bits per sample")
    choices = Choices(
        coding.bps or (() if coding.step else (0.5,)),
        coding.step,
        coding.model,
        coding.engine,
        coding.threads,
        coding.quantiser,
        coding.strip_lines,
        coding.effort,
    )
    return choices.sweep() if coding.sweep else choices.combinations()


def _measure_all(jobs: list[Job], report: dict[str, Any], files: BenchOutputOptions) -> None:
    """Measure one after the other; what is done so far is in the files after each."""
    from bandfold.benchmarks.board.csv_table import write_csv
    from bandfold.benchmarks.board.text import describe

    rows: list[dict[str, Any]] = report["measurements"]
    for place, job in enumerate(jobs):
        described = job.configuration.describe()
        if len(jobs) > 1:
            click.echo(f"{place + 1} of {len(jobs)}: {describe(described)}", err=True)
        try:
            row = job.run_alone()
        except BandfoldError as error:
            # A failure of hour 3 must not take away the figures of hours 1 and 2.
            if all("error" in one for one in rows) and place == len(jobs) - 1:
                raise
            warn(f"{describe(described)}: {error}")
            row = {**described, "error": str(error)}
        else:
            report["sensor"], report["no_sensor"] = row["sensor"], row["no_sensor"]
        rows.append(row)
        if files.csv is not None:
            write_csv(files.csv, report)
    if files.plot is not None:
        from bandfold.benchmarks.board.plot import plot

        plot(files.plot, report)
