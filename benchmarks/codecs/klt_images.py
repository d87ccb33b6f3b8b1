"""Image codecs of today over the components of a KLT, through imagecodecs, beside JPEG 2000.

All components have the same step, which is what one Lagrange multiplier for all of them asks for; the step
is sought that fills the rate. Components are left out that are estimated to save less error than their bits
and those of their vectors, of 16-bit entries, are worth at that step. High-throughput JPEG 2000 quantises
wavelets by the step. The lossy transforms of JPEG XL are made for eyes and lag by 2 to 3 dB here, so what it
codes, losslessly, are components rounded to the step.
"""

from __future__ import annotations

import math
import struct
import time
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import BudgetError

from .codec import Decoded, Encoded
from .imagecodecs_build import imagecodecs_with
from .jpeg2000 import karhunen_loeve
from .klt_side import read_side, side_size, write_side

_STEP = struct.Struct("<fHH")
_PLANE = struct.Struct("<iI")

FINEST, COARSEST = -6.0, 16.0
"""Logarithms of the steps that are tried, in counts."""

ENTRY_BITS = 16
"""Bits of an entry of a vector."""

TRIALS = 13
"""Steps that are tried: the last two differ by parts in a thousand."""


class KltImages(ABC):
    """A KLT, and an image codec over each component; see `bandfold.benchmarks.codecs.codec.Codec`."""

    name: str

    @abstractmethod
    def encode_plane(self, plane: NDArray[np.float64], step: float) -> tuple[int, bytes]:
        """A number for the decoder, and a component of shape (lines, samples) as an image.

        The image is empty where the step is too fine for the codec.
        """

    @abstractmethod
    def decode_plane(self, number: int, image: bytes, step: float) -> NDArray[np.float64]:
        """What `encode_plane` encoded, shape (lines, samples)."""

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Codec.encode`.

        Raises
        ------
        BudgetError
            If not even the coarsest step fits.
        """
        means, basis = karhunen_loeve(cube)
        components = basis.T @ (cube.reshape(len(cube), -1).astype(np.float64) - means[:, None])
        variances = (components * components).mean(axis=1)
        budget = int(bps * cube.size / 8)
        best: Encoded | None = None
        low, high = FINEST, COARSEST
        for _ in range(TRIALS):
            middle = (low + high) / 2
            start = time.perf_counter()
            # As the decoder reads it.
            (step,) = struct.unpack("<f", struct.pack("<f", 2.0**middle))
            kept = _worthwhile(variances, step, len(cube), components.shape[1])
            stream = b""
            if side_size(len(cube), kept) < budget:
                side = write_side(means, basis[:, :kept], 0, signed=cube.dtype.kind == "i")
                planes = self._encode_planes(components[:kept].reshape(kept, *cube.shape[1:]), step)
                stream = side + planes if planes else b""
            if 0 < len(stream) <= budget:
                best, high = Encoded(stream, time.perf_counter() - start), middle
            else:
                low = middle
        if best is None:
            raise BudgetError(f"{self.name} does not fit in {bps:g} bits per sample: raise the rate")
        return best

    def _encode_planes(self, planes: NDArray[np.float64], step: float) -> bytes:
        parts = [_STEP.pack(step, *planes.shape[1:])]
        for plane in planes:
            number, image = self.encode_plane(plane, step)
            if not image:
                return b""
            parts += [_PLANE.pack(number, len(image)), image]
        return b"".join(parts)

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Codec.decode`."""
        start = time.perf_counter()
        side = read_side(stream)
        step, lines, samples = _STEP.unpack_from(stream, side.size)
        offset, planes = side.size + _STEP.size, []
        for _ in range(side.basis.shape[1]):
            number, size = _PLANE.unpack_from(stream, offset)
            offset += _PLANE.size
            planes.append(self.decode_plane(number, stream[offset : offset + size], step).ravel())
            offset += size
        cube = side.samples(np.stack(planes)).reshape(-1, lines, samples)
        return Decoded(cube, time.perf_counter() - start)


def _worthwhile(variances: NDArray[np.float64], step: float, bands: int, pixels: int) -> int:
    """Components that save more than they take, as of a Gaussian source with fine steps; one at least."""
    error = step * step / 12
    bits = pixels * np.log2(np.maximum(variances / error, 1.0)) / 2 + ENTRY_BITS * bands
    # A bit more for each pixel brings the error down to a quarter: its slope is 2 ln 2 errors.
    return max(int(np.count_nonzero(pixels * (variances - error) > 2 * math.log(2) * error * bits)), 1)


class KltJpegXl(KltImages):
    """A KLT whose components are rounded to a step and coded by JPEG XL, losslessly."""

    name = "KLT + JPEG XL"

    def __init__(self) -> None:
        self._library = imagecodecs_with("JPEGXL")

    def encode_plane(self, plane: NDArray[np.float64], step: float) -> tuple[int, bytes]:
        """A component; see `KltImages.encode_plane`."""
        levels = np.rint(plane / step).astype(np.int64)
        lowest, highest = int(levels.min()), int(levels.max())
        if highest - lowest > np.iinfo(np.uint16).max:
            return lowest, b""
        kind = np.uint8 if highest - lowest <= np.iinfo(np.uint8).max else np.uint16
        image = self._library.jpegxl_encode((levels - lowest).astype(kind), lossless=True, effort=7)
        return lowest, bytes(image)

    def decode_plane(self, number: int, image: bytes, step: float) -> NDArray[np.float64]:
        """A component; see `KltImages.decode_plane`."""
        levels = self._library.jpegxl_decode(image).astype(np.float64)
        return np.asarray((levels + number) * step)


class KltHtj2k(KltImages):
    """A KLT whose components are coded by high-throughput JPEG 2000, 9/7 wavelets with a step."""

    name = "KLT + HTJ2K"

    def __init__(self) -> None:
        self._library = imagecodecs_with("HTJ2K")

    def encode_plane(self, plane: NDArray[np.float64], step: float) -> tuple[int, bytes]:
        """A component; see `KltImages.encode_plane`."""
        largest = max(float(np.abs(plane).max()), 2.0**-20)
        exponent = math.ceil(math.log2(largest)) - 15
        image = np.clip(np.rint(np.ldexp(plane, -exponent)) + 2**15, 0, 2**16 - 1).astype(np.uint16)
        # In parts of the range of 16 bits, half of which is the coarsest.
        level = min(math.ldexp(step, -exponent - 16), 0.5)
        return exponent, bytes(self._library.htj2k_encode(image, level=level, reversible=False))

    def decode_plane(self, number: int, image: bytes, step: float) -> NDArray[np.float64]:
        """A component; see `KltImages.decode_plane`."""
        plane = self._library.htj2k_decode(image).astype(np.float64) - 2**15
        return np.asarray(np.ldexp(plane, number))
