"""The scenes that figures are measured on: as they are, as mirrored tiles, and as a mosaic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.calibration.folds import scene_descriptions
from bandfold.common.errors import SceneError, SettingsError

from .scene_file import is_scaled, read_scene

MOSAIC_NAME = "mosaic_la"
MOSAIC_PARTS = (("abu_airport_1", "abu_airport_3"), ("abu_urban_4", "abu_urban_5"))
"""Four scenes of Los Angeles: rows of the mosaic from above, each from left to right."""


@dataclass(frozen=True)
class EvaluationScene:
    """A scene to measure on; its samples are only read when asked for.

    Attributes
    ----------
    name : str
        As in a file of recorded curves: ``NAME``, ``NAME@4x4`` or ``mosaic_la``.
    parts : tuple of tuple of Path
        ENVI headers, put side by side and one above the other.
    tile : int
        Copies along each side; 1 for the scene as it is.
    sensor : str
        What took it; empty if not known.
    """

    name: str
    parts: tuple[tuple[Path, ...], ...]
    tile: int = 1
    sensor: str = ""

    @property
    def base(self) -> str:
        """Name of the scene that was tiled: what decides which tables have not seen it."""
        return self.name.partition("@")[0]

    @property
    def aviris(self) -> bool:
        """Whether the sensor is AVIRIS."""
        return self.sensor.startswith("AVIRIS")

    def read(self) -> NDArray[Any]:
        """Read the samples.

        Returns
        -------
        ndarray, shape (bands, lines, samples)
            8 or 16 bit integers.

        Raises
        ------
        SceneError
            If a file is unreadable, or the parts do not fit together.
        """
        return mirrored(joined([[read_scene(path) for path in row] for row in self.parts]), self.tile)


def mirrored(cube: NDArray[Any], copies: int) -> NDArray[Any]:
    """Repeat a scene so that its edges meet: a stand-in for a scene large enough to dwarf side information.

    Parameters
    ----------
    cube : ndarray, shape (bands, lines, samples)
        The scene.
    copies : int
        Copies along each side. Every second column of copies is flipped left to right, every second row of
        them upside down.

    Returns
    -------
    ndarray, shape (bands, copies * lines, copies * samples)
        The tiling.
    """
    row = np.concatenate([cube[:, :, :: -1 if column % 2 else 1] for column in range(copies)], axis=2)
    return np.concatenate([row[:, :: -1 if line % 2 else 1] for line in range(copies)], axis=1)


def joined(rows: Sequence[Sequence[NDArray[Any]]]) -> NDArray[Any]:
    """Put scenes side by side and one above the other.

    Parameters
    ----------
    rows : sequence of sequence of ndarray
        Cubes of equal geometry, row by row.

    Returns
    -------
    ndarray, shape (bands, lines, samples)
        The mosaic, of a 16-bit type that holds all parts.

    Raises
    ------
    SceneError
        If the parts have other shapes, or no 16-bit type holds all their values.
    """
    cubes = [cube for row in rows for cube in row]
    if len(cubes) == 1:
        return cubes[0]
    if len({cube.shape for cube in cubes}) != 1:
        raise SceneError(f"parts of shapes {sorted({cube.shape for cube in cubes})} cannot be joined")
    low, high = min(int(cube.min()) for cube in cubes), max(int(cube.max()) for cube in cubes)
    fitting = [
        kind for kind in ("uint16", "int16") if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max
    ]
    if not fitting:
        raise SceneError(f"values from {low} to {high} fit no 16-bit type")
    whole: NDArray[Any] = np.concatenate([np.concatenate(row, axis=2) for row in rows], axis=1)
    return whole.astype(fitting[0], copy=False)


def find_scenes(
    folder: Path, names: Sequence[str] = (), *, tile: int = 1, mosaic: bool = False, floats: bool = False
) -> list[EvaluationScene]:
    """List the scenes of a folder.

    Parameters
    ----------
    folder : Path
        Holds ENVI scenes, and maybe a ``scenes.json`` with the sensor of each.
    names : sequence of str
        Only these, without suffix; empty for all.
    tile : int
        Copies along each side of a mirrored tile.
    mosaic : bool
        Give the Los Angeles mosaic instead.
    floats : bool
        Also take scenes of floats or 32-bit integers when no names are given.

    Returns
    -------
    list of EvaluationScene
        Sorted by name.

    Raises
    ------
    SettingsError
        If a name is unknown or nothing is left.
    """
    headers = {path.stem: path for path in sorted(folder.glob("*.hdr"))}
    sensors = {name: sensor for name, (_, sensor, _) in scene_descriptions(folder / "scenes.json").items()}
    if mosaic:
        wanted = [name for row in MOSAIC_PARTS for name in row]
        _require(wanted, headers, folder)
        parts = tuple(tuple(headers[name] for name in row) for row in MOSAIC_PARTS)
        return [EvaluationScene(MOSAIC_NAME, parts, 1, sensors.get(wanted[0], ""))]
    _require(names, headers, folder)
    chosen = (
        sorted(names) if names else [name for name, path in headers.items() if floats or not is_scaled(path)]
    )
    if not chosen:
        raise SettingsError(f"no ENVI scene in {folder}: give a folder with .hdr files")
    suffix = f"@{tile}x{tile}" if tile > 1 else ""
    return [
        EvaluationScene(name + suffix, ((headers[name],),), tile, sensors.get(name, "")) for name in chosen
    ]


def _require(names: Sequence[str], headers: dict[str, Path], folder: Path) -> None:
    absent = [name for name in names if name not in headers]
    if absent:
        raise SettingsError(f"no scene {', '.join(absent)} in {folder}")
