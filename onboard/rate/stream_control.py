"""Rate control of a stream: the step of each strip, found on the latents of that strip alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.container.segment_layout import split_segment
from bandfold.common.exact import exp2, log2_of
from bandfold.onboard.coding.scene_coder import segment_bytes
from bandfold.onboard.coding.strip_coder import CodedStrip, StripLatents, expected_mse
from bandfold.onboard.planning.plan import Planner
from bandfold.onboard.planning.stream_planner import STRIPS_AHEAD
from bandfold.onboard.quality import TOLD_MISS
from bandfold.onboard.rate_model import latent_cost
from bandfold.onboard.samples.stream_counts import CountedStrip
from bandfold.onboard.target import step_code

from .leaky_bucket import LeakyBucket
from .missed_quality import MissedQuality

LARGEST_MOVE = 0.5
"""Octaves by which the step moves from one strip to the next at most, unless the buffer would overflow."""

LARGEST_FIRST_MOVE = 5.0
"""Octaves by which it moves where nothing could be foreseen."""

ERROR_SLOPE = 1.4
"""Logarithm of the squared error over that of the step, about."""

QUALITY_RANGE = 0.06
"""Octaves of squared error (0.18 dB) around a quality that are accepted for a strip."""

FINER = 0.25
"""Octaves by which the step that a strip is planned anew with, if it misses its quality, is finer than the
error says: folds leave out a part of it."""

STILL_BETTER = 1.0
"""Octaves of squared error by which a strip may be better than asked for to tell the step of those behind."""

LEAST_GAIN = 0.25
"""Octaves of squared error that a coarser step must add for a strip to be coded with it."""

ALL_EXACT = 2e-4
"""Squared error of decoded counts that is none: a tenth of a count, in quadratic mean, before rounding."""

MOST_CODINGS = 5
"""Times that a strip is coded at most."""

SAFE_SHARE = 0.97
"""Share of what is left that a strip aims at after it has taken too much."""

LEAST_USED = 0.85
"""Share of what the first strip should take below which it is coded again."""

STEEPNESS = 1.4
"""Octaves of bytes for an octave of the estimate of its bits, as measured: where most latents are small, the
coder does better than their logarithms say."""

COLUMNS_WEIGHED = 4
"""One column of blocks in so many is looked at to foresee the bytes of a strip."""


@dataclass(frozen=True)
class StripTask:
    """A strip under its basis.

    Parameters
    ----------
    strip : CountedStrip
        Its samples.
    weigh : callable
        What it weighs at a step in counts: its bytes are about proportional to that.
    code : callable
        Codes it, given the code of a step.
    left_out : float
        Mean squared error per sample of what the fold leaves out, in counts of the strip squared.
    overhead : int
        Bytes of the sections that go with its segment.
    of_all : bool
        Whether what is left out is the mean over lines that hold nothing, too.
    """

    strip: CountedStrip
    weigh: Callable[[float], float]
    code: Callable[[int], CodedStrip]
    left_out: float
    overhead: int
    of_all: bool = False

    def error(self, coded: CodedStrip) -> float:
        """Mean squared error that coding adds, in counts squared."""
        left_out = self.left_out
        if self.of_all and coded.counted:
            left_out *= coded.whole / (coded.whole - coded.empty)
        mse = expected_mse([coded], left_out)
        return 0.0 if mse < ALL_EXACT else mse * self.strip.worth**2


class StreamControl(Protocol):
    """Chooses the step of each strip. All steps are in counts of the header."""

    @property
    def errors(self) -> bool:
        """Whether squared errors must be measured."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What strips did not get, for people."""

    def finer_fold(self, task: StripTask, coded: CodedStrip) -> float:
        """Octaves by which the step of a fold must be finer if it keeps a strip from its quality; else 0."""

    def take(self, task: StripTask, coded: CodedStrip) -> None:
        """Look at a strip as it is written."""

    def first_step(self, planner: Planner, strip: CountedStrip) -> float:
        """A step, in counts, to plan the first strip with."""

    def next_step(self) -> float:
        """A step, in counts, to plan another strip with."""

    def code(self, task: StripTask, step: float) -> tuple[int, CodedStrip]:
        """Code a strip.

        Parameters
        ----------
        task : StripTask
            The strip.
        step : float
            Step, in counts, that it was planned for.

        Returns
        -------
        code : int
            Of the step that was taken, in units of ``1 / STEP_UNIT`` of a count.
        coded : CodedStrip
        """


