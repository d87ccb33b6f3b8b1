"""JPEG 2000 as the anchor to beat: band by band, and after a KLT of the whole cube.

OpenJPEG does the work, called through GDAL (rasterio): the one packaged way to it that takes any number of
components, more than 16 bits, five wavelet levels on small scenes and a rate for the whole codestream.
"""

from __future__ import annotations

import struct
import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.measures.quality import mean_squared_error
from bandfold.common.errors import BudgetError, SettingsError, StreamError

from .codec import Decoded, Encoded
from .klt_side import read_side, write_side

_SHIFT = struct.Struct("<i")
_MAX_BITS = 20
"""OpenJPEG keeps six more bits for its distortion estimates and overflows silently above this depth."""
_LEAST_BYTES = 40


class Jpeg2000:
    """One irreversible 9/7 codestream, every band a component, the rate shared among all bands."""

    name = "JPEG 2000"

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Codec.encode`."""
        start = time.perf_counter()
        # Signed scenes are shifted to start at 0, as in the recorded curves; others cost no pass over them.
        low = int(cube.min()) if cube.dtype.kind == "i" else 0
        budget = bps * cube.size - 8 * _SHIFT.size
        shifted = (cube.astype(np.int32) - low).astype(np.uint16) if low else cube
        stream = _SHIFT.pack(low) + encode_planes(shifted, budget)
        return Encoded(stream, time.perf_counter() - start)

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Codec.decode`."""
        start = time.perf_counter()
        (low,) = _SHIFT.unpack_from(stream)
        planes = decode_planes(stream[_SHIFT.size :])
        cube = planes.astype(np.int32) + low if low else planes
        return Decoded(cube, time.perf_counter() - start)


class Jpeg2000Klt:
    """The same over the strongest components of a KLT, whose basis is part of the stream.

    Every basis entry takes 16 bits, as does every band's mean. Of 2, 4, 8, ... kept components the number
    with the least error is used.
    """

    name = "JPEG 2000 + KLT"

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Codec.encode`."""
        start = time.perf_counter()
        means, basis = karhunen_loeve(cube)
        shared = time.perf_counter() - start
        best: Encoded | None = None
        least = np.inf
        kept = 2
        while kept <= max(2, 2 * len(cube)):
            start = time.perf_counter()
            stream = _encode_klt(cube, means, basis[:, : min(kept, len(cube))], bps)
            seconds = shared + time.perf_counter() - start
            if stream is None:
                break
            error = mean_squared_error(cube, self.decode(stream).cube)
            # The error falls with the number of components until side information eats the rate.
            if error >= least:
                break
            best, least, kept = Encoded(stream, seconds), error, 2 * kept
        if best is None:
            raise BudgetError(f"a KLT basis of two components does not fit in {bps:g} bits per sample")
        return best

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Codec.decode`."""
        start = time.perf_counter()
        side = read_side(stream)
        planes = decode_planes(stream[side.size :])
        cube = side.samples(planes.reshape(len(planes), -1) * 2.0**side.exponent)
        return Decoded(cube.reshape(-1, *planes.shape[1:]), time.perf_counter() - start)


def karhunen_loeve(cube: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Principal axes of a cube's spectra.

    Parameters
    ----------
    cube : ndarray, shape (bands, lines, samples)
        Integers.

    Returns
    -------
    means : ndarray, shape (bands,)
        Band means, rounded to integers.
    basis : ndarray, shape (bands, bands)
        Orthonormal columns, the strongest first.
    """
    pixels = cube.reshape(len(cube), -1).astype(np.float64)
    means = np.rint(pixels.mean(axis=1))
    pixels -= means[:, None]
    _, vectors = np.linalg.eigh(pixels @ pixels.T)
    return means, vectors[:, ::-1]


def encode_planes(planes: NDArray[Any], budget: float) -> bytes:
    """Encode integer planes as the components of one codestream.

    Parameters
    ----------
    planes : ndarray, shape (count, lines, samples)
        Up to 20 bits, sign included.
    budget : float
        Bits to spend on all planes together.

    Returns
    -------
    bytes
        A raw JPEG 2000 codestream.

    Raises
    ------
    BudgetError
        If OpenJPEG cannot meet the budget.
    SettingsError
        If rasterio is not installed.
    """
    rasterio = _rasterio()
    count, height, width = planes.shape
    low, high = int(planes.min()), int(planes.max())
    signed = low < 0
    magnitude = max(high.bit_length(), (-low - 1).bit_length()) if signed else high.bit_length()
    # GDAL wants 9 to 16 bits in 16-bit and more in 32-bit types.
    bits = max(magnitude + signed, 9)
    kind = ("int" if signed else "uint") + ("16" if bits <= 16 else "32")
    options = {
        "CODEC": "J2K",
        "QUALITY": f"{100 * budget / (planes.size * bits):.9f}",
        "NBITS": bits,
        "REVERSIBLE": "NO",
        "YCC": "NO",
        "YCBCR420": "NO",
        # Five wavelet levels; GDAL silently takes none at all where a scene is too small for so many.
        "RESOLUTIONS": max(1, min(6, min(width, height).bit_length() - 1)),
        # One tile, and GDAL wants it no smaller than this.
        "BLOCKXSIZE": max(width, 32),
        "BLOCKYSIZE": max(height, 32),
    }
    if budget <= 0:
        raise BudgetError("no byte is left for the samples: raise the rate")
    try:
        with warnings.catch_warnings(), rasterio.Env(GDAL_NUM_THREADS="1"):
            # Scenes in sensor geometry have no map coordinates, of which rasterio warns.
            warnings.simplefilter("ignore")
            with rasterio.io.MemoryFile(ext=".j2k") as memory:
                with memory.open(
                    driver="JP2OpenJPEG", count=count, height=height, width=width, dtype=kind, **options
                ) as image:
                    image.write(planes.astype(kind, copy=False))
                return bytes(memory.read())
    except rasterio.errors.RasterioError as error:
        raise BudgetError(f"OpenJPEG cannot encode {planes.shape} at this rate: {error}") from error


def decode_planes(stream: bytes) -> NDArray[Any]:
    """Decode a codestream of `encode_planes`.

    Parameters
    ----------
    stream : bytes
        A raw JPEG 2000 codestream.

    Returns
    -------
    ndarray, shape (count, lines, samples)
        The planes.

    Raises
    ------
    StreamError
        If OpenJPEG refuses the codestream.
    SettingsError
        If rasterio is not installed.
    """
    rasterio = _rasterio()
    try:
        with warnings.catch_warnings(), rasterio.Env(GDAL_NUM_THREADS="1"):
            warnings.simplefilter("ignore")
            with rasterio.io.MemoryFile(stream, ext=".j2k") as memory, memory.open() as image:
                return np.asarray(image.read())
    except rasterio.errors.RasterioError as error:
        raise StreamError(f"OpenJPEG cannot decode the codestream: {error}") from error


def _encode_klt(
    cube: NDArray[Any], means: NDArray[np.float64], basis: NDArray[np.float64], bps: float
) -> bytes | None:
    bands, kept = basis.shape
    pixels = cube.reshape(bands, -1).astype(np.float64) - means[:, None]
    components = basis.T @ pixels
    depth = int(np.abs(components).max()).bit_length() + 1
    exponent = max(0, depth - _MAX_BITS)
    planes = np.rint(components * 2.0**-exponent).astype(np.int32).reshape(kept, *cube.shape[1:])
    side = write_side(means, basis, exponent, signed=cube.dtype.kind == "i")
    budget = bps * cube.size - 8 * len(side)
    # With less, OpenJPEG could not even write the packet headers of every component.
    if budget < 8 * _LEAST_BYTES * kept:
        return None
    try:
        return side + encode_planes(planes, budget)
    except BudgetError:
        return None


def _rasterio() -> Any:
    try:
        import rasterio
        import rasterio.errors
        import rasterio.io
    except ImportError as error:
        raise SettingsError("JPEG 2000 needs rasterio: pip install 'bandfold[bench]'") from error
    return rasterio
