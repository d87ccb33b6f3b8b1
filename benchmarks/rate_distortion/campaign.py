"""Which codec runs on which scene, and running them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

from bandfold.benchmarks.codecs.candidate import Bandfold, CandidateSettings
from bandfold.benchmarks.codecs.codec import Codec
from bandfold.benchmarks.codecs.held_out import HeldOut
from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000, Jpeg2000Klt
from bandfold.benchmarks.codecs.recorded import Recorded
from bandfold.benchmarks.measures.bdrate import Curve
from bandfold.benchmarks.scenes.evaluation_scenes import EvaluationScene
from bandfold.bitstream.packages.registry import Registry
from bandfold.common.errors import SettingsError

from .curves import measure
from .standings import SceneResult

RANGE = (0.05, 1.0)
TILE_RANGE = (0.05, 0.5)
"""Rates over which delta rates are taken; the recorded curves of tiles end at 1, some short of it."""


@dataclass(frozen=True)
class Task:
    """One scene to measure, and with what; travels to a worker process.

    Attributes
    ----------
    scene : EvaluationScene
        The scene.
    candidate : Codec
        The codec to judge.
    rivals : tuple of Codec
        Codecs to run beside it.
    recorded : mapping
        Recorded curves of others on this scene.
    asked : tuple of float
        Bits per sample.
    rates : (float, float)
        Range of the delta rates.
    """

    scene: EvaluationScene
    candidate: Codec
    rivals: tuple[Codec, ...]
    recorded: dict[str, Curve]
    asked: tuple[float, ...]
    rates: tuple[float, float]

    def measure(self) -> SceneResult:
        """Run all codecs.

        Returns
        -------
        SceneResult
            What they did.
        """
        cube = self.scene.read()
        bands, lines, samples = cube.shape
        return SceneResult(
            self.scene.name,
            (bands, lines, samples),
            self.scene.aviris,
            measure(self.candidate, cube, self.asked),
            tuple(measure(rival, cube, self.asked) for rival in self.rivals),
            self.recorded,
            self.rates,
        )


def plan(
    scenes: Sequence[EvaluationScene],
    asked: Sequence[float],
    *,
    recorded: Recorded,
    settings: CandidateSettings | None = None,
    held_out: HeldOut | None = None,
    externals: Sequence[Codec] = (),
) -> list[Task]:
    """Decide what runs on which scene.

    Parameters
    ----------
    scenes : sequence of EvaluationScene
        The scenes.
    asked : sequence of float
        Bits per sample.
    recorded : mapping
        Recorded curves. A scene without any gets JPEG 2000 and JPEG 2000 + KLT live.
    settings : CandidateSettings, optional
        How bandfold codes. With `held_out` its ``restore`` of ``auto`` takes what has not seen the scene, and
        the tables tell the quantiser.
    held_out : HeldOut, optional
        Tables that have not seen the scene; the shipped tables otherwise.
    externals : sequence of Codec
        More codecs, to run on every scene.

    Returns
    -------
    list of Task
        One per scene.

    Raises
    ------
    SettingsError
        If the model was trained on one of the scenes.
    """
    settings = settings or CandidateSettings()
    if settings.model is not None:
        _refuse_seen(scenes, settings.model)
    tasks = []
    for scene in scenes:
        known = dict(recorded.get(scene.name, {}))
        live: tuple[Codec, ...] = () if known else (Jpeg2000(), Jpeg2000Klt())
        candidate = Bandfold(settings)
        if held_out is not None:
            restore = held_out.restoration(scene.base) if settings.restore == "auto" else settings.restore
            unseen = replace(settings, restore=restore, quantiser=None)
            candidate = Bandfold(unseen, held_out.tables(scene.base))
        rates = TILE_RANGE if scene.tile > 1 else RANGE
        tasks.append(Task(scene, candidate, (*live, *externals), known, tuple(asked), rates))
    return tasks


def _refuse_seen(scenes: Sequence[EvaluationScene], model: str) -> None:
    """Raise SettingsError if a model was trained on one of the scenes."""
    trained = set(Registry().find(model).manifest.card.get("training scenes", ()))
    seen = sorted({scene.base for scene in scenes} & trained)
    if seen:
        raise SettingsError(
            f"model {model} was trained on {', '.join(seen)}: nothing is measured on such scenes"
        )


def perform(tasks: Sequence[Task], jobs: int = 1) -> Iterator[SceneResult]:
    """Measure, several scenes at a time if wanted.

    Parameters
    ----------
    tasks : sequence of Task
        What to do.
    jobs : int
        Processes. More than one disturb each other's times.

    Yields
    ------
    SceneResult
        In the order of the tasks.
    """
    if jobs == 1:
        yield from (task.measure() for task in tasks)
        return
    # Each worker gets one core; read by the libraries when a worker imports them, so workers start afresh.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(Task.measure, tasks)
