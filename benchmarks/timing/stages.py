"""Where the time of an encode goes: every stage over all strips, with one thread and with several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES as TRELLIS
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.segments.segment import Segment, encode_segment, mode_name
from bandfold.common.scene import strips
from bandfold.common.workers import Workers
from bandfold.formats.envi.reader import open_envi
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.planning.scene_planner import ScenePlanner
from bandfold.onboard.quantisation.rdoq import quantise
from bandfold.onboard.settings import STRIP_LINES
from bandfold.onboard.target import step_code
from bandfold.onboard.transform.analysis import Analysis
from bandfold.onboard.transform.rotation import rotate

STAGES = ("read", "plan", "fold and transform", "rotate", "quantise in contexts", "entropy coding")
"""In the order in which samples pass through them."""


@dataclass(frozen=True)
class StageTimes:
    """Seconds of each stage for a whole scene.

    Parameters
    ----------
    threads : int
        Which shared the strips.
    seconds : dict of str to list of float
        Elapsed time of each stage, run by run.
    """

    threads: int
    seconds: dict[str, list[float]]


def time_stages(path: Path, bps: float, threads: int, runs: int) -> StageTimes:
    """Time the stages of coding a scene once at one step, one stage after the other.

    Parameters
    ----------
    path : Path
        ENVI header.
    bps : float
        Sets the step: the one at which the planner expects so many bits per sample.
    threads : int
        Which share the strips; the plan is made by one.
    runs : int
        Timed runs, after one that is not.

    Returns
    -------
    StageTimes
        Of the runs that are timed.
    """
    seconds: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for turn in range(runs + 1):
        for stage, elapsed in zip(STAGES, _once(path, bps, Workers(threads)), strict=True):
            if turn:
                seconds[stage].append(elapsed)
    return StageTimes(threads, seconds)


def _once(path: Path, bps: float, workers: Workers) -> list[float]:
    source, tables = open_envi(path), load_tables(TRELLIS)
    lines = strips(source.info.lines, STRIP_LINES)
    elapsed: list[float] = []

    @contextmanager
    def stage() -> Iterator[None]:
        start = time.perf_counter()
        yield
        elapsed.append(time.perf_counter() - start)

    def each(function: Callable[[int], Any]) -> list[Any]:
        return list(workers.map(function, range(len(lines))))

    bands = slice(0, source.info.bands)
    with stage():
        # Not kept: analysis reads again, from what the system has in memory by then.
        each(lambda index: source.read(bands, lines[index]) is None)
    with stage():
        planner = ScenePlanner(sample_blocks(source), None)
        code = step_code(planner.step_for_bits(bps * source.info.count))
        plan = planner.plan(code / STEP_UNIT)
    basis = plan.bases[0]
    analysis = Analysis(basis.fold)
    with stage():
        latents = each(lambda index: analysis.strip(source, lines[index]))
    with stage():
        chosen = each(
            lambda index: rotate(latents[index], basis.rotations, plan.step) if basis.rotations else None
        )
    mode = tables.modes[mode_name(spectral=True)]
    with stage():
        coded = each(lambda index: quantise(latents[index], plan.step, mode))
    with stage():
        each(
            lambda index: encode_segment(
                SegmentHeader(index, rotation=basis.rotation),
                Segment(coded[index][0], coded[index][1], chosen[index]),
                tables,
                spectral=True,
                rotations=len(basis.rotations),
                step_code=code,
            ).pack()
        )
    return elapsed


def stages_text(times: Sequence[StageTimes], samples: int) -> str:
    """Describe stages as a Markdown table.

    Parameters
    ----------
    times : sequence of StageTimes
        One for each number of threads.
    samples : int
        Of the scene.

    Returns
    -------
    str
        Millions of samples per second, at the median of the runs; the last row is all stages together.
    """
    medians = [{stage: float(np.median(runs)) for stage, runs in one.seconds.items()} for one in times]
    heads = [f"{one.threads} thread{'s' * (one.threads > 1)}, Msamples/s" for one in times]
    rows = ["| stage | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(times)]
    for stage in STAGES:
        rows.append(f"| {stage} | " + " | ".join(_rate(samples, one[stage]) for one in medians) + " |")
    totals = [sum(one.values()) for one in medians]
    return "\n".join([*rows, "| all | " + " | ".join(_rate(samples, total) for total in totals) + " |"])


def _rate(samples: int, seconds: float) -> str:
    return f"{samples / max(seconds, 1e-9) / 1e6:.1f}"
