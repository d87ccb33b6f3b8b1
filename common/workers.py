"""Threads that share the strips of a scene. Kernels let others run meanwhile, and no byte changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from .errors import SettingsError

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
            What it is applied to.

        Yields
        ------
        result
            In the order of the items, each as soon as it and those before it are there. As many as there are
            threads are under way or wait for the caller: no more are held in memory. What the function raises
            is raised here.
        """
        things = iter(items)
        if self.threads == 1:
            yield from map(function, things)
            return
        with ThreadPoolExecutor(self.threads, thread_name_prefix="bandfold") as pool:
            ahead: deque[Future[Result]] = deque()
            try:
                for thing in things:
                    ahead.append(pool.submit(function, thing))
                    if len(ahead) > self.threads:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for future in ahead:
                    future.cancel()


ALONE = Workers()
"""No threads."""
