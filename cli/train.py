"""`bandfold train`: a network from scenes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import click

from .command_group import INTERRUPTED
from .console import need, tell
from .options import exclude_option, grouped, json_option, option_group, output_option
from .verbosity import progress_shown

EXAMPLE = """\b
Examples:
  bandfold train --config balle48-start --scenes scenes -o runs/start
  bandfold train --config balle48-cal-l1 --scenes scenes --start runs/start -o runs/l1
An interrupted training goes on when the same command is given again.
"""


@dataclass(frozen=True)
class RunOptions:
    """Where a training begins, and what it runs on."""

    start: Path | None = grouped(
        "--start", type=click.Path(path_type=Path), help="Run to start from.  [default: from nothing]"
    )
    device: str = grouped(
        "--device",
        default="auto",
        show_default=True,
        help="cpu, cuda, ...; auto takes a GPU if there is one.",
    )
    threads: int | None = grouped(
        "--threads", type=click.IntRange(1), help="Processor threads.  [default: what PyTorch finds]"
    )
    export: bool = grouped(
        "--export/--no-export", default=True, help="Write RUN/export when the training is done."
    )


@click.command(epilog=EXAMPLE)
@click.option(
    "--config", required=True, metavar="C", help="TOML file, or the name of a shipped configuration."
)
@click.option(
    "--scenes",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    multiple=True,
    help="Folder of ENVI scenes; may be given several times.",
)
@output_option(required=True, help="Folder of the run.")
@exclude_option(help="Not these scenes: a,b,c.")
@option_group("options", RunOptions)
@json_option
def train(
    config: str,
    folders: tuple[Path, ...],
    output: Path,
    exclude: tuple[str, ...],
    options: RunOptions,
    as_json: bool,
) -> None:
    """Train the networks of a configuration on the scenes of a folder.

    RUN gets, for each part of the configuration, checkpoint, log.csv, log.png and the model; then RUN/export
    with what a model package is made of. Needs PyTorch (pip install 'bandfold[train,export]').
    """
    exporting = ("onnx", "onnxscript", "onnxruntime") if options.export else ()
    need("training needs", "train,export,onnx", "torch", "matplotlib", *exporting)
    import torch

    from bandfold.training.config import load_config
    from bandfold.training.loop import pick_device
    from bandfold.training.recipes import EXPORTED
    from bandfold.training.training_run import train_run
    from bandfold.training.training_scenes import load_scene, select_scenes

    began = time.perf_counter()
    settings = load_config(config)
    place = pick_device(options.device)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    chosen = select_scenes(folders, settings.data.levels, settings.data.sensors, exclude)
    with progress_shown() as progress:
        scenes = []
        for number, scene in enumerate(chosen):
            progress(f"read {scene.name}", number / len(chosen))
            scenes.append(load_scene(scene))
        try:
            train_run(settings, scenes, output, device=place, start=options.start, progress=progress)
        except KeyboardInterrupt as stopped:
            kept = f"error: interrupted: what is trained so far is kept in {output}, the same command goes on"
            click.echo(kept, err=True)
            raise click.exceptions.Exit(INTERRUPTED) from stopped
        if options.export and settings.network in EXPORTED:
            from bandfold.export.run import export_run

            export_run(output, progress)
    report = {
        "output": str(output),
        "network": settings.network,
        "parts": [list(part) for part in settings.data.parts],
        "scenes": [scene.name for scene in scenes],
        "device": str(place),
        "seconds": time.perf_counter() - began,
    }
    text = (
        f"{output}: {settings.network}, {len(settings.data.parts)} part(s), {len(scenes)} scenes, "
        f"{report['seconds']:.1f} s on {place}"
    )
    tell(report, text, as_json=as_json)
