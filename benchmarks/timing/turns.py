"""Encoding and decoding times of codecs that take turns on one scene."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .runners import Runner


@dataclass
class Times:
    """Times of a codec on a scene.

    Attributes
    ----------
    name : str
        The codec.
    encode, decode : list of float
        Seconds of processor time, run by run, without the warm-up.
    size : int
        Bytes of the stream.
    """

    name: str
    encode: list[float] = field(default_factory=list)
    decode: list[float] = field(default_factory=list)
    size: int = 0


def take_turns(runners: Sequence[Runner], path: Path, runs: int) -> list[Times]:
    """Time codecs on a scene, by processor time: what else the machine does counts for none.

    Parameters
    ----------
    runners : sequence of Runner
        The codecs.
    path : Path
        ENVI header.
    runs : int
        Timed rounds, after one that is not. The order alternates from round to round, so that a machine that
        slows down or speeds up favours nobody.

    Returns
    -------
    list of Times
        In the order of `runners`.
    """
    times = [Times(runner.name) for runner in runners]
    pairs = list(zip(runners, times, strict=True))
    for turn in range(runs + 1):
        for runner, entry in pairs if turn % 2 else reversed(pairs):
            start = time.process_time()
            stream = runner.encode(path)
            middle = time.process_time()
            runner.decode(stream)
            end = time.process_time()
            entry.size = len(stream)
            if turn:
                entry.encode.append(middle - start)
                entry.decode.append(end - middle)
    return times


def elapsed_times(runners: Sequence[Runner], path: Path, runs: int) -> list[Times]:
    """Time encoders on a scene by the clock on the wall, where threads save time and not work.

    Parameters
    ----------
    runners : sequence of Runner
        The codecs.
    path : Path
        ENVI header.
    runs : int
        Timed rounds, after one that is not.

    Returns
    -------
    list of Times
        In the order of `runners`.
    """
    times = [Times(runner.name) for runner in runners]
    for turn in range(runs + 1):
        for runner, entry in zip(runners, times, strict=True):
            start = time.perf_counter()
            runner.encode(path)
            if turn:
                entry.encode.append(time.perf_counter() - start)
    return times


def growth(counts: Sequence[int], seconds: Sequence[float]) -> float:
    """Fit the exponent with which time grows.

    Parameters
    ----------
    counts : sequence of int
        Bands.
    seconds : sequence of float
        Time for each.

    Returns
    -------
    float
        Slope over logarithms: 1 for linear growth.
    """
    return float(np.polyfit(np.log(counts), np.log(seconds), 1)[0])


def spread(seconds: Sequence[float]) -> str:
    """Write a median with its range.

    Parameters
    ----------
    seconds : sequence of float
        At least one.

    Returns
    -------
    str
        ``median (least-greatest)``.
    """
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"
