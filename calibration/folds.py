"""Sets of scenes that leave some out: scenes of one place or one sensor never fall into different sets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bandfold.common.errors import SettingsError

COMPOSITES = {"mosaic_la": "Los Angeles"}
"""Scenes that benchmarks put together from several of a place: they are left out together with that place."""


@dataclass(frozen=True)
class SceneFile:
    """A scene in a folder.

    Parameters
    ----------
    name : str
        File name without suffix.
    path : Path
        ENVI header.
    place, sensor, level : str
        As ``scenes.json`` says; empty where it does not. The level is how far the samples are calibrated:
        raw counts, radiance or reflectance.
    """

    name: str
    path: Path
    place: str = ""
    sensor: str = ""
    level: str = ""


def find_scenes(folder: Path, exclude: Sequence[str] = ()) -> list[SceneFile]:
    """List the scenes of a folder.

    Parameters
    ----------
    folder : Path
        Holds ENVI headers and maybe ``scenes.json``, a list of objects with ``name``, ``place``, ``sensor``,
        ``level``.
    exclude : sequence of str
        Names to leave out.

    Returns
    -------
    list of SceneFile
        Sorted by name.

    Raises
    ------
    SettingsError
        If a name is unknown, nothing is left, or ``scenes.json`` is unreadable.
    """
    headers = {path.stem: path for path in sorted(folder.glob("*.hdr"))}
    unknown = sorted(set(exclude) - set(headers))
    if unknown:
        raise SettingsError(f"no scene {', '.join(unknown)} in {folder}: nothing to exclude")
    described = scene_descriptions(folder / "scenes.json")
    scenes = [
        SceneFile(name, path, *described.get(name, ()))
        for name, path in headers.items()
        if name not in exclude
    ]
    if not scenes:
        raise SettingsError(f"no ENVI scene left in {folder}: give a folder with .hdr files")
    return scenes


def scene_descriptions(path: Path) -> dict[str, tuple[str, ...]]:
    """Read what is known of scenes.

    Parameters
    ----------
    path : Path
        A ``scenes.json``; nothing is known without one.

    Returns
    -------
    dict of str to tuple of str
        Place, sensor and level of processing of each scene by its name, empty where not told.

    Raises
    ------
    SettingsError
        If the file does not describe scenes.
    """
    if not path.is_file():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(entry["name"]): tuple(str(entry.get(key, "")) for key in ("place", "sensor", "level"))
            for entry in entries
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path} does not describe scenes: {error!r}") from error


def group_scenes(scenes: Sequence[SceneFile]) -> list[list[SceneFile]]:
    """Put scenes of the same place or the same sensor together.

    Parameters
    ----------
    scenes : sequence of SceneFile
        In any order.

    Returns
    -------
    list of list of SceneFile
        In the order of their first scenes. A chain counts: if a and b share the place, and b and c the
        sensor, all three are one group.
    """
    groups: list[list[SceneFile]] = []
    for scene in scenes:
        related = [group for group in groups if any(_related(scene, other) for other in group)]
        groups = [group for group in groups if group not in related]
        groups.append([*(other for group in related for other in group), scene])
    order = {scene.name: number for number, scene in enumerate(scenes)}
    for group in groups:
        group.sort(key=lambda scene: order[scene.name])
    return sorted(groups, key=lambda group: order[group[0].name])


def _related(first: SceneFile, other: SceneFile) -> bool:
    same_place = first.place != "" and first.place == other.place
    return same_place or (first.sensor != "" and first.sensor == other.sensor)


def deal(
    groups: Sequence[Sequence[SceneFile]], sizes: Mapping[str, int], count: int = 3
) -> list[list[SceneFile]]:
    """Deal groups of scenes into folds of similar size.

    Parameters
    ----------
    groups : sequence of sequence of SceneFile
        As `group_scenes` gives them.
    sizes : mapping of str to int
        Samples of each scene.
    count : int
        Folds at most: there are no more than groups.

    Returns
    -------
    list of list of SceneFile
        The largest group goes first, each one to the fold that holds least.

    Raises
    ------
    SettingsError
        If there are fewer than two groups: nothing would be left to train on.
    """
    if len(groups) < 2:
        raise SettingsError("all scenes are of one place or sensor: none can be left out")
    folds: list[list[SceneFile]] = [[] for _ in range(min(count, len(groups)))]
    held = [0] * len(folds)
    for group in sorted(groups, key=lambda group: -sum(sizes[scene.name] for scene in group)):
        least = held.index(min(held))
        folds[least].extend(group)
        held[least] += sum(sizes[scene.name] for scene in group)
    return folds


def fold_names(fold: Sequence[SceneFile]) -> list[str]:
    """Names that are left out with a fold.

    Parameters
    ----------
    fold : sequence of SceneFile
        The scenes that are left out together.

    Returns
    -------
    list of str
        Its scenes, and the `COMPOSITES` of its places.
    """
    composites = [name for name, place in COMPOSITES.items() if any(scene.place == place for scene in fold)]
    return [*(scene.name for scene in fold), *composites]
