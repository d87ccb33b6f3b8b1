"""How long an encoder works on each strip."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bandfold.bitstream.container.sections import Section
from bandfold.common.scene import SceneSource
from bandfold.onboard import StreamEncoder
from bandfold.onboard.settings import EncoderSettings


@dataclass(frozen=True)
class StripTime:
    """What a strip of a stream took.

    Parameters
    ----------
    seconds : float
        From when its last line is handed over until its segment is written.
    processor : float
        Processor time meanwhile, of all threads of this process, in seconds.
    first : bool
        Whether it is the first strip, which is coded with several folds.
    folded : bool
        Whether it has a new fold: the first strip, and others where the land changes.
    """

    seconds: float
    processor: float
    first: bool
    folded: bool


def strip_times(
    source: SceneSource,
    settings: EncoderSettings,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> list[StripTime]:
    """Encode a scene as a stream, one line after the other as from a camera.

    Parameters
    ----------
    source : SceneSource
        Read before its lines are handed over, which is not timed.
    settings : EncoderSettings
        Of a stream; the leaky bucket limits a rate.
    clock : callable
        Gives the time in seconds.

    Returns
    -------
    list of StripTime
        One for each strip, in order.
    """
    times: list[StripTime] = []
    folds: set[bytes] = set()
    handed, used, told = clock(), time.process_time(), 0

    def write(section: bytes) -> None:
        nonlocal told
        if section[0] == Section.SEGMENT:
            spent = time.process_time() - used
            times.append(StripTime(clock() - handed, spent, not times, len(folds) > told))
            told = len(folds)
        elif section[0] == Section.FOLD:
            # Folds are repeated, lest a lost one costs more than some strips.
            folds.add(section)

    encoder = StreamEncoder(source.info, write, settings)
    height = encoder.settings.segment_lines
    for start in range(0, source.info.lines, height):
        strip = slice(start, min(start + height, source.info.lines))
        lines = source.read(slice(0, source.info.bands), strip).transpose(1, 0, 2)
        for line in range(len(lines)):
            handed, used = clock(), time.process_time()
            encoder.push(lines[line : line + 1])
    encoder.flush()
    return times


def strip_latencies(
    source: SceneSource,
    settings: EncoderSettings,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Tell how long an encoder works on each strip of a stream.

    Parameters
    ----------
    source, settings, clock
        As for `strip_times`.

    Returns
    -------
    list of float
        Seconds of each strip. The first one makes the first fold, and others a new one where the land
        changes.
    """
    return [one.seconds for one in strip_times(source, settings, clock=clock)]


class StripClock:
    """Takes the time whenever an encoder of whole scenes says that a strip is coded (its ``progress``).

    The encoder may go over the strips several times, until a rate is met. The last time is the one that makes
    the segments; all before it is the search, which a fixed step does not need.

    Parameters
    ----------
    clock : callable
        Gives the time in seconds.

    Attributes
    ----------
    seconds : list of float
        Of each strip of the last whole pass, in order.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._last = clock()
        self._pass: list[float] = []
        self.seconds: list[float] = []

    def __call__(self, stage: str, done: float) -> None:
        """Note one step of progress; see `bandfold.onboard.Encoder`."""
        now = self._clock()
        if stage == "code":
            self._pass.append(now - self._last)
            if done >= 1:
                self.seconds, self._pass = self._pass, []
        else:
            self._pass = []
        self._last = now
