"""A stream in a file, of which only those segments and refinements are read that are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from bandfold.bitstream.container.sections import LARGEST_FRAME, PREAMBLE, Section, read_frame, read_varint
from bandfold.common.errors import StreamError
from bandfold.common.input_files import input_errors

_PEEK = LARGEST_FRAME + 10
"""Bytes of a frame that hold the kind, the length and, of what belongs to a strip, its number."""


class StreamFile:
    """Knows where in a file the sections of a stream are.

    Segments and refinements are skipped, everything else is read. Nothing is checked here: `stream` gives
    bytes that a decoder checks.

    Parameters
    ----------
    path : path_like
        File of a stream (.bf).

    Attributes
    ----------
    path : Path
        The file.
    bytes_read : int
        Bytes that were read from the file so far.
    stamp : tuple of int
        Size and time of change of the file, by which a later change is noticed.

    Raises
    ------
    StreamError
        If the file cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.bytes_read = 0
        self._common = b""
        self._segments: dict[int, list[tuple[int, int]]] = {}
        self._whole = False
        with self._open() as file:
            state = os.fstat(file.fileno())
            self.stamp = state.st_size, state.st_mtime_ns
            try:
                self._walk(file)
            except StreamError:
                # Something is damaged: a decoder knows best what to make of it, and needs all of it for that.
                self._whole = True

    @property
    def indexed(self) -> bool:
        """Whether segments can be read one by one; otherwise all of a damaged stream is read each time."""
        return not self._whole

    def read_whole(self) -> None:
        """From now on, give all of the stream whatever strips are asked for."""
        self._whole = True

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
        with self._open() as file:
            if self._whole:
                return self._read(file, 0, -1)
            parts = [self._common]
            for strip in strips:
                # All of that number: the first one may be damaged.
                parts += [self._read(file, *place) for place in self._segments.get(strip, ())]
        return b"".join(parts)

    def _walk(self, file: BinaryIO) -> None:
        size = os.fstat(file.fileno()).st_size
        parts = [self._read(file, 0, PREAMBLE)]
        position = PREAMBLE
        while position < size:
            head = self._read(file, position, _PEEK)
            # What is behind the end reads as zeros, and ends up behind the end.
            kind, before, length = read_frame(head.ljust(_PEEK, b"\0"))
            end = position + before + length
            if end > size:
                raise StreamError(f"a section leads past the end of {self.path}: it is truncated")
            if kind in (Section.SEGMENT, Section.REFINEMENT):
                number, _ = read_varint(head, before)
                self._segments.setdefault(number, []).append((position, end - position))
            else:
                parts.append(self._read(file, position, end - position))
            position = end
        self._common = b"".join(parts)

    def _open(self) -> BinaryIO:
        with input_errors("stream", self.path):
            # Unbuffered: a buffer would read the segments that are to be skipped.
            return open(self.path, "rb", buffering=0)

    def _read(self, file: BinaryIO, position: int, size: int) -> bytes:
        with input_errors("stream", self.path):
            file.seek(position)
            data = file.read(size)
        self.bytes_read += len(data)
        return data
