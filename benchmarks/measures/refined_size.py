"""How large a base and its refinement are together, with every sample checked against its limit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.refinement.band_prediction import Bounds
from bandfold.bitstream.refinement.residual_codec import read_residual, write_residual
from bandfold.bitstream.refinement.side_information import ErrorBound
from bandfold.bitstream.refinement.tables import RefinementTables
from bandfold.common.errors import VerificationError
from bandfold.common.scene import strips
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.settings import STRIP_LINES

FRAME_BYTES = 20
"""Of the section around a refinement: kind, length, checksums, what it refines, tables."""


@dataclass(frozen=True)
class RefinedSize:
    """A scene as a base and its refinement.

    Parameters
    ----------
    rate : float
        Bits per sample asked of the base; 0 for band means.
    limit : int
        Largest error in counts; 0 is lossless.
    base_bytes, refinement_bytes : int
        Of the file of the base, and of the refinements of all strips with their frames.
    samples : int
        Samples of the scene.
    write_seconds, read_seconds : float
        Processor time of the refinement.
    """

    rate: float
    limit: int
    base_bytes: int
    refinement_bytes: int
    samples: int
    write_seconds: float
    read_seconds: float

    @property
    def bps(self) -> float:
        """Bits per sample of both."""
        return 8.0 * (self.base_bytes + self.refinement_bytes) / self.samples


def refined_sizes(
    cube: NDArray[Any], rates: Sequence[float], limits: Sequence[int], tables: RefinementTables
) -> Iterator[RefinedSize]:
    """Code a scene with several bases and limits.

    Parameters
    ----------
    cube : ndarray of 8- or 16-bit integers, shape (bands, lines, samples)
        The scene.
    rates : sequence of float
        Bits per sample of the base; 0 for band means.
    limits : sequence of int
        Largest errors in counts.
    tables : RefinementTables
        Statistics of refinement.

    Yields
    ------
    RefinedSize
        One for each rate and limit.

    Raises
    ------
    VerificationError
        If a sample does not come back within its limit.
    """
    for rate in rates:
        base, size = _base(cube, rate)
        for limit in limits:
            yield _refined(cube, base, (rate, size), limit, tables)


def stream_bps(cube: NDArray[Any], limit: int) -> float:
    """Bits per sample of a stream with a limit of errors and nothing else asked for.

    Parameters
    ----------
    cube : ndarray of 8- or 16-bit integers, shape (bands, lines, samples)
        The scene.
    limit : int
        Largest error in counts; 0 is lossless.

    Returns
    -------
    float
        Of all bytes of the stream.

    Raises
    ------
    VerificationError
        If a sample does not come back within its limit.
    """
    stream = Encoder(max_error=limit).encode(cube)
    worst = int(np.abs(Decoder(stream).decode().astype(np.int64) - cube).max())
    if worst > limit:
        raise VerificationError(f"a sample is off by {worst}, not {limit}")
    return 8.0 * len(stream) / cube.size


def _base(cube: NDArray[Any], rate: float) -> tuple[NDArray[np.int32], int]:
    """A base and the bytes that it takes."""
    if rate == 0.0:
        means = np.rint(cube.mean(axis=(1, 2))).astype(np.int32)
        return np.broadcast_to(means[:, None, None], cube.shape), 4 * len(cube)
    stream = Encoder(bps=rate).encode(cube)
    return Decoder(stream, restore="off").decode().astype(np.int32), len(stream)


def _refined(
    cube: NDArray[Any],
    base: NDArray[np.int32],
    cost: tuple[float, int],
    limit: int,
    tables: RefinementTables,
) -> RefinedSize:
    bounds = Bounds.of(cube.dtype)
    bound = ErrorBound(np.full(len(cube), limit, dtype=np.int32))
    size, written, read = 0, 0.0, 0.0
    for lines in strips(cube.shape[1], STRIP_LINES):
        samples = np.ascontiguousarray(cube[:, lines], dtype=np.int32)
        known = np.ascontiguousarray(base[:, lines])
        start = time.process_time()
        payload, _ = write_residual(samples, known, bound, bounds, None, tables)
        middle = time.process_time()
        found, _ = read_residual(payload, known, bounds, None, tables)
        read += time.process_time() - middle
        written += middle - start
        size += len(payload) + FRAME_BYTES
        worst = int(np.abs(found.astype(np.int64) - samples).max())
        if worst > limit:
            raise VerificationError(f"lines {lines.start} to {lines.stop} are off by {worst}, not {limit}")
    return RefinedSize(cost[0], limit, cost[1], size, cube.size, written, read)
