"""`bandfold export`: the package of a model, from a finished run."""

from __future__ import annotations

import json
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bandfold.bitstream.errors import SettingsError

from .common import json_option, print_json, progress_bar

if TYPE_CHECKING:
    from bandfold.export.layout import Export

EXAMPLE = """\b
Examples:
  bandfold train --config balle48-cal-l1 --scenes scenes -o runs/l1
  bandfold export runs/l1 -o balle48-cal-l1.bfm
  bandfold encode scene.hdr -o scene.bf --bps 0.1 --model balle48-cal-l1.bfm
"""

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog=EXAMPLE)
@click.argument("run", type=_FOLDER)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Package to write (.bfm)."
)
@click.option("--name", help="Name of the package.  [default: that of the configuration]")
@click.option("--description", default="", help="One line about the model.")
@click.option(
    "--curves",
    type=_FILE,
    help="Figures of 'python -m bandfold.benchmarks.bands --json', for the card.",
)
@json_option
def export(
    run: Path, output: Path, name: str | None, description: str, curves: Path | None, as_json: bool
) -> None:
    """Pack the finished RUN of a training, or its export, into one file.

    RUN is the folder of 'bandfold train', or what it exported. The package is tried before it is written.
    Needs ONNX Runtime (pip install 'bandfold[onnx]'), and PyTorch if the run is not exported yet.
    """
    from bandfold.bitstream.package import SUFFIX, save_package

    if output.suffix != SUFFIX:
        raise SettingsError(f"output {output} is no package: give it a name that ends in {SUFFIX}")
    started = time.perf_counter()
    if _is_restoration(run):
        from bandfold.export.restoration import make_restoration

        package = make_restoration(run, name=name, description=description, release=_release())
        saved = save_package(package, output)
    else:
        from bandfold.export.pack import make_package, write_package

        found = _exported(run)
        package = make_package(
            found,
            name=name,
            description=description,
            release=_release(),
            curves=_curves(curves, str(found.about.get("name"))) if curves else None,
        )
        saved = write_package(package, output)
    seconds = time.perf_counter() - started
    size = output.stat().st_size
    if as_json:
        print_json(
            {
                "output": str(output),
                "name": saved.name,
                "hash": saved.digest.hex(),
                "bytes": size,
                "seconds": seconds,
                "card": dict(saved.manifest.card),
            }
        )
    else:
        engines = len(saved.engines)
        click.echo(
            f"{output}: {saved.name} ({saved.identity.hex()}), {engines} networks, "
            f"{size} bytes, {seconds:.1f} s"
        )


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
        from importlib.util import find_spec

        absent = [name for name in ("torch", "onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
        if absent:
            raise SettingsError(
                f"{run} is not exported yet, which needs {', '.join(absent)}: "
                "pip install 'bandfold[train,export,onnx]'"
            )
        from bandfold.export.run import export_run

        with progress_bar() as progress:
            export_run(run, progress)
    return read_export(run / FOLDER)


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


def _release() -> str:
    try:
        return version("bandfold")
    except PackageNotFoundError:
        return "unknown"
