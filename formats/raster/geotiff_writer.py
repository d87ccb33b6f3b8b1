"""Decoded scenes as GeoTIFF."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bandfold.common.atomic_files import reserve
from bandfold.common.errors import OutputError
from bandfold.formats.scene_writer import SceneWriter

from .geotiff_reader import gdal
from .raster_description import describe_raster


class GeoTiffWriter(SceneWriter):
    """Write a GeoTIFF, BigTIFF where it has to be.

    Samples lie pixel by pixel if the scene did (BIP), otherwise band by band. Projection, geotransform,
    no-data value, scale and offset are those of GeoTIFF and GDAL; wavelengths and widths are told with each
    band, in the domain that GDAL has for them; all other header fields are in the domain of its ENVI driver.
    """

    def _open(self, temporary: Path) -> None:
        import rasterio

        info = self.info
        # GDAL prints many lines of its own where the disk is full: most often it never gets so far.
        with open(temporary, "w+b") as room:
            reserve(room.fileno(), info.count * info.dtype.itemsize)
        with _writing(self.path):
            self._file = rasterio.open(
                temporary,
                "w",
                driver="GTiff",
                width=info.samples,
                height=info.lines,
                count=info.bands,
                dtype=info.dtype.name,
                interleave="pixel" if info.interleave == "bip" else "band",
                BIGTIFF="IF_SAFER",
            )
            describe_raster(self._file, info)

    def _put(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        from rasterio.windows import Window

        window = Window(0, lines.start, self.info.samples, lines.stop - lines.start)
        with _writing(self.path):
            self._file.write(block, list(range(bands.start + 1, bands.stop + 1)), window=window)

    def _close(self) -> None:
        with _writing(self.path):
            self._file.close()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    from rasterio.errors import RasterioError

    try:
        with gdal():
            yield
    except RasterioError as error:
        raise OutputError(f"cannot write {path}: {error}; check that the disk has space left") from error
