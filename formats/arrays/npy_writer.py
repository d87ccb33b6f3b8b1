"""Decoded scenes as NumPy arrays."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import atomic_output
from bandfold.formats.scene_writer import SceneWriter

from .numpy_reader import description_path


class NpyWriter(SceneWriter):
    """Write an ``.npy`` file, axes being bands, lines and samples, and beside it a JSON file with the rest.

    The JSON file, ``NAME.npy.json``, holds the header fields (``metadata``) and the no-data value; the reader
    of ``.npy`` files takes it into account.
    """

    @property
    def paths(self) -> tuple[Path, ...]:
        """The array and its description."""
        return self.path, description_path(self.path)

    def _open(self, temporary: Path) -> None:
        self._file = temporary
        np.lib.format.open_memmap(temporary, "w+", self.info.dtype, self.info.shape)

    def _put(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        # Mapped anew each time: pages of a map that stays count as memory.
        np.lib.format.open_memmap(self._file, "r+")[bands, lines] = block

    def _close(self) -> None:
        """Nothing is held open."""

    def _publish(self) -> None:
        info = self.info
        # JSON has no word for what is not a number.
        no_data = info.no_data
        content = {
            "no_data": str(no_data) if no_data is not None and not math.isfinite(no_data) else no_data,
            "metadata": {
                key: value if isinstance(value, str) else list(value) for key, value in info.metadata.items()
            },
        }
        with atomic_output(description_path(self.path)) as file:
            file.write(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        super()._publish()