class _AnyQuality:
    """Control that aims at no quality."""

    errors = False
    notes: tuple[str, ...] = ()

    def finer_fold(self, task: StripTask, coded: CodedStrip) -> float:
        """None; see `StreamControl.finer_fold`."""
        return 0.0

    def take(self, task: StripTask, coded: CodedStrip) -> None:
        """Nothing; see `StreamControl.take`."""


class FixedStep(_AnyQuality):
    """The same step for all strips.

    Parameters
    ----------
    step : float
        In counts.
    """

    def __init__(self, step: float) -> None:
        self._code = step_code(step)

    def first_step(self, planner: Planner, strip: CountedStrip) -> float:
        """The step."""
        return self.next_step()

    def next_step(self) -> float:
        """The step."""
        return self._code / STEP_UNIT

    def code(self, task: StripTask, step: float) -> tuple[int, CodedStrip]:
        """Code the strip; see `StreamControl.code`."""
        return self._code, task.code(self._code)


class FirstStep(_AnyQuality):
    """The same step for all strips: what is best for the first one.

    Parameters
    ----------
    bps : float
        Bits per sample, to begin the search with.
    best : callable
        Gives the code of the best step, from a planner, the strip and the code of a first one. Steps are in
        counts of the strip.
    step : float
        Of the strips before, in counts; 0 at the beginning of a stream.
    """

    def __init__(
        self, bps: float, best: Callable[[Planner, CountedStrip, int], int], step: float = 0.0
    ) -> None:
        self._bps = bps
        self._best = best
        self._step = step

    def first_step(self, planner: Planner, strip: CountedStrip) -> float:
        """The best step for the first strip."""
        if not self._step:
            bits = STRIPS_AHEAD * self._bps * strip.samples.info.count
            code = self._best(planner, strip, step_code(planner.step_for_bits(bits)))
            self._step = code * strip.worth / STEP_UNIT
        return self._step

    def next_step(self) -> float:
        """The step of the first strip."""
        return self._step

    def code(self, task: StripTask, step: float) -> tuple[int, CodedStrip]:
        """Code the strip; see `StreamControl.code`."""
        code = step_code(self._step, task.strip.doublings)
        return code, task.code(code)


class FixedQuality:
    """The same squared error in all strips.

    Parameters
    ----------
    mse : float
        Per sample, in counts squared, with that of samples as counts.
    missed : MissedQuality
        Is shown every strip.
    """

    errors = True

    def __init__(self, mse: float, missed: MissedQuality) -> None:
        self._mse = mse
        self._missed = missed
        self._step = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """Strips that miss the quality."""
        return self._missed.notes

    def finer_fold(self, task: StripTask, coded: CodedStrip) -> float:
        """As the error exceeds what was asked for, and a bit; see `StreamControl.finer_fold`."""
        wanted, left_out = self._coding_error(task.strip), task.left_out * task.strip.worth**2
        error = task.error(coded)
        if error <= wanted or left_out <= wanted / 4:
            return 0.0
        missed = log2_of(error / max(wanted, ALL_EXACT))
        return missed / ERROR_SLOPE + FINER if missed > TOLD_MISS else 0.0

    def take(self, task: StripTask, coded: CodedStrip) -> None:
        """Note whether it misses its quality; see `StreamControl.take`."""
        self._missed.look(task.strip, task.error(coded))

    def first_step(self, planner: Planner, strip: CountedStrip) -> float:
        """A step that gives about that error."""
        self._step = planner.step_for_error(self._coding_error(strip) / strip.worth**2) * strip.worth
        return self._step

    def next_step(self) -> float:
        """The step of the strip before."""
        return self._step

    def code(self, task: StripTask, step: float) -> tuple[int, CodedStrip]:
        """Code the strip with steps along the slope until the error is met, or the last one."""
        doublings, mse = task.strip.doublings, self._coding_error(task.strip)
        code = before = step_code(step, doublings)
        last = math.inf
        met, missed = 0, 0
        for turn in range(MOST_CODINGS):
            coded = task.code(code)
            away = log2_of(mse / max(task.error(coded), 1e-9))
            if code > before and away > STILL_BETTER and last - away < LEAST_GAIN:
                # Nothing is left to lose but the means of bands, whose error is not measured.
                return before, task.code(before)
            before, last = code, away
            if abs(away) <= QUALITY_RANGE or turn == MOST_CODINGS - 1:
                break
            if away > 0:
                met = max(met, code)
            else:
                missed = min(missed or code, code)
            following = step_code(code / STEP_UNIT * exp2(min(max(away / ERROR_SLOPE, -1.0), 1.0)), doublings)
            if 0 < met < missed and not met < following < missed:
                # Whole numbers become exact all at once.
                following = math.isqrt(met * missed)
            if following in {code, met, missed}:
                break
            code = following
        if away < -QUALITY_RANGE and met:
            code, coded = met, task.code(met)
        # Where hardly anything is lost however coarse the step is, it says nothing of the strips behind.
        if away <= STILL_BETTER:
            self._step = code / STEP_UNIT
        return code, coded

    def _coding_error(self, strip: CountedStrip) -> float:
        """Mean squared error that coding may add, in counts squared; all where counts are too coarse."""
        return self._mse - strip.rounding if strip.rounding < self._mse else self._mse


