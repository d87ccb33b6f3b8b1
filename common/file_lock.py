"""Files that one process writes at a time: a lock of the operating system, which ends with its process."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, BinaryIO

from .errors import OutputError


def _module(name: str) -> Any:
    """A module of the standard library that not every system has, or None."""
    with suppress(ImportError):
        return import_module(name)
    return None


fcntl, msvcrt = _module("fcntl"), _module("msvcrt")

LOCKS = Path("/proc/locks")
"""Where Linux lists who holds which lock."""

LOCKED_BYTE = (1 << 31) - 2
"""The byte that is locked on Windows, where nobody else may read what is locked: one that few files have, and
the last but one that all versions of its C library can lock."""

_HELD = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
"""What the operating systems say of a lock that somebody holds."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""What file systems say that have no locks: there the file is opened without one."""


def open_alone(path: Path) -> BinaryIO:
    """Open a file for reading and writing, and keep all others from doing so; it is made if it is not there.

    A file without a lock is that of nobody, whatever process has left it: there are no locks to clear away.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    binary file object
        At the beginning of the file. The lock ends when it is closed.

    Raises
    ------
    OutputError
        If another process, or this one, has it open in this way.
    OSError
        If the file cannot be opened.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        file: BinaryIO = open(descriptor, "r+b")  # noqa: SIM115 - the caller closes it
        try:
            if not take_lock(file):
                raise OutputError(
                    f"{path} is being written by {_holder(file)}: wait until that has ended, or name another "
                    "output"
                )
            # Whoever held the lock may have renamed the file while we waited for the operating system.
            if _is_still(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def take_lock(file: IO[Any]) -> bool:
    """Lock an open file, until it is closed.

    Parameters
    ----------
    file : file object
        Open for writing.

    Returns
    -------
    bool
        False if another file object, of this process or of another one, holds the lock. True where the file
        system has no locks.

    Raises
    ------
    OSError
        If the file cannot be locked for another reason.
    """
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt is not None:
            _lock_byte(file.fileno())
    except OSError as error:
        if error.errno in _HELD:
            return False
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _lock_byte(descriptor: int) -> None:
    """Lock as Windows does: some bytes from where the file stands."""
    place = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    finally:
        os.lseek(descriptor, place, os.SEEK_SET)


def _is_still(file: BinaryIO, path: Path) -> bool:
    """Whether the path still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _holder(file: BinaryIO) -> str:
    """Who holds the lock of a file, as far as the system tells."""
    status = os.fstat(file.fileno())
    try:
        for line in LOCKS.read_text().splitlines():
            fields = line.split()
            # 1: FLOCK ADVISORY WRITE 1234 08:02:131074 0 EOF; some devices are not those of stat.
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(status.st_ino):
                return "this process" if int(fields[4]) == os.getpid() else f"process {fields[4]}"
    except (OSError, IndexError, ValueError):
        pass
    return "another process"
