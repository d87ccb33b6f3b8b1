"""What every analysis engine does, and every quantised network."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class AnalysisEngine(Protocol):
    """Turns component planes into latents, the same integers on every machine."""

    @property
    def name(self) -> str:
        """Name of the transform, as the stream records it."""

    def analyse(self, planes: NDArray[np.float64]) -> NDArray[np.int32]:
        """Analyse planes.

        Parameters
        ----------
        planes : ndarray, shape (components, 8 * rows, 8 * columns)
            Integers held in float64, in units of ``1 / FRACTION`` of a count.

        Returns
        -------
        ndarray of int32, shape (components, 64, rows, columns)
            Latents in the same unit, channels in the order of
            `bandfold.bitstream.transforms.dct.FREQUENCIES`.
        """


class IntegerNetwork(Protocol):
    """A quantised network, opened: the integers of `bandfold.onboard.networks.conv_stack`."""

    def run(self, batch: NDArray[np.int8]) -> NDArray[np.int8]:
        """Put a batch through the network.

        Parameters
        ----------
        batch : ndarray of int8, shape (n, inputs, lines, samples)
            Lines and samples are multiples of the network's reduction.

        Returns
        -------
        ndarray of int8, shape (n, outputs, rows, columns)

        Raises
        ------
        ModelError
            If the network does not take it, or gives something else.
        """
