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
from bandfold.ground.synthesis.decoded_latents import DecodedLatents, RestoredLatents

from .held_out_latents import SignAgreement, hold_out, spread_parts
from .latent_bins import bin_tables, into_bins
from .latent_features import Blocks, Candidates, FeatureExtractor
from .latent_gains import correct, whole_features
from .restoration_model import RestorationModel

BLOCKS = 16
"""Blocks that are worked on together: what is suggested for them fits into the processor's cache."""

TRIED = 10
"""Parts of a strip that are tried at most."""

TRIAL_COLUMNS = 2
"""Columns of blocks that are tried together to find out how far corrections are to be trusted."""

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
        self._tables = bin_tables(mode)
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

    def restore(self, decoded: DecodedLatents) -> RestoredLatents | None:
        """Restore the latents of a strip.

        Parameters
        ----------
        decoded : DecodedLatents
            The strip.

        Returns
        -------
        RestoredLatents or None
            Each within the bin of its level, see `bandfold.ground.restoration.latent_bins`. None where
            corrections are not to be trusted.

        Raises
        ------
        ModelError
            If the network cannot be run.
        """
        extractor = self.extractor(decoded)
        trust = self.trust(extractor)
        if trust == 0.0:
            return None
        blocks, shape = extractor.blocks, decoded.quantised.shape
        latents = np.empty((*shape[:2], blocks.count), dtype=np.float32)

        def work(part: slice) -> NDArray[np.uint8]:
            live = np.empty(shape[1], dtype=np.uint8)
            changes = self.corrections(extractor, part)
            levels, classes = blocks.levels[part], blocks.classes[part]
            into_bins(levels, classes, changes, self._tables, trust, part.start, latents, live)
            return live

        parts = [slice(at, min(at + BLOCKS, blocks.count)) for at in range(0, blocks.count, BLOCKS)]
        live = np.any([*self._workers.map(work, parts)], axis=0)
        return RestoredLatents(latents.reshape(shape), live)

    def extractor(self, decoded: DecodedLatents) -> FeatureExtractor:
        """What knows the features of a strip.

        Parameters
        ----------
        decoded : DecodedLatents
            The strip.

        Returns
        -------
        FeatureExtractor
        """
        return FeatureExtractor(decoded, self._model.kernels, self._mode)

    def corrections(
        self, extractor: FeatureExtractor, part: Blocks, wanted: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float32]:
        """What the network would change.

        Parameters
        ----------
        extractor : FeatureExtractor
            Of the strip.
        part : Blocks
            Which blocks.
        wanted : ndarray of uint8, shape (blocks, 64, filled), optional
            Which latents of these blocks are asked for; others may be 0.

        Returns
        -------
        ndarray of float32, shape (blocks, 64, filled)
            To be added to the reconstruction points, in steps. Components are filled with zeros.
        """
        candidates, blocks = extractor.candidates(part), extractor.blocks
        levels = blocks.levels[part]
        changes = np.zeros(levels.shape, dtype=np.float32)
        if self._model.layers is None:
            for component in range(extractor.decoded.quantised.shape[1]):
                changes[..., component] = self._change(extractor, candidates, part, component).T
            return changes
        correct(
            self._model.layers,
            extractor.facts,
            levels,
            blocks.classes[part],
            candidates.blocks,
            np.concatenate(
                [
                    whole_features(candidates.weights / np.float32(4)),
                    whole_features(extractor.energy(part)),
                ],
                axis=1,
            ),
            wanted,
            changes,
        )
        return changes

    def _change(
        self, extractor: FeatureExtractor, candidates: Candidates, part: Blocks, component: int
    ) -> NDArray[np.float32]:
        """Correct a component in some blocks, in ONNX Runtime: shape (64, blocks)."""
        signs = np.sign(extractor.blocks.levels[part, :, component].T)
        candidate = candidates.of(component)
        if not signs.any() and not candidate.any():
            # All that gains are multiplied by is 0.
            return np.zeros(signs.shape, dtype=np.float32)
        features = extractor.features(candidates, part, component)
        gains: NDArray[np.float32] = self._opened().run(features[None])[0]
        if gains.shape != (len(self._model.kernels) + 1, *features.shape[1:]):
            raise ModelError(
                f"restoration {self._model.name!r} gives gains of shape {gains.shape}, not one for "
                f"each kernel and latent of {features.shape[1:]}: make the package again"
            )
        change: NDArray[np.float32] = gains[-1] * signs
        for gain, correction in zip(gains[:-1], candidate, strict=True):
            change += gain * correction
        return change

    def trust(self, extractor: FeatureExtractor) -> float:
        """How far corrections are to be trusted on a strip.

        Parameters
        ----------
        extractor : FeatureExtractor
            Of the strip.

        Returns
        -------
        float
            0 to 1, see `SignAgreement`. The trial ends as soon as more of the strip would hardly change it.
        """
        agreement = SignAgreement(self._model.trust)
        for columns in spread_parts(extractor.decoded.quantised.shape[3], TRIAL_COLUMNS)[:TRIED]:
            held_out = hold_out(extractor.decoded, columns)
            if not held_out.places[0].size:
                continue
            tried = extractor.of_part(held_out.decoded)
            wanted = np.zeros(tried.blocks.levels.shape, dtype=np.uint8)
            wanted[held_out.places] = 1
            changes = np.empty(wanted.shape, dtype=np.float32)
            for at in range(0, len(held_out.blocks), BLOCKS):
                part = held_out.blocks[at : at + BLOCKS]
                changes[part] = self.corrections(tried, part, wanted[part])
            agreement.add(changes[held_out.places], held_out.signs)
            if agreement.decided:
                break
        return agreement.trust
