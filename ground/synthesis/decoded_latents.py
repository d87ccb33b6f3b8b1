"""The latents of a strip as entropy decoding gives them, and what may restore them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.scene import BLOCK

from .inverse_transforms import inverse_cosine_transform, inverse_rotation


@dataclass(frozen=True)
class DecodedLatents:
    """The quantised latents of a strip, their contexts and their reconstruction points.

    Parameters
    ----------
    quantised : ndarray of int32, shape (64, components, rows, columns)
        Levels: 64 frequencies of each component in each 8 x 8 block.
    classes : ndarray of uint8, same shape
        Context that each level was coded in.
    points : ndarray of float32, same shape
        Reconstruction points, in steps.
    chosen : ndarray of uint8, shape (rows, columns), or None
        Which of the rotations each block went through; None without rotations.
    rotations : tuple of Vectors
        The rotation matrices that blocks choose from.
    """

    quantised: NDArray[np.int32]
    classes: NDArray[np.uint8]
    points: NDArray[np.float32]
    chosen: NDArray[np.uint8] | None
    rotations: tuple[Vectors, ...]

    def planes(self) -> NDArray[np.float32]:
        """Component planes of the reconstruction points.

        Returns
        -------
        ndarray of float32, shape (components, 8 * rows, 8 * columns)
            In steps.
        """
        latents = self.points.astype(np.float64)
        inverse_rotation(latents, self.chosen, self.rotations)
        rows, columns = latents.shape[2:]
        return inverse_cosine_transform(latents, rows * BLOCK, columns * BLOCK).astype(np.float32)


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

    def restore(self, decoded: DecodedLatents) -> NDArray[np.float32]:
        """Restore the latents of a strip.

        Parameters
        ----------
        decoded : DecodedLatents
            The strip.

        Returns
        -------
        ndarray of float32, shape (64, components, rows, columns)
            Latents in steps.
        """
