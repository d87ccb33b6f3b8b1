"""A start for strided convolutions: the best orthonormal map of a field whose neighbours correlate.

Trained from random weights, a network of few channels spends most of a short training on finding out that
neighbouring samples are alike. Started from here it is a block transform at once, and training improves on
that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CORRELATION = 0.95
"""Of neighbouring samples, along lines and along columns (a separable Markov field)."""


def hierarchical_maps(strides: tuple[int, ...], channels: Sequence[int]) -> list[NDArray[np.float64]]:
    """Derive one orthonormal map for each stage of a pyramid.

    Each stage sees ``stride * stride`` neighbouring positions of the stage before and keeps what varies most:
    the eigenvectors of the covariance that a Markov field has there.

    Parameters
    ----------
    strides : tuple of int
        From the samples to the latents.
    channels : sequence of int
        Channels that each stage can keep at most.

    Returns
    -------
    list of ndarray, each of shape (kept, channels before, stride, stride)
        Rows are orthonormal; the largest entry of each is positive.
    """
    extent = int(np.prod(strides))
    axis = CORRELATION ** np.abs(np.subtract.outer(np.arange(extent), np.arange(extent)))
    # What each channel at each position of the stage is, in terms of the samples of one block.
    parts = np.eye(extent * extent).reshape(1, extent, extent, extent, extent)
    maps = []
    for stride, most in zip(strides, channels, strict=True):
        before, rows, columns = parts.shape[:3]
        block = parts[:, :stride, :stride].reshape(-1, extent, extent)
        covariance = np.einsum("aij,ik,jl,bkl->ab", block, axis, axis, block, optimize=True)
        kept = min(most, len(block))
        vectors = np.linalg.eigh(covariance)[1][:, ::-1][:, :kept].T
        largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
        found = (vectors * np.sign(largest)).reshape(kept, before, stride, stride)
        maps.append(found)
        grouped = parts.reshape(before, rows // stride, stride, columns // stride, stride, extent, extent)
        parts = np.einsum("kbst,brsctij->krcij", found, grouped, optimize=True)
    return maps


def embed(found: NDArray[np.float64], kernel: NDArray[np.float64], first: int) -> None:
    """Put a map into the middle of a kernel, for the channels that it has.

    Parameters
    ----------
    found : ndarray, shape (kept, channels before, stride, stride)
        The map of a stage.
    kernel : ndarray, shape (outputs, inputs, size, size)
        Changed in place: what the map says nothing about is cleared for the outputs that it has.
    first : int
        Where in the kernel the block starts: the padding before it.
    """
    kept, before, stride, _ = found.shape
    kernel[:kept] = 0.0
    kernel[:kept, :before, first : first + stride, first : first + stride] = found


def rectified(maps: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Make maps that give the same with a ReLU behind each but the last.

    ``x`` is ``relu(x) - relu(-x)``: every channel but those of the last map is there with both signs.

    Parameters
    ----------
    maps : list of ndarray, each of shape (kept, channels before, stride, stride)
        As `hierarchical_maps` gives them.

    Returns
    -------
    list of ndarray
        With twice as many channels between.
    """
    made = []
    for stage, found in enumerate(maps):
        both = found if stage == 0 else np.concatenate([found, -found], axis=1)
        made.append(both if stage == len(maps) - 1 else np.concatenate([both, -both]))
    return made
