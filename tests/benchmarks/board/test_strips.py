"""Latency of strips: figures that can be worked out by hand."""

import time

import numpy as np

from bandfold.benchmarks.board.strips import StripClock, strip_latencies
from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.settings import EncoderSettings


def test_strips_are_timed_in_the_last_pass():
    times = iter([0.0, 1.0, 3.0, 4.0, 9.0, 10.0, 12.0, 12.5, 20.0])
    clock = StripClock(lambda: next(times))
    clock("plan", 0.0)
    for done in (0.5, 1.0):
        clock("code", done)
    assert clock.seconds == [2.0, 1.0]
    clock("plan", 0.0)
    for done in (1 / 3, 2 / 3, 1.0):
        clock("code", done)
    assert clock.seconds == [1.0, 2.0, 0.5]
    clock("code", 0.5)
    assert clock.seconds == [1.0, 2.0, 0.5]


class Watched(ArraySource):
    """A scene whose reading takes an hour, on a clock that goes on by a second whenever it is read."""

    now = 0.0

    def read(self, bands, lines):
        self.now += 3600
        return super().read(bands, lines)

    def clock(self):
        self.now += 1
        return self.now


def test_latency_is_from_the_last_line_to_the_segment():
    source = Watched(np.arange(4 * 20 * 9, dtype=np.uint16).reshape(4, 20, 9))
    # A second: nothing but the clock itself goes on between line and segment.
    assert (
        strip_latencies(source, EncoderSettings(step=4.0, strip_lines=8, stream=True), clock=source.clock)
        == [1.0] * 3
    )


def test_latency_of_a_real_clock():
    source = ArraySource(np.arange(4 * 16 * 9, dtype=np.uint16).reshape(4, 16, 9))
    before = time.perf_counter()
    latencies = strip_latencies(source, EncoderSettings(bps=8.0, strip_lines=8, stream=True))
    assert len(latencies) == 2
    assert min(latencies) > 0
    assert sum(latencies) < time.perf_counter() - before
