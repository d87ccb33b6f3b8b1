"""Restoration: a better guess of each latent within the bin that the encoder put it in.

The bin of a latent is certain, its place in the bin is not: the reconstruction point is the mean over all
latents of that context. A small network makes a guess for each latent from what its surroundings suggest
(`bandfold.ground.restoration.evidence`). Whatever it says, a restored latent stays in its bin.

How far it is trusted is found out on the strip itself: some latents of magnitude 1 are hidden, and restored
as if they were zero; the more of their signs come out right, the more of all corrections is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.common.onnx_session import fastest_providers
from bandfold.common.scene import CHANNELS

from .evidence import Decoded, Witness
from .restoration_model import RestorationModel
from .smoothing import Window

COLUMNS = 32
"""Columns of blocks that are worked on together: it bounds the memory, and changes nothing."""

ROUNDED_UP, LOWERED = 0.5, 1.5
"""A magnitude was at least so much below its level, and less than so much above: the encoder may have lowered
the nearest level by one."""

REACH, REACH_OF_ZERO = 0.8, 1.0
"""Of two quantisers, the encoder does not always take the nearest level: latents lay so many steps from
theirs at most, but for a few."""

BYTES_PER_RESTORED = 128
"""Memory that restoring takes for each latent of a strip, about."""

HIDDEN = 10
"""One of so many latents of magnitude 1 is hidden to find out how good the guesses are."""


@dataclass(frozen=True)
class Hidden:
    """Part of a strip without some of its latents.

    Parameters
    ----------
    decoded : Decoded
        Those latents are zero in it.
    where : ndarray of bool, shape of the latents
    signs : ndarray of int32, shape (n,)
        Of the latents that are hidden, in the order of `where`.
    """

    decoded: Decoded
    where: NDArray[np.bool_]
    signs: NDArray[np.int32]


class Restorer:
    """Restores strips.

    Parameters
    ----------
    model : RestorationModel
    mode : Mode
        Statistics of the stream.
    threads : int
        Processor threads of the network, which runs on a GPU where ONNX Runtime finds one.

    Raises
    ------
    ModelError
        If the network cannot be opened.
    """

    def __init__(self, model: RestorationModel, mode: Mode, threads: int = 1) -> None:
        self._windows: Sequence[Window] = model.windows
        self._trust = model.trust
        self._mode = mode
        self._network = model.network(threads, fastest_providers())

    def restore(self, decoded: Decoded) -> NDArray[np.float32]:
        """Restore the latents of a strip.

        Parameters
        ----------
        decoded : Decoded

        Returns
        -------
        ndarray of float32, shape (64, components, rows, columns)
            In steps; each within the bin of its level, see `bin_of` and `reach_of`.

        Raises
        ------
        ModelError
            If the network cannot be run.
        """
        trust = self.trust(decoded)
        if trust == 0.0:
            return decoded.points
        restored = decoded.points + np.float32(trust) * self.corrections(decoded)
        if self._mode.dependent:
            low, high = reach_of(decoded.quantised, decoded.classes >= self._mode.network.classes)
        else:
            low, high = bin_of(decoded.quantised)
        return np.clip(restored, low, high, out=restored)

    def corrections(self, decoded: Decoded) -> NDArray[np.float32]:
        """What the network would change: of the shape of the latents, in steps."""
        witness = Witness(decoded, self._windows, self._mode)
        _, components, _, columns = decoded.quantised.shape
        found = np.empty(decoded.quantised.shape, dtype=np.float32)
        for part in (slice(at, min(at + COLUMNS, columns)) for at in range(0, columns, COLUMNS)):
            evidence = witness.look(part)
            for component in range(components):
                told = witness.facts(evidence, part, component)
                gains = self._network.run(told[None])[0]
                signs = np.sign(decoded.quantised[:, component, :, part])
                change = gains[-1].reshape(signs.shape) * signs
                for gain, suggestion in zip(gains[:-1], evidence.suggestions[:, :, component], strict=True):
                    change += gain.reshape(signs.shape) * suggestion
                found[:, component, :, part] = change
        return found

    def trust(self, decoded: Decoded) -> float:
        """How far corrections are to be trusted on a strip.

        Parameters
        ----------
        decoded : Decoded

        Returns
        -------
        float
            0 to 1. Rises in a line with the agreement of corrections and hidden signs, less its standard
            error, between the bounds that the model names.
        """
        hidden = hide(decoded)
        if not len(hidden.signs):
            return 0.0
        guesses = self.corrections(hidden.decoded)[hidden.where].astype(np.float64)
        total = float(np.abs(guesses).sum())
        if total == 0.0:
            return 0.0
        agreement = (float(guesses @ hidden.signs) - float(np.sqrt(guesses @ guesses))) / total
        low, high = self._trust
        return float(np.clip((agreement - low) / (high - low), 0.0, 1.0))


def bin_of(quantised: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the latents lay before they were quantised.

    Parameters
    ----------
    quantised : ndarray of int32

    Returns
    -------
    low, high : ndarray of float32, same shape
        In steps.
    """
    level = quantised.astype(np.float32)
    magnitude, negative = np.abs(level), level < 0
    inner, outer = magnitude - np.float32(ROUNDED_UP), magnitude + np.float32(LOWERED)
    inner[quantised == 0] = -LOWERED
    return np.where(negative, -outer, inner), np.where(negative, -inner, outer)


def reach_of(
    quantised: NDArray[np.int32], second: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the latents lay before they were quantised dependently, nearly all of them.

    Parameters
    ----------
    quantised : ndarray of int32
    second : ndarray of bool, same shape
        Whether they went through the second quantiser.

    Returns
    -------
    low, high : ndarray of float32, same shape
        In steps.
    """
    level = quantised - np.sign(quantised) * second * np.float32(0.5)
    reach = np.where(quantised == 0, np.float32(REACH_OF_ZERO), np.float32(REACH))
    return (level - reach).astype(np.float32), (level + reach).astype(np.float32)


def hide(decoded: Decoded) -> Hidden:
    """Hide one in `HIDDEN` latents of magnitude 1 of the middle of a strip.

    Parameters
    ----------
    decoded : Decoded

    Returns
    -------
    Hidden
    """
    columns = decoded.quantised.shape[3]
    start = max((columns - COLUMNS) // 2, 0)
    part = (slice(None), slice(None), slice(None), slice(start, start + COLUMNS))
    quantised, points = decoded.quantised[part], decoded.points[part]
    ones = np.flatnonzero(np.abs(quantised) == 1)
    # No two of a block's next to each other, more or less, and no chance in it.
    chosen = ones[(ones * 7919 + ones // CHANNELS) % HIDDEN == 0]
    where = np.zeros(quantised.shape, dtype=np.bool_)
    where.ravel()[chosen] = True
    without = replace(
        decoded,
        quantised=np.where(where, 0, quantised),
        classes=decoded.classes[part],
        points=np.where(where, np.float32(0.0), points),
        chosen=None if decoded.chosen is None else decoded.chosen[:, part[3]],
    )
    return Hidden(without, where, quantised[where])
