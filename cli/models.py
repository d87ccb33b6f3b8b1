"""`bandfold models`: which packages there are, and what they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import ModelError

from .console import need, print_json, print_table
from .options import json_option, lines_option, output_option, samples_option

if TYPE_CHECKING:
    from bandfold.bitstream.packages.package import Package

EXAMPLE = """\b
Examples:
  bandfold models
  bandfold models show aviris-224
  bandfold models show sensor.bfm --json
  bandfold models extract innovations -o graphs --targets tflite --lines 64 --samples 680

Packages are looked for in the folders that BANDFOLD_MODELS names, then among those that are shipped.
"""


@click.group(epilog=EXAMPLE, invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the packages of sensors, trained encoders and restorations that are at hand."""
    if context.invoked_subcommand is not None:
        return
    from bandfold.bitstream.packages.registry import Registry

    packages = list(Registry().packages())
    if as_json:
        print_json({"packages": [_summary(package) for package in packages]})
        return
    columns = ("name", "kind", "bytes", "hash", "description")
    print_table([{key: _summary(package)[key] for key in columns} for package in packages])


@models.command()
@click.argument("package", metavar="NAME|FILE")
@json_option
def show(package: str, as_json: bool) -> None:
    """Print the card of a package."""
    from bandfold.bitstream.packages.registry import Registry

    found = Registry().find(package)
    report = {
        **_summary(found),
        "hash": found.digest.hex(),
        "made with": found.manifest.bandfold,
        "card": dict(found.manifest.card),
        "arrays": {name: f"{array.dtype} {array.shape}" for name, array in sorted(found.arrays.items())},
        "engines": {name: len(data) for name, data in sorted(found.engines.items())},
    }
    if as_json:
        print_json(report)
        return
    card = report.pop("card")
    for key, value in {**report, **card}.items():
        click.echo(f"{key}: {_text(value)}")


@models.command()
@click.argument("package", metavar="NAME|FILE")
@output_option(required=True, help="Folder for the graphs; made where it is not there.")
@click.option(
    "--targets",
    multiple=True,
    type=click.Choice(["tflite", "tensorrt", "fp16", "float"]),
    help="Also graphs for accelerators, of one shape; may be given several times.",
)
@lines_option(type=click.IntRange(1), default=64, help="Lines of the strips that these run on.")
@samples_option(type=click.IntRange(1), default=680, help="Samples of a line.")
@json_option
def extract(
    package: str, output: Path, targets: tuple[str, ...], lines: int, samples: int, as_json: bool
) -> None:
    """Write the networks of a package as files: ONNX and TFLite.

    With --targets also what compilers of accelerators take: TFLite of one shape (Ethos-U, Edge TPU, NNAPI),
    ONNX with symmetric Q/DQ (TensorRT), in float16 (GPUs) and in float32 (compilers that quantise themselves,
    as Hailo's does). Needs pip install 'bandfold[export]' for these.
    """
    from bandfold.bitstream.packages.registry import Registry
    from bandfold.common.atomic_files import atomic_output, output_errors

    found = Registry().find(package)
    graphs = dict(found.engines)
    if not graphs:
        raise ModelError(f"package {found.name!r} holds no networks: there is nothing to extract")
    if targets:
        graphs |= _target_graphs(found, targets, lines, samples)
    with output_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    for name, data in sorted(graphs.items()):
        with atomic_output(output / name) as file:
            file.write(data)
    if as_json:
        print_json({"package": found.name, "files": {name: len(data) for name, data in graphs.items()}})
        return
    print_table([{"file": str(output / name), "bytes": len(graphs[name])} for name in sorted(graphs)])


def _target_graphs(package: Package, targets: Sequence[str], lines: int, samples: int) -> dict[str, bytes]:
    need("graphs for accelerators need", "export", "onnx", "flatbuffers", "ai_edge_litert")
    from bandfold.bitstream.segments.predicted_codec import codec_of
    from bandfold.export.accelerators import Shape, target_graphs
    from bandfold.onboard.prediction.model_networks import integer_models

    stacks = [model.stack for model in integer_models(codec_of(package))]
    if not stacks:
        raise ModelError(f"package {package.name!r} computes in floating point: it has no graphs of integers")
    return target_graphs(stacks, targets, Shape(lines, samples))


def _summary(package: Package) -> dict[str, Any]:
    return {
        "name": package.name,
        "kind": package.manifest.kind,
        "bytes": Path(package.source).stat().st_size,
        "hash": package.identity.hex(),
        "description": package.manifest.description,
        "source": package.source,
    }


def _text(value: Any) -> str:
    """What is nested on lines of its own, everything else on one."""
    if isinstance(value, dict):
        return "".join(f"\n  {key}: {item}" for key, item in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "-"
