"""Output files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from .errors import OutputError


@contextmanager
def output_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn every operating system failure in the body into an `OutputError` that names `path`.

    Parameters
    ----------
    path : path_like
        The output that the body works on.

    Raises
    ------
    OutputError
        For any `OSError` of the body: no such directory, no space, no permission.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise OutputError(
            f"cannot write {os.fspath(path)}: {reason}; "
            "check that the directory exists, is writable and has space left"
        ) from error


def reserve(descriptor: int, size: int) -> None:
    """Reserve room on the disk, so that a full one is noticed before anything is written.

    File systems that cannot do so are left alone.

    Parameters
    ----------
    descriptor : int
        Of a file that is open for writing.
    size : int
        Bytes that the file will have; it is made so long at once.

    Raises
    ------
    OSError
        If there is no room for so many.
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except AttributeError:
        # Not every system has it.
        return
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise


class AtomicFile:
    """A file under construction: a temporary neighbour of `path` that is renamed once it is complete.

    `atomic_output` is the way to write one file; this class is for outputs of several files, which are all
    flushed to the disk before the first of them is renamed.

    Parameters
    ----------
    path : path_like
        Where the file will appear. An existing regular file is replaced; a link is followed.
    folder : path_like, optional
        Where the temporary lies, on the same file system. Default: beside `path`.

    Attributes
    ----------
    path : pathlib.Path
        As given.
    file : binary file object
        The temporary file, open for reading and writing.

    Raises
    ------
    OutputError
        If the temporary file cannot be made, or `path` is a directory, a device or a pipe.
    """

    def __init__(self, path: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(path)
        with output_errors(self.path):
            self._target = Path(os.path.realpath(self.path))
            # Renaming onto a device would replace the device: as root, `-o /dev/null` destroys it.
            if self._target.exists() and not self._target.is_file():
                raise OutputError(f"cannot write {self.path}: it is not a regular file; name another output")
            # Not tempfile.mkstemp: its files are private (0600) and would stay so after the rename.
            beside = self._target.parent if folder is None else Path(folder)
            self._temporary = beside / f".bandfold-{os.urandom(8).hex()}.part"
            self.file: BinaryIO = open(self._temporary, "x+b")  # noqa: SIM115 - closed by finish and discard

    def finish(self) -> None:
        """Bring all bytes to the disk and close the temporary file.

        Raises
        ------
        OutputError
            If they do not fit there.
        """
        if not self.file.closed:
            with output_errors(self.path):
                self.file.flush()
                os.fsync(self.file.fileno())
                self.file.close()

    def publish(self) -> None:
        """Finish the file and give it its name.

        Raises
        ------
        OutputError
            If either fails.
        """
        self.finish()
        with output_errors(self.path):
            os.replace(self._temporary, self._target)

    def discard(self) -> None:
        """Remove the temporary file; harmless after `publish`."""
        # Closing flushes, and on a full disk fails again: the descriptor is released all the same.
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self._temporary.unlink()

    def __enter__(self) -> AtomicFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.publish()
        finally:
            self.discard()


class AtomicPath:
    """A file or folder that a library writes by its name, and that appears whole or not at all.

    Parameters
    ----------
    path : path_like
        Where it will appear. An existing regular file is replaced; a link is followed.
    replaces : callable, optional
        Says of an existing folder whether it may be replaced; without it none is.
    folder : path_like, optional
        Where the temporary lies, on the same file system. Default: beside `path`.

    Attributes
    ----------
    path : pathlib.Path
        As given.
    temporary : pathlib.Path
        What is to be written; there is nothing of that name yet.

    Raises
    ------
    OutputError
        If `path` is a folder that may not be replaced, a device or a pipe, or has no folder to lie in.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        replaces: Callable[[Path], bool] | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.path = Path(path)
        with output_errors(self.path):
            self._target = Path(os.path.realpath(self.path))
            if self._target.is_dir():
                if replaces is None or not replaces(self._target):
                    raise OutputError(
                        f"cannot write {self.path}: it is a folder of something else; name another output"
                    )
            elif self._target.exists() and not self._target.is_file():
                raise OutputError(f"cannot write {self.path}: it is not a regular file; name another output")
            beside = self._target.parent if folder is None else Path(folder)
            self.temporary = beside / f".bandfold-{os.urandom(8).hex()}.part"
            # Libraries have messages of their own for a folder that is not there or not writable.
            self.temporary.touch(exist_ok=False)
            self.temporary.unlink()

    def publish(self) -> None:
        """Bring what was written to the disk and give it its name.

        Raises
        ------
        OutputError
            If that fails.
        """
        with output_errors(self.path):
            files = [self.temporary] if self.temporary.is_file() else self.temporary.rglob("*")
            for file in files:
                if file.is_file():
                    with open(file, "rb") as opened:
                        os.fsync(opened.fileno())
            if not self._target.is_dir():
                os.replace(self.temporary, self._target)
                return
            # A folder with something in it cannot be replaced in one step: it is moved out of the way.
            old = self._target.with_name(f"{self.temporary.name}.old")
            os.replace(self._target, old)
            os.replace(self.temporary, self._target)
            shutil.rmtree(old)

    def discard(self) -> None:
        """Remove the temporary; harmless after `publish`."""
        with suppress(OSError):
            if self.temporary.is_dir():
                shutil.rmtree(self.temporary)
            else:
                self.temporary.unlink()


@contextmanager
def atomic_output(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Write one file that appears under its name only when the body has succeeded.

    Parameters
    ----------
    path : path_like
        Where the file will appear. An existing regular file is replaced.

    Yields
    ------
    binary file object
        Open for reading and writing, in the same directory under a temporary name. It is removed when the
        body fails or is interrupted.

    Raises
    ------
    OutputError
        If the file cannot be made, filled or renamed. Any `OSError` of the body counts as that.
    """
    with AtomicFile(path) as output, output_errors(output.path):
        yield output.file
