"""Decoded scenes as GeoTIFF."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bandfold.common.atomic_files import reserve
from bandfold.common.errors import OutputError
from bandfold.formats.compressed_writer import CompressedWriter

from .geotiff_reader import gdal
from .raster_description import describe_raster

_BLOCK_BYTES = 1 << 20
"""Samples that are compressed together, at most; a line at least."""


class GeoTiffWriter(CompressedWriter):
    """Write a GeoTIFF, BigTIFF where it has to be.

    Samples lie pixel by pixel if the scene did (BIP), otherwise band by band. Projection, geotransform,
    no-data value, scale and offset are those of GeoTIFF and GDAL; wavelengths and widths are told with each
    band, in the domain that GDAL has for them; all other header fields are in the domain of its ENVI driver.

    Parameters are those of `CompressedWriter`.
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
                **self._packed(),
            )
            describe_raster(self._file, info)

    def _packed(self) -> dict[str, Any]:
        """Options of GDAL's driver for compression, with differences between neighbours as predictor."""
        method, level = self._compression.method, self._compression.level
        if method == "none":
            return {}
        line = self.info.samples * self.info.dtype.itemsize
        line *= self.info.bands if self.info.interleave == "bip" else 1
        rows = self._strip_lines
        # What is written at once fills whole blocks, none of which is compressed a second time.
        while rows > 1 and (rows * line > _BLOCK_BYTES or self._strip_lines % rows):
            rows -= 1
        options = {
            "compress": method,
            "predictor": "3" if self.info.dtype.kind == "f" else "2",
            "blockysize": rows,
        }
        if level is not None:
            options["zlevel" if method == "deflate" else "zstd_level"] = level
        return options

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
