"""The synthesis networks of a trained model: from latents back to bands, one band at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.segments.band_codec import REDUCTION, BandCodec
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.common.errors import ModelError
from bandfold.common.onnx_session import Network

FARTHEST = 1e9
"""Counts from its mean that a sample is held to: what is beyond every type, or no number at all."""


class NetworkSynthesis:
    """The synthesis networks of a model; each is opened when it is first needed.

    Parameters
    ----------
    codec : BandCodec
        The model: one network for each of its engines.
    """

    def __init__(self, codec: BandCodec) -> None:
        self._codec = codec
        self._networks: dict[int, Network] = {}

    def bands(
        self, quantised: NDArray[np.int32], fold: Fold, step: float, bands: slice, extent: tuple[int, int]
    ) -> NDArray[np.float64]:
        """Make some bands of a strip.

        Parameters
        ----------
        quantised : ndarray of int32, shape (all bands, channels, rows, columns)
            Latents in steps: those of 16 x 16 samples of a band at each row and column.
        fold : Fold
            Band means, and the engine of each interval.
        step : float
            Quantiser step, in counts.
        bands : slice
            Bands wanted.
        extent : (int, int)
            Lines and samples of the strip; what the last latents hold beyond them is dropped.

        Returns
        -------
        ndarray of float64, shape (wanted bands, lines, samples)
            In counts, not rounded. A band without latents is its mean.

        Raises
        ------
        ModelError
            If a network cannot be opened or gives something else than planes.
        """
        lines, samples = extent
        means = fold.means[bands] / FRACTION
        planes = np.empty((len(means), lines, samples))
        planes[:] = means[:, None, None]
        engine_of = np.repeat(fold.engines, np.diff(fold.ends, prepend=0))
        for place, (latents, engine) in enumerate(
            zip(quantised[bands], engine_of[bands].tolist(), strict=True)
        ):
            # One at a time: the same floats, whichever bands are asked for, and little memory.
            if latents.any():
                found = self._plane(latents, engine)[:lines, :samples] * step
                # Latents that no encoder writes may lead to infinity.
                planes[place] += np.nan_to_num(np.clip(found, -FARTHEST, FARTHEST), nan=0.0)
        return planes

    def _plane(self, latents: NDArray[np.int32], engine: int) -> NDArray[np.float64]:
        if engine not in self._networks:
            self._networks[engine] = self._codec.synthesis(engine)
        found = self._networks[engine].run(latents[None].astype(np.float32))
        expected = (1, 1, *(length * REDUCTION for length in latents.shape[1:]))
        if found.shape != expected:
            raise ModelError(
                f"synthesis {engine} of package {self._codec.name!r} gives {found.shape}, not {expected}: "
                "make the package again"
            )
        plane: NDArray[np.float64] = found[0, 0].astype(np.float64)
        return plane
