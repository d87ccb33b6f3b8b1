"""Where packages are: those that the user names, those on a search path, those that are shipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

from bandfold.common.errors import ModelError

from .package import SUFFIX, Package, load_package

SHIPPED_PACKAGES = Path(__file__).parents[1] / "data"
"""Folder of the packages that are shipped."""

OLDER_PACKAGES = SHIPPED_PACKAGES / "older"
"""Folder of those that are no longer written with: streams that name them are still decoded."""

SEARCH_PATH = "BANDFOLD_MODELS"
"""Environment variable with further folders to look in, separated as in ``PATH``."""

KEPT = 8
"""Packages that stay in memory once a stream has needed them, or those before them."""

PathLike = str | os.PathLike[str]


class Registry:
    """Finds packages by name.

    Parameters
    ----------
    given : sequence of path_like
        Package files that the user names; they come first.

    Raises
    ------
    ModelError
        If a given file cannot be read or is damaged.
    """

    def __init__(self, given: Sequence[PathLike] = ()) -> None:
        self._given = [load_package(path) for path in given]

    def packages(self) -> Iterator[Package]:
        """All packages that are at hand and not damaged, in the order in which they are looked for.

        Yields
        ------
        Package
        """
        yield from self._given
        yield from _packages(_found())

    def find(self, wanted: PathLike) -> Package:
        """Find a package by its name, or read it from its file.

        Parameters
        ----------
        wanted : path_like
            A name, or a path: something with a folder in it or the suffix of package files.

        Returns
        -------
        Package

        Raises
        ------
        ModelError
            If there is none of that name, or the file cannot be used.
        """
        text = os.fspath(wanted)
        if not isinstance(wanted, str) or text.endswith(SUFFIX) or os.path.dirname(text):
            return load_package(text)
        names = []
        for package in self.packages():
            if package.name == text:
                return package
            names.append(package.name)
        raise ModelError(
            f"package {text!r} is unknown; known are {', '.join(sorted(set(names))) or 'none'}: "
            f"give one of these names or a {SUFFIX} file"
        )

    def need(self, name: str, identity: bytes) -> Package:
        """Find the very package that a stream names.

        Parameters
        ----------
        name : str
            By which the stream calls it.
        identity : bytes
            First 8 bytes of its digest.

        Returns
        -------
        Package

        Raises
        ------
        ModelError
            If it is not at hand; the message says which one is needed and what was found.
        """
        others = []
        at_hand = _packages(chain(_found(), _files(OLDER_PACKAGES)), _load_once)
        for package in chain(self._given, at_hand):
            if package.identity == identity and package.name == name:
                return package
            if package.name == name:
                others.append(f"{package.identity.hex()} in {package.source}")
        found = f"found under that name: {', '.join(others)}" if others else "none of that name was found"
        raise ModelError(
            f"stream needs the package {name!r} with hash {identity.hex()}; {found}: "
            f"give its {SUFFIX} file with --model"
        )


def _found() -> Iterator[Path]:
    """Package files of the search path, then those that are shipped, each folder sorted by name."""
    folders = [Path(folder) for folder in os.environ.get(SEARCH_PATH, "").split(os.pathsep) if folder]
    for folder in (*folders, SHIPPED_PACKAGES):
        yield from _files(folder)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def _packages(paths: Iterable[Path], load: Callable[[Path], Package] = load_package) -> Iterator[Package]:
    for path in paths:
        try:
            yield load(path)
        except ModelError:
            # A damaged file that nobody asked for must not stop the use of others.
            continue


def _load_once(path: Path) -> Package:
    """Read a package, or take it as it was read before: decoders of many streams need the same one."""
    try:
        status = path.stat()
    except OSError:
        return load_package(path)
    return _kept(path, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=KEPT)
def _kept(path: Path, *_status: int) -> Package:
    return load_package(path)
