"""Trains models of predicted bands: ``python -m bandfold.export.predicted --scenes DIR -o MODEL.bfm``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bandfold import __version__
from bandfold.bitstream.contexts.tables import load_tables, mode_arrays
from bandfold.bitstream.packages.package import Package, pack, save_package, unpack
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.calibration.context_training import load_torch
from bandfold.calibration.corpus import open_scene
from bandfold.calibration.folds import SceneFile, deal, find_scenes, fold_names, group_scenes
from bandfold.calibration.material import prepare
from bandfold.calibration.predicted_material import MODE, RATES, Innovations, innovations_of
from bandfold.calibration.table_training import train_mode
from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import OutputError, SettingsError
from bandfold.programs.options import FOLDER, OUTPUT, names
from bandfold.programs.program import run
from bandfold.programs.progress import shown

from .predicted_package import predicted_package

NAME = "innovations"
"""Name of the package."""

PATCHES = 3000
"""Patches of a scene at one step."""

FIRST_CONTEXTS = 0.25
"""Share of the batches after which contexts are good enough to train a transform with."""

Arrays = dict[str, NDArray[Any]]
Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Effort:
    """How long things are trained.

    Parameters
    ----------
    transform, contexts : int
        Batches.
    seed : int
        The same seed and scenes give the same model on the same machine.
    """

    transform: int
    contexts: int
    seed: int


@click.command()
@click.option("--scenes", "folder", type=FOLDER, required=True, help="Folder of ENVI scenes.")
@click.option("-o", "--output", type=OUTPUT, help="Model from all scenes (.bfm).")
@click.option("--name", default=NAME, show_default=True, help="Name of the model.")
@click.option("--exclude", default="", callback=names, help="Not these scenes: a,b,c.")
@click.option(
    "--folds",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for three models that leave scenes out, and folds.json.",
)
@click.option("--transform", type=click.IntRange(0), default=3000, show_default=True, help="Batches.")
@click.option("--contexts", type=click.IntRange(1), default=6000, show_default=True, help="Batches.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same model.")
def main(
    folder: Path,
    output: Path | None,
    name: str,
    exclude: tuple[str, ...],
    folds: Path | None,
    transform: int,
    contexts: int,
    seed: int,
) -> None:
    """Train a model of predicted bands: its transform, and the contexts of its latents."""
    if output is None and folds is None:
        raise SettingsError("nothing to write: give -o MODEL.bfm, --folds DIR or both")
    load_torch()
    scenes, effort = find_scenes(folder, exclude), Effort(transform, contexts, seed)
    with shown() as progress:
        if folds is not None:
            _train_folds(scenes, folds, name, effort, progress)
        if output is not None:
            save_package(train_model(scenes, name, effort, progress), output)


def _train_folds(
    scenes: Sequence[SceneFile], folder: Path, name: str, effort: Effort, progress: Report
) -> None:
    groups = group_scenes(scenes)
    if len(groups) < 2:
        raise SettingsError("all scenes are of one place or sensor: none can be left out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}") from error
    sizes = {scene.name: open_scene(scene.path).info.count for scene in scenes}
    files: dict[str, str] = {}
    for number, fold in enumerate(deal(groups, sizes), start=1):
        file = f"fold-{number}.bfm"
        absent = {scene.name for scene in fold}
        files.update(dict.fromkeys(fold_names(fold), file))
        kept = [scene for scene in scenes if scene.name not in absent]

        def told(stage: str, done: float, file: str = file) -> None:
            progress(f"{file}: {stage}", done)

        save_package(train_model(kept, f"{name}-{number}", effort, told), folder / file)
    with atomic_output(folder / "folds.json") as out:
        out.write((json.dumps(files, indent=1, sort_keys=True) + "\n").encode())


def train_model(scenes: Sequence[SceneFile], name: str, effort: Effort, progress: Report) -> Package:
    """Train a model.

    Parameters
    ----------
    scenes : sequence of SceneFile
        To train on.
    name : str
        Of the package.
    effort : Effort
        How long.
    progress : callable
        Called with a stage and the fraction of it that is done.

    Returns
    -------
    Package
    """
    # PyTorch takes seconds to import, and the package is not for those who only export.
    from bandfold.training.lapped_transform import Patches, cosine_basis, train_lapped_transform
    from bandfold.training.latent_costs import LatentCosts

    first = load_tables()
    contexts: Arrays = dict(mode_arrays(first.modes[MODE], MODE))
    cosine = np.pad(cosine_basis().reshape(-1, 8, 8), ((0, 0), (8, 8), (8, 8)))
    kernels = cosine

    def retrained(batches: int, stage: str) -> Arrays:
        """Contexts of the latents that scenes give now."""
        codec = _pack(name, [kernels], contexts, {})
        tables = PredictedCodec.from_package(codec).tables(first)
        material = [
            prepare(one.latents, tables, effort.seed)
            for one in _look(scenes, codec, 0, effort.seed, progress)
        ]
        return train_mode(MODE, material, batches, effort.seed, partial(progress, stage))

    if effort.transform:
        # Contexts that suit predicted bands tell what a latent costs.
        contexts = retrained(max(round(FIRST_CONTEXTS * effort.contexts), 1), "train first contexts")
        start = _pack(name, [kernels], contexts, {})
        looked = _look(scenes, start, PATCHES, effort.seed, progress)
        patches = [Patches(one.patches, one.classes) for one in looked]
        del looked
        costs = LatentCosts(PredictedCodec.from_package(start).mode)
        kernels = train_lapped_transform(
            patches, costs, effort.transform, effort.seed, partial(progress, "train transform")
        )
        del patches
    contexts = retrained(effort.contexts, "train contexts")
    card = {
        "architecture": "a convolution of 24 x 24 samples every 8 x 8, 64 filters, on what prediction "
        "leaves; as another engine the cosine transform, which high rates may prefer",
        "MAC per sample": 576,
        "parameters": int(kernels.size),
        "training scenes": sorted(scene.name for scene in scenes),
        "batches": {"transform": effort.transform, "contexts": effort.contexts},
    }
    return _pack(name, [kernels, cosine] if effort.transform else [cosine], contexts, card)


def _look(
    scenes: Sequence[SceneFile], package: Package, patches: int, seed: int, progress: Report
) -> list[Innovations]:
    codec = PredictedCodec.from_package(package)
    found: list[Innovations] = []
    for number, scene in enumerate(scenes):
        progress(f"code {scene.name}", number / len(scenes))
        found.extend(innovations_of(scene.name, open_scene(scene.path), codec, RATES, patches, seed))
    return found


def _pack(
    name: str, transforms: Sequence[NDArray[np.float64]], contexts: Arrays, card: dict[str, Any]
) -> Package:
    description = "bands predicted from bands, what is left through an int8 convolution; all rates"
    package = predicted_package(
        name, transforms, contexts, description=description, release=__version__, card=card
    )
    return unpack(pack(package), name)


if __name__ == "__main__":
    run(main)