class LimitedRate(_AnyQuality):
    """An average rate, with a buffer: see `bandfold.onboard.rate.leaky_bucket`.

    Parameters
    ----------
    bucket : LeakyBucket
        What strips may take.
    step : float
        Of the strip before, in counts; 0 at the beginning of a stream.
    """

    def __init__(self, bucket: LeakyBucket, step: float = 0.0) -> None:
        self._bucket = bucket
        self._step = step
        self._ratio = 0.0
        self._doublings: int | None = None

    def first_step(self, planner: Planner, strip: CountedStrip) -> float:
        """A step at which the first strip would take about what it may."""
        if not self._step:
            return planner.step_for_bits(8.0 * STRIPS_AHEAD * self._bucket.aim) * strip.worth
        return self._step

    def next_step(self) -> float:
        """The step of the strip before."""
        return self._step

    def code(self, task: StripTask, step: float) -> tuple[int, CodedStrip]:
        """Foresee the step, keep it near the one before, and code again what takes more than there is."""
        aim = max(self._bucket.aim - task.overhead, 1.0)
        most = max(self._bucket.most - task.overhead, 1.0)
        foreseen = self._ratio > 0
        doublings = task.strip.doublings
        octaves = LARGEST_MOVE
        if self._doublings not in (None, doublings):
            # Brighter or darker by so much that the step of the strip before says little.
            octaves = LARGEST_FIRST_MOVE + abs(doublings - (self._doublings or 0))
        self._doublings = doublings
        code = step_code(self._foresee(task, aim, step, octaves) if foreseen else step, doublings)
        fits = 0
        for turn in range(MOST_CODINGS):
            coded = task.code(code)
            size = segment_bytes(coded.payload)
            weight = task.weigh(code / STEP_UNIT)
            self._ratio = size / weight if weight > 0 else 0.0
            if size <= most:
                fits = min(fits or code, code)
            # Only of the first strip nothing was foreseen, and it may take too little.
            good = size <= most and (foreseen or size >= LEAST_USED * aim)
            if good or not self._ratio or turn == MOST_CODINGS - 1:
                break
            # Half of what is saved is left for the strips behind: the next one may be as hard.
            # By products: powers of libm differ in the last bit between machines.
            safe = math.prod([SAFE_SHARE] * (turn + 1))
            wanted = safe * ((aim + most) / 2 if size > most else aim)
            following = step_code(
                self._foresee(task, wanted, code / STEP_UNIT, LARGEST_FIRST_MOVE), doublings
            )
            if following == code:
                break
            code = following
        if size > most and fits:
            # The first strip was coded anew since it took too little, and takes too much.
            code, coded = fits, task.code(fits)
        self._step = code / STEP_UNIT
        return code, replace(coded, payload=_cut(bytes(coded.payload), most))

    def _foresee(self, task: StripTask, aim: float, step: float, octaves: float) -> float:
        """The step at which a strip takes so many bytes, within some octaves of another one."""
        low, high = log2_of(step) - octaves, log2_of(step) + octaves
        for _ in range(7):
            middle = (low + high) / 2
            large = task.weigh(exp2(middle)) * self._ratio > aim
            low, high = (middle, high) if large else (low, middle)
        return exp2((low + high) / 2)


def weigh_latents(strip: StripLatents, step: float) -> float:
    """What the latents of a strip weigh at a step: bytes are about proportional to it.

    Parameters
    ----------
    strip : StripLatents
        What is to be quantised.
    step : float
        In counts.

    Returns
    -------
    float
    """
    weight, _ = latent_cost(strip.latents[..., ::COLUMNS_WEIGHED], step)
    return exp2(STEEPNESS * log2_of(weight)) if weight > 0 else 0.0


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
