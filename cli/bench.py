"""`bandfold bench`: speed, latency, memory and energy of the encoder on this board."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from bandfold.common.errors import SettingsError

from .console import tell
from .options import (
    bands_option,
    engine_option,
    grouped,
    json_option,
    lines_option,
    model_option,
    option_group,
    samples_option,
    strip_lines_option,
    threads_option,
)

EXAMPLE = """\b
Examples:
  bandfold bench                             a made-up scene of 512 x 680 x 224
  bandfold bench scene.hdr --step 8 --json   a scene of your own, at a fixed step
"""


@dataclass(frozen=True)
class BenchCodingOptions:
    """How the scene is coded while it is measured."""

    bps: float | None = grouped(
        "--bps", type=click.FloatRange(0, 32, min_open=True), help="Rate.  [default: 0.5]"
    )
    step: float | None = grouped(
        "--step", type=click.FloatRange(0, min_open=True), help="Quantiser step: without a search for it."
    )
    model: str | None = grouped(option=model_option, help="Package of a trained encoder.")
    engine: str = grouped(option=engine_option)
    threads: int = grouped(option=threads_option, help="Threads that code strips, or run the model.")
    quantiser: str | None = grouped(
        "--quantiser",
        type=click.Choice(["dependent", "uniform"]),
        help="Quantisers of a fold.  [default: dependent]",
    )
    strip_lines: int = grouped(option=strip_lines_option)


@dataclass(frozen=True)
class MadeUpScene:
    """Geometry of a made-up scene."""

    lines: int = grouped(
        option=lines_option, type=click.IntRange(8), default=512, help="Lines of the made-up scene."
    )
    samples: int = grouped(
        option=samples_option, type=click.IntRange(8), default=680, help="Samples of its lines."
    )
    bands: int = grouped(option=bands_option, type=click.IntRange(1), help="Its bands.")


@dataclass(frozen=True)
class MeasuringOptions:
    """How often and how long is measured."""

    runs: int = grouped(
        "--runs", type=click.IntRange(5), default=5, show_default=True, help="Runs that count, 5 at least."
    )
    warm_up: int = grouped(
        "--warm-up",
        type=click.IntRange(0),
        default=1,
        show_default=True,
        help="Runs before them, not counted.",
    )
    idle: float = grouped(
        "--idle",
        type=click.FloatRange(0.1),
        default=10.0,
        show_default=True,
        help="Seconds of rest before and after, for the power while nothing runs.",
    )
    root: Path = grouped(
        "--root", type=click.Path(path_type=Path), default="/", hidden=True, help="Where the sensors are."
    )


@click.command(epilog=EXAMPLE)
@click.argument("scene", type=click.Path(path_type=Path), required=False)
@option_group("coding", BenchCodingOptions)
@option_group("made_up", MadeUpScene)
@option_group("measuring", MeasuringOptions)
@json_option
def bench(
    scene: Path | None,
    coding: BenchCodingOptions,
    made_up: MadeUpScene,
    measuring: MeasuringOptions,
    as_json: bool,
) -> None:
    """Measure the encoder on this board.

    Encodes SCENE, or a made-up one, several times from a file, and prints a Markdown table: samples a second,
    processor time, peak memory, temperature and throttling, and the energy above idle where the board has a
    sensor (Jetson INA3221, Raspberry Pi 5, Intel and AMD RAPL). After each time the lines are encoded as a
    stream, one by one as from a camera, for the latency of a strip. Nothing else should run meanwhile.
    """
    if find_spec("psutil") is None:
        raise SettingsError("bench needs psutil: pip install 'bandfold[power]'")
    bps, step, model = coding.bps, coding.step, coding.model
    if bps is not None and step is not None:
        raise SettingsError("--bps and --step are given: give one of them, or none for 0.5 bits per sample")
    if bps is None and step is None:
        bps = 0.5

    from bandfold.benchmarks.measures.one_core import machine
    from bandfold.benchmarks.power.measure import Progress, measure
    from bandfold.benchmarks.power.sensor_choice import find_sensor
    from bandfold.benchmarks.power.strips import strip_latencies
    from bandfold.benchmarks.power.text import markdown
    from bandfold.benchmarks.scenes.scene_file import write_scene
    from bandfold.bitstream.segments.predicted_codec import PredictedCodec, codec_of
    from bandfold.formats.envi.reader import open_envi
    from bandfold.onboard import Encoder
    from bandfold.onboard.settings import EncoderSettings, find_package
    from bandfold.synthetic.scenes import SyntheticScene

    sensor, reason = find_sensor(measuring.root)
    with ExitStack() as stack:
        if scene is None:
            scene = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="bandfold-bench-")), "scene.hdr"
            )
            write_scene(scene, SyntheticScene(made_up.lines, made_up.samples, made_up.bands, 1))
        path, info = scene, open_envi(scene).info

        settings = EncoderSettings(
            bps=bps,
            step=step,
            model=model,
            engine=coding.engine,
            threads=coding.threads,
            quantiser=coding.quantiser,
            strip_lines=coding.strip_lines,
        )
        streams = model is None or isinstance(codec_of(find_package(model)), PredictedCodec)

        def encode(progress: Progress) -> int:
            return len(Encoder(settings, progress=progress).encode(open_envi(path)))

        def latencies() -> list[float]:
            return strip_latencies(open_envi(path), replace(settings, stream=True))

        found = measure(
            encode,
            info,
            sensor,
            runs=measuring.runs,
            warm_up=measuring.warm_up,
            idle_seconds=measuring.idle,
            root=measuring.root,
            latencies=latencies if streams else None,
        )
    report: dict[str, Any] = {
        "machine": machine(),
        "scene": info.geometry,
        "settings": {
            "rate": f"step {step:g}" if step is not None else f"{bps:g} bits per sample",
            "model": model,
            "engine": None if model is None else coding.engine,
            "threads": coding.threads,
            "quantiser": coding.quantiser,
            "strip_lines": coding.strip_lines,
            "warm_up": measuring.warm_up,
            "streamed": streams,
        },
        "sensor": None if sensor is None else {"name": sensor.name, "rails": list(sensor.rails)},
        "no_sensor": reason,
        **found,
    }
    tell(report, markdown(report), as_json=as_json)
