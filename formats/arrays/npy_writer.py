"""Decoded scenes as NumPy arrays."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import atomic_output, reserve
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
        info = self.info
        # Not mapped into memory: a full disk would end the process, where writing fails with an error.
        self._file: BinaryIO = open(temporary, "w+b")  # noqa: SIM115 - closed by _close
        about = {
            "descr": np.lib.format.dtype_to_descr(info.dtype),
            "fortran_order": False,
            "shape": info.shape,
        }
        np.lib.format.write_array_header_1_0(self._file, about)
        self._start = self._file.tell()
        reserve(self._file.fileno(), self._start + info.count * info.dtype.itemsize)

    def _put(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        info = self.info
        for band, plane in zip(range(bands.start, bands.stop), block, strict=True):
            place = (band * info.lines + lines.start) * info.samples
            self._file.seek(self._start + place * info.dtype.itemsize)
            self._file.write(np.ascontiguousarray(plane, dtype=info.dtype).data)

    def _close(self) -> None:
        self._file.close()

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
