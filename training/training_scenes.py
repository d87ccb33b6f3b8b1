"""Scenes as training sees them: all bands in memory, centred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bandfold.calibration.corpus import open_scene
from bandfold.calibration.folds import SceneFile, find_scenes
from bandfold.common.errors import SettingsError
from bandfold.common.scene import SceneSource
from bandfold.onboard.networks.intervals import interval_ends


@dataclass(frozen=True)
class TrainingScene:
    """A scene in memory.

    Parameters
    ----------
    name : str
        File name without suffix.
    planes : ndarray of float32, shape (bands, lines, samples)
        Counts, each band less its mean rounded to an integer.
    deviation : float
        Root of the mean variance of the bands, in counts: what contrasts refer to.
    ends : tuple of int
        Last band of each spectral interval plus one; see `bandfold.onboard.networks.intervals.interval_ends`.
    counts : SceneSource or None
        The scene itself, for views that do what the encoder does.
    """

    name: str
    planes: NDArray[np.float32]
    deviation: float
    ends: tuple[int, ...]
    counts: SceneSource | None = None


def centred(planes: NDArray[np.generic]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Subtract from each band what the stream tells of it: its mean, rounded to an integer.

    Parameters
    ----------
    planes : ndarray, shape (bands, lines, samples)
        Counts.

    Returns
    -------
    centred : ndarray of float32, same shape
        What is left.
    means : ndarray of int64, shape (bands,)
        What was subtracted.
    """
    means = np.rint(planes.mean(axis=(1, 2), dtype=np.float64))
    return (planes - means[:, None, None]).astype(np.float32), means.astype(np.int64)


def scene_deviation(planes: NDArray[np.floating]) -> float:
    """Root of the mean variance of bands.

    Parameters
    ----------
    planes : ndarray, shape (bands, lines, samples)
        In counts.

    Returns
    -------
    float
        In counts.
    """
    return float(np.sqrt(planes.var(axis=(1, 2), dtype=np.float64).mean()))


def select_scenes(
    folders: Sequence[Path],
    levels: Sequence[str] = (),
    sensors: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[SceneFile]:
    """List the scenes of folders that a configuration asks for.

    Parameters
    ----------
    folders : sequence of Path
        Each holds ENVI headers and maybe ``scenes.json``. Scenes that no file describes always count.
    levels, sensors : sequence of str
        As for `bandfold.training.config.DataConfig`.
    exclude : sequence of str
        Names of scenes to leave out.

    Returns
    -------
    list of SceneFile
        Folder by folder, sorted by name in each.

    Raises
    ------
    SettingsError
        If a name is in no folder, or nothing is left.
    """
    found = [scene for folder in folders for scene in find_scenes(folder)]
    unknown = sorted(set(exclude) - {scene.name for scene in found})
    if unknown:
        raise SettingsError(f"no scene {', '.join(unknown)} in {_list(folders)}: nothing to exclude")
    kept = [
        scene
        for scene in found
        if scene.name not in exclude
        and _begins(scene.level, levels, described=scene.level != "")
        and _begins(scene.sensor, sensors, described=scene.level != "")
    ]
    if not kept:
        raise SettingsError(
            f"no scene of {_list(folders)} is left to train on: the configuration asks for levels "
            f"{', '.join(levels) or 'any'} and sensors {', '.join(sensors) or 'any'}"
        )
    return kept


def load_scene(scene: SceneFile) -> TrainingScene:
    """Read a scene.

    Parameters
    ----------
    scene : SceneFile
        Where it is.

    Returns
    -------
    TrainingScene
        All bands in memory.

    Raises
    ------
    SceneError
        If it cannot be read.
    """
    source = open_scene(scene.path)
    info = source.info
    planes = centred(source.read(slice(0, info.bands), slice(0, info.lines)))[0]
    ends = interval_ends(info.bands, info.metadata)
    return TrainingScene(scene.name, planes, scene_deviation(planes), ends, source)


def calibration_scenes(
    places: Sequence[Path],
    levels: Sequence[str] = (),
    sensors: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[TrainingScene]:
    """Read the scenes that ranges of activations are taken from.

    Parameters
    ----------
    places : sequence of Path
        Folders, of whose scenes those count that `select_scenes` keeps, and ENVI headers, which always count.
    levels, sensors, exclude : sequence of str
        As for `select_scenes`.

    Returns
    -------
    list of TrainingScene
        Those of the folders first.

    Raises
    ------
    BandfoldError
        `SettingsError` if nothing is left, `SceneError` if a scene cannot be read.
    """
    folders = [place for place in places if place.is_dir()]
    chosen = select_scenes(folders, levels, sensors, exclude) if folders else []
    chosen += [SceneFile(place.stem, place) for place in places if not place.is_dir()]
    return [load_scene(scene) for scene in chosen]


def _begins(text: str, starts: Sequence[str], *, described: bool) -> bool:
    return not described or not starts or text.startswith(tuple(starts))


def _list(folders: Sequence[Path]) -> str:
    return ", ".join(str(folder) for folder in folders)
