"""Restoration: a better estimate of each latent within the bin that the encoder put it in.

The bin of a latent is certain, its place in the bin is not: the reconstruction point is the mean over all
latents of that context. A small network estimates a correction of each latent from what the pixels around
suggest (`bandfold.ground.restoration.latent_features`). Whatever it says, a restored latent stays in its bin.

How far it is trusted is found out on the strip itself: some latents of magnitude 1 are held out, and restored
as if they were zero; the more of their signs come out right, the more of all corrections is applied.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.common.errors import ModelError
from bandfold.common.onnx_session import Network, fastest_providers
from bandfold.common.workers import ALONE, Workers
from bandfold.ground.synthesis.decoded_latents import DecodedLatents

from .held_out_latents import SignAgreement, hold_out, spread_parts
from .latent_features import Candidates, FeatureExtractor
from .latent_gains import GainNetwork, correct
from .restoration_model import RestorationModel

COLUMNS = 4
"""Columns of blocks that are worked on together: it bounds the memory, and changes nothing."""

TRIED = 32
"""Columns of blocks, in the middle of a strip, that are tried at most."""

TRIAL_COLUMNS = 2
"""Columns of blocks that are tried together to find out how far corrections are to be trusted."""

BIN_BELOW, BIN_ABOVE = 0.5, 1.5
"""Steps that a magnitude may lie below its level, and above it: the encoder may have lowered the nearest
level by one, by rate-distortion optimised quantisation."""

TCQ_BIN, TCQ_ZERO_BIN = 0.8, 1.0
"""Steps that latents lie from their level, and from level 0, at most, but for a few: the Viterbi search of
trellis-coded quantisation does not always take the nearest level."""

BYTES_PER_RESTORED = 128
"""Memory that restoring takes for each latent of a strip, about."""


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
        self._workers = ALONE

    def open(self, threads: int = 1) -> None:
        """Open the network, if it is not open yet.

        Parameters
        ----------
        threads : int
            Processor threads that restoring a strip may use. A network whose package does not tell its layers
            runs on a GPU where ONNX Runtime finds one.

        Raises
        ------
        ModelError
            If it cannot be opened.
        """
        self._workers = Workers(threads)
        if self._model.layers is None:
            self._opened()

    def _opened(self) -> Network:
        if self._network is None:
            self._network = self._model.network(self._workers.threads, fastest_providers())
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
        extractor = FeatureExtractor(decoded, self._model.kernels, self._mode)
        columns = decoded.quantised.shape[3]
        found = np.empty(decoded.quantised.shape, dtype=np.float32)
        layers = self._model.layers

        def work(part: slice) -> None:
            candidates = extractor.candidates(part)
            if layers is None:
                for component in range(decoded.quantised.shape[1]):
                    found[:, component, :, part] = self._change(extractor, candidates, part, component)
            else:
                found[..., part] = _corrected(layers, extractor, candidates, part)

        parts = [slice(at, min(at + COLUMNS, columns)) for at in range(0, columns, COLUMNS)]
        for _ in self._workers.map(work, parts):
            pass
        return found

    def _change(
        self, extractor: FeatureExtractor, candidates: Candidates, part: slice, component: int
    ) -> NDArray[np.float32]:
        """Correct a component in some columns of blocks: shape (64, rows, columns)."""
        signs = np.sign(extractor.decoded.quantised[:, component, :, part])
        candidate = candidates.corrections[:, :, component]
        if not signs.any() and not candidate.any():
            # All that gains are multiplied by is 0.
            return np.zeros(signs.shape, dtype=np.float32)
        gains = self._gains(extractor.features(candidates, part, component))
        change: NDArray[np.float32] = gains[-1].reshape(signs.shape) * signs
        for gain, correction in zip(gains[:-1], candidate, strict=True):
            change += gain.reshape(signs.shape) * correction
        return change

    def _gains(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network: from shape (features, n, m) to (kernels + 1, n, m)."""
        if self._model.layers is not None:
            flat = self._model.layers.gains(features.reshape(len(features), -1))
            return flat.reshape(-1, *features.shape[1:])
        gains: NDArray[np.float32] = self._opened().run(features[None])[0]
        if gains.shape != (len(self._model.kernels) + 1, *features.shape[1:]):
            raise ModelError(
                f"restoration {self._model.name!r} gives gains of shape {gains.shape}, not one for "
                f"each kernel and latent of {features.shape[1:]}: make the package again"
            )
        return gains

    def trust(self, decoded: DecodedLatents) -> float:
        """How far corrections are to be trusted on a strip.

        Parameters
        ----------
        decoded : DecodedLatents
            The strip.

        Returns
        -------
        float
            0 to 1, see `SignAgreement`. The trial ends as soon as more of the strip would hardly change it.
        """
        held_out = hold_out(decoded, TRIED)
        agreement = SignAgreement(self._model.trust)
        extractor = FeatureExtractor(held_out.decoded, self._model.kernels, self._mode)
        for part in spread_parts(held_out.where.shape[3], TRIAL_COLUMNS):
            where = np.nonzero(held_out.where[..., part])
            if not len(where[0]):
                continue
            candidates = extractor.candidates(part)
            gains = self._gains(extractor.features_at(candidates, part, where)[:, None])[:-1, 0]
            changes = (gains * candidates.at(where)).sum(axis=0)
            agreement.add(changes, held_out.signs[..., part][where])
            if agreement.decided:
                break
        return agreement.trust


def _corrected(
    layers: GainNetwork, extractor: FeatureExtractor, candidates: Candidates, part: slice
) -> NDArray[np.float32]:
    """What a network whose layers are told would change: shape (64, components, rows, columns)."""
    decoded = extractor.decoded
    levels = np.ascontiguousarray(decoded.quantised[..., part].transpose(2, 3, 0, 1))
    classes = np.ascontiguousarray(decoded.classes[..., part].transpose(2, 3, 0, 1))
    shape = levels.shape[2:]
    changes = np.empty(levels.shape, dtype=np.float32)
    kernels = len(candidates.weights)
    correct(
        layers,
        extractor.facts,
        levels.reshape(-1, *shape),
        classes.reshape(-1, *shape),
        candidates.blocks.reshape(-1, kernels, *shape),
        np.ascontiguousarray(candidates.weights.reshape(kernels, -1).T) / np.float32(4),
        extractor.block_energy(part).reshape(-1, shape[1]),
        changes.reshape(-1, *shape),
    )
    return changes.transpose(2, 3, 0, 1)


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
