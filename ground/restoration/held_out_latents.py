"""How far corrections of a strip are to be trusted, found out on latents of it whose signs are held out.

Some latents of magnitude 1 are restored as if they were zero: the more of their signs come out right, the
better are the corrections of all others. The trial goes over the strip in parts and ends as soon as it is
decided, so that a strip on which nothing is to be restored costs little more than one that is not tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import CHANNELS
from bandfold.ground.synthesis.decoded_latents import DecodedLatents

HOLD_OUT_EVERY = 10
"""One of so many latents of magnitude 1 is held out to find out how good the corrections are."""

DOUBT = 2.0
"""Standard errors that an agreement must lie beyond a bound for the trial to end early."""

SETTLED = 0.025
"""Standard error of an agreement that is known well enough, once `SPREAD` parts of a strip were tried."""

SPREAD = 6
"""Parts of a strip that differ by more than chance: so many are tried at least, unless there is no doubt."""

LEAST_TRUST = 0.2
"""What is trusted less is not restored at all: it would gain about 0.01 dB, and take all of the time."""


@dataclass(frozen=True)
class HeldOut:
    """Part of a strip without some of its latents.

    Parameters
    ----------
    decoded : DecodedLatents
        The part and the column of blocks on either side, in which the latents that are held out are zero.
    places : tuple of ndarray of int, each of shape (n,)
        Block, channel and component of those in the part itself. Blocks are counted row by row.
    signs : ndarray of int32, shape (n,)
        Their signs: 1 or -1.
    blocks : ndarray of int, shape (blocks,)
        Numbers of the blocks of the part itself, row by row.
    """

    decoded: DecodedLatents
    places: tuple[NDArray[np.intp], ...]
    signs: NDArray[np.int32]
    blocks: NDArray[np.intp]


def hold_out(decoded: DecodedLatents, columns: slice) -> HeldOut:
    """Hold out one in `HOLD_OUT_EVERY` latents of magnitude 1 of some columns of blocks.

    Parameters
    ----------
    decoded : DecodedLatents
        The strip.
    columns : slice
        A half-open range with explicit bounds.

    Returns
    -------
    HeldOut
        These columns.
    """
    start, stop = max(columns.start - 1, 0), min(columns.stop + 1, decoded.quantised.shape[3])
    part = (slice(None), slice(None), slice(None), slice(start, stop))
    quantised = decoded.quantised[part].copy()
    ones = np.flatnonzero(np.abs(quantised) == 1)
    # Spread by a multiplicative hash: few neighbours within a block, and the same ones each time.
    held = ones[(ones * 7919 + ones // CHANNELS) % HOLD_OUT_EVERY == 0]
    signs = quantised.ravel()[held]
    quantised.ravel()[held] = 0
    channel, component, row, column = np.unravel_index(held, quantised.shape)
    inside = (column >= columns.start - start) & (column < columns.stop - start)
    places = (row * (stop - start) + column, channel, component)
    without = replace(
        decoded,
        quantised=quantised,
        classes=decoded.classes[part],
        chosen=None if decoded.chosen is None else decoded.chosen[:, part[3]],
    )
    blocks = np.arange(quantised.shape[2] * (stop - start)).reshape(-1, stop - start)
    own = blocks[:, columns.start - start : columns.stop - start].ravel()
    return HeldOut(without, tuple(one[inside] for one in places), signs[inside], own)


def spread_parts(columns: int, width: int) -> list[slice]:
    """Cut columns into parts, in an order in which any first few are spread over all of them.

    Parameters
    ----------
    columns : int
        Columns of blocks.
    width : int
        Columns of a part, but for a narrower last one.

    Returns
    -------
    list of slice
        Half-open ranges that cover all columns once.
    """
    parts = [slice(at, min(at + width, columns)) for at in range(0, columns, width)]
    # Multiples of the golden ratio, modulo 1, lie far from all before (Fibonacci hashing).
    golden = (5**0.5 - 1) / 2
    return [parts[number] for number in np.argsort(np.arange(1, len(parts) + 1) * golden % 1.0).argsort()]


class SignAgreement:
    """How well corrections agree with signs that were held out.

    The agreement is the sum of all corrections towards the sign that was held out, less those away from it,
    over the sum of their magnitudes: 1 if all go the right way, about 0 if they go anywhere.

    Parameters
    ----------
    bounds : (float, float)
        Agreement up to which nothing is trusted, and from which on all is.
    """

    def __init__(self, bounds: tuple[float, float]) -> None:
        self._bounds = bounds
        self._right = self._total = self._squares = 0.0
        self._parts = 0

    def add(self, changes: NDArray[np.float32], signs: NDArray[np.int32]) -> None:
        """Count some latents.

        Parameters
        ----------
        changes : ndarray of float32, shape (n,)
            Corrections of latents that were held out.
        signs : ndarray of int32, shape (n,)
            Their signs: 1 or -1.
        """
        exact = changes.astype(np.float64)
        self._parts += 1
        self._right += float(exact @ signs)
        self._total += float(np.abs(exact).sum())
        self._squares += float(exact @ exact)

    @property
    def decided(self) -> bool:
        """Whether more latents would hardly change the trust, or whether there is any."""
        low, high = self._bounds
        agreement, error = self._agreement()
        least = low + LEAST_TRUST * (high - low)
        settled = self._parts >= SPREAD and error < SETTLED
        return settled or agreement + DOUBT * error < least or agreement - DOUBT * error > high

    @property
    def trust(self) -> float:
        """0 to 1: rises linearly with the agreement, less its standard error, between the bounds.

        0 where it would be less than `LEAST_TRUST`.
        """
        if self._total == 0.0:
            return 0.0
        low, high = self._bounds
        agreement, error = self._agreement()
        trust = float(np.clip((agreement - error - low) / (high - low), 0.0, 1.0))
        return trust if trust >= LEAST_TRUST else 0.0

    def _agreement(self) -> tuple[float, float]:
        """The agreement, and its standard error if corrections went anywhere; unsettled while none is."""
        if self._total == 0.0:
            return 0.0, float("inf")
        return self._right / self._total, float(np.sqrt(self._squares)) / self._total
