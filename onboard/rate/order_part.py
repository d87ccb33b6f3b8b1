"""Some of a scene, coded in one order of predicted bands or another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.transforms.band_order import Hierarchy
from bandfold.onboard.prediction.band_importance import WatchedBand
from bandfold.onboard.prediction.predicted_coder import PredictedMethod, StripSamples
from bandfold.onboard.prediction.predicted_planner import PredictedPlanner
from bandfold.onboard.samples.samples import Samples, Uncounted

PLACES = 4
"""Places of a scene that are coded, side by side."""

SMALLEST_ERROR = 1e-6
"""Where nothing is lost, the logarithm of the error is taken of this, in counts squared."""


@dataclass(frozen=True)
class Trial:
    """A way to code some of the scene.

    Parameters
    ----------
    order : Hierarchy
        Order of coding, and steps of bands.
    engine : int
        Of the model.
    step : float
        Of the strip, in counts.
    watch : callable or None
        Called with each band, see `PredictedStripCoder`.
    """

    order: Hierarchy
    engine: int
    step: float
    watch: Callable[[int, WatchedBand], None] | None = None


class OrderPart:
    """Some of a scene, to be coded in several ways.

    Parameters
    ----------
    samples : Samples
        Of the scene.
    method : PredictedMethod
        The model.
    planner : PredictedPlanner
        Makes plans for the scene.
    lines, columns : int
        Extent of each of the places that are coded; of a scene that is not twice as large all of it is.

    Attributes
    ----------
    some : StripSamples
        What is coded.
    share : float
        Of the samples of the scene.
    """

    def __init__(
        self, samples: Samples, method: PredictedMethod, planner: PredictedPlanner, lines: int, columns: int
    ) -> None:
        self._method = method
        self._planner = planner
        self.some = _some_of(samples, lines, columns)
        self.share = self.some.counts.size / samples.info.count

    def tried(self, trial: Trial) -> tuple[float, float]:
        """Squared error and bytes of a way to code it."""
        basis = self._planner.plan_of(trial.order, trial.engine, trial.step).bases[0]
        coder = self._method.coder(basis, trial.step)
        coder.watch = trial.watch
        coded = coder.code(self.some, SegmentHeader(0), trial.step, errors=True)
        size = float(len(coded.payload))
        if trial.order.steps:
            # The part of the scene bears its share of what tells them.
            plain = replace(basis, fold=replace(basis.fold, prediction=replace(trial.order, steps=())))
            size += self.share * (self._method.side_bytes(basis) - self._method.side_bytes(plain))
        return max(coded.error, SMALLEST_ERROR), size

    def all_tried(self, trials: Sequence[Trial]) -> list[tuple[float, float]]:
        """The same of several ways, which threads share."""
        return list(self._method.workers.map(self.tried, trials))


def _some_of(samples: Samples, height: int, width: int) -> StripSamples:
    """Some places of a scene as one strip."""
    info, enough = samples.info, 2 * PLACES * height * width
    bands = slice(0, info.bands)
    if samples.pixels <= enough or info.lines < height or info.samples < width:
        lines = slice(0, min(info.lines, enough // info.samples + 1))
        return _counted(np.ascontiguousarray(samples.read(bands, lines)))
    parts = []
    for place in range(PLACES):
        # Evenly along the lines, and by the golden section across them.
        line = (info.lines - height) * (2 * place + 1) // (2 * PLACES)
        column = (info.samples - width) * (place * 618 % 1000) // 1000
        block = samples.read(bands, slice(line, line + height))
        # Of whole lines no more is kept.
        parts.append(block[:, :, column : column + width].copy())
    return _counted(np.concatenate(parts, axis=2))


def _counted(counts: NDArray[Any]) -> StripSamples:
    """Counts as a strip in which all samples are present."""
    return StripSamples(counts, Uncounted(None, None, (counts.shape[0], counts.shape[1], counts.shape[2])))
