"""Whether what was coded is what was to be coded: expected errors against those found by another route.

A stream is decoded on the ground only, long after its scene is gone. So every strip is looked at once more
while its samples are at hand, by arithmetic that shares nothing with what made the decision:

- Levels are compared with the latents that they stand for, in floating point, in some blocks of every strip.
  Whatever search found them, they are within two steps of their latents.
- What a fold leaves out is computed from the covariances of the scene, in floating point, whereas components
  are chosen by sums of integers over their latents. A component is left out only where it is worth less than
  its bits, which is a fraction of a squared step for each sample.
- Predicted bands are compared with their samples, all of them, as they will be decoded.
- Published networks make some bands of every strip again, which are compared with what they were shown.

That takes less than 1 % of the time of coding with a fold, and 2 % with a network. The bounds are far beyond
what any scene needs: what exceeds them is no loss of quality but a fault, and no stream comes out of it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common.errors import VerificationError

FARTHEST_LEVEL = 16.0
"""Steps between a latent and the level that stands for it, at most: two are met."""

MOST_LEFT_OUT = 16.0
"""Mean squared error per sample that a fold leaves out at most, in steps squared: one is met ..."""

ROUNDED_VECTORS = 4.0
"""... and in counts squared: vectors of 16 bits leave out 0.2 of 224 bands at full contrast,
with a sensor package 2.6."""

MOST_OF_A_BAND = 64.0
"""Mean squared error of a predicted band, in squares of its step, at most: one is met."""

MOST_OF_MEANS = 4.0
"""Squared error of what a published network makes of a strip, at most, in those of its band means.

A network that knows little of a scene may lose to means at large steps, which its rate and quality tell.
Latents that wrap, saturate or belong to other contrasts lose many times over.
"""

BANDS_CHECKED = 48
"""One band in so many is made again by a published network."""

BLOCKS_CHECKED = 32
"""One block in so many is looked at."""


def blocks_checked(blocks: int, strip: int) -> slice:
    """Blocks of a strip whose levels are looked at, side by side: others in each strip.

    Parameters
    ----------
    blocks : int
        Blocks of the strip, row by row.
    strip : int
        Number of the strip.

    Returns
    -------
    slice
    """
    count = -(-blocks // BLOCKS_CHECKED)
    start = strip % BLOCKS_CHECKED * count
    return slice(start, start + count) if start < blocks else slice(0, count)


def check_levels(latents: NDArray[np.int32], levels: NDArray[np.int32], step: float, strip: int) -> None:
    """Compare levels with the latents that they stand for.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, blocks)
        In units of ``1 / FRACTION`` of a count, of the blocks that `blocks_checked` takes.
    levels : ndarray of int32, shape (64, components, blocks)
        What they were quantised to.
    step : float
        Quantiser step in counts.
    strip : int
        Number of the strip, to be named.

    Raises
    ------
    VerificationError
        If a level lies `FARTHEST_LEVEL` steps from its latent.
    """
    error = latents * (1.0 / (FRACTION * step))
    error -= levels.swapaxes(0, 1)
    farthest = max(float(error.max(initial=0.0)), -float(error.min(initial=0.0)))
    if farthest > FARTHEST_LEVEL:
        raise VerificationError(
            f"strip {strip} was coded wrongly: a level lies {farthest:.3g} steps from its latent; "
            "no stream was made, please report the scene and the settings"
        )


def check_left_out(left_out: float, step: float) -> None:
    """Make sure that folds leave out no more than is worth less than its bits.

    Parameters
    ----------
    left_out : float
        Mean squared error per sample of what they leave out, in counts squared.
    step : float
        Quantiser step in counts, the larger of that of the plan and that of the stream.

    Raises
    ------
    VerificationError
        If it is more than `MOST_LEFT_OUT` squared steps and `ROUNDED_VECTORS`.
    """
    if not left_out <= MOST_LEFT_OUT * step * step + ROUNDED_VECTORS:
        raise VerificationError(
            f"the plan leaves out a mean squared error of {left_out:.3g} at a step of {step:g}: a component "
            "is missing; no stream was made: leave out the sensor package if any, or report the scene"
        )


def band_fault(error: float, samples: int, step: float, band: int) -> str:
    """Say whether a predicted band comes back.

    Parameters
    ----------
    error : float
        Sum of its squared errors in a strip, as it will be decoded, in counts squared.
    samples : int
        Of the band in that strip.
    step : float
        Its quantiser step in counts.
    band : int
        Its number, to be named.

    Returns
    -------
    str
        What is wrong if it is more than `MOST_OF_A_BAND` squared steps for each sample; else empty.
    """
    if error <= MOST_OF_A_BAND * samples * (step * step + 1.0 / 12):
        return ""
    return (
        f"band {band} does not come back: its mean squared error is {error / samples:.3g} at a step of "
        f"{step:g}, beyond what the model can code; take a larger step, or code without the model"
    )


def network_fault(error: float, energy: float, strip: int) -> str:
    """Say whether a model makes of a strip what is worth its bytes.

    Parameters
    ----------
    error : float
        Sum of squared errors of the bands that were looked at.
    energy : float
        Sum of squares of what they differ from their means, in the same unit.
    strip : int
        Number of the strip, to be named.

    Returns
    -------
    str
        What is wrong if band means alone would be `MOST_OF_MEANS` times better; else empty.
    """
    if error <= MOST_OF_MEANS * energy:
        return ""
    return (
        f"the model makes of strip {strip} what is much worse than band means alone: contrasts are beyond "
        "those that it was trained for; take another step, give a rate, or code without the model"
    )


def check_faults(faults: Iterable[str]) -> None:
    """Refuse strips that were measured to be worthless.

    Parameters
    ----------
    faults : iterable of str
        Of each strip that goes into a stream: empty, or what is wrong.

    Raises
    ------
    VerificationError
        With the first one.
    """
    for fault in faults:
        if fault:
            raise VerificationError(fault)
