"""Scrubbing: bits of the loaded model that radiation has flipped are found by hashing it again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Scrubber:
    """Knows the hashes of all arrays in what is loaded.

    Parameters
    ----------
    loaded : mapping of str to object
        Tables, bases, networks: anything that holds arrays in its attributes, sequences and mappings. What it
        computes later from others and keeps is hashed from the first look on.
    """

    def __init__(self, loaded: Mapping[str, object]) -> None:
        self._loaded = dict(loaded)
        self._known: dict[str, bytes] = {}
        self.changed()

    def changed(self) -> list[str]:
        """Hash everything again.

        Returns
        -------
        list of str
            Names of arrays that are not what they were.
        """
        found = {name: _digest(array) for name, array in _arrays("", self._loaded, set())}
        changed = [name for name, known in self._known.items() if found.get(name, known) != known]
        self._known = {**found, **self._known}
        return changed

    def same(self, loaded: Mapping[str, object]) -> bool:
        """Whether something that was loaded again is what was loaded at first.

        Parameters
        ----------
        loaded : mapping of str to object
            The same objects under the same names, loaded anew.

        Returns
        -------
        bool
        """
        found = {name: _digest(array) for name, array in _arrays("", dict(loaded), set())}
        return bool(found) and all(self._known.get(name) == digest for name, digest in found.items())


def _digest(array: NDArray[Any]) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(array).data).digest()


def _arrays(name: str, value: object, seen: set[int]) -> Iterator[tuple[str, NDArray[Any]]]:
    """All arrays in an object, each once, by the path that leads to it."""
    if id(value) in seen or isinstance(value, (str, bytes, int, float)) or value is None:
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        if value.size:
            yield name, value
    elif isinstance(value, Mapping):
        for key, item in list(value.items()):
            yield from _arrays(f"{name}/{key}", item, seen)
    elif isinstance(value, Sequence):
        for number, item in enumerate(value):
            yield from _arrays(f"{name}/{number}", item, seen)
    elif hasattr(value, "__dict__"):
        yield from _arrays(name, vars(value), seen)
