"""What every engine does that runs a quantised network."""

from __future__ import annotations

from collections.abc import Callable
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

    def run_last(self, last: NDArray[np.int8]) -> NDArray[np.int8]:
        """Put a batch through the network that has its channels last, as LiteRT does.

        Parameters
        ----------
        last : ndarray of int8, shape (n, lines, samples, inputs)
            Otherwise as for `run`.

        Returns
        -------
        ndarray of int8, shape (n, rows, columns, outputs)

        Raises
        ------
        ModelError
            As for `run`.
        """


def run_channels_last(
    run: Callable[[NDArray[np.int8]], NDArray[np.int8]], last: NDArray[np.int8]
) -> NDArray[np.int8]:
    """`IntegerNetwork.run_last` by an engine that has channels first."""
    found = run(np.ascontiguousarray(last.transpose(0, 3, 1, 2)))
    return np.ascontiguousarray(found.transpose(0, 2, 3, 1))
