"""The strips of a scene, or of the part of it on which steps are tried, each with the coder of its region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, pairwise
from typing import Any

from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.common.scene import BLOCK, strips
from bandfold.common.strip_memory import StripMemory
from bandfold.common.workers import ObjectPool, Workers
from bandfold.onboard.planning.plan import Basis, Plan
from bandfold.onboard.samples.samples import Samples
from bandfold.onboard.samples.subsampled import stride_for, typical_rows

from .strip_coder import CodedStrip, Method, StripCoder

LATENTS_KEPT = 1 << 23
"""Latents of a scene that are kept between trials of a step (32 MB); those of a larger one are made again."""

CODING_SHARE = 0.75
"""What depends on the step, in parts of the time of a strip."""


@dataclass(frozen=True)
class Strip:
    """A strip that is to be coded.

    Parameters
    ----------
    samples : Samples
        Of the scene, or of a part of it.
    lines : slice
        Its lines there.
    place : SegmentHeader
        Number of the strip, and of what it is coded with.
    coder : StripCoder
        What codes it.
    height : int
        Lines that strips have there, the last one left out.
    turn : int
        Number of the turn of `turns` whose strips it is one of, or stands for.
    """

    samples: Samples
    lines: slice
    place: SegmentHeader
    coder: StripCoder
    height: int
    turn: int = 0

    @property
    def pixels(self) -> int:
        """Its pixels."""
        height: int = self.lines.stop - self.lines.start
        return height * self.samples.info.samples


class SceneStrips:
    """The strips of a scene under one plan.

    Parameters
    ----------
    plan : Plan
        What they are coded with.
    parts : sequence of Strip
        In the order of their numbers.
    pixels : int
        Of all strips.
    once : bool
        Whether each strip is coded at one step only: then its latents are not kept for others.
    """

    def __init__(self, plan: Plan, parts: Sequence[Strip], pixels: int, *, once: bool = False) -> None:
        self.plan = plan
        self.pixels = pixels
        self._parts = parts
        most = max(part.coder.latents_per_pixel for part in parts) * pixels
        self._kept: dict[int, Any] | None = {} if most <= LATENTS_KEPT and not once else None
        self._memory = ObjectPool(StripMemory)
        self._begun: dict[int, Callable[[], tuple[Any, StripMemory | None]]] = {}

    def __len__(self) -> int:
        """Number of strips."""
        return len(self._parts)

    @property
    def bands(self) -> int:
        """Bands of the scene."""
        return self._parts[0].samples.info.bands

    @property
    def samples(self) -> int:
        """Samples of all strips, of all bands."""
        return self.pixels * self.bands

    def part(self, index: int) -> Strip:
        """One strip, from 0."""
        return self._parts[index]

    def left_to_do(self, index: int) -> float:
        """Work on one strip, from 0: about in proportion to its latents, and less where it was begun."""
        part = self._parts[index]
        share = CODING_SHARE if index in self._begun else 1.0
        return share * part.coder.latents_per_pixel * part.pixels

    def code(
        self,
        index: int,
        step: float,
        *,
        errors: bool,
        told: int | None = None,
        then: Callable[[CodedStrip], CodedStrip] | None = None,
    ) -> CodedStrip:
        """Quantise and code one strip.

        Parameters
        ----------
        index : int
            Which one, from 0.
        step : float
            Quantiser step in counts.
        errors : bool
            Whether to measure the squared error too.
        told : int, optional
            Code of the step, which its segment tells; without it the step is that of the header.
        then : callable, optional
            Called with what the strip became, and its segment, which is lost afterwards; gives what is kept.

        Returns
        -------
        CodedStrip
        """
        part = self._parts[index]
        place = replace(part.place, step_code=told)
        begun = self._begun.pop(index, None)
        analysed, memory = self._analysed(index) if begun is None else begun()
        coded = part.coder.code(analysed, place, step, errors=errors, memory=memory)
        if then is not None:
            coded = then(coded)
        if memory is not None:
            self._memory.give_back(memory)
        return replace(coded, segment=None)

    def begin(self, index: int, workers: Workers) -> None:
        """Do what does not depend on the step of a strip, in a thread that has nothing else to do.

        Parameters
        ----------
        index : int
            Which one, from 0. It is coded later.
        workers : Workers
            Who does it, if threads are kept.
        """
        if index not in self._begun:
            self._begun[index] = workers.later(partial(self._analysed, index))

    def forget(self) -> None:
        """Keep latents and memory of strips no longer: they are made again if they are wanted."""
        if self._kept is not None:
            self._kept.clear()
        self._begun.clear()
        self._memory = ObjectPool(StripMemory)

    def _analysed(self, index: int) -> tuple[Any, StripMemory | None]:
        """What does not depend on the step, and the memory that it lies in, which is to be given back.

        If the scene is small it is kept for further steps; else strips take their memory, which is much and
        as much for each, one after the other.
        """
        if self._kept is not None and index in self._kept:
            return self._kept[index], None
        part = self._parts[index]
        memory = None if self._kept is not None else self._memory.take()
        analysed = part.coder.analyse(part.samples, part.lines, memory)
        if self._kept is not None:
            self._kept[index] = analysed
        return analysed, memory


def scene_strips(
    samples: Samples, plan: Plan, method: Method, strip_lines: int, *, once: bool = False
) -> SceneStrips:
    """All strips of a scene.

    Parameters
    ----------
    samples : Samples
        Of the scene.
    plan : Plan
        What they are coded with.
    method : Method
        With a fold, or with a model.
    strip_lines : int
        Lines of a strip.
    once : bool
        Whether each strip is coded at one step only.

    Returns
    -------
    SceneStrips
    """
    coders = [method.coder(basis, plan.step) for basis in plan.bases]
    turn_of = _turn_of(samples, strip_lines)
    parts = []
    for index, lines in enumerate(strips(samples.info.lines, strip_lines)):
        number = plan.regions[index] if plan.regions else 0
        place = _place(index, lines, strip_lines, plan.bases[number])
        parts.append(Strip(samples, lines, place, coders[number], strip_lines, turn_of[index]))
    return SceneStrips(plan, parts, samples.pixels, once=once)


def trial_strips(
    samples: Samples, plan: Plan, method: Method, strip_lines: int, pixels: int, *, once: bool = False
) -> SceneStrips:
    """Strips that stand for a scene where steps are tried: some rows of each region, under its basis.

    Parameters
    ----------
    samples, plan, method, strip_lines, once
        As for `scene_strips`.
    pixels : int
        Pixels to take, about; the whole scene if it has not many more.

    Returns
    -------
    SceneStrips
    """
    height = method.lines_together
    rows_of = _rows_taken(samples, plan, strip_lines, pixels, height)
    if rows_of is None:
        return scene_strips(samples, plan, method, strip_lines, once=once)
    parts: list[Strip] = []
    taken = 0
    turn_of = _turn_of(samples, strip_lines)
    for basis, rows in zip(plan.bases, rows_of, strict=True):
        coder = method.coder(basis, plan.step)
        # Turns apart, so that what one takes beside the others is known.
        by_turn = groupby(rows, lambda row: turn_of[row * height // strip_lines] if method.trims else 0)
        for turn, some_rows in by_turn:
            some = samples.rows(list(some_rows), height)
            whole = method.trial_height(some.info.lines, strip_lines)
            parts += [
                Strip(some, lines, _place(index, lines, whole, basis), coder, whole, turn)
                for index, lines in enumerate(strips(some.info.lines, whole))
            ]
            taken += some.pixels
    return SceneStrips(plan, parts, taken, once=once)


def turns(strips: int) -> list[range]:
    """Strips that are coded side by side, before those that come next have their step.

    Parameters
    ----------
    strips : int
        Of a scene.

    Returns
    -------
    list of range
        A quarter of them each, or one strip where there are fewer than four.
    """
    ends = sorted({-(-quarter * strips // 4) for quarter in range(5)})
    return [range(start, end) for start, end in pairwise(ends)]


def _turn_of(samples: Samples, strip_lines: int) -> list[int]:
    """Number of the turn of each strip of a scene."""
    count = -(-samples.info.lines // strip_lines)
    return [number for number, some in enumerate(turns(count)) for _ in some]


def _rows_taken(
    samples: Samples, plan: Plan, strip_lines: int, pixels: int, height: int
) -> list[Sequence[int]] | None:
    """Rows that stand for the strips of each basis; None where the scene is not much larger."""
    info = samples.info
    if not plan.regions:
        rows = typical_rows(info, pixels, height)
        return None if rows is None else [rows]
    stride = stride_for(info, pixels)
    if stride < 2:
        return None
    # Every n-th row of the rows in order of their regions: each region has its share.
    region_of = [plan.regions[row * BLOCK // strip_lines] for row in range(info.lines // BLOCK)]
    taken = sorted(range(len(region_of)), key=lambda row: (region_of[row], row))[stride // 2 :: stride]
    return [[row for row in taken if region_of[row] == number] for number in range(len(plan.bases))]


def _place(index: int, lines: slice, strip_lines: int, basis: Basis) -> SegmentHeader:
    """SegmentHeader of a strip whose step is that of the header."""
    height = lines.stop - lines.start
    low = height if height < strip_lines else None
    return SegmentHeader(index, basis.number, basis.rotation, lines=low)
