"""Restoration: a better estimate of each latent within the bin that the encoder put it in.

The bin of a latent is certain, its place in the bin is not: the reconstruction point is the mean over all
latents of that context. A small network estimates a correction of each latent from what the pixels around
suggest (`bandfold.ground.restoration.latent_features`). Whatever it says, a restored latent stays in its bin.

How far it is trusted is found out on the strip itself: some latents of magnitude 1 are held out, and restored
as if they were zero; the more of their signs come out right, the more of all corrections is applied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.common.errors import ModelError
from bandfold.common.onnx_session import Network, fastest_providers
from bandfold.common.scene import CHANNELS
from bandfold.ground.synthesis.decoded_latents import DecodedLatents

from .latent_features import FeatureExtractor
from .restoration_model import RestorationModel

COLUMNS = 32
"""Columns of blocks that are worked on together: it bounds the memory, and changes nothing."""

BIN_BELOW, BIN_ABOVE = 0.5, 1.5
"""Steps that a magnitude may lie below its level, and above it: the encoder may have lowered the nearest
level by one, by rate-distortion optimised quantisation."""

TCQ_BIN, TCQ_ZERO_BIN = 0.8, 1.0
"""Steps that latents lie from their level, and from level 0, at most, but for a few: the Viterbi search of
trellis-coded quantisation does not always take the nearest level."""

BYTES_PER_RESTORED = 128
"""Memory that restoring takes for each latent of a strip, about."""

HOLD_OUT_EVERY = 10
"""One of so many latents of magnitude 1 is held out to find out how good the corrections are."""


@dataclass(frozen=True)
class HeldOut:
    """Part of a strip without some of its latents.

    Parameters
    ----------
    decoded : DecodedLatents
        The part, in which the latents that are held out are zero.
    where : ndarray of bool, shape (64, components, rows, columns)
        Which latents are held out.
    signs : ndarray of int32, shape (n,)
        Their signs, in the order of `where`.
    """

    decoded: DecodedLatents
    where: NDArray[np.bool_]
    signs: NDArray[np.int32]


class Restorer:
    """Restores the latents of strips with a network.

    Parameters
    ----------
    model : RestorationModel
        The network, not opened, and what it needs.
    mode : Mode
        Statistics that the latents were coded with.
    """

    def __init__(self, model: RestorationModel, mode: Mode) -> None:
        self._model = model
        self._mode = mode
        self._network: Network | None = None

    def open(self, threads: int = 1) -> Network:
        """Open the network, if it is not open yet.

        Parameters
        ----------
        threads : int
            Processor threads of the network, which runs on a GPU where ONNX Runtime finds one.

        Returns
        -------
        Network
            Now or before opened.

        Raises
        ------
        ModelError
            If it cannot be opened.
        """
        if self._network is None:
            self._network = self._model.network(threads, fastest_providers())
        return self._network

    def restore(self, decoded: DecodedLatents) -> NDArray[np.float32]:
        """Restore the latents of a strip.

        Parameters
        ----------
        decoded : DecodedLatents
            The strip.

        Returns
        -------
        ndarray of float32, shape (64, components, rows, columns)
            In steps; each within the bin of its level, see `quantiser_bins` and `trellis_bins`.

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
            low, high = trellis_bins(decoded.quantised, decoded.classes >= self._mode.network.classes)
        else:
            low, high = quantiser_bins(decoded.quantised)
        return np.clip(restored, low, high, out=restored)

    def corrections(self, decoded: DecodedLatents) -> NDArray[np.float32]:
        """What the network would change.

        Parameters
        ----------
        decoded : DecodedLatents
            The strip.

        Returns
        -------
        ndarray of float32, shape (64, components, rows, columns)
            To be added to the reconstruction points, in steps.
        """
        network = self.open()
        extractor = FeatureExtractor(decoded, self._model.kernels, self._mode)
        _, components, _, columns = decoded.quantised.shape
        found = np.empty(decoded.quantised.shape, dtype=np.float32)
        for part in (slice(at, min(at + COLUMNS, columns)) for at in range(0, columns, COLUMNS)):
            candidates = extractor.candidates(part)
            for component in range(components):
                features = extractor.features(candidates, part, component)
                gains = network.run(features[None])[0]
                signs = np.sign(decoded.quantised[:, component, :, part])
                if gains.shape != (len(self._model.kernels) + 1, CHANNELS, signs[0].size):
                    raise ModelError(
                        f"restoration {self._model.name!r} gives gains of shape {gains.shape}, not one for "
                        f"each kernel and latent of {signs.shape}: make the package again"
                    )
                change = gains[-1].reshape(signs.shape) * signs
                candidate = candidates.corrections[:, :, component]
                for gain, correction in zip(gains[:-1], candidate, strict=True):
                    change += gain.reshape(signs.shape) * correction
                found[:, component, :, part] = change
        return found

    def trust(self, decoded: DecodedLatents) -> float:
        """How far corrections are to be trusted on a strip.

        Parameters
        ----------
        decoded : DecodedLatents
            The strip.

        Returns
        -------
        float
            0 to 1. Rises linearly with the agreement of corrections and held-out signs, less its standard
            error, between the bounds that the model names.
        """
        held_out = hold_out(decoded)
        if not len(held_out.signs):
            return 0.0
        changes = self.corrections(held_out.decoded)[held_out.where].astype(np.float64)
        total = float(np.abs(changes).sum())
        if total == 0.0:
            return 0.0
        agreement = (float(changes @ held_out.signs) - float(np.sqrt(changes @ changes))) / total
        low, high = self._model.trust
        return float(np.clip((agreement - low) / (high - low), 0.0, 1.0))


