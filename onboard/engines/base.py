"""What every analysis engine does."""

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
            Latents in the same unit, channels in the order of `bandfold.bitstream.dct.FREQUENCIES`.
        """
