"""Dask clusters: one on this machine, or one that is there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bandfold.common.errors import SettingsError

if TYPE_CHECKING:
    from distributed import Client

_BESIDES = 1 << 30
"""Bytes that a worker takes besides decoding: the libraries, and what is being written."""

_ALLOCATION = {"MALLOC_TRIM_THRESHOLD_": 256 << 20, "MALLOC_MMAP_THRESHOLD_": 32 << 20}
"""Freed bytes that a worker keeps for the next array, and size of one that is not taken from them. Dask has
workers give back all beyond 64 KiB at once, and decoding asks for it again: that took half of the time."""


@contextmanager
def dask_client(
    scheduler: str | None = None, workers: int | None = None, memory_limit: int = 0, timeout: float = 10.0
) -> Iterator[Client]:
    """Connect to a Dask cluster, or start one on this machine.

    Parameters
    ----------
    scheduler : str, optional
        Address of a scheduler, as ``tcp://host:8786``. Otherwise workers are started on this machine.
    workers : int, optional
        How many, each a process with one thread. Default: as many as there are processor cores.
    memory_limit : int
        Bytes that decoding may take in a worker. A process that exceeds it by more than 1 GiB is killed and
        replaced.
    timeout : float
        Seconds to wait for a scheduler.

    Yields
    ------
    distributed.Client
        Closed afterwards, and the workers that were started with it.

    Raises
    ------
    SettingsError
        If Dask is not installed, or the scheduler does not answer.
    """
    if find_spec("distributed") is None:
        raise SettingsError("decoding an archive needs distributed: pip install 'bandfold[archive]'")
    import dask
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=timeout, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise SettingsError(
                f"the scheduler {scheduler} does not answer ({error or type(error).__name__}): check it"
            ) from error
        with client:
            yield client
        return
    spawned = dask.config.get("distributed.nanny.pre-spawn-environ", {})
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": {**spawned, **_ALLOCATION}}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=memory_limit + _BESIDES,
            # Any free port: a second archive must not be told that the usual one is taken.
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client
