"""Where the bytes of a stream come from: a file, an address or an open file, of which any range is read."""

from __future__ import annotations

import io
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from bandfold.bitstream.container.sections import SIGNATURE
from bandfold.common.errors import BandfoldError, SettingsError, StreamError
from bandfold.common.input_files import input_errors, read_input, read_pieces

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(://|::)")

_LEAST_REQUEST = 512
"""Bytes that are asked of another machine at least: the next frames come along, and save requests."""

_CHANGE_MARKS = ("ETag", "etag", "LastModified", "last_modified", "mtime", "created")
"""Keys under which file systems tell that a file has changed."""

StreamPlace = str | os.PathLike[str] | BinaryIO
"""A path, an address (``s3://``, ``https://``, ...), an ``fsspec.OpenFile``, or a binary file to read."""


class ByteSource(ABC):
    """Bytes of a stream that can be read from any position.

    Attributes
    ----------
    name : str
        What messages call it.
    size : int
        Bytes of the stream.
    stamp : tuple
        Size, and what else changes when the stream does.
    bytes_read : int
        Bytes that were read so far.
    """

    name: str
    size: int
    stamp: tuple[Any, ...]
    bytes_read: int = 0

    def read(self, position: int, size: int) -> bytes:
        """Read a range.

        Parameters
        ----------
        position : int
            First byte, from 0.
        size : int
            How many, at least 1; fewer are given at the end.

        Returns
        -------
        bytes
            What is there.

        Raises
        ------
        StreamError
            If it cannot be read.
        """
        return self._read(position, max(min(size, self.size - position), 0))

    def read_all(self) -> bytes:
        """Read everything.

        Returns
        -------
        bytes
            The stream.

        Raises
        ------
        StreamError
            If it cannot be read.
        """
        return self.read(0, self.size)

    @property
    @abstractmethod
    def reopening(self) -> Any:
        """What `open_bytes` takes to open it anew, in another process too."""

    @abstractmethod
    def _read(self, position: int, size: int) -> bytes:
        """Read a range inside the stream, and count what is read."""


class LocalFile(ByteSource):
    """A file of this machine.

    It is opened for each range, so that it can be replaced, and the reader copied to another process.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    StreamError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        with input_errors("stream", path), open(path, "rb", buffering=0) as file:
            state = os.fstat(file.fileno())
        self.size = state.st_size
        self.stamp = state.st_size, state.st_mtime_ns

    @property
    def reopening(self) -> Path:
        """Its path."""
        return self._path

    def _read(self, position: int, size: int) -> bytes:
        # Unbuffered: a buffer would read the segments that are to be skipped.
        with input_errors("stream", self._path), open(self._path, "rb", buffering=0) as file:
            file.seek(position)
            data = file.read(size)
        self.bytes_read += len(data)
        return data

    def read_all(self) -> bytes:
        """Read everything, which may be more than a system reads at once.

        Returns
        -------
        bytes
            The stream.

        Raises
        ------
        StreamError
            If it cannot be read.
        """
        with input_errors("stream", self._path):
            data = self._path.read_bytes()
        self.bytes_read += len(data)
        return data


class RemoteFile(ByteSource):
    """A file of another machine, or whatever else fsspec has a file system for.

    Parameters
    ----------
    place : str or fsspec.core.OpenFile
        Address, or what ``fsspec.open`` gives for it; the latter may carry credentials.

    Raises
    ------
    StreamError
        If it is not there or cannot be read.
    SettingsError
        If fsspec, or the library that it takes for this kind of address, is not installed.
    """

    def __init__(self, place: Any) -> None:
        self._place = place
        self.name = place if isinstance(place, str) else place.full_name
        self._kept = 0, b""
        with _remote_errors(self.name):
            import fsspec

            opened = fsspec.open(place, "rb") if isinstance(place, str) else place
            self._system, self._path = opened.fs, opened.path
            about = self._system.info(self._path)
            if about.get("size") is None:
                # A server that does not say how much there is knows no ranges either.
                self._kept = 0, self._system.cat_file(self._path)
                self.bytes_read = len(self._kept[1])
            self.size = self.bytes_read or int(about["size"])
        marks = (about[key] for key in _CHANGE_MARKS if about.get(key) is not None)
        self.stamp = self.size, str(next(marks, ""))

    @property
    def reopening(self) -> Any:
        """Its address, with what is needed to reach it."""
        return self._place

    def _read(self, position: int, size: int) -> bytes:
        first, kept = self._kept
        if first <= position and position + size <= first + len(kept):
            return kept[position - first : position - first + size]
        wanted = min(max(size, _LEAST_REQUEST), self.size - position)
        with _remote_errors(self.name):
            data = self._system.cat_file(self._path, start=position, end=position + wanted)
        self.bytes_read += len(data)
        if len(data) == self.size and wanted < self.size:
            # A server that knows no ranges answers with everything.
            self._kept = 0, data
            return bytes(data[position : position + size])
        if len(data) != wanted:
            raise StreamError(
                f"stream {self.name} cannot be read: {len(data)} bytes came for {wanted}; try again"
            )
        if size < wanted:
            self._kept = position, data
        return bytes(data[:size])


class OpenedFile(ByteSource):
    """A binary file that somebody has opened; one that cannot be sought, as standard input, is read at once.

    Parameters
    ----------
    file : binary file object
        Open for reading. It stays open, and its position changes.
    name : str, optional
        What messages call it. Default: its own name.

    Raises
    ------
    StreamError
        If it cannot be read.
    """

    def __init__(self, file: BinaryIO, name: str = "") -> None:
        self._file = file
        self._data: bytes | None = None
        names = (name, getattr(file, "name", ""), getattr(file, "path", ""), type(file).__name__)
        self.name = next(str(one) for one in names if one)
        with _remote_errors(self.name):
            if file.seekable():
                self.size = file.seek(0, os.SEEK_END)
                # So is every device that can be sought: there is nothing to come back for.
                self._data = None if self.size else b""
            else:
                self._data = read_pieces(file, SIGNATURE)
                self.size = self.bytes_read = len(self._data)
        self.stamp = (self.size,)

    @property
    def reopening(self) -> BinaryIO:
        """The file itself."""
        return self._file

    def _read(self, position: int, size: int) -> bytes:
        if self._data is not None:
            return self._data[position : position + size]
        with _remote_errors(self.name):
            self._file.seek(position)
            parts, missing = [], size
            while missing and (part := self._file.read(missing)):
                parts.append(part)
                missing -= len(part)
        self.bytes_read += size - missing
        return b"".join(parts)


def open_bytes(place: StreamPlace | Any) -> ByteSource:
    """Open what holds a stream.

    Parameters
    ----------
    place : path_like, str, fsspec.core.OpenFile or binary file object
        A path; an address such as ``s3://bucket/scene.bf`` or ``https://host/scene.bf``; what ``fsspec.open``
        gives; or a file that is open for reading bytes.

    Returns
    -------
    ByteSource
        Of which any range can be read.

    Raises
    ------
    StreamError
        If it cannot be read.
    SettingsError
        If a library is not installed, or it is nothing of all this.
    """
    if is_address(place) or (hasattr(place, "fs") and hasattr(place, "full_name")):
        return RemoteFile(place)
    if isinstance(place, (str, os.PathLike)):
        path = Path(place)
        # Names that no system takes are told as such.
        with input_errors("stream", path):
            once = path.is_fifo() or path.is_char_device()
        if once:
            # What another program writes comes once, and in order.
            return OpenedFile(io.BytesIO(read_input("stream", path, SIGNATURE)), str(path))
        return LocalFile(path)
    if hasattr(place, "read") and hasattr(place, "seekable"):
        return OpenedFile(place)
    raise SettingsError(
        f"a stream cannot be read from {type(place).__name__}: give a path, an address or a binary file"
    )


def is_address(place: object) -> bool:
    """Whether something is an address that fsspec opens.

    Parameters
    ----------
    place : object
        Anything.

    Returns
    -------
    bool
        True for texts like ``https://host/scene.bf`` or ``simplecache::s3://bucket/scene.bf``.
    """
    return isinstance(place, str) and _ADDRESS.match(place) is not None


@contextmanager
def _remote_errors(name: str) -> Iterator[None]:
    """The one boundary to other people's files: whatever they raise becomes a typed error of one line."""
    try:
        yield
    except ImportError as error:
        raise SettingsError(
            f"{name} needs a library that is not installed ({error}): pip install 'bandfold[remote]', and "
            "what fsspec takes for its kind of address (s3fs, gcsfs, adlfs, ...)"
        ) from error
    except (BandfoldError, MemoryError):
        raise
    except Exception as error:
        reason = "not found" if isinstance(error, FileNotFoundError) else str(error)
        reason = " ".join(reason.split())[:200] or type(error).__name__
        raise StreamError(f"stream {name} cannot be read: {reason}") from error
