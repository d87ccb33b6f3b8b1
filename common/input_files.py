"""Files of streams and packets that are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import StreamError


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


def read_input(what: str, path: Path) -> bytes:
    """Read a whole file.

    Parameters
    ----------
    what : str
        What it holds, for the error message.
    path : Path
        The file.

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
        return path.read_bytes()
