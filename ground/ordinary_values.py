"""Which samples of a reference are ordinary: floats are judged by their own range, without outliers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import SCALED_DTYPES, SceneSource
from bandfold.common.values.band_fills import FoundFills
from bandfold.common.values.fill_values import no_data_mask
from bandfold.common.values.value_range import sampled_lines, value_range

from .distortion import PEAK


@dataclass(frozen=True)
class OrdinaryValues:
    """The values by which a scene is judged.

    Parameters
    ----------
    peak : float
        What PSNR refers to: 65535 or, of floats and 32-bit integers, the range of their ordinary values.
    low, high : float
        Values outside of these are outliers, which a stream keeps exactly.
    fills : tuple of float
        Values that mark absent data although nobody declared them.
    wild : ndarray of bool, shape (bands,)
        Bands whose values are of another order than those of most bands.
    """

    peak: float = PEAK
    low: float = -np.inf
    high: float = np.inf
    fills: tuple[float, ...] = ()
    wild: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1, np.bool_))

    @staticmethod
    def of(reference: SceneSource, no_data: float | None) -> OrdinaryValues:
        """Look at a part of a scene.

        Parameters
        ----------
        reference : SceneSource
            The scene.
        no_data : float or None
            Value that marks absent data.

        Returns
        -------
        OrdinaryValues
            All values, with a peak of 65535, for integers of 8 and 16 bits.
        """
        if reference.info.dtype not in SCALED_DTYPES:
            return OrdinaryValues()
        block, complete = sampled_lines(reference)
        present = ~no_data_mask(block, no_data)
        found_fills = FoundFills.of(block, present)
        present &= ~found_fills.mask(block)
        fills = tuple(fill.value for fill in found_fills.values)
        found = value_range(block, present, complete=complete)
        bounds = found.bounds
        if bounds is None or not 0 < bounds[1] - bounds[0] < np.inf:
            return OrdinaryValues(1.0 if bounds is None else PEAK, fills=fills)
        spread = bounds[1] - bounds[0]
        # What was not looked at may reach somewhat further.
        return OrdinaryValues(spread, bounds[0] - spread, bounds[1] + spread, fills, found.wild)

    def outliers(self, block: NDArray[Any]) -> NDArray[np.bool_]:
        """Samples that are not ordinary.

        Parameters
        ----------
        block : ndarray, any shape
            Samples of the reference.

        Returns
        -------
        ndarray of bool, same shape
            NaN and infinities are among them where floats are judged by their range.
        """
        if self.low == -np.inf:
            found = np.zeros(block.shape, np.bool_)
        else:
            values = block.astype(np.float64)
            found = ~((values >= self.low) & (values <= self.high))
        for value in self.fills:
            found |= no_data_mask(block, value)
        return found
