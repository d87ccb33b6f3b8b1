"""Encoding and decoding times of contestants that take turns on one scene."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000
from bandfold.benchmarks.scenes.scene_file import read_whole
from bandfold.formats.envi.reader import open_envi
from bandfold.ground import Decoder
from bandfold.onboard import Encoder


class Runner(Protocol):
    """A codec that encodes from a file, reading included."""

    @property
    def name(self) -> str:
        """How tables call it."""

    def encode(self, path: Path) -> bytes:
        """Encode a scene.

        Parameters
        ----------
        path : Path
            ENVI header.

        Returns
        -------
        bytes
            The stream.
        """

    def decode(self, stream: bytes) -> object:
        """Decode a stream into memory.

        Parameters
        ----------
        stream : bytes
            The stream.

        Returns
        -------
        object
            The samples.
        """


class BandfoldRunner:
    """bandfold from a file.

    Parameters
    ----------
    bps : float
        Bits per sample.
    threads : int
        Which code strips.
    stream : bool
        Code strip after strip.
    decodes : bool
        Whether there is anything to time in `decode`; without restoration, as in OpenJPEG.
    uniform : bool
        With one quantiser instead of two that take turns.
    """

    def __init__(
        self,
        bps: float,
        *,
        threads: int = 1,
        stream: bool = False,
        decodes: bool = True,
        uniform: bool = False,
    ) -> None:
        self.name = (
            "bandfold" + ", stream" * stream + f", {threads} threads" * (threads > 1) + ", uniform" * uniform
        )
        self._encoder = Encoder(
            bps=bps, threads=threads, stream=stream, quantiser="uniform" if uniform else "dependent"
        )
        self._decodes = decodes

    def encode(self, path: Path) -> bytes:
        """Encode; see `Runner.encode`."""
        return self._encoder.encode(open_envi(path))

    def decode(self, stream: bytes) -> object:
        """Decode; see `Runner.decode`."""
        return Decoder(stream, restore="off").decode() if self._decodes else None


class OpenJpegRunner:
    """OpenJPEG, all bands in one codestream and none of them predicted.

    Parameters
    ----------
    bps : float
        Bits per sample.
    """

    name = "OpenJPEG"

    def __init__(self, bps: float) -> None:
        self._bps = bps
        self._codec = Jpeg2000()

    def encode(self, path: Path) -> bytes:
        """Encode; see `Runner.encode`."""
        return self._codec.encode(read_whole(open_envi(path)), self._bps).stream

    def decode(self, stream: bytes) -> object:
        """Decode; see `Runner.decode`."""
        return self._codec.decode(stream).cube


@dataclass(frozen=True)
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
    encode: dict[str, list[float]] = {runner.name: [] for runner in runners}
    decode: dict[str, list[float]] = {runner.name: [] for runner in runners}
    size: dict[str, int] = {}
    for turn in range(runs + 1):
        for runner in runners if turn % 2 else reversed(runners):
            start = time.process_time()
            stream = runner.encode(path)
            middle = time.process_time()
            runner.decode(stream)
            end = time.process_time()
            size[runner.name] = len(stream)
            if turn:
                encode[runner.name].append(middle - start)
                decode[runner.name].append(end - middle)
    return [
        Times(runner.name, encode[runner.name], decode[runner.name], size[runner.name]) for runner in runners
    ]


def elapsed_times(runners: Sequence[Runner], path: Path, runs: int) -> list[Times]:
    """Time encoders on a scene by the clock on the wall, where threads save time and not work.

    Parameters
    ----------
    runners : sequence of Runner
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
