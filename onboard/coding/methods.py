"""How planes become segments: what the search for a step needs to know of it, and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bandfold.bitstream.container.header import COSINE, PLANES
from bandfold.bitstream.contexts.tables import Tables
from bandfold.common.geometry import BLOCK
from bandfold.common.scene import SceneSource
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.networks import AnalysisEngine, NetworkEngine
from bandfold.onboard.networks.band_strips import BandPipeline
from bandfold.onboard.samples.subsampled import ThinnedSource, thinned

from .region_strips import thinned_zone_pipeline, zone_pipeline
from .strip_coder import Coded, Plan, ScenePipeline

TRIED_LINES = 64
"""Lines that stay together where a part of a scene stands for it and latents look far around themselves."""


class Pipeline(Protocol):
    """The strips of a scene under one plan."""

    @property
    def plan(self) -> Plan:
        """The plan."""

    @property
    def pixels(self) -> int:
        """Pixels of the scene."""

    @property
    def bands(self) -> int:
        """Bands of the scene."""

    def __len__(self) -> int:
        """Number of strips."""

    def code(self, index: int, step: float, *, errors: bool, weight: float = ...) -> Coded:
        """Code one strip; see `ScenePipeline.code`."""


class Planner(Protocol):
    """Plans for one scene."""

    def plan(self, step: float, *, spectral: bool, rotate: bool = ...) -> Plan:
        """Plan for a step."""

    def step_for_bits(self, bits: float) -> float:
        """Guess the step at which the scene costs so many bits."""

    def step_for_error(self, mse: float) -> float:
        """Guess the step at which the scene has a mean squared error per sample."""


@dataclass(frozen=True)
class Method:
    """A way to code planes.

    Parameters
    ----------
    transform : str
        As the header names it.
    pipeline : callable
        Makes a pipeline of the counts of a scene, the scene as given, a plan, and how many pixels (about)
        are to stand for the scene; None for all of it.
    trims : bool
        Whether the weight of a bit moves the size of a strip by small amounts.
    model : str
        Name of the package; empty without one.
    model_hash : bytes
        First 8 bytes of its digest.
    workers : Workers
        Which code the strips of a pipeline.
    """

    transform: str
    pipeline: Callable[[SceneSource, SceneSource, Plan, int | None], Pipeline]
    trims: bool = True
    model: str = ""
    model_hash: bytes = b""
    workers: Workers = ALONE


def cosine_method(
    engine: AnalysisEngine, tables: Tables, strip_lines: int, workers: Workers = ALONE
) -> Method:
    """The fixed transform, whose latents are quantised after it.

    Parameters
    ----------
    engine : AnalysisEngine
    tables : Tables
    strip_lines : int
    workers : Workers
        Which code strips.

    Returns
    -------
    Method
    """

    def one_fold(source: SceneSource, original: SceneSource, plan: Plan) -> ScenePipeline:
        height = strip_lines
        if isinstance(source, ThinnedSource):
            # Of one height, so that workers are done at the same time.
            rows = source.info.lines // BLOCK
            height = BLOCK * -(-rows // -(-source.info.lines // strip_lines))
        return ScenePipeline(source, original, plan, engine, tables, height)

    def pipeline(source: SceneSource, original: SceneSource, plan: Plan, pixels: int | None) -> Pipeline:
        if plan.zones and pixels is not None:
            return thinned_zone_pipeline(source, original, plan, one_fold, strip_lines, pixels)
        if plan.zones:
            return zone_pipeline(source, original, plan, one_fold)
        return one_fold(thinned(source, pixels), thinned(original, pixels), plan)

    return Method(COSINE, pipeline, workers=workers)


def network_method(engine: NetworkEngine, tables: Tables, strip_lines: int) -> Method:
    """The networks of a model, which round by themselves.

    Parameters
    ----------
    engine : NetworkEngine
    tables : Tables
    strip_lines : int

    Returns
    -------
    Method
    """
    codec = engine.codec
    all_tables = codec.tables(tables)

    def pipeline(source: SceneSource, original: SceneSource, plan: Plan, pixels: int | None) -> Pipeline:
        some = (thinned(source, pixels, TRIED_LINES), thinned(original, pixels, TRIED_LINES))
        return BandPipeline(*some, plan, engine, all_tables, strip_lines)

    return Method(PLANES, pipeline, False, codec.name, codec.identity)
