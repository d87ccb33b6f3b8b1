"""The metadata section: ENVI header fields that a user expects back, texts and lists of numbers packed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from .errors import StreamError
from .payload import SIDE_UNIT, PayloadReader, PayloadWriter
from .scene import MetadataValue

_FREQUENT = b" etaoinsrhldcumfpgwybvk0123456789.,-_:;/()={}TSAERMICNPLDOBFGHUVWKYXZJQ\"'xjqz+*%"
_RANKED = _FREQUENT + bytes(code for code in range(256) if code not in _FREQUENT)
_RANK = np.argsort(np.frombuffer(_RANKED, dtype=np.uint8), kind="stable")
"""Bytes are coded by their rank, frequent letters first."""

_DECIMAL = re.compile(r"-?\d{1,9}(\.\d{1,9})?")

_TEXT, _LIST, _NUMBERS = 0, 1, 2
_LENGTH_MEAN = 8 * SIDE_UNIT
_RANK_MEAN = 8 * SIDE_UNIT
_DIFFERENCE_MEAN = 16 * SIDE_UNIT
_LARGEST = 1 << 20


def write_metadata(payload: PayloadWriter, metadata: Mapping[str, MetadataValue]) -> None:
    """Append metadata to a payload.

    Parameters
    ----------
    payload : PayloadWriter
    metadata : mapping of str to str or tuple of str
    """
    payload.integers([len(metadata)], _LENGTH_MEAN, signed=False)
    for key, value in metadata.items():
        _write_text(payload, key)
        if isinstance(value, str):
            payload.integers([_TEXT], SIDE_UNIT, signed=False)
            _write_text(payload, value)
        elif (digits := _common_digits(value)) is not None:
            payload.integers([_NUMBERS], SIDE_UNIT, signed=False)
            payload.integers([digits], SIDE_UNIT, signed=False)
            payload.integers([len(value)], _LENGTH_MEAN, signed=False)
            # Wavelengths are nearly evenly spaced: their second differences are small.
            numbers = [int(item.replace(".", "")) for item in value]
            payload.integers(np.diff(numbers, n=2, prepend=[0, 0]).tolist(), _DIFFERENCE_MEAN)
        else:
            payload.integers([_LIST], SIDE_UNIT, signed=False)
            payload.integers([len(value)], _LENGTH_MEAN, signed=False)
            for item in value:
                _write_text(payload, item)


def read_metadata(payload: PayloadReader) -> dict[str, MetadataValue]:
    """Read what `write_metadata` wrote.

    Parameters
    ----------
    payload : PayloadReader

    Returns
    -------
    dict of str to str or tuple of str

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    metadata: dict[str, MetadataValue] = {}
    for _ in range(_read_length(payload)):
        key = _read_text(payload)
        kind = payload.integers(1, SIDE_UNIT, signed=False)[0]
        if kind == _TEXT:
            metadata[key] = _read_text(payload)
        elif kind == _LIST:
            metadata[key] = tuple(_read_text(payload) for _ in range(_read_length(payload)))
        elif kind == _NUMBERS:
            metadata[key] = _read_numbers(payload)
        else:
            raise StreamError(f"metadata field {key!r} is of unknown kind {kind}: the stream is corrupt")
    return metadata


def _common_digits(value: tuple[str, ...]) -> int | None:
    """Decimals of a list of numbers that can be rebuilt to the letter, None if it cannot."""
    if not value or not all(_DECIMAL.fullmatch(item) for item in value):
        return None
    digits = len(value[0].partition(".")[2])
    numbers = [int(item.replace(".", "")) for item in value]
    same = all(_decimal(number, digits) == item for number, item in zip(numbers, value, strict=True))
    return digits if same else None


def _decimal(number: int, digits: int) -> str:
    sign = "-" if number < 0 else ""
    text = str(abs(number)).rjust(digits + 1, "0")
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def _write_text(payload: PayloadWriter, text: str) -> None:
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    payload.integers([len(data)], _LENGTH_MEAN, signed=False)
    payload.integers(_RANK[data].tolist(), _RANK_MEAN, signed=False)


def _read_text(payload: PayloadReader) -> str:
    ranks = payload.integers(_read_length(payload), _RANK_MEAN, signed=False)
    try:
        return bytes(_RANKED[rank] for rank in ranks).decode()
    except (IndexError, UnicodeDecodeError) as error:
        raise StreamError("metadata hold no readable text: the stream is corrupt") from error


def _read_length(payload: PayloadReader) -> int:
    length = payload.integers(1, _LENGTH_MEAN, signed=False)[0]
    if length > _LARGEST:
        raise StreamError(f"metadata claim a length of {length}: the stream is corrupt")
    return length


def _read_numbers(payload: PayloadReader) -> tuple[str, ...]:
    digits = payload.integers(1, SIDE_UNIT, signed=False)[0]
    count = _read_length(payload)
    numbers = np.cumsum(np.cumsum(np.array(payload.integers(count, _DIFFERENCE_MEAN), dtype=np.int64)))
    if digits > 9:
        raise StreamError(f"metadata numbers have {digits} decimals: the stream is corrupt")
    return tuple(_decimal(int(number), digits) for number in numbers)
