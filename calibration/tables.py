"""Trains the shipped statistics again: ``python -m bandfold.calibration.tables --scenes DIR -o OUT.npz``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bandfold.bitstream.contexts.tables import MODES, Tables, load_tables, tables_from_arrays
from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import OutputError, SettingsError
from bandfold.programs.options import FILE, FOLDER, OUTPUT, names
from bandfold.programs.program import run
from bandfold.programs.progress import Progress, shown

from .context_training import load_torch
from .corpus import RATES
from .costs import Cost, cost, cost_with
from .folds import SceneFile, deal, find_scenes, fold_names, group_scenes
from .material import Material, gather
from .table_training import train_tables, write_tables


@click.command()
@click.option("--scenes", "folder", type=FOLDER, required=True, help="Folder of ENVI scenes.")
@click.option("-o", "--output", type=OUTPUT, help="Tables from all scenes (.npz).")
@click.option("--exclude", default="", callback=names, help="Not these scenes: a,b,c.")
@click.option(
    "--folds",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for three sets that leave scenes out, and folds.json.",
)
@click.option("--iterations", type=click.IntRange(1), default=10000, show_default=True, help="Of training.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same tables.")
@click.option(
    "--start", type=FILE, help="Tables that quantise the training data; the shipped ones if not given."
)
def main(
    folder: Path,
    output: Path | None,
    exclude: tuple[str, ...],
    folds: Path | None,
    iterations: int,
    seed: int,
    start: Path | None,
) -> None:
    """Train entropy statistics on scenes."""
    if output is None and folds is None:
        raise SettingsError("nothing to write: give -o OUT.npz, --folds DIR or both")
    load_torch()
    scenes = find_scenes(folder, exclude)
    groups = group_scenes(scenes)
    if folds is not None and len(groups) < 2:
        raise SettingsError("all scenes are of one place or sensor: none can be left out")
    first = load_tables(start)
    summary = _Summary()
    with shown() as progress:
        material, sizes = gather(scenes, RATES, first, seed, progress)
        if folds is not None:
            _train_folds(deal(groups, sizes), material, folds, iterations, seed, summary, progress)
        if output is not None:
            arrays = train_tables(
                list(material), iterations, seed, lambda done: progress(f"train {output.name}", done)
            )
            write_tables(output, arrays)
            summary.add(output.name, material, (), tables_from_arrays(arrays))
    console = Console()
    console.print("Bits per latent (and squared error, in steps squared)")
    console.print(summary.table)


def _train_folds(
    folds: Sequence[Sequence[SceneFile]],
    material: Sequence[Material],
    folder: Path,
    iterations: int,
    seed: int,
    summary: _Summary,
    progress: Progress,
) -> None:
    """Train a set without the scenes of each fold; ``folds.json`` says which set has not seen a scene."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from error
    files: dict[str, str] = {}
    for number, fold in enumerate(folds, start=1):
        name = f"fold-{number}.npz"
        absent = {scene.name for scene in fold}
        files.update(dict.fromkeys(fold_names(fold), name))
        kept = [one for one in material if one.latents.scene not in absent]
        held = [one for one in material if one.latents.scene in absent]
        arrays = train_tables(kept, iterations, seed, lambda done, name=name: progress(f"train {name}", done))  # type: ignore[misc]
        write_tables(folder / name, arrays)
        summary.add(name, kept, held, tables_from_arrays(arrays))
    with atomic_output(folder / "folds.json") as file:
        file.write((json.dumps(files, indent=1, sort_keys=True) + "\n").encode())


class _Summary:
    """Bits per latent before and after, on the scenes that a set has seen and on those that it has not."""

    def __init__(self) -> None:
        self.table = Table("set", "mode", "scenes", box=SIMPLE)
        for heading in ("latents", "start", "trained"):
            self.table.add_column(heading, justify="right")

    def add(self, name: str, seen: Sequence[Material], unseen: Sequence[Material], tables: Tables) -> None:
        """Add the rows of a set.

        Parameters
        ----------
        name : str
            File of the tables.
        seen, unseen : sequence of Material
            What they were trained on, and what they were not.
        tables : Tables
            As trained.
        """
        for mode in MODES:
            for scenes, material in (("seen", seen), ("unseen", unseen)):
                chosen = [one for one in material if one.latents.mode == mode]
                if chosen:
                    before = cost((one.start for one in chosen), chosen[0].mode)
                    after = cost_with((one.latents for one in chosen), tables.modes[mode])
                    self.table.add_row(name, mode, scenes, str(before.latents), _text(before), _text(after))


def _text(found: Cost) -> str:
    return f"{found.bits:.4f} ({found.error:.4f})"


if __name__ == "__main__":
    run(main)
