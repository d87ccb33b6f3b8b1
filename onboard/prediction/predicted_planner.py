"""Plans for a scene whose bands are predicted from bands: band means, and the order of coding."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.transforms.band_order import Hierarchy
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common import exact
from bandfold.common.scene import SceneSource
from bandfold.onboard.planning.block_sample import BlockSample, told_means
from bandfold.onboard.planning.mismatch import Mismatch
from bandfold.onboard.planning.plan import Basis, Plan, Planner, basis_sections
from bandfold.onboard.planning.stream_planner import StreamBasis, strip_sample
from bandfold.onboard.rate_model import KNEE, step_for_bits, step_for_error

TIERS, FIRST_BANDS = 5, 4
"""Levels of the order of coding at most, and bands of its first tier at least."""

GAIN = 2
"""Eighths of an octave by which steps grow from tier to tier."""

QUARTERS = 3
"""Where the first band is, in quarters of the distance of those that are coded first: the first bands of many
sensors are noisy, and whatever is predicted from them inherits that."""

STREAM_BLOCKS = 64
"""Blocks of the first strip of a stream that tell its band means, and a first guess of the step."""

RATE_FACTOR = 1.6
"""Fitted on coded scenes: a first guess of the step."""


class PredictedPlanner:
    """Plans for one scene, or for a strip of a stream.

    Parameters
    ----------
    sample : BlockSample
        Blocks that stand for it.

    Attributes
    ----------
    hierarchy : Hierarchy
        Order of coding.
    engine : int
        Of the model, which codes all bands.
    """

    engine = 0

    depends_on_step = False

    def __init__(self, sample: BlockSample) -> None:
        self._pixels = sample.pixels
        flat = sample.blocks.reshape(len(sample.blocks), -1)
        self.hierarchy = usual_hierarchy(len(flat))
        self._mean = flat.sum(axis=1, dtype=np.int64) / flat.shape[1]
        self._left = _variances_left(flat, self.hierarchy)

    def plan(self, step: float, *, rotate: bool = True) -> Plan:
        """Plan for a step; see `Planner.plan`."""
        return self.plan_of(self.hierarchy, self.engine, step)

    def plan_of(self, hierarchy: Hierarchy, engine: int, step: float) -> Plan:
        """Plan for an order of coding, an engine and a step in counts."""
        means, shift = told_means(self._mean, step, self._pixels)
        fold = Fold((len(means),), means, shift, engines=(engine,), prediction=hierarchy)
        return Plan.of(step, Basis(fold))

    def step_for_bits(self, bits: float) -> float:
        """Guess the step at which the scene costs so many bits; see `ScenePlanner.step_for_bits`."""
        return step_for_bits(self._left, self._pixels, RATE_FACTOR, bits)

    def step_for_error(self, mse: float) -> float:
        """Guess the step at which the scene has a mean squared error per sample."""
        return step_for_error(mse)

    def forget(self) -> None:
        """Nothing is kept beside what plans are made of."""

    def finish(self) -> None:
        """That is little."""

    def weigh(self, step: float) -> float:
        """What it weighs at a step in counts: bits are about proportional to that."""
        worth = KNEE * step * step
        return math.fsum(exact.log2(1.0 + self._left / worth).tolist())


class PredictedStreamPlanner:
    """Plans for one strip of a stream after the other: once, since every strip tells its own weights.

    Parameters
    ----------
    tables : Tables
        Entropy tables, with which sections are written.
    first : int
        Number of the first basis.

    Attributes
    ----------
    current : StreamBasis or None
        The one in use.
    mismatch : Mismatch
        None: nothing is left out.
    """

    mismatch = Mismatch(0.0, 0.0)

    def __init__(self, tables: Tables, first: int = 0) -> None:
        self._tables = tables
        self._number = first
        self.current: StreamBasis | None = None

    @property
    def next_number(self) -> int:
        """A number that no basis has yet."""
        return self._number

    def look(self, strip: SceneSource) -> BlockSample:
        """Take a sample of a strip; see `StreamPlanner.look`."""
        return strip_sample(strip, STREAM_BLOCKS)

    def planner(self, sample: BlockSample) -> PredictedPlanner:
        """What plans for a sample of a strip."""
        return PredictedPlanner(sample)

    def follow(self, strip: SceneSource, step: float) -> StreamBasis | None:
        """Nothing: the plan stays."""
        return None if self.current is not None else self.renew(self.look(strip), step)

    def renew(
        self, sample: BlockSample, step: float, planner: Planner | None = None, *, again: bool = False
    ) -> StreamBasis:
        """Plan anew; see `StreamPlanner.renew`."""
        self._number -= again
        basis = replace((planner or self.planner(sample)).plan(step).bases[0], number=self._number)
        self.current = StreamBasis(basis, step, basis_sections((basis,), self._tables))
        self._number += 1
        return self.current


def usual_hierarchy(bands: int) -> Hierarchy:
    """Order of coding that suits most scenes.

    Parameters
    ----------
    bands : int
        Bands of the scene.

    Returns
    -------
    Hierarchy
    """
    return hierarchy_of(min(TIERS, max((bands // FIRST_BANDS).bit_length() - 1, 0)))


def hierarchy_of(tiers: int, gain: int = GAIN, quarters: int = QUARTERS) -> Hierarchy:
    """An order of coding.

    Parameters
    ----------
    tiers : int
        Of the order.
    gain : int
        Eighths of an octave by which steps grow from tier to tier.
    quarters : int
        Where the first band is, in quarters of the distance of those that are coded first.

    Returns
    -------
    Hierarchy
    """
    return Hierarchy((gain,) * tiers, (quarters << tiers) // 4)


def _variances_left(flat: NDArray[Any], hierarchy: Hierarchy) -> NDArray[np.float64]:
    """Variance of what the first reference leaves of each band, shape (bands,)."""
    # A band at a time: in 64 bits, all of them would be the largest thing in memory.
    count = int(flat.shape[1])
    sums = [int(band.sum(dtype=np.int64)) for band in flat]

    def product(one: int, other: int) -> float:
        whole = int((flat[one].astype(np.int64) * flat[other]).sum())
        return float(whole * count - sums[one] * sums[other]) / count

    left = np.zeros(len(flat))
    squares = [product(band, band) for band in range(len(flat))]
    for one in hierarchy.bands(len(flat)):
        left[one.band] = squares[one.band]
        if one.references:
            reference = one.references[0]
            along = product(one.band, reference)
            left[one.band] -= along * along / max(squares[reference], 1.0)
    variances: NDArray[np.float64] = np.maximum(left, 0.0) / count
    return variances
