"""An output file that grows part by part, safe after each of them, and written by one process at a time."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from .atomic_files import output_errors
from .errors import OutputError
from .file_lock import open_alone


class Existing(Enum):
    """What becomes of a part file that an earlier run has left."""

    REFUSE = "refuse"
    KEEP = "keep"
    DISCARD = "discard"


class GrowingFile:
    """A file of which every part is safe on the disk before the next one is made.

    It grows under the name `path` with ``.part`` behind it, and gets its own name when it is finished. What
    a crash or a power cut leaves is the part file, which holds all that was written before. As long as the
    part file is open no other process can open it so: its lock ends with the process, however that ends.

    Parameters
    ----------
    path : path_like
        Where the file will appear. An existing regular file is replaced in the end.
    existing : Existing
        What becomes of a part file that is there and not empty: it is refused, kept until the first write, or
        emptied.

    Attributes
    ----------
    path : pathlib.Path
        As given.
    part : pathlib.Path
        The part file.
    size : int
        Bytes that are in it.

    Raises
    ------
    OutputError
        If the part file cannot be written, another process writes it, it is there and is to be refused, or
        `path` is a directory, a device or a pipe.
    """

    def __init__(self, path: str | os.PathLike[str], existing: Existing = Existing.REFUSE) -> None:
        self.path = Path(path)
        self.part = part_of(path)
        with output_errors(self.part):
            if self.path.exists() and not self.path.is_file():
                raise OutputError(f"cannot write {self.path}: it is not a regular file; name another output")
            self._file: BinaryIO = open_alone(self.part)
            self.size = os.fstat(self._file.fileno()).st_size
        if self.size and existing is Existing.REFUSE:
            self._file.close()
            raise OutputError(
                f"{self.part} holds {self.size} bytes that an interrupted run has left: continue it "
                "(--resume), move it away, or begin anew in its place (--overwrite)"
            )
        if existing is Existing.DISCARD:
            self.go_on_behind(0)

    def read(self) -> bytes:
        """Read what is in the part file.

        Returns
        -------
        bytes
            All of it.

        Raises
        ------
        OutputError
            If it cannot be read.
        """
        with output_errors(self.part):
            self._file.seek(0)
            return self._file.read()

    def go_on_behind(self, size: int) -> None:
        """Say where the next write goes; what lies behind stays on the disk until then.

        Parameters
        ----------
        size : int
            Bytes that are kept.
        """
        self.size = size

    def write(self, data: bytes) -> None:
        """Append bytes, and wait until they are on the disk.

        Parameters
        ----------
        data : bytes
            What is appended.

        Raises
        ------
        OutputError
            If they do not fit there.
        """
        with output_errors(self.part):
            self._file.truncate(self.size)
            self._file.seek(self.size)
            self._file.write(data)
            self._file.flush()
            os.fsync(self._file.fileno())
        self.size += len(data)

    def __enter__(self) -> GrowingFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            # Renamed before the lock ends: another process would take up the part file in between.
            if kind is None:
                with output_errors(self.path):
                    self._file.truncate(self.size)
                    if os.name == "nt":
                        self._file.close()
                    os.replace(self.part, os.path.realpath(self.path))
            else:
                with suppress(OSError):
                    if not self.part.stat().st_size:
                        if os.name == "nt":
                            self._file.close()
                        self.part.unlink()
        finally:
            with suppress(OSError):
                self._file.close()


def part_of(path: str | os.PathLike[str]) -> Path:
    """Name of the part file of a `GrowingFile`."""
    return Path(os.path.realpath(path) + ".part")
