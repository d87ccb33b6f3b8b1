"""Encoding the same scene again and again, with a watch beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bandfold.benchmarks.measures.peak_memory import forget_peak, peak_resident
from bandfold.common.scene import SceneInfo

from .sensor import Sensor
from .strips import StripClock
from .thermal import Throttling
from .watch import Watch

BUSY = 10.0
"""Percent of the processors in use while nothing runs, above which the idle power says little."""

Progress = Callable[[str, float], None]

Encode = Callable[[Progress], int]
"""Encodes the scene once: called with what is to be told the stage and the fraction of it that is done, it
returns the bytes of the stream."""


@dataclass(frozen=True)
class Run:
    """One encoding.

    Attributes
    ----------
    seconds, cpu_seconds : float
        On the clock, and of all threads of this process.
    strip_seconds : list of float
        Latency of each strip of a stream, from its last line to its segment; where no stream is possible, the
        time of each strip of the scene, reading included, without the search for a step before.
    peak_rss : int
        Bytes, imports included.
    stream_bytes : int
        Size of the encoded scene.
    joules : float or None
        Of the whole board or what its sensor covers; None without a sensor.
    hottest : float or None
        Degrees Celsius; None if there is no zone.
    megahertz : float or None
        Frequency of the processor at the end; None if it is not told.
    """

    seconds: float
    cpu_seconds: float
    strip_seconds: list[float]
    peak_rss: int
    stream_bytes: int
    joules: float | None
    hottest: float | None
    megahertz: float | None


@dataclass(frozen=True)
class Idle:
    """The board while nothing runs.

    Attributes
    ----------
    seconds : float
        How long it was watched.
    watts : float or None
        Without a sensor None.
    busy : float
        Percent of all processors that something used all the same.
    """

    seconds: float
    watts: float | None
    busy: float


def idle(sensor: Sensor | None, seconds: float, root: Path = Path("/")) -> Idle:
    """Measure the board while this process waits.

    Parameters
    ----------
    sensor : Sensor or None
        Where energy is read; None if it is not.
    seconds : float
        How long to wait.
    root : Path
        Root of the file system in which temperatures are looked up.

    Returns
    -------
    Idle
        Power and what else was busy.
    """
    import psutil

    with Watch(sensor, root) as watch:
        busy = float(psutil.cpu_percent(interval=seconds))
    return Idle(watch.seconds, None if watch.joules is None else watch.joules / watch.seconds, busy)


def encode_once(
    encode: Encode,
    sensor: Sensor | None,
    root: Path = Path("/"),
    latencies: Callable[[], list[float]] | None = None,
) -> Run:
    """Encode the scene once and watch; then encode its lines as a stream.

    Parameters
    ----------
    encode : Encode
        Encodes the scene.
    sensor : Sensor or None
        Where energy is read; None if it is not.
    root : Path
        Root of the file system in which temperatures are looked up.
    latencies : callable, optional
        Encodes the stream, see `bandfold.benchmarks.power.strips.strip_latencies`. Without it the strips of
        the scene are timed.

    Returns
    -------
    Run
        Time, memory, energy and temperature.
    """
    clock = StripClock()
    forget_peak()
    before = time.process_time()
    with Watch(sensor, root) as watch:
        size = encode(clock)
    cpu = time.process_time() - before
    peak, megahertz = peak_resident(), _megahertz()
    strips = clock.seconds if latencies is None else latencies()
    return Run(watch.seconds, cpu, strips, peak, size, watch.joules, watch.hottest, megahertz)


def measure(
    encode: Encode,
    info: SceneInfo,
    sensor: Sensor | None,
    *,
    runs: int,
    warm_up: int,
    idle_seconds: float,
    root: Path = Path("/"),
    latencies: Callable[[], list[float]] | None = None,
) -> dict[str, Any]:
    """Encode a scene several times, with idle time before and after.

    Parameters
    ----------
    encode : Encode
        Encodes the scene.
    info : SceneInfo
        Of the scene.
    sensor : Sensor or None
        Where energy is read; None if it is not.
    runs : int
        Counted.
    warm_up : int
        Before them, not counted.
    idle_seconds : float
        Before the first and after the last run that counts.
    root : Path
        Root of the file system in which temperatures and throttling are looked up.
    latencies : callable, optional
        As for `encode_once`.

    Returns
    -------
    dict
        Every run and the summary, ready for JSON.
    """
    for _ in range(warm_up):
        encode(_silent)
        if latencies is not None:
            latencies()
    throttling = Throttling(root)
    rests = [idle(sensor, idle_seconds, root)]
    done = [encode_once(encode, sensor, root, latencies) for _ in range(runs)]
    rests.append(idle(sensor, idle_seconds, root))
    return {
        "runs": [asdict(run) for run in done],
        "idle": [asdict(rest) for rest in rests],
        "summary": summary(done, rests, info.count / 1e6),
        "throttled": throttling.found() if throttling.known else None,
    }


def summary(runs: Sequence[Run], rests: Sequence[Idle], msamples: float) -> dict[str, Any]:
    """Medians and spreads.

    Parameters
    ----------
    runs : sequence of Run
        At least one.
    rests : sequence of Idle
        At least one.
    msamples : float
        Millions of samples of the scene.

    Returns
    -------
    dict
        Each figure as a dict of ``median``, ``low`` and ``high`` over the runs; strips are pooled over them.
        What was not measured is None.
    """
    strips = np.concatenate([run.strip_seconds for run in runs]) * 1e3
    percentiles = np.percentile(strips, (50, 95, 99, 100)) if strips.size else [None] * 4
    watts = [rest.watts for rest in rests if rest.watts is not None]
    rest = sum(watts) / len(watts) if watts else None
    joules = [run.joules for run in runs if run.joules is not None]
    above = [run.joules - rest * run.seconds for run in runs if run.joules is not None and rest is not None]
    return {
        "msamples": msamples,
        "msamples_per_second": spread([msamples / run.seconds for run in runs]),
        "seconds": spread([run.seconds for run in runs]),
        "cpu_seconds": spread([run.cpu_seconds for run in runs]),
        "strip_milliseconds": dict(
            zip(("median", "p95", "p99", "max"), (_plain(value) for value in percentiles), strict=True)
        ),
        "strips": int(strips.size),
        "peak_rss": max(run.peak_rss for run in runs),
        "hottest": max((run.hottest for run in runs if run.hottest is not None), default=None),
        "idle_watts": rest,
        "idle_busy_percent": max(one.busy for one in rests),
        "watts": spread([run.joules / run.seconds for run in runs if run.joules is not None]),
        "joules_per_msample": spread([value / msamples for value in joules]),
        "joules_per_msample_above_idle": spread([value / msamples for value in above]),
    }


def spread(values: Sequence[float]) -> dict[str, float] | None:
    """Summarise the values of several runs.

    Parameters
    ----------
    values : sequence of float
        One for each run; may be empty.

    Returns
    -------
    dict or None
        ``median``, ``low`` and ``high``; None of no values.
    """
    if not values:
        return None
    return {"median": float(np.median(values)), "low": min(values), "high": max(values)}


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)


def _megahertz() -> float | None:
    import psutil

    try:
        found = psutil.cpu_freq()
    except (OSError, NotImplementedError):
        return None
    return float(found.current) if found else None


def _silent(stage: str, done: float) -> None:
    """Report to nobody."""
