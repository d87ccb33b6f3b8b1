"""A stream in a file, of which only those segments and refinements are read that are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bandfold.bitstream.container.sections import (
    LARGEST_FRAME,
    PREAMBLE,
    SIGNATURE,
    Section,
    read_frame,
    read_varint,
)
from bandfold.common.errors import StreamError
from bandfold.ground.stream.byte_source import StreamPlace, open_bytes

_PEEK = LARGEST_FRAME + 10
"""Bytes of a frame that hold the kind, the length and, of what belongs to a strip, its number."""


class StreamFile:
    """Knows where in a file, here or on another machine, the sections of a stream are.

    Segments and refinements are skipped, everything else is read. Nothing is checked here: `stream` gives
    bytes that a decoder checks.

    Parameters
    ----------
    place : path_like, str, fsspec.core.OpenFile or binary file object
        What holds the stream; see `bandfold.ground.stream.byte_source.open_bytes`.

    Attributes
    ----------
    name : str
        What messages call it.
    size : int
        Bytes of the stream.
    stamp : tuple
        Size and, where it is known, time of change of the file, by which a later change is noticed.

    Raises
    ------
    StreamError
        If the file cannot be read.
    SettingsError
        If it is on another machine, and the library for that is not installed.
    """

    def __init__(self, place: StreamPlace) -> None:
        self._source = source = open_bytes(place)
        self.name, self.size, self.stamp = source.name, source.size, source.stamp
        self._common = b""
        self._segments: dict[int, list[tuple[int, int]]] = {}
        self._whole = False
        try:
            self._walk()
        except _FrameError:
            # Something is damaged: a decoder knows best what to make of it, and needs all of it for that.
            self._whole = True

    @property
    def bytes_read(self) -> int:
        """Bytes that were read from the file so far."""
        return self._source.bytes_read

    @property
    def reopening(self) -> Any:
        """What opens it anew, in another process too."""
        return self._source.reopening

    @property
    def indexed(self) -> bool:
        """Whether segments can be read one by one; otherwise all of a damaged stream is read each time."""
        return not self._whole

    def read_whole(self) -> None:
        """From now on, give all of the stream whatever strips are asked for, if it is a stream at all."""
        self._whole = self._common[: len(SIGNATURE)] == SIGNATURE or not self._common

    def stream(self, strips: Iterable[int]) -> bytes:
        """A stream with the segments and refinements of some strips, and with all that belongs to no strip.

        Parameters
        ----------
        strips : iterable of int
            Numbers of the strips, from 0.

        Returns
        -------
        bytes
            To be given to a decoder, which finds no other strips in it. The order of sections is that of the
            file but for segments and refinements, which come last.

        Raises
        ------
        StreamError
            If the file cannot be read.
        """
        if self._whole:
            return self._source.read_all()
        parts = [self._common]
        for strip in strips:
            # All of that number: the first one may be damaged.
            parts += [self._source.read(*place) for place in self._segments.get(strip, ())]
        return b"".join(parts)

    def _walk(self) -> None:
        read, size = self._source.read, self.size
        parts = [read(0, PREAMBLE)]
        if parts[0][: len(SIGNATURE)] != SIGNATURE:
            # Whatever it is, it may be large, and a decoder refuses it by these bytes.
            self._common = parts[0]
            return
        position = PREAMBLE
        while position < size:
            head = read(position, _PEEK)
            # What is behind the end reads as zeros, and ends up behind the end.
            before, length, number = _frame(head.ljust(_PEEK, b"\0"))
            end = position + before + length
            if end > size:
                raise _FrameError
            if number is not None:
                self._segments.setdefault(number, []).append((position, end - position))
            else:
                parts.append(read(position, end - position))
            position = end
        self._common = b"".join(parts)


class _FrameError(Exception):
    """The frames do not lead from one section to the next."""


def _frame(head: bytes) -> tuple[int, int, int | None]:
    """Bytes of the frame, bytes behind it, and number of the strip, of a section that begins so."""
    try:
        kind, before, length = read_frame(head)
        number = read_varint(head, before)[0] if kind in (Section.SEGMENT, Section.REFINEMENT) else None
    except StreamError as error:
        raise _FrameError from error
    return before, length, number
