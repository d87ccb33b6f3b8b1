"""Strips that are held back until values vary: what counts of floats are worth is not seen in one value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class HeldStrips:
    """Strips at the beginning of a stream whose bands have one value each: a border, or a closed shutter.

    Parameters
    ----------
    spectra : list of (int, ndarray)
        Lines of each strip, and the one value of each band: they take no memory to speak of.
    """

    spectra: list[tuple[int, NDArray[Any]]] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """Lines that are held."""
        return sum(lines for lines, _ in self.spectra)

    def take(self, strip: NDArray[Any]) -> bool:
        """Hold a strip, if each of its bands has one value.

        Parameters
        ----------
        strip : ndarray, shape (bands, lines, samples)
            Floats or integers; NaN with the same bits are the same value.

        Returns
        -------
        bool
            Whether it is held.
        """
        spectrum = strip[:, :1, :1]
        bits = np.dtype(f"u{strip.itemsize}")
        if not (strip.view(bits) == spectrum.view(bits)).all():
            return False
        self.spectra.append((strip.shape[1], spectrum.copy()))
        return True

    def release(self, samples: int) -> Iterator[NDArray[Any]]:
        """Give the strips back, in order; none is held then.

        Parameters
        ----------
        samples : int
            Of a line.

        Yields
        ------
        ndarray, shape (bands, lines, samples)
            Read-only.
        """
        held, self.spectra = self.spectra, []
        for lines, spectrum in held:
            yield np.broadcast_to(spectrum, (len(spectrum), lines, samples))
