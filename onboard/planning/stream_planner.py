"""Plans for lines as they come: a basis for the first strip, another where the land has changed too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.common.scene import SceneSource
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.effort import DEFAULT_EFFORT, EFFORTS, Effort
from bandfold.onboard.samples.samples import Samples

from .block_sample import BlockSample, sample_blocks
from .mismatch import SHARE, Mismatch, measure_mismatch
from .plan import Basis, Planner, basis_sections
from .scene_planner import ScenePlanner
from .weight_codes import weight_codes

BLOCKS = 256
"""Blocks of a strip that are looked at, about."""

STRIPS_AHEAD = 2
"""Strips that a fold is made for: those which follow resemble the one that it was made from."""


@dataclass(frozen=True)
class StreamBasis:
    """The basis in use in a stream.

    Parameters
    ----------
    basis : Basis
        Fold and rotations, and the number by which segments name them.
    step : float
        Quantiser step, in counts, that it was planned for.
    sections : bytes
        Its fold and its rotations as sections.
    """

    basis: Basis
    step: float
    sections: bytes


class StreamPlanner:
    """Plans for one strip after the other.

    Parameters
    ----------
    tables : Tables
        Entropy tables, with which sections are written.
    ends : tuple of int or None
        Partition: the end of each interval, exclusive; found from each strip that is planned for if None.
    sensor : SensorBasis or None
        Where components come from; else they are the strips' own.
    spectral : bool
        Whether to fold at all.
    first : int
        Number of the first basis.
    workers : Workers
        Threads that share the work of a plan.
    weights : "snr" or sequence of float, optional
        Weights of bands, as for `bandfold.onboard.planning.weight_codes.weight_codes`: those of the noise are
        found in the first strip, and kept.
    effort : Effort
        Tells which components and rotations are looked for, as far as it concerns streams.

    Attributes
    ----------
    current : StreamBasis or None
        The one in use.
    mismatch : Mismatch
        Of the last strip that was looked at, under the basis in use.
    counted : bool
        Whether that tells what is left out of the pixels that count, and of no others. It may be set.
    """

    def __init__(
        self,
        tables: Tables,
        *,
        ends: tuple[int, ...] | None = None,
        sensor: SensorBasis | None = None,
        spectral: bool = True,
        first: int = 0,
        workers: Workers = ALONE,
        weights: str | Sequence[float] | None = None,
        effort: Effort = EFFORTS[DEFAULT_EFFORT],
    ) -> None:
        self._weights = weights
        self._codes: NDArray[np.int64] | None = None
        self._effort = effort.of_streams
        self._workers = workers
        self._tables = tables
        self._ends = ends
        self._sensor = sensor
        self._spectral = spectral
        self._number = first
        self._unavoidable = 0.0
        self.current: StreamBasis | None = None
        self.mismatch = Mismatch(0.0, 0.0)
        self.counted = False

    @property
    def next_number(self) -> int:
        """A number that no basis has yet."""
        return self._number

    def look(self, strip: Samples) -> BlockSample:
        """Take a sample of a strip, which stands for those that follow too.

        Parameters
        ----------
        strip : Samples
            Its lines.

        Returns
        -------
        BlockSample
        """
        sample = strip_sample(strip, counted=self.counted)
        if self._weights is None:
            return sample
        if self._codes is None:
            self._codes = weight_codes(self._weights, sample, strip.scene.info)
        return replace(sample, weights=self._codes)

    def planner(self, sample: BlockSample) -> Planner:
        """What plans for a sample of a strip."""
        folded = ScenePlanner(sample, self._ends, self._sensor, self._effort, self._workers)
        return folded if self._spectral else folded.unfolded()

    def follow(self, strip: Samples, step: float) -> StreamBasis | None:
        """Look at a strip, and plan anew if that pays; see `renewed`. The sample is not kept: it is large."""
        return self.renewed(self.look(strip), step)

    def renewed(self, sample: BlockSample, step: float) -> StreamBasis | None:
        """Plan anew if another fold saves more than it costs; measures the mismatch.

        Parameters
        ----------
        sample : BlockSample
            Of a strip.
        step : float
            Quantiser step in counts.

        Returns
        -------
        StreamBasis or None
            None if the one in use is good enough.
        """
        if self.current is None:
            return self.renew(sample, step)
        self._measure(self.current.basis.fold, sample, step)
        saved = SHARE * (self.mismatch.excess - self._unavoidable) * sample.pixels
        return self.renew(sample, step) if saved > 8 * len(self.current.sections) else None

    def renew(
        self, sample: BlockSample, step: float, planner: Planner | None = None, *, again: bool = False
    ) -> StreamBasis:
        """Plan anew.

        Parameters
        ----------
        sample : BlockSample
            Of a strip.
        step : float
            Quantiser step in counts.
        planner : Planner, optional
            Of that sample, if there is one already.
        again : bool
            Whether it replaces the last plan, which no segment names.

        Returns
        -------
        StreamBasis
            The one in use from now on.
        """
        self._number -= again
        plan = (planner or self.planner(sample)).plan(step)
        basis = replace(plan.bases[0], number=self._number)
        self.current = StreamBasis(basis, step, basis_sections((basis,), self._tables))
        self._number += 1
        self._measure(basis.fold, sample, step)
        # What even a fold made for a strip takes more than the best one: the same for any other.
        self._unavoidable = self.mismatch.excess
        return self.current

    def _measure(self, fold: Fold, sample: BlockSample, step: float) -> None:
        self.mismatch = measure_mismatch(fold, *sample.moments, step)
        if sample.counted is not None:
            counted = measure_mismatch(fold, *sample.counted_moments, step)
            self.mismatch = replace(self.mismatch, left_out=counted.left_out)


def strip_sample(strip: SceneSource, blocks: int = BLOCKS, *, counted: bool = False) -> BlockSample:
    """Take a sample of a strip, which stands for those that follow too.

    Parameters
    ----------
    strip : SceneSource
        Its lines, integer samples without gaps.
    blocks : int
        How many blocks are enough.
    counted : bool
        As for `sample_blocks`.

    Returns
    -------
    BlockSample
    """
    pixels = strip.info.lines * strip.info.samples * STRIPS_AHEAD
    sample = sample_blocks(strip, enough=blocks, most=1 << 24, counted=counted)
    return replace(sample, pixels=pixels, rows=None)
