"""Files that one process writes at a time: a lock of the operating system, which ends with its process."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import BinaryIO

from .errors import OutputError

if sys.platform != "win32":
    import fcntl

LOCKS = Path("/proc/locks")
"""Where Linux lists who holds which lock."""

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
            _lock(file, path)
            # Whoever held the lock may have renamed the file while we waited for the operating system.
            if _is_still(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file: BinaryIO, path: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(
            f"{path} is being written by {_holder(file)}: wait until that has ended, or name another output"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


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
