"""Plans for lines as they come: a fold for the first strip, and another one where it has drifted too far."""

from __future__ import annotations

from dataclasses import dataclass

from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.common.scene import SceneSource
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.coding.strip_coder import Plan
from bandfold.onboard.networks import AnalysisEngine

from .block_sample import Sample, sample_blocks
from .mismatch import Drift, measure_drift
from .plan_sections import fold_section, rotation_section
from .scene_planner import ScenePlanner

BLOCKS = 256
"""Blocks of a strip that are looked at, about."""

STRIPS_AHEAD = 2
"""Strips that a fold is made for: those which follow resemble the one that it was made from."""

SHARE = 0.35
"""Bits that are saved for each bit of `Drift.excess`, as measured on coded strips (0.3 to 0.4)."""


@dataclass(frozen=True)
class Basis:
    """A plan in a stream.

    Parameters
    ----------
    number : int
        By which segments name its fold and, if it has any, its rotations.
    plan : Plan
    sections : bytes
        Its fold and its rotations.
    """

    number: int
    plan: Plan
    sections: bytes

    @property
    def rotation(self) -> int | None:
        """Number of the rotations; None if there are none."""
        return self.number if self.plan.rotations else None


class StripPlanner:
    """Plans for one strip after the other.

    Parameters
    ----------
    engine : AnalysisEngine
    tables : Tables
    ends : tuple of int or None
        Partition; found from each strip that is planned for if None.
    sensor : SensorBasis or None
        Where components come from; else they are the strips' own.
    spectral : bool
        Whether to fold at all.
    first : int
        Number of the first basis.
    workers : Workers
        Which share the work of a plan.

    Attributes
    ----------
    basis : Basis or None
        The one in use.
    drift : Drift
        Of the last strip that was looked at, under the basis in use.
    """

    def __init__(
        self,
        engine: AnalysisEngine,
        tables: Tables,
        *,
        ends: tuple[int, ...] | None = None,
        sensor: SensorBasis | None = None,
        spectral: bool = True,
        first: int = 0,
        workers: Workers = ALONE,
    ) -> None:
        self._workers = workers
        self._engine = engine
        self._tables = tables
        self._ends = ends
        self._sensor = sensor
        self._spectral = spectral
        self._number = first
        self._unavoidable = 0.0
        self.basis: Basis | None = None
        self.drift = Drift(0.0, 0.0)

    @property
    def next_number(self) -> int:
        """A number that no basis has yet."""
        return self._number

    def look(self, strip: SceneSource) -> Sample:
        """Take a sample of a strip, which stands for those that follow too."""
        pixels = strip.info.lines * strip.info.samples * STRIPS_AHEAD
        return Sample(sample_blocks(strip, enough=BLOCKS, most=1 << 24).blocks, pixels)

    def planner(self, sample: Sample) -> ScenePlanner:
        """What plans for a sample."""
        return ScenePlanner(sample, self._ends, self._engine, sensor=self._sensor, workers=self._workers)

    def renewed(self, sample: Sample, step: float) -> Basis | None:
        """Plan anew if another fold saves more than it costs; measures the drift.

        Parameters
        ----------
        sample : Sample
            Of a strip.
        step : float

        Returns
        -------
        Basis or None
            None if the one in use is good enough.
        """
        if self.basis is None:
            return self.renew(sample, step)
        self.drift = measure_drift(self.basis.plan.fold, *sample.moments, step)
        saved = SHARE * (self.drift.excess - self._unavoidable) * sample.pixels
        return self.renew(sample, step) if saved > 8 * len(self.basis.sections) else None

    def renew(
        self, sample: Sample, step: float, planner: ScenePlanner | None = None, *, again: bool = False
    ) -> Basis:
        """Plan anew.

        Parameters
        ----------
        sample : Sample
            Of a strip.
        step : float
        planner : ScenePlanner, optional
            Of that sample, if there is one already.
        again : bool
            Whether it replaces the last plan, which no segment names.

        Returns
        -------
        Basis
            The one in use from now on.
        """
        self._number -= again
        plan = (planner or self.planner(sample)).plan(step, spectral=self._spectral)
        sections = fold_section(plan.fold, self._tables, self._number)
        sections += rotation_section(plan.rotations, self._tables, self._number)
        self.basis = Basis(self._number, plan, sections)
        self._number += 1
        self.drift = measure_drift(plan.fold, *sample.moments, step)
        # What even a fold made for a strip takes more than the best one: the same for any other.
        self._unavoidable = self.drift.excess
        return self.basis
