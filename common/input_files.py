"""Files that are read whole: streams, packets, lists; and pipes and devices that are named like files."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from .errors import StreamError

LARGEST_PIPE = 1 << 30
"""Bytes that are taken from a pipe or a device at most: it may never end."""

LARGEST_UNSEEN = 1 << 28
"""The same where nothing at the beginning tells that they are what is looked for."""

LARGEST_LIST = 1 << 24
"""Bytes of a text that lists something, at most."""

WRITER_AWAITED = 10.0
"""Seconds until a program must have opened a named pipe for writing."""

_PIECE = 1 << 20
_POLL = 0.05


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


@contextmanager
def input_errors(what: str, path: Path) -> Iterator[None]:
    """Turn every operating system failure in the body into a `StreamError` that names `path`.

    Parameters
    ----------
    what : str
        What the file holds, for the error message.
    path : Path
        The file that the body reads.

    Raises
    ------
    StreamError
        For any `OSError` of the body.
    """
    try:
        yield
    except OSError as error:
        raise StreamError(f"{what} {path} cannot be read: {error.strerror}") from error


def read_input(what: str, path: Path, begins: bytes = b"") -> bytes:
    """Read a whole file of streams or packets.

    Parameters
    ----------
    what : str
        What it holds, for the error message.
    path : Path
        The file.
    begins : bytes, optional
        What it begins with if it is one, as for `read_pieces`.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    StreamError
        If it cannot be read.
    """
    with input_errors(what, path):
        return read_whole(path, begins=begins)


def read_list(path: str | os.PathLike[str]) -> str:
    """Read a text that lists something.

    Parameters
    ----------
    path : path_like
        The file, in UTF-8.

    Returns
    -------
    str
        Its content.

    Raises
    ------
    OSError
        If it cannot be read, or has more than `LARGEST_LIST` bytes.
    UnicodeDecodeError
        If it is no UTF-8.
    """
    return read_whole(path, limit=LARGEST_LIST).decode("utf-8")


def read_whole(path: str | os.PathLike[str], *, begins: bytes = b"", limit: int | None = None) -> bytes:
    """Read a file, or what comes through a pipe or from a device, which end where they are too long.

    Parameters
    ----------
    path : path_like
        The file.
    begins : bytes, optional
        As for `read_pieces`; heeded of what is no regular file.
    limit : int, optional
        Most bytes. Default: all of a regular file; of others `LARGEST_PIPE`, and `LARGEST_UNSEEN` where
        nothing tells that they begin as they should.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    OSError
        If it cannot be read, has more than `limit` bytes, or is a pipe that no program writes to.
    """
    if stat.S_ISFIFO(os.stat(path).st_mode):
        file, first = _open_pipe(path)
    else:
        file, first = open(path, "rb", buffering=0), b""  # noqa: SIM115 - closed below
    with file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            limit = limit or (LARGEST_PIPE if begins else LARGEST_UNSEEN)
            return read_pieces(file, begins, limit, first)
    if limit is not None and state.st_size > limit:
        raise OSError(errno.EFBIG, f"it has {state.st_size} bytes, more than the {limit} that are allowed")
    return Path(path).read_bytes()


def begins_with(path: str | os.PathLike[str], magic: bytes) -> bool:
    """Tell by its first bytes what a file is.

    Parameters
    ----------
    path : path_like
        The file.
    magic : bytes
        What files of that kind begin with.

    Returns
    -------
    bool
        False too where it is no regular file, or cannot be read: whoever opens it says what is wrong. A pipe
        is not touched, whose bytes come once.
    """
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return file.read(len(magic)) == magic
    except (OSError, ValueError):
        return False


def read_pieces(file: _Readable, begins: bytes = b"", limit: int = LARGEST_PIPE, first: bytes = b"") -> bytes:
    """Read to the end, which may never come.

    Parameters
    ----------
    file : binary file object
        Open for reading.
    begins : bytes, optional
        What the content begins with if it is what is looked for. Where it does not, reading stops there: the
        beginning is enough to refuse it.
    limit : int, optional
        Most bytes.
    first : bytes, optional
        What was read before.

    Returns
    -------
    bytes
        The content, or its beginning.

    Raises
    ------
    OSError
        If there are more than `limit` bytes, or they cannot be read.
    """
    parts, size = [first], len(first)
    checked = not begins
    while data := file.read(max(len(begins) - size, 1) if not checked else _PIECE):
        parts.append(data)
        size += len(data)
        if size > limit:
            raise OSError(errno.EFBIG, f"more than {limit >> 20} MiB come from it: write it to a file first")
        if not checked and size >= len(begins):
            parts, checked = [b"".join(parts)], True
            if not parts[0].startswith(begins):
                break
    return b"".join(parts)


def _open_pipe(path: str | os.PathLike[str]) -> tuple[BinaryIO, bytes]:
    """Open a named pipe, which would wait for ever where no program writes to it, and read its beginning."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        end = time.monotonic() + WRITER_AWAITED
        first = b""
        while True:
            try:
                first = os.read(descriptor, 1)
            except BlockingIOError:
                # There is a writer, which has nothing to say yet.
                break
            if first:
                break
            if time.monotonic() > end:
                raise OSError(errno.ENXIO, f"no program writes to this pipe within {WRITER_AWAITED:g} s")
            time.sleep(_POLL)
        os.set_blocking(descriptor, True)
        return open(descriptor, "rb", buffering=0), first
    except BaseException:
        os.close(descriptor)
        raise