def quantiser_bins(quantised: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the latents lay before they were quantised.

    Parameters
    ----------
    quantised : ndarray of int32, any shape
        Levels of the uniform quantiser.

    Returns
    -------
    low, high : ndarray of float32, same shape
        Ends of the bins, in steps.
    """
    level = quantised.astype(np.float32)
    magnitude, negative = np.abs(level), level < 0
    inner, outer = magnitude - np.float32(BIN_BELOW), magnitude + np.float32(BIN_ABOVE)
    inner[quantised == 0] = -BIN_ABOVE
    return np.where(negative, -outer, inner), np.where(negative, -inner, outer)


def trellis_bins(
    quantised: NDArray[np.int32], second: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where nearly all latents lay before they went through trellis-coded quantisation.

    Parameters
    ----------
    quantised : ndarray of int32, any shape
        Levels of two quantisers.
    second : ndarray of bool, same shape
        Whether they went through the second quantiser.

    Returns
    -------
    low, high : ndarray of float32, same shape
        Ends of the bins, in steps.
    """
    level = quantised - np.sign(quantised) * second * np.float32(0.5)
    reach = np.where(quantised == 0, np.float32(TCQ_ZERO_BIN), np.float32(TCQ_BIN))
    return (level - reach).astype(np.float32), (level + reach).astype(np.float32)


def hold_out(decoded: DecodedLatents) -> HeldOut:
    """Hold out one in `HOLD_OUT_EVERY` latents of magnitude 1 of the middle of a strip.

    Parameters
    ----------
    decoded : DecodedLatents
        The strip.

    Returns
    -------
    HeldOut
        At most `COLUMNS` columns of blocks.
    """
    columns = decoded.quantised.shape[3]
    start = max((columns - COLUMNS) // 2, 0)
    part = (slice(None), slice(None), slice(None), slice(start, start + COLUMNS))
    quantised, points = decoded.quantised[part], decoded.points[part]
    ones = np.flatnonzero(np.abs(quantised) == 1)
    # Spread by a multiplicative hash: few neighbours within a block, and the same ones each time.
    chosen = ones[(ones * 7919 + ones // CHANNELS) % HOLD_OUT_EVERY == 0]
    where = np.zeros(quantised.shape, dtype=np.bool_)
    where.ravel()[chosen] = True
    without = replace(
        decoded,
        quantised=np.where(where, 0, quantised),
        classes=decoded.classes[part],
        points=np.where(where, np.float32(0.0), points),
        chosen=None if decoded.chosen is None else decoded.chosen[:, part[3]],
    )
    return HeldOut(without, where, quantised[where])
