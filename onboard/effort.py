"""Efforts: how much time an encoder spends on a smaller stream; every decoder reads all of them.

One table for all of it. The middle one is the default. Lower ones leave out what saves least for the time
it takes, higher ones search where the default takes the first good answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bandfold.bitstream.container.header import DEPENDENT_32, UNIFORM
from bandfold.bitstream.transforms.klt import MERGE_LIMIT

DEFAULT_EFFORT = 5
"""What no effort gives."""


FEW_COMPONENTS = 64
"""Components of folds at low rates, at most: usual scenes have so many at 0.25 bits per sample."""

FEW_ROTATED = 32
"""Components that fast efforts rotate at most."""


@dataclass(frozen=True)
class Effort:
    """What an encoder does of all that it could.

    Parameters
    ----------
    quantiser : {"uniform", "dependent", "dependent-32"}
        Of folded bands, where neither a quantiser nor tables are asked for.
    rotations : int or None
        Components of a fold at most whose strongest ones are rotated in each block: where few are coded,
        rates are low, rotations save most, and there is time for them. None: any number.
    rotated : int
        Strongest components that are rotated at most. Not of streams.
    doubled : bool
        Whether twice as many matrices are looked for where nearly all pay. Not of streams.
    careful : bool
        Whether components are coded that save little for the time that they take, and matrices made again of
        the blocks that take them. Not of streams.
    regions : bool
        Whether several folds are looked for where the land changes.
    rare_blocks : bool
        Whether blocks that the sample does not know are looked for, and planned for too.
    merged : int
        Components that the second KLT of a scene merges at most. Not of streams.
    searches : int
        Searches for the best path through the trellis of two quantisers, each but the first one in the
        contexts of the path before it.
    blocks : int
        Blocks that are planned from at least, where the scene has so many ...
    thinning : int
        ... and one in so many of a larger scene.
    trial_share : float
        Pixels on which steps are tried, in parts of `bandfold.onboard.coding.scene_coder.pixels_tried`.
    one_trial : bool
        Whether a size is met from one trial, with the plan that was made for its step if the step that
        follows is near; otherwise steps are tried until they settle, with plans of their own.
    bit_worths : tuple of float
        Lagrange multipliers of quantisation with which the whole scene is coded to its target, in parts of
        the usual one, if it is coded to a rate, a size or a quality; the best is kept. Not of streams.
    interval_shares : tuple of float
        Numbers of spectral intervals that are compared where the partition is to be found, in parts of the
        usual number; the first one is taken where there is but one.
    """

    quantiser: str = DEPENDENT_32
    rotations: int | None = None
    rotated: int = 64
    doubled: bool = False
    careful: bool = True
    regions: bool = True
    rare_blocks: bool = True
    merged: int = MERGE_LIMIT
    searches: int = 1
    blocks: int = 400
    thinning: int = 16
    trial_share: float = 1.0
    one_trial: bool = False
    bit_worths: tuple[float, ...] = (1.0,)
    interval_shares: tuple[float, ...] = (1.0,)

    @property
    def of_streams(self) -> Effort:
        """What of it streams take: strips do not pay for the largest matrices, which take memory."""
        return replace(self, rotated=FEW_ROTATED, doubled=False, careful=False, merged=MERGE_LIMIT)


_ONE_FOLD = Effort(UNIFORM, rotated=FEW_ROTATED, careful=False, regions=False)
_HALF_TRIED = replace(_ONE_FOLD, rotations=FEW_COMPONENTS, rare_blocks=False, trial_share=0.5)

EFFORTS: dict[int, Effort] = {
    1: replace(_HALF_TRIED, merged=40, blocks=128, thinning=64, one_trial=True),
    2: _HALF_TRIED,
    3: _ONE_FOLD,
    4: Effort(regions=False),
    5: Effort(),
    6: Effort(doubled=True),
    7: Effort(doubled=True, searches=2, blocks=800),
    8: Effort(doubled=True, searches=3, blocks=1600, interval_shares=(1.0, 0.5)),
    9: Effort(
        doubled=True,
        searches=4,
        blocks=1600,
        bit_worths=(1.0, 0.8, 1.25),
        interval_shares=(1.0, 0.5, 0.0, 1.5),
    ),
}
"""By their numbers, from the fastest to the smallest streams."""
