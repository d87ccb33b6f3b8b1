"""Threads that share the strips of a scene. Kernels let others run meanwhile, and no byte changes.

BLAS has one thread meanwhile. Products of matrices are small here: its threads would wait for each other most
of their time, on a busy processor most of all, and come on top of those that share the strips.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from threading import Lock, local
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import SettingsError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")
Thing = TypeVar("Thing")


_HERE = local()
"""Whether this thread is one of `Workers`."""


def _mark() -> None:
    """Say that this thread is one of `Workers`."""
    _HERE.works = True


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
        self._lock = Lock()
        self._bodies = 0
        self._pending = 0
        self._pool: ThreadPoolExecutor | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep threads from one call of `map` to the next in the body; otherwise each call has its own.

        Several callers may be in bodies at once: they share the threads.
        """
        with self._lock:
            self._bodies += 1
            if self._pool is None and self.threads > 1:
                self._pool = self._threads()
        try:
            yield
        finally:
            with self._lock:
                self._bodies -= 1
                last, pool = self._bodies == 0, self._pool
                if last:
                    self._pool = None
            if last and pool is not None:
                pool.shutdown()

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Apply a function.

        Parameters
        ----------
        function : callable
            Called in any thread. What it applies to others itself runs in that thread, and where threads are
            kept in those that have nothing else to do.
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
        elif getattr(_HERE, "works", False):
            yield from self._helped(function, list(things))
        elif self._pool is not None:
            yield from self._ahead(self._pool, function, things)
        else:
            with self._threads() as pool:
                yield from self._ahead(pool, function, things)

    def later(self, function: Callable[[], Result]) -> Callable[[], Result]:
        """Begin something that is asked for later, where threads are kept for it.

        Parameters
        ----------
        function : callable
            What is to be done once.

        Returns
        -------
        callable
            Gives what the function gave, or raises what it raised: it waits for the thread, or calls the
            function where no threads are kept.
        """
        if self._pool is None or getattr(_HERE, "works", False):
            return cache(function)
        return self._begun(self._pool, function).result

    def _threads(self) -> ThreadPoolExecutor:
        # Not before every command: it takes as long to import as some of them.
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self.threads, thread_name_prefix="bandfold", initializer=_mark)

    def _begun(self, pool: ThreadPoolExecutor, function: Callable[[], Result]) -> Future[Result]:
        """Begin something, which counts among what threads have to do."""
        with self._lock:
            self._pending += 1
        future = pool.submit(function)
        future.add_done_callback(self._ended)
        return future

    def _ended(self, _: object) -> None:
        with self._lock:
            self._pending -= 1

    def _helped(self, function: Callable[[Item], Result], things: list[Item]) -> Iterator[Result]:
        """Results in the order of the things, in this thread; every other one in a thread that is idle."""
        place = 0
        while place < len(things):
            future = None
            if place + 1 < len(things):
                future = self._begun_by_idle(partial(function, things[place + 1]))
            try:
                yield function(things[place])
                if future is not None:
                    # Others may have been faster to find that thread.
                    yield function(things[place + 1]) if future.cancel() else future.result()
            finally:
                if future is not None and not future.cancel():
                    future.exception()
            place += 1 if future is None else 2

    def _begun_by_idle(self, function: Callable[[], Result]) -> Future[Result] | None:
        """Begin something if a kept thread has nothing to do."""
        with self._lock:
            if self._pool is None or self._pending >= self.threads:
                return None
            self._pending += 1
            # Not later: whoever keeps the threads may let them go then.
            future = self._pool.submit(function)
        future.add_done_callback(self._ended)
        return future

    def _ahead(
        self, pool: ThreadPoolExecutor, function: Callable[[Item], Result], things: Iterator[Item]
    ) -> Iterator[Result]:
        """Results in the order of the things, a few of which are under way."""
        from concurrent.futures import wait

        ahead: deque[Future[Result]] = deque()
        try:
            for thing in things:
                ahead.append(self._begun(pool, partial(function, thing)))
                if len(ahead) > self.threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
            # Nothing is under way any more when the caller goes on, after a failure either.
            wait(ahead)


