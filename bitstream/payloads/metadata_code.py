"""The metadata section: ENVI header fields that a user expects back, texts and lists of numbers packed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate

import numpy as np

from bandfold.bitstream.entropy.ans import LARGEST_MAGNITUDE
from bandfold.common.errors import SceneError, StreamError
from bandfold.common.scene import MetadataValue

from .payload import SIDE_UNIT, PayloadReader, PayloadWriter

_FREQUENT = b" etaoinsrhldcumfpgwybvk0123456789.,-_:;/()={}TSAERMICNPLDOBFGHUVWKYXZJQ\"'xjqz+*%"
_RANKED = _FREQUENT + bytes(code for code in range(256) if code not in _FREQUENT)
_RANK = np.argsort(np.frombuffer(_RANKED, dtype=np.uint8), kind="stable")
"""Bytes are coded by their rank, frequent letters first."""

_DECIMAL = re.compile(r"-?\d{1,9}(\.\d{1,9})?")

_TEXT, _LIST, _NUMBERS = 0, 1, 2
_LENGTH_MEAN = 8 * SIDE_UNIT
_RANK_MEAN = 8 * SIDE_UNIT
_DIFFERENCE_MEAN = 16 * SIDE_UNIT

MOST_DECIMALS = 9
"""Decimals of packed numbers at most."""

MOST_CHARACTERS = 1 << 18
"""Bytes of all texts and items of all lists at most, each counted with one more for its length."""


def write_metadata(payload: PayloadWriter, metadata: Mapping[str, MetadataValue]) -> None:
    """Append metadata to a payload.

    Parameters
    ----------
    payload : PayloadWriter
        Where the metadata are written or read.
    metadata : mapping of str to str or tuple of str
        ENVI header fields: texts, or the items of lists.

    Raises
    ------
    SceneError
        If the metadata have more than `MOST_CHARACTERS`.
    """
    size = 1 + len(metadata) + sum(_size(key) + _size(value) for key, value in metadata.items())
    if size > MOST_CHARACTERS:
        raise SceneError(
            f"metadata of the scene have {size} characters, at most {MOST_CHARACTERS} are possible: "
            "shorten its header"
        )
    # Lists of integers and their means: many are written at once.
    lists = [([len(metadata)], _LENGTH_MEAN)]
    for key, value in metadata.items():
        lists += _text(key)
        if isinstance(value, str):
            lists += [([_TEXT], SIDE_UNIT), *_text(value)]
        elif (digits := _common_digits(value)) is not None:
            lists += [([_NUMBERS], SIDE_UNIT), ([digits], SIDE_UNIT), ([len(value)], _LENGTH_MEAN)]
            _write_lists(payload, lists)
            lists = []
            # Wavelengths are nearly evenly spaced: their second differences are small.
            numbers = [int(item.replace(".", "")) for item in value]
            payload.integers(_second_differences(numbers), _DIFFERENCE_MEAN)
        else:
            lists += [([_LIST], SIDE_UNIT), ([len(value)], _LENGTH_MEAN)]
            lists += [one for item in value for one in _text(item)]
    _write_lists(payload, lists)


def read_metadata(payload: PayloadReader) -> dict[str, MetadataValue]:
    """Read what `write_metadata` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where the metadata are written or read.

    Returns
    -------
    dict of str to str or tuple of str

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    reader = _Reader(payload)
    metadata: dict[str, MetadataValue] = {}
    for _ in range(reader.length()):
        key = reader.text()
        kind = payload.integers(1, SIDE_UNIT, signed=False)[0]
        if kind == _TEXT:
            metadata[key] = reader.text()
        elif kind == _LIST:
            metadata[key] = tuple(reader.text() for _ in range(reader.length()))
        elif kind == _NUMBERS:
            metadata[key] = reader.numbers()
        else:
            raise StreamError(f"metadata field {key!r} is of unknown kind {kind}: the stream is corrupt")
    return metadata


class _Reader:
    """Reads texts and lists, and refuses more than `MOST_CHARACTERS`: zeros may take no bytes at all."""

    def __init__(self, payload: PayloadReader) -> None:
        self._payload = payload
        self._left = MOST_CHARACTERS

    def length(self) -> int:
        length = self._payload.integers(1, _LENGTH_MEAN, signed=False)[0]
        self._left -= length + 1
        if self._left < 0:
            raise StreamError(f"metadata have more than {MOST_CHARACTERS} characters: the stream is corrupt")
        return length

    def text(self) -> str:
        length = self.length()
        if not length:
            # A few bytes can claim a hundred thousand of them.
            return ""
        ranks = self._payload.integers(length, _RANK_MEAN, signed=False)
        try:
            return bytes(_RANKED[rank] for rank in ranks).decode()
        except (IndexError, UnicodeDecodeError) as error:
            raise StreamError("metadata hold no readable text: the stream is corrupt") from error

    def numbers(self) -> tuple[str, ...]:
        digits = self._payload.integers(1, SIDE_UNIT, signed=False)[0]
        if digits > MOST_DECIMALS:
            raise StreamError(f"metadata numbers have {digits} decimals: the stream is corrupt")
        changes = self._payload.integers(self.length(), _DIFFERENCE_MEAN)
        return tuple(_decimal(number, digits) for number in accumulate(accumulate(changes)))


def _size(value: MetadataValue) -> int:
    """What a value counts against `MOST_CHARACTERS`."""
    if isinstance(value, str):
        return len(value.encode()) + 1
    return 1 + len(value) + sum(_size(item) for item in value)


def _common_digits(value: tuple[str, ...]) -> int | None:
    """Decimals of a list of numbers that can be rebuilt to the letter, None if it cannot."""
    if not value or not all(_DECIMAL.fullmatch(item) for item in value):
        return None
    digits = len(value[0].partition(".")[2])
    numbers = [int(item.replace(".", "")) for item in value]
    same = all(_decimal(number, digits) == item for number, item in zip(numbers, value, strict=True))
    same = same and max(abs(change) for change in _second_differences(numbers)) <= LARGEST_MAGNITUDE
    return digits if same else None


def _second_differences(numbers: list[int]) -> list[int]:
    changes: list[int] = np.diff(np.array(numbers, dtype=np.int64), n=2, prepend=[0, 0]).tolist()
    return changes


def _decimal(number: int, digits: int) -> str:
    sign = "-" if number < 0 else ""
    text = str(abs(number)).rjust(digits + 1, "0")
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def _text(text: str) -> list[tuple[list[int], int]]:
    """Integers that a text is written as, and their means."""
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    return [([len(data)], _LENGTH_MEAN), (_RANK[data].tolist(), _RANK_MEAN)]


def _write_lists(payload: PayloadWriter, lists: list[tuple[list[int], int]]) -> None:
    payload.integer_lists([one for one, _ in lists], [mean for _, mean in lists], signed=False)
