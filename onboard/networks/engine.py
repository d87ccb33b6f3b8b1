"""What every engine does that runs a quantised network."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


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
