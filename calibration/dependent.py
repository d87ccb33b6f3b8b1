"""Tables for dependent quantisation: ``python -m bandfold.calibration.dependent --scenes DIR -o OUT.npz``.

Networks and the tables for single bands are those of other tables; the frequencies and reconstruction points
of folded components are counted for each quantiser.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from bandfold.bitstream.errors import BandfoldError, ModelError, SettingsError
from bandfold.bitstream.output import atomic_output
from bandfold.bitstream.tables import CLASSES, SHIPPED, load_tables, tables_from_arrays

from .corpus import RATES, Half, Latents, open_scene, scene_latents
from .folds import find_scenes
from .recount import quantise_strips, recount, tally
from .trainset import Arrays

ROUNDS = 3
"""Rounds of quantising with the new tables and counting again."""

STEP_RATIO = 1.15
"""Steps of the two quantisers over that of one at the same rate, about."""

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--scenes", "folder", type=_FOLDER, required=True, help="Folder of ENVI scenes.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Tables (.npz).")
@click.option("--start", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=SHIPPED)
@click.option(
    "--folds",
    type=_FOLDER,
    help="Folder with fold-1.npz ... and folds.json, as bandfold.calibration.tables writes it: makes "
    "dependent-1.npz ... of them, without the scenes that each has not seen.",
)
def main(folder: Path, output: Path | None, start: Path, folds: Path | None) -> None:
    """Count the tables of dependent quantisation."""
    if output is None and folds is None:
        raise SettingsError("nothing to write: give -o OUT.npz, --folds DIR or both")
    rates = {"folded": RATES["folded"]}
    latents = [
        _coarser(one)
        for scene in find_scenes(folder)
        for one in scene_latents(scene.name, open_scene(scene.path), rates)
    ]
    if output is not None:
        _write(output, count_tables(_arrays(start), latents))
    if folds is not None:
        absent: dict[str, str] = json.loads((folds / "folds.json").read_text(encoding="utf-8"))
        for name in sorted(set(absent.values())):
            seen = [one for one in latents if absent.get(one.scene) != name]
            _write(folds / name.replace("fold", "dependent"), count_tables(_arrays(folds / name), seen))


def count_tables(arrays: Arrays, latents: Sequence[Latents]) -> Arrays:
    """Count the tables of both quantisers.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Of tables with one quantiser.
    latents : sequence of Latents
        Of folded components; their steps are those of the quantisers.

    Returns
    -------
    dict of str to ndarray
        As `bandfold.bitstream.tables.tables_from_arrays` takes it.
    """
    if len(arrays["folded_frequencies"]) != CLASSES:
        raise ModelError("tables have two quantisers already: start from some with one")
    prior = np.concatenate([arrays["folded_frequencies"]] * 2)
    points = np.concatenate([arrays["folded_points"], arrays["folded_points"] + 128])
    found = {**arrays, "folded_frequencies": prior, "folded_points": points}
    for _ in range(ROUNDS):
        mode = tables_from_arrays(found).modes["folded"]
        tallies = [tally(one, quantise_strips(one, mode), mode) for one in latents]
        found["folded_frequencies"], found["folded_points"] = recount(tallies, prior)
    tables_from_arrays(found)
    return found


def _coarser(latents: Latents) -> Latents:
    """The same latents, in steps of two quantisers at the same rate."""
    strips: list[Half] = []
    for strip in latents.strips:
        if strip.dtype == np.float16:
            strips.append((strip / np.float16(STEP_RATIO)).astype(np.float16))
        else:
            strips.append((strip / np.float32(STEP_RATIO)).astype(np.float32))
    return Latents(latents.scene, latents.mode, tuple(strips))


def _arrays(path: Path) -> Arrays:
    load_tables(path)
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _write(path: Path, arrays: Arrays) -> None:
    with atomic_output(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


if __name__ == "__main__":
    try:
        main()
    except BandfoldError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)
