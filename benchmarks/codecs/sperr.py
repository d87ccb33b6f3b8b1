"""SPERR as an anchor: the whole cube by three-dimensional wavelets, at a rate, through imagecodecs."""

from __future__ import annotations

import struct
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import BudgetError

from .codec import Decoded, Encoded
from .imagecodecs_build import imagecodecs_with

_SIGNED = struct.Struct("<?")


class Sperr:
    """SPERR over the whole cube: three-dimensional wavelets and SPECK, at a rate."""

    name = "SPERR 3D"

    def __init__(self) -> None:
        self._library = imagecodecs_with("SPERR")

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Codec.encode`."""
        start = time.perf_counter()
        told = _SIGNED.pack(cube.dtype.kind == "i")
        # Its own header counts too, and what it writes may be some bytes more than asked for.
        asked = bps
        for _ in range(4):
            stream = told + bytes(self._library.sperr_encode(cube.astype(np.float32), asked, mode="bpp"))
            excess = 8 * len(stream) / cube.size - bps
            if excess <= 0:
                return Encoded(stream, time.perf_counter() - start)
            asked -= excess + 8.0 / cube.size
            if asked <= 0:
                break
        raise BudgetError(f"{self.name} does not fit in {bps:g} bits per sample: raise the rate")

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Codec.decode`."""
        start = time.perf_counter()
        (signed,) = _SIGNED.unpack_from(stream)
        kind = np.dtype(np.int16 if signed else np.uint16)
        limits = np.iinfo(kind)
        samples = np.rint(self._library.sperr_decode(stream[_SIGNED.size :]))
        return Decoded(np.clip(samples, limits.min, limits.max).astype(kind), time.perf_counter() - start)
