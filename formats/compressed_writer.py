"""Writers of formats that compress, strip by strip."""

from __future__ import annotations

import os

from bandfold.common.scene import SceneInfo

from .compression import UNCOMPRESSED, Compression
from .scene_writer import SceneWriter


class CompressedWriter(SceneWriter):
    """Write a scene into a file that may be compressed.

    Parameters
    ----------
    path : path_like
        The file.
    info : SceneInfo
        Geometry, type, no-data value and metadata of what is written.
    strip_lines : int
        Lines that are written at once, and so compressed together.
    folder : path_like, optional
        As for `SceneWriter`.
    compression : Compression, optional
        Default: none.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        info: SceneInfo,
        *,
        strip_lines: int = 64,
        folder: str | os.PathLike[str] | None = None,
        compression: Compression = UNCOMPRESSED,
    ) -> None:
        self._strip_lines = min(strip_lines, info.lines)
        self._compression = compression
        super().__init__(path, info, folder=folder)
