"""`bandfold models`: which packages there are, and what they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import BandfoldError, ModelError

from .completion import PackageName
from .console import print_json, warn
from .context_networks import (
    ContextSource,
    contexts_of_package,
    contexts_of_tables,
    find_tables,
    in_words,
    need_export,
    shipped_tables,
    table_summary,
)
from .options import json_option, lines_option, output_option, samples_option
from .tables import print_table

if TYPE_CHECKING:
    from bandfold.bitstream.contexts.tables import Tables
    from bandfold.bitstream.packages.package import Package

EXAMPLE = """\b
Examples:
  bandfold models
  bandfold models show aviris-224
  bandfold models show sensor.bfm --json
  bandfold models extract innovations -o graphs --targets tflite --lines 64 --samples 680
  bandfold models extract tables-dependent -o graphs

Packages are looked for in the folders that BANDFOLD_MODELS names, then among those that are shipped. Tables
hold the context networks and entropy tables of the codec without a model; a file of them (.npz) may be named.
"""


@click.group(epilog=EXAMPLE, invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List what is trained: packages of sensors, encoders and restorations, and the tables of the codec."""
    if context.invoked_subcommand is not None:
        return
    from bandfold.bitstream.packages.registry import Registry

    packages = list(Registry().packages())
    if as_json:
        print_json({"packages": [_summary(package) for package in packages], "tables": shipped_tables()})
        return
    columns = ("name", "kind", "bytes", "hash", "description")
    rows = [*map(_summary, packages), *shipped_tables()]
    print_table([{key: row[key] for key in columns} for row in rows])


@models.command()
@click.argument("package", metavar="NAME|FILE", type=PackageName(tables=True))
@json_option
def show(package: str, as_json: bool) -> None:
    """Print the card of a package, or what is in tables."""
    if tables := find_tables(package):
        _tell(_tables_report(package, *tables), as_json=as_json)
        return
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
    _tell(report, as_json=as_json)


@models.command()
@click.argument("package", metavar="NAME|FILE", type=PackageName(tables=True))
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
    """Write the networks of a package, or of the tables of the codec, as files: ONNX and TFLite.

    Analyses of encoders, and context networks (contexts*), which tables and models of predicted bands have.
    With --targets also what compilers of accelerators take: TFLite of one shape (Ethos-U, Edge TPU, NNAPI),
    ONNX with symmetric Q/DQ (TensorRT), in float16 (GPUs) and in float32 (compilers that quantise themselves,
    as Hailo's does); context networks in integers only. Contexts and --targets need pip install
    'bandfold[export]'.
    """
    from bandfold.common.atomic_files import atomic_output, output_errors

    if tables := find_tables(package):
        name, graphs = tables[0], _context_graphs(contexts_of_tables(*tables), targets, lines, samples)
    else:
        name, graphs = _package_graphs(package, targets, lines, samples)
    with output_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    for file_name, data in sorted(graphs.items()):
        with atomic_output(output / file_name) as file:
            file.write(data)
    if as_json:
        print_json({"package": name, "files": {one: len(data) for one, data in graphs.items()}})
        return
    print_table([{"file": str(output / one), "bytes": len(graphs[one])} for one in sorted(graphs)])


def _package_graphs(
    wanted: str, targets: Sequence[str], lines: int, samples: int
) -> tuple[str, dict[str, bytes]]:
    """Name of a package, and its networks as files."""
    from bandfold.bitstream.packages.registry import Registry

    found = Registry().find(wanted)
    graphs = dict(found.engines)
    if not graphs:
        raise ModelError(f"package {found.name!r} holds no networks: there is nothing to extract")
    if targets:
        graphs |= _target_graphs(found, targets, lines, samples)
    if contexts := contexts_of_package(found):
        try:
            graphs |= _context_graphs(contexts, targets, lines, samples)
        except BandfoldError as error:
            # What the package holds as files is there all the same.
            warn(f"contexts of {found.name} are not written: {error}")
    return found.name, graphs


def _context_graphs(
    contexts: ContextSource, targets: Sequence[str], lines: int, samples: int
) -> dict[str, bytes]:
    return contexts.graphs() | contexts.target_graphs(targets, lines, samples)


def _target_graphs(package: Package, targets: Sequence[str], lines: int, samples: int) -> dict[str, bytes]:
    need_export("graphs for accelerators need")
    from bandfold.bitstream.segments.predicted_codec import codec_of
    from bandfold.export.accelerators import Shape, target_graphs
    from bandfold.onboard.prediction.model_networks import integer_models

    stacks = [model.stack for model in integer_models(codec_of(package))]
    if not stacks:
        raise ModelError(f"package {package.name!r} computes in floating point: it has no graphs of integers")
    return target_graphs(stacks, targets, Shape(lines, samples))


def _tables_report(wanted: str, name: str, tables: Tables) -> dict[str, Any]:
    from bandfold.bitstream.contexts.tables import NAMED_TABLES

    path = NAMED_TABLES[wanted].path if wanted in NAMED_TABLES else Path(wanted)
    networks = {f"contexts-{mode}": in_words(held.network) for mode, held in tables.modes.items()}
    return {**table_summary(name, str(path)), "networks": networks}


def _tell(report: dict[str, Any], *, as_json: bool) -> None:
    """Print a report as JSON, or each entry on a line of its own and the card last."""
    if as_json:
        print_json(report)
        return
    card = report.pop("card", {})
    for key, value in {**report, **card}.items():
        click.echo(f"{key}: {_text(value)}")


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
