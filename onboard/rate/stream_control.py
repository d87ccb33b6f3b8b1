"""Rate control of a stream: the step of each strip, found on the latents of that strip alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from bandfold.bitstream.container.chunks import split_segment
from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.container.sections import Section, write_section
from bandfold.onboard.coding.strip_coder import Coded, Strip
from bandfold.onboard.planning.scene_planner import ScenePlanner
from bandfold.onboard.planning.stream_planner import STRIPS_AHEAD
from bandfold.onboard.transform.rotation import COST_UNIT, latent_cost

from .leaky_bucket import Bucket
from .step_search import exp2, log2, step_code
from .target import rounded_error

MOST_CHANGE = 0.5
"""Octaves by which the step moves from one strip to the next at most, unless the buffer would overflow."""

FAR_CHANGE = 5.0
"""Octaves by which it moves where nothing could be foreseen."""

ERROR_SLOPE = 1.4
"""Logarithm of the squared error over that of the step, about."""

QUALITY_RANGE = 0.06
"""Octaves of squared error (0.18 dB) around a quality that are accepted for a strip."""

MOST_CODINGS = 5
"""Times that a strip is coded at most."""

SAFE_SHARE = 0.97
"""Share of what is left that a strip aims at after it has taken too much."""

LEAST_USED = 0.85
"""Share of what the first strip should take below which it is coded again."""

STEEPNESS = 1.4
"""Octaves of bytes for an octave of the sum of `latent_cost`, as measured: where most latents are small, the
coder does better than their logarithms say."""

COLUMNS_WEIGHED = 4
"""One column of blocks in so many is looked at to foresee the bytes of a strip."""


@dataclass(frozen=True)
class Work:
    """A strip under its plan.

    Parameters
    ----------
    strip : Strip
    code : callable
        Codes it with the code of a step.
    left_out : float
        Mean squared error per sample of what the fold leaves out.
    overhead : int
        Bytes that go with its segment.
    samples : int
    """

    strip: Strip
    code: Callable[[int], Coded]
    left_out: float
    overhead: int
    samples: int


class Control(Protocol):
    """Chooses steps."""

    @property
    def errors(self) -> bool:
        """Whether errors must be measured."""

    def first_guess(self, planner: ScenePlanner) -> float:
        """A step to plan the first strip with."""

    def guess(self) -> float:
        """A step to plan another strip with."""

    def settle(self, work: Work, guess: float) -> tuple[int, Coded]:
        """Code a strip; the code of its step."""


class FixedStep:
    """The same step for all strips.

    Parameters
    ----------
    step : float
        In counts.
    """

    errors = False

    def __init__(self, step: float) -> None:
        self._code = step_code(step)

    def first_guess(self, planner: ScenePlanner) -> float:
        """The step."""
        return self.guess()

    def guess(self) -> float:
        """The step."""
        return self._code / STEP_UNIT

    def settle(self, work: Work, guess: float) -> tuple[int, Coded]:
        """Code the strip."""
        return self._code, work.code(self._code)


class FixedQuality:
    """The same squared error in all strips.

    Parameters
    ----------
    mse : float
        Per sample, in counts squared.
    """

    errors = True

    def __init__(self, mse: float) -> None:
        self._mse = mse
        self._step = 0.0

    def first_guess(self, planner: ScenePlanner) -> float:
        """A step that gives about that error."""
        self._step = planner.step_for_error(self._mse)
        return self._step

    def guess(self) -> float:
        """The step of the strip before."""
        return self._step

    def settle(self, work: Work, guess: float) -> tuple[int, Coded]:
        """Code the strip with steps along the slope until the error is met, or the last one."""
        code = step_code(guess)
        for turn in range(MOST_CODINGS):
            coded = work.code(code)
            found = rounded_error(work.left_out + coded.error / work.samples)
            away = log2(self._mse / max(found, 1e-9))
            if abs(away) <= QUALITY_RANGE or turn == MOST_CODINGS - 1:
                break
            following = step_code(code / STEP_UNIT * exp2(min(max(away / ERROR_SLOPE, -1.0), 1.0)))
            if following == code:
                break
            code = following
        self._step = code / STEP_UNIT
        return code, coded


class LeakyBucket:
    """An average rate, with a buffer.

    Parameters
    ----------
    bucket : Bucket
    step : float
        Of the strip before; 0 at the beginning of a stream.
    """

    errors = False

    def __init__(self, bucket: Bucket, step: float = 0.0) -> None:
        self._bucket = bucket
        self._step = step
        self._ratio = 0.0

    def first_guess(self, planner: ScenePlanner) -> float:
        """A step at which the first strip would take about what it may."""
        if not self._step:
            return planner.step_for_bits(8.0 * STRIPS_AHEAD * self._bucket.aim)
        return self._step

    def guess(self) -> float:
        """The step of the strip before."""
        return self._step

    def settle(self, work: Work, guess: float) -> tuple[int, Coded]:
        """Foresee the step, keep it near the one before, and code again what takes more than there is."""
        aim = max(self._bucket.aim - work.overhead, 1.0)
        most = max(self._bucket.most - work.overhead, 1.0)
        foreseen = self._ratio > 0
        code = step_code(self._foresee(work.strip, aim, guess, MOST_CHANGE) if foreseen else guess)
        for turn in range(MOST_CODINGS):
            coded = work.code(code)
            size = segment_bytes(coded.payload)
            weight = _weigh(work.strip, code / STEP_UNIT)
            self._ratio = size / weight if weight > 0 else 0.0
            # Only of the first strip nothing was foreseen, and it may take too little.
            good = size <= most and (foreseen or size >= LEAST_USED * aim)
            if good or not self._ratio or turn == MOST_CODINGS - 1:
                break
            # Half of what is saved is left for the strips behind: the next one may be as hard.
            wanted = SAFE_SHARE ** (turn + 1) * ((aim + most) / 2 if size > most else aim)
            following = step_code(self._foresee(work.strip, wanted, code / STEP_UNIT, FAR_CHANGE))
            if following == code:
                break
            code = following
        self._step = code / STEP_UNIT
        return code, replace(coded, payload=_cut(coded.payload, most))

    def _foresee(self, strip: Strip, aim: float, guess: float, change: float) -> float:
        """The step at which a strip takes so many bytes, within some octaves of a guess."""
        low, high = log2(guess) - change, log2(guess) + change
        for _ in range(7):
            middle = (low + high) / 2
            large = _weigh(strip, exp2(middle)) * self._ratio > aim
            low, high = (middle, high) if large else (low, middle)
        return exp2((low + high) / 2)


def segment_bytes(payload: bytes) -> int:
    """Bytes of a segment in the stream."""
    return len(write_section(Section.SEGMENT, payload))


def _weigh(strip: Strip, step: float) -> float:
    """What the latents of a strip weigh at a step: bytes are about proportional to it."""
    cost = latent_cost(strip.latents[..., ::COLUMNS_WEIGHED], step)
    cost *= np.float32(COST_UNIT)
    weight = int(np.rint(cost).astype(np.int64).sum()) / COST_UNIT
    return exp2(STEEPNESS * log2(weight)) if weight > 0 else 0.0


def _cut(payload: bytes, most: float) -> bytes:
    """Take chunks from the end of a segment that takes more bytes than there are."""
    if segment_bytes(payload) <= most:
        return payload
    segmented = split_segment(payload)
    for count in range(len(segmented.chunks), 0, -1):
        payload = segmented.first(count).pack()
        if segment_bytes(payload) <= most:
            break
    return payload
