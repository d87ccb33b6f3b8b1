"""Networks of a model on board: a plane of a band in, integers out, and back where the error is asked for."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.bandcodec import LARGEST_LATENT, REDUCTION, BandCodec
from bandfold.bitstream.errors import ModelError
from bandfold.bitstream.geometry import pad_to_blocks
from bandfold.bitstream.runtime import Network


class NetworkEngine:
    """The networks of a model; each is opened when it is first needed.

    Parameters
    ----------
    codec : BandCodec
    threads : int
        Processor threads.
    """

    def __init__(self, codec: BandCodec, threads: int = 1) -> None:
        self.codec = codec
        # Of this engine, so that what is open goes with it.
        self._analysis = cache(lambda engine: codec.analysis(engine, threads))
        self._synthesis = cache(lambda engine: codec.synthesis(engine, threads))

    def analyse(self, plane: NDArray[np.float64], engine: int) -> NDArray[np.int32]:
        """Make the latents of a plane.

        Parameters
        ----------
        plane : ndarray, shape (lines, samples)
            A band less its mean, in steps; extended to whole latents by mirroring.
        engine : int

        Returns
        -------
        ndarray of int32, shape (channels, rows, columns)

        Raises
        ------
        ModelError
            If the network cannot be opened or gives something else.
        """
        whole = pad_to_blocks(plane, REDUCTION).astype(np.float32)
        network: Network = self._analysis(engine)
        found = network.run(whole[None, None])
        expected = (1, self.codec.channels, *(length // REDUCTION for length in whole.shape))
        if found.shape != expected or not np.isfinite(found).all():
            raise ModelError(
                f"analysis {engine} of package {self.codec.name!r} gives no latents for a plane of "
                f"{whole.shape[0]} x {whole.shape[1]}: make the package again"
            )
        latents: NDArray[np.int32] = np.clip(np.rint(found[0]), -LARGEST_LATENT, LARGEST_LATENT).astype(
            np.int32
        )
        return latents

    def synthesise(
        self, latents: NDArray[np.int32], engine: int, lines: int, samples: int
    ) -> NDArray[np.float64]:
        """Make a plane of latents, as the decoder will.

        Parameters
        ----------
        latents : ndarray of int32, shape (channels, rows, columns)
        engine : int
        lines, samples : int

        Returns
        -------
        ndarray, shape (lines, samples)
            In steps.

        Raises
        ------
        ModelError
            If the network cannot be opened or run.
        """
        network: Network = self._synthesis(engine)
        plane: NDArray[np.float64] = network.run(latents[None].astype(np.float32))[0, 0].astype(np.float64)
        return plane[:lines, :samples]
