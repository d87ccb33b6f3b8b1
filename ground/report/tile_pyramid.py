"""A cube as tiles of several resolutions, written while its lines come in."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .packed_samples import PackedSamples

EDGE = 128
"""Lines and samples of a tile."""

GROUP = 16
"""Bands of a tile: so many that a spectrum takes few tiles, so few that a band takes little else."""

LARGEST_COARSE = 256
"""Lines and samples of the coarsest level, at most."""

_BYTES_OF_SAMPLE = 8 / 3
"""Of a tile, at most: two bytes in base64."""

_BYTES_OF_FRAME = 256
"""Of a tile beside its samples, at most."""


@dataclass(frozen=True)
class TilePyramid:
    """How a cube is cut into tiles.

    Levels are counted from the coarsest, as those of Deep Zoom and of maps on the web are; the last one has
    every line and sample, each before it every other one of the next.

    Parameters
    ----------
    bands, lines, samples : int
        Shape of the cube.
    """

    bands: int
    lines: int
    samples: int

    @property
    def levels(self) -> int:
        """How many there are."""
        count = 1
        while -(-max(self.lines, self.samples) >> (count - 1)) > LARGEST_COARSE:
            count += 1
        return count

    def step(self, level: int) -> int:
        """Every so many lines and samples of the scene are in a level."""
        return 1 << (self.levels - 1 - level)

    def shape(self, level: int) -> tuple[int, int]:
        """Lines and samples of a level."""
        step = self.step(level)
        return -(-self.lines // step), -(-self.samples // step)

    @property
    def most_bytes(self) -> int:
        """Size of all tiles together, at most."""
        total = 0.0
        for level in range(self.levels):
            lines, samples = self.shape(level)
            tiles = -(-lines // EDGE) * -(-samples // EDGE) * -(-self.bands // GROUP)
            total += tiles * _BYTES_OF_FRAME + self.bands * lines * samples * _BYTES_OF_SAMPLE
        return int(total)


class TileWriter:
    """Writes the tiles of a cube.

    A tile is a script that hands its samples to a function of the page: a page that was opened from a disk
    may run the scripts beside it, and read no other file. It is ``CUBE/LEVEL/GROUP/COLUMN_ROW.js``. Samples
    are codes of 16 bits (`PackedSamples`), the high bytes of all of them before the low ones, deflated.

    Parameters
    ----------
    folder : pathlib.Path
        Where the folder of the cube will be made.
    key : str
        Belongs to the page, which takes no tiles of another one.
    cube : str
        Name of the cube.
    pyramid : TilePyramid
        How it is cut.
    exact : bool
        Whether samples are whole numbers.
    """

    def __init__(self, folder: Path, key: str, cube: str, pyramid: TilePyramid, *, exact: bool) -> None:
        self.files, self.bytes = 0, 0
        self._folder, self._key, self._cube, self._exact = folder, key, cube, exact
        self._pyramid = pyramid
        self._rows = [
            np.empty((pyramid.bands, EDGE, pyramid.shape(level)[1]), np.float32)
            for level in range(pyramid.levels)
        ]

    def add(self, values: NDArray[np.float32], lines: slice) -> None:
        """Take the next lines, and write the tiles that are complete with them.

        Parameters
        ----------
        values : ndarray of float32, shape (bands, lines, samples)
            NaN where there is no data.
        lines : slice
            Which lines of the scene these are; the first follows the last one that was added.

        Raises
        ------
        OSError
            If a tile cannot be written.
        """
        for level, rows in enumerate(self._rows):
            step = self._pyramid.step(level)
            last = self._pyramid.shape(level)[0] - 1
            for line in range(-(-lines.start // step) * step, lines.stop, step):
                row = line // step
                rows[:, row % EDGE] = values[:, line - lines.start, ::step]
                if row % EDGE == EDGE - 1 or row == last:
                    self._write_row(level, row // EDGE, rows[:, : row % EDGE + 1])

    def _write_row(self, level: int, row: int, values: NDArray[np.float32]) -> None:
        for group, first in enumerate(range(0, values.shape[0], GROUP)):
            folder = Path(self._cube, str(level), str(group))
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
            for column, left in enumerate(range(0, values.shape[2], EDGE)):
                part = values[first : first + GROUP, :, left : left + EDGE]
                self._write(f"{folder.as_posix()}/{column}_{row}", part)

    def _write(self, name: str, values: NDArray[np.float32]) -> None:
        packed = PackedSamples.of(values, exact=self._exact)
        halves = np.stack([packed.codes >> 8, packed.codes & 255]).astype(np.uint8)
        # Harder work would make files 5 % smaller, in four times the time.
        deflated = zlib.compress(halves.tobytes(), 1)
        content = {
            "scale": packed.scale,
            "offset": packed.offset,
            "codes": base64.b64encode(deflated).decode("ascii"),
        }
        text = f"bandfoldTile({json.dumps(self._key)},{json.dumps(name)},{json.dumps(content)});\n"
        self.bytes += (self._folder / f"{name}.js").write_bytes(text.encode("ascii"))
        self.files += 1
