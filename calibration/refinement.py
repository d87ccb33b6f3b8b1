"""Trains the tables of refinement: ``python -m bandfold.calibration.refinement --scenes DIR -o OUT.npz``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from bandfold.bitstream.refinement.tables import RefinementTables, refinement_from_arrays
from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import OutputError, SettingsError
from bandfold.common.scene import SCALED_DTYPES
from bandfold.formats.envi.reader import open_envi
from bandfold.programs.options import FOLDER, OUTPUT, names
from bandfold.programs.program import run
from bandfold.programs.progress import Progress, shown

from .folds import SceneFile, deal, find_scenes, fold_names, group_scenes
from .refinement_material import ContextExamples, RefinedStrip, context_examples, refined_strips, token_counts
from .refinement_training import first_tables, train_frequencies, train_weights
from .table_training import write_tables

FOLDS = "refinement-folds.json"
"""Says which tables of a folder have not seen a scene."""


@click.command()
@click.option("--scenes", "folder", type=FOLDER, required=True, help="Folder of ENVI scenes; integers count.")
@click.option("-o", "--output", type=OUTPUT, help="Tables from all scenes (.npz).")
@click.option("--exclude", default="", callback=names, help="Not these scenes: a,b,c.")
@click.option(
    "--folds",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Folder for three sets that leave scenes out, and {FOLDS}.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same tables.")
def main(folder: Path, output: Path | None, exclude: tuple[str, ...], folds: Path | None, seed: int) -> None:
    """Train the statistics of refinement on scenes."""
    if output is None and folds is None:
        raise SettingsError("nothing to write: give -o OUT.npz, --folds DIR or both")
    scenes = [scene for scene in find_scenes(folder, exclude) if _is_integer(scene)]
    groups = group_scenes(scenes)
    if not scenes or (folds is not None and len(groups) < 2):
        raise SettingsError(f"{folder} has too few scenes of 8- or 16-bit integers to train on")
    with shown() as progress:
        trainer = _Trainer(scenes, seed, progress)
        if folds is not None:
            _train_folds(deal(groups, trainer.sizes), trainer, folds)
        if output is not None:
            trainer.train(output, ())


def _is_integer(scene: SceneFile) -> bool:
    return open_envi(scene.path, for_coding=False).info.dtype not in SCALED_DTYPES


class _Trainer:
    """Trains tables from scenes, some of them left out."""

    def __init__(self, scenes: Sequence[SceneFile], seed: int, progress: Progress) -> None:
        first = first_tables()
        self._progress = progress
        self._examples: dict[str, ContextExamples] = {}
        self._strips: dict[str, list[RefinedStrip]] = {}
        self.sizes: dict[str, int] = {}
        for number, scene in enumerate(scenes):
            progress(f"look at {scene.name}", number / len(scenes))
            source = open_envi(scene.path)
            strips = list(refined_strips(source))
            parts = [context_examples(strip, first, seed) for strip in strips]
            self._examples[scene.name] = ContextExamples.joined(parts)
            self._strips[scene.name] = strips
            self.sizes[scene.name] = source.info.count

    def train(self, path: Path, absent: Sequence[str]) -> RefinementTables:
        """Train without the scenes named, and write the tables."""
        seen = [name for name in self.sizes if name not in absent]
        weights = train_weights(ContextExamples.joined([self._examples[name] for name in seen]))
        arrays = {"weights": weights, "frequencies": first_tables().frequencies.astype(np.int32)}
        tables = refinement_from_arrays(arrays)
        counts = []
        for number, name in enumerate(seen):
            self._progress(f"train {path.name}", number / len(seen))
            parts = [token_counts(strip, tables) for strip in self._strips[name]]
            counts.append(np.stack(parts).sum(axis=0, dtype=np.int64))
        arrays["frequencies"] = train_frequencies(counts)
        write_tables(path, arrays)
        return refinement_from_arrays(arrays)


def _train_folds(folds: Sequence[Sequence[SceneFile]], trainer: _Trainer, folder: Path) -> None:
    """Train a set without the scenes of each fold."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from error
    files: dict[str, str] = {}
    for number, fold in enumerate(folds, start=1):
        name = f"refinement-{number}.npz"
        files.update(dict.fromkeys(fold_names(fold), name))
        trainer.train(folder / name, [scene.name for scene in fold])
    with atomic_output(folder / FOLDS) as file:
        file.write((json.dumps(files, indent=1, sort_keys=True) + "\n").encode())


if __name__ == "__main__":
    run(main)
