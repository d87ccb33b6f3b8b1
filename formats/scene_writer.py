"""What all writers of scenes have in common."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import AtomicPath, output_errors
from bandfold.common.errors import BandfoldError, OutputError
from bandfold.common.scene import SceneInfo


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """The one boundary of writers: whatever a library raises about an output becomes an `OutputError`.

    Parameters
    ----------
    path : Path
        What the body writes.

    Raises
    ------
    OutputError
        If the body raises anything but a `BandfoldError`.
    """
    try:
        with output_errors(path):
            yield
    except BandfoldError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise OutputError(
            f"cannot write {path}: {reason}; choose another format (--to), or correct what the scene says"
        ) from error


class SceneWriter(ABC):
    """Write a scene block by block; a context manager.

    The output appears complete when the body succeeds, and not at all when it fails.

    Parameters
    ----------
    path : path_like
        What will appear, and holds the samples.
    info : SceneInfo
        Geometry, type, no-data value and metadata of what is written.
    replaces : callable, optional
        As for `bandfold.common.atomic_files.AtomicPath`.
    folder : path_like, optional
        Where temporary files lie, on the same file system. Default: beside `path`.

    Attributes
    ----------
    path : pathlib.Path
        What holds the samples.
    info : SceneInfo
        As given.

    Raises
    ------
    OutputError
        If it cannot be made.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        info: SceneInfo,
        *,
        replaces: Callable[[Path], bool] | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self.path = Path(path)
        self.info = info
        self._missing = info.count
        self._output = AtomicPath(path, replaces, folder)
        try:
            with writing(self.path):
                self._open(self._output.temporary)
        except BaseException:
            self._output.discard()
            raise

    @property
    def paths(self) -> tuple[Path, ...]:
        """What is written, the one that the user named first."""
        return (self.path,)

    @property
    def file_dtype(self) -> np.dtype[np.generic]:
        """Type that the samples are stored in."""
        return self.info.dtype

    def write(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        """Write a block; every sample is to be written exactly once, in any order.

        Parameters
        ----------
        bands, lines : slice
            Half-open ranges with explicit bounds inside the scene and no step.
        block : ndarray, shape (bands, lines, samples)
            Samples of type ``info.dtype``.

        Raises
        ------
        OutputError
            If the disk is full or fails.
        ValueError
            If the block does not fit the ranges, or has another type than the scene.
        """
        info = self.info
        shape = (bands.stop - bands.start, lines.stop - lines.start, info.samples)
        inside = 0 <= bands.start <= bands.stop <= info.bands and 0 <= lines.start <= lines.stop <= info.lines
        if block.shape != shape or not inside or block.dtype != info.dtype:
            raise ValueError(
                f"block of {block.shape} {block.dtype} does not fit bands {bands}, lines {lines} "
                f"of a scene of {info.shape} {info.dtype}"
            )
        if block.size:
            with writing(self.path):
                self._put(bands, lines, block)
            self._missing -= block.size

    @abstractmethod
    def _open(self, temporary: Path) -> None:
        """Make the output, of this name."""

    @abstractmethod
    def _put(self, bands: slice, lines: slice, block: NDArray[Any]) -> None:
        """Write a block that fits."""

    @abstractmethod
    def _close(self) -> None:
        """Finish the output; called once, whether all went well or not."""

    def _publish(self) -> None:
        """Give the output its name."""
        self._output.publish()

    def _discard(self) -> None:
        """Remove what is temporary."""
        self._output.discard()

    def __enter__(self) -> SceneWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            # What has failed in the body is what the user should hear of.
            with suppress(Exception) if kind is not None else writing(self.path):
                self._close()
            if kind is not None:
                return
            if self._missing:
                raise OutputError(
                    f"{self._missing} of {self.info.count} samples of {self.path} were not written: "
                    "write every block of the scene once"
                )
            self._publish()
        finally:
            self._discard()


def stored_no_data(info: SceneInfo) -> Any:
    """No-data value in the type of the samples.

    Parameters
    ----------
    info : SceneInfo
        Type and no-data value of a scene.

    Returns
    -------
    numpy scalar or None
        None if there is no such value, or the type cannot hold it.
    """
    if info.no_data is None:
        return None
    if info.dtype.kind == "f":
        with np.errstate(over="ignore"):
            no_data = np.array(info.no_data).astype(info.dtype)[()]
        return None if np.isinf(no_data) and np.isfinite(info.no_data) else no_data
    limits = np.iinfo(info.dtype.name)
    if not float(info.no_data).is_integer() or not limits.min <= info.no_data <= limits.max:
        return None
    return np.array(int(info.no_data)).astype(info.dtype)[()]
