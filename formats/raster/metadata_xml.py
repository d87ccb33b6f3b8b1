"""What the METADATA.XML beside an image of EnMAP or DESIS tells of its bands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from bandfold.common.errors import SceneError
from bandfold.common.scene import MetadataValue
from bandfold.formats import header_fields

_IMAGE = re.compile(r"(.*)SPECTRAL_IMAGE(?:_(VNIR|SWIR))?(?:_COG)?\.TIFF?", re.IGNORECASE)

_WAVELENGTH = "wavelengthcenterofband"
_WIDTHS = ("fwhmofband", "wavelengthwidthofband")
_GAIN, _OFFSET = "gainofband", "offsetofband"
_BACKGROUND = "backgroundvalue"

_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class ProductMetadata:
    """What such a file says of an image.

    Parameters
    ----------
    fields : dict
        Header fields of its bands: wavelengths, widths, gains and offsets.
    no_data : float or None
        The value that marks absent data.
    """

    fields: dict[str, MetadataValue]
    no_data: float | None = None


def read_product_metadata(image: Path, bands: int) -> ProductMetadata:
    """Read the METADATA.XML of a product of EnMAP or DESIS.

    Parameters
    ----------
    image : Path
        The image: ``...-SPECTRAL_IMAGE.TIF``, or ``...-SPECTRAL_IMAGE_VNIR.TIF`` and ``_SWIR`` of EnMAP's
        level 1B, whose bands are the first and the last ones of the list.
    bands : int
        Its number of bands.

    Returns
    -------
    ProductMetadata
        Empty if the image is named otherwise, or no such file lies beside it.

    Raises
    ------
    SceneError
        If the file cannot be read.
    """
    named = _IMAGE.fullmatch(image.name)
    path = None if named is None else _beside(image, named[1])
    if named is None or path is None:
        return ProductMetadata({})
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SceneError(f"{path} has over {_MOST_BYTES >> 20} MiB: it describes no image")
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise SceneError(f"cannot read {path}: {error}; fetch it again, or move it away") from error
    listed = [one for one in _bands(root) if _WAVELENGTH in one]
    detector = (named[2] or "").upper()
    if detector and len(listed) > bands:
        listed = listed[:bands] if detector == "VNIR" else listed[-bands:]
    return ProductMetadata(_fields(listed, bands), _background(root))


def _beside(image: Path, stem: str) -> Path | None:
    """The file of that name in any case of letters."""
    wanted = f"{stem}METADATA.XML".lower()
    try:
        return next((one for one in image.parent.iterdir() if one.name.lower() == wanted), None)
    except OSError:
        # A folder that cannot be listed.
        return None


def _bands(root: ElementTree.Element) -> list[dict[str, str]]:
    """Texts of each band by the names of their elements in lower case."""
    found: list[dict[str, str]] = []
    for section in root.iter():
        if _name(section) in ("bandcharacterisation", "bandcharacterization"):
            found += [{_name(item): (item.text or "").strip() for item in band} for band in section]
    return found


def _name(element: ElementTree.Element) -> str:
    """Name without its namespace, in lower case."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _fields(listed: Sequence[dict[str, str]], bands: int) -> dict[str, MetadataValue]:
    wavelength = _list(listed, _WAVELENGTH, bands)
    if wavelength is None:
        return {}
    widths = (_list(listed, name, bands) for name in _WIDTHS)
    fields = header_fields.spectral_fields(
        bands,
        wavelength=wavelength,
        unit=header_fields.wavelength_unit(wavelength),
        fwhm=next((width for width in widths if width is not None), None),
    )
    for key, name, neutral in ((header_fields.GAINS, _GAIN, 1.0), (header_fields.OFFSETS, _OFFSET, 0.0)):
        values = _list(listed, name, bands)
        if values is not None and set(values) != {neutral}:
            fields[key] = header_fields.number_texts(values)
    return fields


def _list(listed: Sequence[dict[str, str]], name: str, bands: int) -> list[float] | None:
    try:
        values = [float(one[name]) for one in listed]
    except (KeyError, ValueError):
        return None
    return values if len(values) == bands else None


def _background(root: ElementTree.Element) -> float | None:
    for element in root.iter():
        if _name(element) == _BACKGROUND:
            try:
                return float(element.text or "")
            except ValueError:
                return None
    return None
