"""The folder of tiles that goes with a page."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import AtomicPath, output_errors
from bandfold.common.errors import OutputError, SettingsError
from bandfold.common.scene import SceneInfo

from .tile_pyramid import EDGE, GROUP, TilePyramid, TileWriter

DECODED, REFERENCE = "decoded", "reference"
"""Cubes of a folder."""

MAPS = ("sam", "rmse")
"""Its maps, which are cubes of one band: spectral angle and error."""

_CONTENT = "tiles.json"
"""Says whose tiles these are; a folder without it is of something else and is left alone."""


class TileFolder:
    """All samples of a scene and its maps as tiles, in a folder that appears whole or not at all.

    Parameters
    ----------
    path : path_like
        Folder to write. One with tiles of an earlier page is replaced.
    page : path_like
        The page that it goes with.
    info : SceneInfo
        Geometry and type of the scene.
    reference : bool
        Whether there are samples of the reference and maps.
    most_bytes : int
        Size of the folder, at most.

    Raises
    ------
    SettingsError
        If the tiles may take more, or the page would lie in the folder.
    OutputError
        If the folder is one of something else, or cannot be made.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        page: str | os.PathLike[str],
        info: SceneInfo,
        *,
        reference: bool,
        most_bytes: int,
    ) -> None:
        self.path = Path(path)
        cubes = {DECODED: info.bands}
        if reference:
            cubes.update({REFERENCE: info.bands, **dict.fromkeys(MAPS, 1)})
        pyramids = {name: TilePyramid(bands, info.lines, info.samples) for name, bands in cubes.items()}
        needed = sum(pyramid.most_bytes for pyramid in pyramids.values())
        if needed > most_bytes:
            raise SettingsError(
                f"tiles of {info.lines} lines, {info.samples} samples and {info.bands} bands may take "
                f"{needed / 1e6:,.0f} MB, more than {most_bytes / 1e6:,.0f} MB: raise --max-tiles, or leave "
                "--tiles away"
            )
        self.levels = pyramids[DECODED].levels
        self._relative = _relative(self.path, Path(page))
        if self.path.is_file():
            raise OutputError(f"cannot write {self.path}: it is a file; name a folder")
        self._output = AtomicPath(self.path, _is_of_tiles)
        self._key = secrets.token_hex(8)
        exact = info.dtype.kind != "f"
        self._writers = {
            name: TileWriter(
                self._output.temporary, self._key, name, pyramid, exact=exact and name not in MAPS
            )
            for name, pyramid in pyramids.items()
        }
        with output_errors(self.path):
            self._output.temporary.mkdir()
            content = {"content": "tiles of a bandfold report", "page": Path(page).name, "key": self._key}
            (self._output.temporary / _CONTENT).write_text(json.dumps(content) + "\n", "ascii")

    @property
    def files(self) -> int:
        """Tiles that were written."""
        return sum(writer.files for writer in self._writers.values())

    @property
    def bytes(self) -> int:
        """Size of these tiles together."""
        return sum(writer.bytes for writer in self._writers.values())

    def add(self, cube: str, values: NDArray[np.float32], lines: slice) -> None:
        """Take the next lines of a cube.

        Parameters
        ----------
        cube : str
            `DECODED`, `REFERENCE` or one of `MAPS`.
        values : ndarray of float32, shape (bands, lines, samples)
            NaN where there is no data.
        lines : slice
            Which lines of the scene these are; the first follows the last one that was added.

        Raises
        ------
        OutputError
            If tiles cannot be written.
        """
        with output_errors(self.path):
            self._writers[cube].add(values, lines)

    def as_json(self) -> dict[str, Any]:
        """Where the page finds the tiles, and how they are cut."""
        return {
            "folder": quote(self._relative),
            "name": self.path.name,
            "key": self._key,
            "levels": self.levels,
            "edge": EDGE,
            "group": GROUP,
        }

    def publish(self) -> None:
        """Give the folder its name.

        Raises
        ------
        OutputError
            If that fails.
        """
        self._output.publish()

    def __enter__(self) -> TileFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._output.discard()


def _relative(folder: Path, page: Path) -> str:
    """The folder as seen from the page, with slashes."""
    beside = Path(os.path.realpath(page)).parent
    target = Path(os.path.realpath(folder))
    if target in (beside, beside / Path(page).name, *beside.parents):
        raise SettingsError(f"page {page} would lie in its own folder of tiles, {folder}: name another one")
    try:
        return Path(os.path.relpath(target, beside)).as_posix()
    except ValueError:
        raise SettingsError(
            f"tiles {folder} are on another drive than page {page}: name a folder on the same one"
        ) from None


def _is_of_tiles(folder: Path) -> bool:
    """Whether a folder holds tiles and nothing else, or nothing at all."""
    names = {one.name for one in folder.iterdir()}
    return not names or (_CONTENT in names and names <= {_CONTENT, DECODED, REFERENCE, *MAPS})
