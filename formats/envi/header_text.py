"""The text of an ENVI header."""

from __future__ import annotations

import math

import numpy as np

from bandfold.common.scene import BYTE_ORDERS, MetadataValue, SceneInfo
from bandfold.formats.header_fields import number_text

from .header_parser import field_key

DATA_TYPES = {
    "uint8": 1,
    "int16": 2,
    "int32": 3,
    "float32": 4,
    "float64": 5,
    "uint16": 12,
    "uint32": 13,
}
"""ENVI codes of the sample types; int8 has none."""


_OTHER_KEYS = ("description", "file compression", "major frame offsets", "minor frame offsets")
"""Not copied from the metadata: written already, or untrue of the raw files that are written here."""


def file_dtype(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """Return the type that samples are stored in: their own, except for int8, which becomes int16.

    Parameters
    ----------
    dtype : numpy.dtype
        Sample type of a scene.

    Returns
    -------
    numpy.dtype
        The same type or int16, native byte order.
    """
    return np.dtype("int16") if dtype == np.dtype("int8") else dtype


def header_text(info: SceneInfo) -> str:
    """Write the header of a scene whose raw file begins with its first sample.

    Metadata that came out of a header keeps its order and text. What no header can hold (from a stream made
    of an array, or by a stranger) is made to fit rather than refused, so that the samples are not lost over
    it: line breaks, commas in items and the like become spaces.

    (The writer of the `spectral` library turns commas into hyphens, lets line breaks through and encodes as
    the locale says.)

    Parameters
    ----------
    info : SceneInfo
        Geometry, type, no-data value, metadata, and the interleave and byte order of the raw file.

    Returns
    -------
    str
        The whole header, to be stored as UTF-8.
    """
    layout = {
        "samples": str(info.samples),
        "lines": str(info.lines),
        "bands": str(info.bands),
        "header offset": "0",
        "file type": "ENVI Standard",
        "data type": str(DATA_TYPES[file_dtype(info.dtype).name]),
        "interleave": info.interleave,
        "byte order": str(BYTE_ORDERS.index(info.byte_order)),
    }
    # What readers take for one field is written once, as it is spelled usually if it is there.
    spelled = {field_key(_spaced(key, "=;")): value for key, value in info.metadata.items()}
    metadata = spelled | {key: value for key, value in info.metadata.items() if key in spelled}
    if info.no_data is None:
        metadata.pop("data ignore value", None)
    elif not _is_number(metadata.get("data ignore value"), info.no_data):
        metadata["data ignore value"] = number_text(info.no_data)
    lines = ["ENVI"]
    description = metadata.pop("description", None)
    if description is not None:
        lines.append(f"description = {{{_description(description)}}}")
    lines.extend(f"{key} = {value}" for key, value in layout.items())
    for name, value in metadata.items():
        if name and name not in layout and name not in _OTHER_KEYS:
            lines.append(f"{name} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _description(value: MetadataValue) -> str:
    """Return the one text that may take several lines."""
    text = value if isinstance(value, str) else ", ".join(value)
    # A brace at the end of a line would end the description.
    return "\n".join(_spaced(line).rstrip("}").lstrip(";") for line in text.split("\n"))


def _value(value: MetadataValue) -> str:
    if isinstance(value, str):
        return _spaced(value).lstrip("{ ")
    return "{" + ", ".join(_spaced(item, ",") for item in value) + "}"


def _spaced(text: str, unfit: str = "") -> str:
    """Replace line breaks and unfit characters by spaces, and strip."""
    return "".join(" " if character in "\r\n" + unfit else character for character in text).strip()


def _is_number(text: MetadataValue | None, value: float) -> bool:
    """Tell whether `text` is a way to write `value`."""
    if not isinstance(text, str):
        return False
    try:
        number = float(text)
    except ValueError:
        return False
    return number == value or (math.isnan(number) and math.isnan(value))