def available_cores() -> int:
    """Processor cores that this process may use.

    Returns
    -------
    int
        At least 1; fewer than the machine has where the system confines the process to some.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Parameters of glibc's ``mallopt``: free memory at the end of the heap that is given back by itself, pieces
that lie outside the heap, and places that threads take memory from, at most."""

_LARGEST_PIECE = 1 << 25
"""Bytes from which a piece of memory may lie outside the heap; glibc takes no more than that."""


def share_heap() -> None:
    """Let all threads take memory from one place, and keep there what they have given back.

    By itself glibc gives each thread a place of its own, which keeps what was freed in it, and gives memory
    back to the system that is taken again for the next strip: to take it anew costs more than most kernels.
    Kernels take few large pieces: threads hardly ever wait for each other there. Elsewhere nothing changes.
    """
    _of_the_heap("mallopt", _M_ARENA_MAX, 1)
    _of_the_heap("mallopt", _M_MMAP_THRESHOLD, _LARGEST_PIECE)
    _of_the_heap("mallopt", _M_TRIM_THRESHOLD, (1 << 31) - 1)


def trim_heap() -> None:
    """Give memory that was freed back to the system, before much is taken in pieces of other sizes."""
    _of_the_heap("malloc_trim", 0)


def _of_the_heap(name: str, *values: int) -> None:
    """Call a function of the heap of glibc; elsewhere nothing happens."""
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function is not None:
        function(*values)


ALONE = Workers()
"""No threads."""


class ObjectPool(Generic[Thing]):
    """Lends things that serve one thread at a time, and makes another one where all are lent.

    Threads end with what `Workers` started them for: what belonged to them would be made anew each time.

    Parameters
    ----------
    make : callable
        Makes a thing.
    """

    def __init__(self, make: Callable[[], Thing]) -> None:
        self._make = make
        self._free: deque[Thing] = deque()

    def take(self) -> Thing:
        """Have a thing that nobody else has until it is given back: the one that was given back last."""
        try:
            return self._free.pop()
        except IndexError:
            return self._make()

    def give_back(self, thing: Thing) -> None:
        """Let others have a thing."""
        self._free.append(thing)

    @contextmanager
    def lent(self) -> Iterator[Thing]:
        """Have a thing in the body."""
        thing = self.take()
        try:
            yield thing
        finally:
            self.give_back(thing)


class _Limit:
    """How many bodies are under way that want one thread, and the numbers from before the first of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._bodies = 0
        self._before: list[int] = []

    def enter(self) -> None:
        """A body begins."""
        with self._lock:
            if self._bodies == 0:
                self._before = [library.num_threads for library in _libraries()]
                _set([1] * len(self._before))
            self._bodies += 1

    def leave(self) -> None:
        """A body ends."""
        with self._lock:
            self._bodies -= 1
            if self._bodies == 0:
                _set(self._before)


_LIMIT = _Limit()

BLAS_THREADS = "OPENBLAS_NUM_THREADS"
"""Environment variable that tells the BLAS of NumPy, as NumPy ships it, how many threads it has."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have BLAS use one thread in the body; when the last of all such bodies ends it uses as many as before.

    The number belongs to the process: callers in several threads share it, and none of them can give it back
    too early. Without `threadpoolctl` nothing is changed.
    """
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()


@cache
def _libraries() -> tuple[Any, ...]:
    """What sets the threads of the BLAS of NumPy, which is found once; nothing where one is all that it has.

    Where OpenMP makes the threads, each caller has a number of its own, which another could not give back:
    it is left alone.
    """
    if os.environ.get(BLAS_THREADS) == "1" and "openblas" in _blas_name():
        return ()
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return ()
    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return tuple(one for one in found if getattr(one, "threading_layer", "") != "openmp")


def _blas_name() -> str:
    """Name of the BLAS that NumPy was built with; empty where it does not say."""
    from numpy import show_config

    try:
        return str(show_config(mode="dicts")["Build Dependencies"]["blas"]["name"])
    except KeyError:
        return ""


def _set(numbers: list[int]) -> None:
    for library, number in zip(_libraries(), numbers, strict=True):
        # Newer releases heed only the thread that set it first; here the one that ends last has to.
        release = getattr(library, "clear_controlling_thread", None)
        if release is not None:
            release(force=True)
        library.set_num_threads(number)
        if release is not None:
            release(force=True)
