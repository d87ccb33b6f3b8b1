"""Decoded scenes as Zarr stores."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bandfold.common.scene import SceneInfo
from bandfold.formats.scene_writer import SceneWriter

from .cf_conventions import cf_dataset, variable_name

_CHUNK_BYTES = 4 << 20
"""Largest chunk, uncompressed."""

_STORE_FILES = ("zarr.json", ".zgroup", ".zarray")


class ZarrWriter(SceneWriter):
    """Write a Zarr store with what `bandfold.formats.containers.cf_conventions.cf_dataset` says of the scene.

    Parameters
    ----------
    path : path_like
        A folder. One that is a Zarr store already, or empty, is replaced.
    info : SceneInfo
        Geometry, type, no-data value and metadata of what is written.
    strip_lines : int
        Lines of a chunk: those that are written at once.
    folder : path_like, optional
        As for `SceneWriter`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        info: SceneInfo,
        *,
        strip_lines: int,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self._strip_lines = strip_lines
        super().__init__(path, info, replaces=is_store, folder=folder)

    def _open(self, temporary: Path) -> None:
        import zarr
        from dask import array

        info = self.info
        name = variable_name(info)
        self._folder = temporary
        # Dask's zeros are nowhere computed: they let xarray write a description without samples.
        described = cf_dataset(info, array.zeros(info.shape, dtype=info.dtype, chunks=-1))
        described.to_zarr(
            temporary,
            mode="w-",
            compute=False,
            consolidated=False,
            encoding={name: {"chunks": chunk_shape(info, self._strip_lines)}},
        )
        self._cube: Any = zarr.open_group(temporary, mode="r+")[name]

    def _put(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        self._cube[bands, lines] = block

    def _close(self) -> None:
        """Let readers find everything at once; the store itself is nowhere held open."""
        import zarr

        with warnings.catch_warnings():
            # Of Zarr 3, about what its specification does not say yet. xarray warns where it is absent.
            warnings.simplefilter("ignore", UserWarning)
            zarr.consolidate_metadata(self._folder)


def chunk_shape(info: SceneInfo, strip_lines: int) -> tuple[int, int, int]:
    """Chunks as high as the strips that are decoded, as wide as the scene if that is not too much.

    Parameters
    ----------
    info : SceneInfo
        Geometry and type of the scene.
    strip_lines : int
        Lines that are written at once.

    Returns
    -------
    tuple of int
        Bands, lines and samples.
    """
    lines = min(strip_lines, info.lines)
    room = max(1, _CHUNK_BYTES // (lines * info.dtype.itemsize))
    samples = min(info.samples, room)
    return max(1, min(info.bands, room // samples)), lines, samples


def is_store(folder: Path) -> bool:
    """Whether a folder is a Zarr store, or empty."""
    return any((folder / name).is_file() for name in _STORE_FILES) or not any(folder.iterdir())
