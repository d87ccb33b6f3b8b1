"""Threads that share the strips of a scene. Kernels let others run meanwhile, and the bytes do not change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bandfold.bitstream.errors import SettingsError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Applies a function to many things, some at a time.

    Parameters
    ----------
    threads : int
        With 1 nothing runs beside the caller.

    Raises
    ------
    SettingsError
        If there is none.
    """

    def __init__(self, threads: int = 1) -> None:
        if threads < 1:
            raise SettingsError(f"{threads} threads are not possible: give 1 or more")
        self.threads = threads

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Apply a function.

        Parameters
        ----------
        function : callable
            Called in any thread.
        items : iterable

        Yields
        ------
        result
            In the order of the items, each as soon as it and those before it are there. What the function
            raises is raised here.
        """
        things = list(items)
        if self.threads == 1 or len(things) < 2:
            yield from map(function, things)
            return
        with ThreadPoolExecutor(min(self.threads, len(things)), thread_name_prefix="bandfold") as pool:
            yield from pool.map(function, things)


ALONE = Workers()
"""No threads."""
