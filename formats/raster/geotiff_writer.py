"""Decoded scenes as GeoTIFF."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from bandfold.common.atomic_files import reserve
from bandfold.common.errors import OutputError
from bandfold.formats import georeference, header_fields, tie_points
from bandfold.formats.scene_writer import SceneWriter, stored_no_data

from .band_tags import IMAGERY_DOMAIN
from .geotiff_reader import FIELD_DOMAIN, gdal


class GeoTiffWriter(SceneWriter):
    """Write a GeoTIFF, BigTIFF where it has to be.

    Samples lie pixel by pixel if the scene did (BIP), otherwise band by band. Projection, geotransform,
    no-data value, scale and offset are those of GeoTIFF and GDAL; wavelengths and widths are told with each
    band, in the domain that GDAL has for them; all other header fields are in the domain of its ENVI driver.
    """

    def _open(self, temporary: Path) -> None:
        import rasterio

        info = self.info
        place = georeference.read_georeference(info.metadata)
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
            no_data = stored_no_data(info)
            if no_data is not None:
                self._file.nodata = float(no_data)
            if place.crs is not None:
                self._file.crs = rasterio.CRS.from_wkt(place.crs.to_wkt())
            if place.transform is not None:
                self._file.transform = rasterio.Affine.from_gdal(*place.transform)
            else:
                self._tie()
            self._describe(place.expressed)

    def _tie(self) -> None:
        """Write tie points as ground control points."""
        from rasterio.control import GroundControlPoint

        points = [
            GroundControlPoint(row=one.line + 0.5, col=one.sample + 0.5, x=one.longitude, y=one.latitude)
            for one in tie_points.read_tie_points(self.info.metadata)
        ]
        if points:
            import rasterio

            self._file.gcps = (points, rasterio.CRS.from_epsg(4326))

    def _describe(self, told: frozenset[str]) -> None:
        """Write what is known of the scene and of its bands."""
        info, file = self.info, self._file
        left_out = {header_fields.IGNORE, *told}
        for key, attribute in ((header_fields.GAINS, "scales"), (header_fields.OFFSETS, "offsets")):
            values = header_fields.numbers(info.metadata, key, info.bands)
            if values is not None:
                setattr(file, attribute, tuple(values.tolist()))
                left_out.add(key)
        others = {
            header_fields.attribute_name(key): header_fields.field_text(value)
            for key, value in info.metadata.items()
            if key not in left_out
        }
        if others:
            file.update_tags(ns=FIELD_DOMAIN, **others)
        names = info.metadata.get(header_fields.BAND_NAMES)
        wavelength = header_fields.nanometres(info.metadata, header_fields.WAVELENGTH, info.bands)
        width = header_fields.nanometres(info.metadata, header_fields.FWHM, info.bands)
        for band in range(info.bands):
            if isinstance(names, tuple) and len(names) == info.bands:
                file.set_band_description(band + 1, names[band])
            tags = {
                key: f"{values[band] / 1000:.9g}"
                for key, values in (("CENTRAL_WAVELENGTH_UM", wavelength), ("FWHM_UM", width))
                if values is not None
            }
            if tags:
                file.update_tags(band + 1, ns=IMAGERY_DOMAIN, **tags)

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
