"""Reading the text of an ENVI header, as the programs that write such headers leave it.

Beyond what the format says, trailing commas, text behind a closing brace, braces in a description, braces
that open in the next line, lists in square brackets, capitals and underscores in keys are understood: what
follows them is not lost.
"""

from __future__ import annotations

import re

from bandfold.common.scene import MetadataValue

_FIELD = re.compile(r"\s*([^=\s][^=]*?)\s*=(.*)", re.DOTALL)
_NUMBERS = re.compile(r"[-+.\deE]+(\s+[-+.\deE]+)+")
_BRACKETS = {"{": "}", "[": "]"}

_USUAL_KEYS = frozenset(
    (
        *("samples", "lines", "bands", "header offset", "file type", "data type", "interleave", "byte order"),
        *("data ignore value", "data units", "wavelength units", "wavelength", "fwhm", "bbl", "band names"),
        *("map info", "coordinate system string", "default bands", "sensor type", "x start", "y start"),
        *("data gain values", "data offset values", "reflectance scale factor", "file compression"),
        *(
            "major frame offsets",
            "minor frame offsets",
            "geo points",
            "rpc info",
            "pixel size",
            "description",
        ),
        *(
            "projection info",
            "acquisition time",
            "cloud cover",
            "z plot titles",
            "z plot range",
            "security tag",
        ),
    )
)
"""Keys with spaces that some programs write with underscores."""


class HeaderSyntaxError(ValueError):
    """The text is no ENVI header; the message says why."""


def parse_header(text: str) -> dict[str, MetadataValue]:
    """Read the fields of an ENVI header.

    Parameters
    ----------
    text : str
        The whole header.

    Returns
    -------
    dict
        Fields by their keys in lower case: a text, or the items of a list in braces or brackets. A
        description is one text. Of equal keys the last one counts.

    Raises
    ------
    HeaderSyntaxError
        If the first line does not begin with ENVI, or a brace is never closed.
    """
    lines = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    if not lines[0].strip().upper().startswith("ENVI"):
        raise HeaderSyntaxError("it does not begin with ENVI")
    fields: dict[str, MetadataValue] = {}
    number = 1
    while number < len(lines):
        line = lines[number]
        number += 1
        found = None if line.lstrip().startswith(";") else _FIELD.fullmatch(line)
        if found is None:
            continue
        key, value = field_key(found[1]), found[2].strip()
        if not value and number < len(lines) and lines[number].lstrip().startswith("{"):
            value, number = lines[number].strip(), number + 1
        if value[:1] != "{" and not (value.startswith("[") and value.rstrip(" \t,").endswith("]")):
            fields[key] = value
            continue
        inside, number = _enclosed(key, value, lines, number)
        fields[key] = inside.strip() if key == "description" else _items(inside)
    return {key: _fitting(value, fields.get("bands")) for key, value in fields.items()}


def field_key(text: str) -> str:
    """Return the key that a header field is known by.

    Parameters
    ----------
    text : str
        As it is written, in any case of letters, with spaces or underscores.

    Returns
    -------
    str
        In lower case with single spaces; without underscores if it is one of the usual keys.
    """
    key = " ".join(text.lower().split())
    spaced = key.replace("_", " ")
    return spaced if spaced in _USUAL_KEYS else key


def _enclosed(key: str, value: str, lines: list[str], number: int) -> tuple[str, int]:
    """The text between a bracket and the one that closes it, and the number of the line behind it."""
    opening = value[0]
    closing = _BRACKETS[opening]
    behind = number
    while True:
        whole = value.rstrip(" \t,;")
        # Braces in a description may be of its own: one at the end of a line closes it.
        end = len(whole) - 1 if key == "description" and whole[1:].endswith(closing) else None
        if end is None and key != "description":
            end = _end(value, opening, closing)
        if end is None and whole[1:].endswith(closing) and _begins_field(lines, number):
            # One too many was opened in the text.
            end = len(whole) - 1
        if end is None and _begins_field(lines, number, usual=True):
            # There is text behind the last one.
            end = _end(value, opening, closing)
        if end is not None:
            return value[1:end], number
        while number < len(lines) and lines[number].lstrip().startswith(";"):
            number += 1
        if number >= len(lines):
            raise HeaderSyntaxError(f"the {opening} of {key!r} in line {behind} is never closed")
        value += "\n" + lines[number].strip()
        number += 1


def _end(value: str, opening: str, closing: str) -> int | None:
    """Where the first bracket of a text is closed; None if it is not."""
    depth = 0
    for place, character in enumerate(value):
        depth += (character == opening) - (character == closing)
        if depth == 0:
            return place
    return None


def _begins_field(lines: list[str], number: int, *, usual: bool = False) -> bool:
    """Whether the next line that says something begins a field (of a usual key), or there is none."""
    while number < len(lines) and (not lines[number].strip() or lines[number].lstrip().startswith(";")):
        number += 1
    if number >= len(lines):
        return True
    found = _FIELD.fullmatch(lines[number])
    return found is not None and (not usual or field_key(found[1]) in _USUAL_KEYS)


def _items(inside: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in inside.split(","))


def _fitting(value: MetadataValue, bands: MetadataValue | None) -> MetadataValue:
    """A list without the empty item behind a trailing comma, or cut at blanks, if it fits the bands then."""
    if isinstance(value, tuple) and value and not value[-1] and str(len(value) - 1) == bands:
        return value[:-1]
    if isinstance(value, tuple) and len(value) == 1 and _NUMBERS.fullmatch(value[0]):
        numbers = value[0].split()
        return tuple(numbers) if str(len(numbers)) == bands else value
    return value
