"""Dequantisation and the inverse transforms, in floating point: from levels back to bands."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Mode
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.bitstream.transforms.klt import FRACTION, Fold
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common.scene import BLOCK, CHANNELS


@cache
def _inverse_dct() -> NDArray[np.float64]:
    """Inverse of the integer cosine matrix, which is orthonormal to 2**-15 only."""
    return np.asarray(np.linalg.inv(DCT / DCT_UNIT), dtype=np.float64)


def dequantise(segment: Segment, mode: Mode) -> NDArray[np.float64]:
    """Latents of a segment at their reconstruction points, the means of what falls into each bin by context.

    Parameters
    ----------
    segment : Segment
        Quantised latents, and the context that each was coded in.
    mode : Mode
        Statistics of these contexts, with their reconstruction points.

    Returns
    -------
    ndarray of float64, shape (64, components, rows, columns)
        In steps.
    """
    points = mode.reconstruction_points(np.abs(segment.quantised), segment.classes)
    return np.copysign(points, segment.quantised)


def inverse_rotation(
    latents: NDArray[np.float64], chosen: NDArray[np.uint8] | None, matrices: tuple[Vectors, ...]
) -> None:
    """Undo the rotation of the strongest components of each block, in place.

    Parameters
    ----------
    latents : ndarray of float64, shape (64, components, rows, columns)
        In any unit.
    chosen : ndarray of uint8, shape (rows, columns), or None
        Number of the matrix of each block; None if none was rotated.
    matrices : tuple of Vectors
        The matrices that blocks choose from.
    """
    if chosen is None:
        return
    for index, matrix in enumerate(matrices):
        members = chosen == index
        if members.any():
            inverse = np.linalg.inv(matrix.integers.T / BASIS_UNIT)
            top = latents[:, : matrix.count, members]
            latents[:, : matrix.count, members] = np.einsum("ij,cjb->cib", inverse, top)


def inverse_cosine_transform(latents: NDArray[np.float64], lines: int, samples: int) -> NDArray[np.float64]:
    """Component planes from the latents of their 8 x 8 blocks.

    Parameters
    ----------
    latents : ndarray of float64, shape (64, components, rows, columns)
        64 frequencies of each component in each block.
    lines, samples : int
        Extent of the planes; what the last blocks hold beyond it is dropped.

    Returns
    -------
    ndarray of float64, shape (components, lines, samples)
        In the unit of the latents.
    """
    _, components, rows, columns = latents.shape
    blocks = (_inverse_dct() @ latents.reshape(CHANNELS, -1)).reshape(BLOCK, BLOCK, components, rows, columns)
    planes = blocks.transpose(2, 3, 0, 4, 1).reshape(components, rows * BLOCK, columns * BLOCK)
    return planes[:, :lines, :samples]


def unfold(fold: Fold, planes: NDArray[np.float64], bands: slice) -> NDArray[np.float64]:
    """Bands from component planes: the inverse of the second KLT, then of the KLT of each interval.

    Parameters
    ----------
    fold : Fold
        The vectors of both, and the band means.
    planes : ndarray of float64, shape (components, lines, samples)
        In counts; without a spectral transform the result takes its place.
    bands : slice
        Bands wanted.

    Returns
    -------
    ndarray of float64, shape (wanted bands, lines, samples)
        In counts, not rounded.
    """
    means = (fold.means[bands] / FRACTION)[:, None, None]
    if fold.second is None:
        planes = planes[bands]
        planes += means
        return planes
    flat = planes.reshape(len(planes), planes.shape[1] * planes.shape[2])
    inside, outside = fold.split
    first = np.empty((len(inside) + len(outside), flat.shape[1]))
    first[inside] = _pseudo_inverse(fold.second) @ flat[: fold.second.count]
    first[outside] = flat[fold.second.count :]
    result = np.zeros((bands.stop - bands.start, flat.shape[1]))
    position = 0
    for start, end, vectors in zip(fold.starts, fold.ends, fold.first, strict=True):
        low, high = max(start, bands.start), min(end, bands.stop)
        if low < high:
            basis = _pseudo_inverse(vectors)[low - start : high - start]
            result[low - bands.start : high - bands.start] = (
                basis @ first[position : position + vectors.count]
            )
        position += vectors.count
    cube = result.reshape(-1, *planes.shape[1:])
    cube += means
    return cube


def _pseudo_inverse(vectors: Vectors) -> NDArray[np.float64]:
    """Map from components back to what they were made of: shape (n, count).

    The rounded basis is orthonormal to 2**-16 only, too little for the strongest component of 16-bit data.
    With weights it is so in weighted coordinates: what is not coded is zero there.
    """
    basis = vectors.rounded
    inverse = np.linalg.solve(basis.T @ basis, basis.T).T
    if vectors.weights is not None:
        inverse /= vectors.weights[:, None]
    return np.asarray(inverse, dtype=np.float64)
