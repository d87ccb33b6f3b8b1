"""Bytes that are wanted again at the end: in memory, and behind the first of them in a file of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from threading import Lock

from .atomic_files import AtomicFile, output_errors

HELD = 1 << 22
"""Bytes that stay in memory: so much is less than what a strip takes while it is coded."""


class Pieces:
    """Bytes that are not put together; ``bytes`` of them does that.

    Parameters
    ----------
    parts : sequence of bytes
        One after the other.
    """

    __slots__ = ("_size", "parts")

    def __init__(self, parts: Sequence[bytes]) -> None:
        self.parts = parts
        self._size = sum(map(len, parts))

    def __len__(self) -> int:
        """How many bytes."""
        return self._size

    def __bytes__(self) -> bytes:
        """The bytes, put together anew each time."""
        return b"".join(self.parts)


class Spooled:
    """Bytes in the file of a `Spool`; ``bytes`` of them reads them.

    Parameters
    ----------
    spool : Spool
        Which has them.
    start, size : int
        Where they are in its file, and how many.
    """

    __slots__ = ("_size", "_spool", "_start")

    def __init__(self, spool: Spool, start: int, size: int) -> None:
        self._spool = spool
        self._start = start
        self._size = size

    def __len__(self) -> int:
        """How many bytes."""
        return self._size

    def __bytes__(self) -> bytes:
        """The bytes, read anew each time; raises `OutputError` if they cannot be read."""
        return self._spool.read(self._start, self._size)


Kept = bytes | Pieces | Spooled
"""Bytes wherever they are: their number is ``len``, and what they are ``bytes``."""

Keep = Callable[[Kept], Kept]
"""Keeps bytes somewhere."""


class Spool:
    """Keeps bytes until the end of a body, and most of them not in memory.

    Parameters
    ----------
    path : path_like
        Output that is made of them: the file lies beside it, has a temporary name, and is removed in the end.
        There is none where few bytes are kept.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._lock = Lock()
        self._held = 0
        self._size = 0
        self._output: AtomicFile | None = None

    def keep(self, data: Kept) -> Kept:
        """Keep bytes.

        Parameters
        ----------
        data : bytes, Pieces or Spooled
            What is wanted again.

        Returns
        -------
        bytes, Pieces or Spooled
            The same bytes.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        if isinstance(data, Spooled):
            return data
        with self._lock:
            if self._held + len(data) <= HELD:
                self._held += len(data)
                return data
            if self._output is None:
                self._output = AtomicFile(self._path)
            start = self._size
            with output_errors(self._path):
                self._output.file.seek(start)
                self._output.file.writelines(data.parts if isinstance(data, Pieces) else [data])
            self._size += len(data)
        return Spooled(self, start, len(data))

    def read(self, start: int, size: int) -> bytes:
        """Read some bytes of the file; what `Spooled` is for."""
        with self._lock, output_errors(self._path):
            if self._output is None:
                raise ValueError("nothing was written to the file")
            self._output.file.seek(start)
            return self._output.file.read(size)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._output is not None:
            self._output.discard()


def held(data: Kept) -> Kept:
    """Keep bytes in memory."""
    return data
