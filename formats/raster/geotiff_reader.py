"""Scenes in GeoTIFF and whatever else GDAL reads as one raster."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue, NoData
from bandfold.formats import georeference, header_fields, tie_points
from bandfold.formats.block_source import BlockSource
from bandfold.formats.scene_options import SceneOptions
from bandfold.formats.unpacked_chunks import UnpackedChunks

from .band_tags import band_fields, wavelength_name
from .metadata_xml import read_product_metadata

FIELD_DOMAIN = "ENVI"
"""Metadata domain of the header fields; GDAL's own ENVI driver uses it too."""

_CACHE_MEGABYTES = 64
"""What GDAL may keep of rasters; left alone it takes a twentieth of the memory."""


class RasterSource(BlockSource):
    """A raster, read by windows of lines.

    Parameters
    ----------
    path : Path
        The file.
    options : SceneOptions
        Scaling and no-data value; a raster has no variables and no axes to choose from.

    Raises
    ------
    SceneError
        If the file cannot be read or cannot be coded.
    """

    def __init__(self, path: Path, options: SceneOptions) -> None:
        import rasterio

        for option, value in (("--variable", options.variable), ("--band-axis", options.band_axis)):
            if value is not None:
                raise SceneError(f"{path} is a raster, which has bands and no variables: leave out {option}")
        with _reading(path, "give a GeoTIFF"):
            self._file = file = rasterio.open(path)
        if not file.count:
            raise SceneError(f"{path} holds {len(file.subdatasets)} rasters: name one of them")
        if len(set(file.dtypes)) != 1:
            raise SceneError(f"bands of {path} have different types: convert them to one")
        product = read_product_metadata(path, file.count)
        points, notes = _ground_control(file)
        notes += _masks(file)
        metadata = {**product.fields, **points, **_metadata(file)}
        no_data = _no_data(path, file) if isinstance(options.no_data, NoData) else None
        info = options.scene_info(
            (file.count, file.height, file.width),
            np.dtype(file.dtypes[0]),
            metadata,
            product.no_data if no_data is None else no_data,
            "bip" if file.interleaving is not None and file.interleaving.value == "PIXEL" else "bsq",
        )
        self._samples = _samples(path, file)
        if isinstance(self._samples, UnpackedChunks):
            notes += self._samples.notes
        super().__init__(path, info, notes)

    def _block(self, bands: slice, lines: slice) -> NDArray[Any]:
        if bands.start == bands.stop or lines.start == lines.stop:
            return np.empty(
                (bands.stop - bands.start, lines.stop - lines.start, self._info.samples), self._info.dtype
            )
        block = self._samples[bands, lines, slice(0, self._info.samples)]
        return np.ascontiguousarray(block, dtype=self._info.dtype)


class _Raster:
    """The samples of a raster as an array of bands, lines and samples, read by ranges of each."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file
        self.shape = (file.count, file.height, file.width)
        self.dtype = np.dtype(file.dtypes[0])

    def __getitem__(self, index: tuple[slice, slice, slice]) -> NDArray[Any]:
        from rasterio.windows import Window

        bands, lines, samples = index
        window = Window(samples.start, lines.start, samples.stop - samples.start, lines.stop - lines.start)
        with _reading(self._path, "check the file and its medium"):
            block: NDArray[Any] = self._file.read(list(range(bands.start + 1, bands.stop + 1)), window=window)
        return block


def _samples(path: Path, file: Any) -> _Raster | UnpackedChunks:
    """What gives up the samples: compressed blocks are unpacked once if GDAL cannot keep a row of them."""
    raster = _Raster(path, file)
    height, width = file.block_shapes[0]
    row = file.count * min(height, file.height) * file.width * raster.dtype.itemsize
    if file.compression is None or row <= _CACHE_MEGABYTES << 20:
        return raster
    pixel = file.interleaving is not None and file.interleaving.value == "PIXEL"
    return UnpackedChunks(raster, (file.count if pixel else 1, height, width))


@contextmanager
def gdal() -> Iterator[None]:
    """Let GDAL work with little memory, and without a warning where there is no georeference."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=_CACHE_MEGABYTES):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


