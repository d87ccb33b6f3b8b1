"""CCSDS 122.0-B-2 as an anchor: band by band, every band at the same rate."""

from __future__ import annotations

import struct
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.ccsds122.header import Limits
from bandfold.benchmarks.ccsds122.image import LEAST_SIDE, Settings, decode_image, encode_image
from bandfold.benchmarks.ccsds122.wavelet import BLOCK
from bandfold.common.errors import StreamError

from .codec import Decoded, Encoded

_HEAD = struct.Struct("<4sHIIi")
_MAGIC = b"C122"


class Ccsds122:
    """Each band an image of its own, transformed in floating point, in one segment unless told otherwise.

    Parameters
    ----------
    segment_blocks : int
        Blocks of a segment; 0 for one segment of the whole band.
    """

    name = "CCSDS 122"

    def __init__(self, segment_blocks: int = 0) -> None:
        self._segment_blocks = segment_blocks

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Codec.encode`."""
        start = time.perf_counter()
        # Signed scenes are shifted to start at 0, as in the recorded curves.
        low = int(cube.min()) if cube.dtype.kind == "i" else 0
        planes = (cube.astype(np.int32) - low).astype(np.uint16) if low else cube
        bands, lines, samples = cube.shape
        # Bytes do not divide: the first bands get one more.
        room, more = divmod(max(0, int(bps * cube.size / 8) - _HEAD.size), bands)
        parts = [_HEAD.pack(_MAGIC, bands, lines, samples, low)]
        # Scenes smaller than any image of the standard are padded.
        sides = [(0, max(0, LEAST_SIDE - extent)) for extent in (lines, samples)]
        for band, plane in enumerate(planes):
            limits = Limits(self._segment_bytes(room + (band < more), lines, samples))
            settings = Settings(segment_blocks=self._segment_blocks, limits=limits)
            parts.append(encode_image(np.pad(plane, sides, mode="edge"), settings))
        return Encoded(b"".join(parts), time.perf_counter() - start)

    def _segment_bytes(self, room: int, lines: int, samples: int) -> int:
        """Bytes of a full segment when a band gets so many."""
        blocks = -(-max(lines, LEAST_SIDE) // BLOCK) * -(-max(samples, LEAST_SIDE) // BLOCK)
        return room * min(self._segment_blocks or blocks, blocks) // blocks

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Codec.decode`."""
        start = time.perf_counter()
        try:
            magic, bands, lines, samples, low = _HEAD.unpack_from(stream)
        except struct.error as error:
            raise StreamError(f"a CCSDS 122 stream ends within its head: {error}") from error
        if magic != _MAGIC:
            raise StreamError(
                "this is no CCSDS 122 stream of these benchmarks: its first four bytes are others"
            )
        planes = []
        position = _HEAD.size
        for _ in range(bands):
            plane, position = decode_image(stream, position)
            planes.append(plane[:lines, :samples])
        cube: NDArray[Any] = np.stack(planes)
        return Decoded(cube.astype(np.int32) + low if low else cube, time.perf_counter() - start)
