"""`bandfold export`: the package of a model, from a finished run."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import bandfold
from bandfold.common.errors import SettingsError
from bandfold.programs.options import FILE, FOLDER

from .console import need
from .options import (
    description_option,
    exclude_option,
    grouped,
    json_option,
    name_option,
    option_group,
    output_option,
)
from .package_output import check_package_name, tell_package
from .verbosity import progress_shown

if TYPE_CHECKING:
    from bandfold.export.layout import Export

EXAMPLE = """\b
Examples:
  bandfold train --config balle48-cal-l1 --scenes scenes -o runs/l1
  bandfold export runs/l1 -o balle48-cal-l1.bfm
  bandfold encode scene.hdr -o scene.bf --bps 0.1 --model balle48-cal-l1.bfm
  bandfold export runs/relu-l1 --calibration scenes -o int8.bfm
"""

_EXTRAS = "train,export,onnx,tflite"
_EXPORTING = ("torch", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class QuantisationOptions:
    """How the encoder of a package is quantised to integers."""

    calibrating: tuple[Path, ...] = grouped(
        "--calibration",
        "calibrating",
        type=click.Path(exists=True, path_type=Path),
        multiple=True,
        metavar="SCENES",
        help="Folder of ENVI scenes or one header, to quantise the encoder by; may be given several times.",
    )
    exclude: tuple[str, ...] = grouped(
        option=exclude_option, help="Not these scenes of --calibration: a,b,c."
    )
    method: str = grouped(
        "--method",
        type=click.Choice(["headroom", "minmax", "percentile", "entropy"]),
        default="headroom",
        show_default=True,
        help="How ranges of activations are chosen.",
    )
    precision: str | None = grouped(
        "--precision",
        type=click.Choice(["fp32", "fp16", "int8"]),
        help="What the encoder computes in; fp16 is for GPUs.  [default: int8 with --calibration, else fp32]",
    )


@click.command(epilog=EXAMPLE)
@click.argument("run", type=FOLDER)
@output_option(required=True, help="Package to write (.bfm).")
@name_option(help="Name of the package.  [default: that of the configuration]")
@description_option(help="One line about the model.")
@click.option(
    "--curves",
    type=FILE,
    help="Figures of 'python -m bandfold.benchmarks.bands --json', for the card.",
)
@option_group("quantisation", QuantisationOptions)
@json_option
def export(
    run: Path,
    output: Path,
    name: str | None,
    description: str,
    curves: Path | None,
    quantisation: QuantisationOptions,
    as_json: bool,
) -> None:
    """Pack the finished RUN of a training, or its export, into one file.

    RUN is the folder of 'bandfold train', or what it exported. With --calibration the encoder is quantised to
    8-bit integers, the same on every machine, in ONNX and TFLite. The package is tried, by every engine at
    hand, before it is written. Needs ONNX Runtime (pip install 'bandfold[onnx]'), and PyTorch if the run is
    not exported yet or is to be quantised.
    """
    from bandfold.bitstream.packages.package import save_package

    check_package_name(output)
    started = time.perf_counter()
    if _is_restoration(run):
        if quantisation.calibrating or quantisation.precision:
            raise SettingsError(
                "a restoration network stays in floats: give no --calibration, no --precision"
            )
        from bandfold.export.restoration_package import make_restoration

        package = make_restoration(run, name=name, description=description, release=bandfold.__version__)
        saved = save_package(package, output)
    else:
        from bandfold.export.pack import make_package, write_package

        found = _quantised(run, quantisation) if quantisation.calibrating else _exported(run)
        package = make_package(
            found,
            name=name,
            description=description,
            release=bandfold.__version__,
            curves=_curves(curves, str(found.about.get("name"))) if curves else None,
            precision=quantisation.precision or ("int8" if quantisation.calibrating else "fp32"),
        )
        saved = write_package(package, output)
    seconds = time.perf_counter() - started
    card = saved.manifest.card
    if card.get("calibration") and not as_json:
        _print_layers(card["calibration"]["engines"])
    what = f"{len(saved.engines)} networks"
    tell_package(saved, output, seconds, what, {"card": dict(card)}, as_json=as_json)


def _is_restoration(run: Path) -> bool:
    """Whether a run trained the network of the ground, which is packed without a folder in between."""
    try:
        return bool(json.loads((run / "run.json").read_text())["config"]["network"] == "restoration")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _exported(run: Path) -> Export:
    """Read an export; make it first where the run has none."""
    from bandfold.export.layout import DESCRIPTION, FOLDER, read_export

    if (run / DESCRIPTION).is_file():
        return read_export(run)
    if not (run / FOLDER / DESCRIPTION).is_file() and (run / "run.json").is_file():
        need(f"{run} is not exported yet, which needs", _EXTRAS, *_EXPORTING)
        from bandfold.export.run import export_run

        with progress_shown() as progress:
            export_run(run, progress)
    return read_export(run / FOLDER)


def _quantised(run: Path, options: QuantisationOptions) -> Export:
    """Export a run again, its analyses quantised too."""
    from bandfold.export.layout import read_export

    need("quantisation needs", _EXTRAS, *_EXPORTING, "flatbuffers", "ai_edge_litert")
    if not (run / "run.json").is_file():
        raise SettingsError(f"{run} is not the folder of a training: --calibration quantises finished runs")
    from bandfold.export.integer_analysis import Calibration
    from bandfold.export.run import export_run
    from bandfold.training.training_run import read_run
    from bandfold.training.training_scenes import calibration_scenes

    data = read_run(run)[0].data
    with progress_shown() as progress:
        scenes = calibration_scenes(options.calibrating, data.levels, data.sensors, options.exclude)
        export_run(run, progress, Calibration(scenes, options.method))
    return read_export(run / "export")


def _print_layers(engines: Sequence[Mapping[str, Any]]) -> None:
    """Print what quantisation did to each layer of each engine."""
    click.echo(f"{'engine':>6} {'tensor':<9}{'range':>21}{'seen':>21}{'clipped':>10}{'SNR':>10}")
    for number, engine in enumerate(engines):
        for layer in engine["layers"]:
            held = f"{layer['low']:.3f} to {layer['high']:.3f}"
            seen = f"{layer['seen_low']:.3f} to {layer['seen_high']:.3f}"
            snr = "exact" if layer["snr"] is None else f"{layer['snr']:.1f} dB"
            click.echo(
                f"{number:>6} {layer['name']:<9}{held:>21}{seen:>21}{100 * layer['clipped']:>8.4f} %{snr:>10}"
            )


def _curves(path: Path, name: str) -> dict[str, list[tuple[float, float]]]:
    """Points of a model on whole scenes."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        points = {
            str(scene): [
                (float(rate), float(level))
                for panel in panels
                if panel["name"] == "whole scene"
                for rate, level, model, _ in panel["points"]
                if model == name
            ]
            for scene, panels in report.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"--curves {path} holds no figures: write them with python -m bandfold.benchmarks.bands --json"
        ) from error
    return {scene: sorted(found) for scene, found in points.items() if found}