@contextmanager
def _reading(path: Path, advice: str) -> Iterator[None]:
    from rasterio.errors import RasterioError

    try:
        with gdal():
            yield
    except (RasterioError, OSError) as error:
        raise SceneError(f"cannot read {path}: {error}; {advice}") from error


def _metadata(file: Any) -> dict[str, MetadataValue]:
    """Header fields: those that are there as such, those of bands, and the georeference."""
    bands = file.count
    metadata: dict[str, MetadataValue] = {
        header_fields.header_key(name): header_fields.parse_field(text)
        for name, text in file.tags(ns=FIELD_DOMAIN).items()
    }
    # Whoever cut bands out of the file left the lists as they were.
    for key in (*header_fields.BAND_NUMBERS, header_fields.BAND_NAMES):
        value = metadata.get(key)
        if value is not None and (1 if isinstance(value, str) else len(value)) != bands:
            del metadata[key]
    if header_fields.WAVELENGTH not in metadata:
        metadata |= band_fields(file)
    if header_fields.BAND_NAMES not in metadata and all(file.descriptions):
        names = tuple(" ".join(text.replace(",", " ").split()) for text in file.descriptions)
        wavelength = header_fields.nanometres(metadata, header_fields.WAVELENGTH, bands)
        # Those that only repeat the wavelengths, as bands without names are written, are no names.
        if wavelength is None or names != tuple(map(wavelength_name, wavelength)):
            metadata[header_fields.BAND_NAMES] = names
    if set(file.scales) != {1.0}:
        metadata[header_fields.GAINS] = header_fields.number_texts(file.scales)
    if set(file.offsets) != {0.0}:
        metadata[header_fields.OFFSETS] = header_fields.number_texts(file.offsets)
    crs = georeference.parse_crs(file.crs.to_wkt()) if file.crs else None
    # The identity stands for no geotransform at all.
    transform = None if file.transform.is_identity else file.transform.to_gdal()
    georeference.Georeference(crs, transform).update(metadata)
    return metadata


def _ground_control(file: Any) -> tuple[dict[str, MetadataValue], list[str]]:
    """Tie points of a raster without a geotransform, and what is not carried of its geolocation."""
    points, crs = file.gcps
    fields: dict[str, MetadataValue] = {}
    notes: list[str] = []
    if points and crs is not None and crs.is_geographic:
        # Of GDAL, the left upper corner of the first pixel is (0, 0).
        fields[tie_points.GEO_POINTS] = tie_points.field_of(
            [tie_points.TiePoint(one.col - 0.5, one.row - 0.5, one.x, one.y) for one in points]
        )
    elif points:
        notes.append(f"not carried: {len(points)} ground control points, which are not in degrees")
    if file.rpcs is not None:
        notes.append("not carried, keep the file for them: coefficients of RPC")
    return fields, notes


def _masks(file: Any) -> list[str]:
    """What is not carried of masks, which tell of each pixel whether it counts."""
    from rasterio.enums import MaskFlags

    flags = file.mask_flag_enums[0]
    if MaskFlags.all_valid in flags or MaskFlags.nodata in flags:
        return []
    what = "the alpha band is coded as a band" if MaskFlags.alpha in flags else "the mask is not carried"
    return [f"{what}: its pixels count like all others; --no-data says which value marks absent ones"]


def _no_data(path: Path, file: Any) -> float | None:
    values = file.nodatavals
    if len({repr(no_data) for no_data in values}) > 1:
        raise SceneError(
            f"bands of {path} have different no-data values {sorted(set(map(str, values)))}: "
            "give the one that counts with --no-data"
        )
    return None if values[0] is None else float(values[0])
