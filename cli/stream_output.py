"""Where a stream goes while it is made: to a file that grows, or to standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bandfold.common.errors import SettingsError

if TYPE_CHECKING:
    from bandfold.onboard.downlink.resume import Begun

STANDARD = Path("-")
"""Standard input as a scene, standard output as a stream."""


class Output:
    """Where a stream goes, and how much of it there is.

    Parameters
    ----------
    write : callable
        Takes the bytes of a section.
    size : int
        Bytes that are there already.
    begun : Begun or None
        What is to be continued.
    """

    def __init__(self, write: Callable[[bytes], object], size: int = 0, begun: Begun | None = None) -> None:
        self._write = write
        self.size = size
        self.begun = begun

    def write(self, data: bytes) -> None:
        """Append a section.

        Parameters
        ----------
        data : bytes
            The whole section.
        """
        self._write(data)
        self.size += len(data)


@contextmanager
def stream_output(path: Path, *, resume: bool) -> Iterator[Output]:
    """Open the output of a stream.

    Parameters
    ----------
    path : Path
        A file, which grows as ``PATH.part`` and gets its name in the end, or `STANDARD`.
    resume : bool
        Whether to go on behind what an earlier run has left of it.

    Yields
    ------
    Output
        Counts what it writes, and says what was begun.

    Raises
    ------
    SettingsError
        If there is nothing to resume.
    StreamError
        If what is there cannot be continued.
    OutputError
        If the output cannot be written.
    """
    from bandfold.common.atomic_files import GrowingFile, output_errors, part_of
    from bandfold.onboard.downlink.resume import find_begun

    if path == STANDARD:
        if resume:
            raise SettingsError("--resume needs a file: name the output of the run that was cut off")
        pipe: BinaryIO = sys.stdout.buffer

        def write(data: bytes) -> None:
            with output_errors("standard output"):
                pipe.write(data)
                pipe.flush()

        yield Output(write)
        return
    begun = None
    if resume:
        part = part_of(path)
        try:
            begun = find_begun(part.read_bytes())
        except OSError as error:
            raise SettingsError(
                f"nothing to resume: {part} cannot be read ({error.strerror}); leave out --resume"
            ) from error
    with GrowingFile(path, begun.size if begun else 0) as file:
        yield Output(file.write, file.size, begun)
