"""The latents of a strip as entropy decoding gives them, and what may restore them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.vectors import Vectors


@dataclass(frozen=True)
class DecodedLatents:
    """The quantised latents of a strip, their contexts, and what tells their reconstruction points.

    Parameters
    ----------
    quantised : ndarray of int32, shape (64, components, rows, columns)
        Levels: 64 frequencies of each component in each 8 x 8 block.
    classes : ndarray of uint8, same shape
        Context that each level was coded in.
    below : ndarray of float64, shape (classes, 3)
        Steps that the reconstruction points of magnitudes 1, 2, and all above, lie below them.
    chosen : ndarray of uint8, shape (rows, columns), or None
        Which of the rotations each block went through; None without rotations.
    rotations : tuple of Vectors
        The rotation matrices that blocks choose from.
    """

    quantised: NDArray[np.int32]
    classes: NDArray[np.uint8]
    below: NDArray[np.float64]
    chosen: NDArray[np.uint8] | None
    rotations: tuple[Vectors, ...]


@dataclass(frozen=True)
class RestoredLatents:
    """Latents of a strip that were moved within their bins.

    Parameters
    ----------
    latents : ndarray of float32, shape (64, components, rows, columns)
        In steps.
    live : ndarray of bool, shape (components,)
        Which components have one that is not 0.
    """

    latents: NDArray[np.float32]
    live: NDArray[np.bool_]


class LatentRestorer(Protocol):
    """Moves reconstruction points nearer to the latents that were quantised."""

    def open(self, threads: int = 1) -> object:
        """Make ready to restore, once.

        Parameters
        ----------
        threads : int
            Processor threads that restoring a strip may use.

        Returns
        -------
        object
            Not used.
        """

    def restore(self, decoded: DecodedLatents) -> RestoredLatents | None:
        """Restore the latents of a strip.

        Parameters
        ----------
        decoded : DecodedLatents
            The strip.

        Returns
        -------
        RestoredLatents or None
            None where reconstruction points are better left as they are.
        """
