"""Strips of a stream as counts: what these are worth is found in the first lines whose values vary."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bandfold.common.scene import SCALED_DTYPES, SceneInfo, SceneSource
from bandfold.common.values.value_range import RARE
from bandfold.onboard.settings import EncoderSettings

from .count_plan import AHEAD, CountPlan, doublings_for, plan_counts
from .samples import PEAK, DescribedSource, Samples


@dataclass(frozen=True)
class CountedStrip:
    """A strip as counts.

    Parameters
    ----------
    samples : Samples
        Its counts.
    doublings : int
        They are worth ``2**doublings`` counts of the header.
    rounding : float
        Mean squared error of the samples as counts, in counts of the header squared.
    """

    samples: Samples
    doublings: int = 0
    rounding: float = 0.0

    @property
    def worth(self) -> float:
        """What a count of the strip is worth, in counts of the header."""
        return 2.0**self.doublings


class StreamCounts:
    """Turns the strips of a stream into counts.

    Parameters
    ----------
    info : SceneInfo
        What the strips are.
    settings : EncoderSettings
        Of the stream.
    begun : bool
        Whether `info` has the scaling of a stream that is continued.
    seek : bool
        Whether escapes keep what has no count: where nobody has declared a scaling.

    Attributes
    ----------
    info : SceneInfo
        The same, with the scaling and the no-data value as soon as they are found.
    plan : CountPlan or None
        What was found, of floats and 32-bit integers.
    """

    def __init__(self, info: SceneInfo, settings: EncoderSettings, *, begun: bool, seek: bool) -> None:
        self.info = info
        self.plan: CountPlan | None = None
        self._settings = settings
        self._begun = begun
        self._seek = seek

    @property
    def awaits_values(self) -> bool:
        """Whether what counts are worth is still to be found, from values that vary."""
        return self._seek and self.plan is None and not self._begun

    @property
    def peak(self) -> float:
        """What PSNR refers to, in counts of the header."""
        return PEAK if self.plan is None else self.plan.peak

    @property
    def scale(self) -> float:
        """Value of one count of the header."""
        return 1.0 if self.info.scaling is None else abs(self.info.scaling.scale)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found, for people; nothing of what was declared."""
        return self.plan.notes(self.info) if self.plan is not None and self._seek else ()

    def find(self, scene: SceneSource) -> CountPlan:
        """Find what counts are worth, in all of the stream.

        Parameters
        ----------
        scene : SceneSource
            The first lines whose values vary.

        Returns
        -------
        CountPlan
        """
        scaling = self.info.scaling
        known = DescribedSource(scene, replace(scene.info, scaling=scaling, no_data=self.info.no_data))
        self.plan = plan_counts(known, seek_fills=self._settings.find_fill_values, headroom=AHEAD)
        if scaling is None:
            self.info = self.plan.describe(self.info)
        return self.plan

    def of(self, scene: SceneSource) -> CountedStrip:
        """A strip as counts, which are coarser where its values are whole numbers, or much brighter.

        Parameters
        ----------
        scene : SceneSource
            Its lines.

        Returns
        -------
        CountedStrip
        """
        if scene.info.dtype not in SCALED_DTYPES:
            return CountedStrip(Samples.of(scene))
        plan = self.plan or self.find(scene)
        samples = Samples.of(scene, plan)
        if not self._seek:
            return CountedStrip(samples, 0, self._rounding(plan, scene))
        escapes = samples.uncounted(slice(0, scene.info.lines)).escapes
        many = escapes is not None and len(escapes.places) > RARE * scene.info.count
        # Coarser counts would not keep limits: what has no count is kept exactly.
        doublings = doublings_for(scene, plan) if many and not self._settings.limits else 0
        whole = 0 if any(self._settings.limits) else plan.whole_doublings
        if whole >= max(doublings, 1):
            coarse = Samples.of(scene, plan.coarser(whole))
            if _whole_numbers(coarse):
                return CountedStrip(coarse, whole)
        if not doublings:
            return CountedStrip(samples, 0, self._rounding(plan, scene))
        coarse = Samples.of(scene, plan.coarser(doublings))
        return CountedStrip(coarse, doublings, plan.rounding_of(scene, doublings) * 4.0**doublings)

    @staticmethod
    def _rounding(plan: CountPlan, scene: SceneSource) -> float:
        """What rounding to the counts of the header does, where the first lines do not tell it of all."""
        exact = not plan.rounding and scene.info.dtype.kind == "f"
        return plan.rounding_of(scene, 0) if exact else plan.rounding


def _whole_numbers(strip: Samples) -> bool:
    """Whether all samples of a strip that have a count are whole numbers."""
    info = strip.scene.info
    lines = slice(0, info.lines)
    mask = strip.uncounted(lines).mask
    for band in range(info.bands):
        plane = strip.scene.read(slice(band, band + 1), lines)[0]
        counted = plane if mask is None else plane[~mask[band]]
        if not (counted == np.rint(counted)).all():
            return False
    return True
