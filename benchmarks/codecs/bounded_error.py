"""Codecs of images and of arrays with a limit of errors, run live through imagecodecs.

JPEG-LS and JPEG XL code each band as an image. SPERR, SZ3 and ZFP take the scene as an array of floats with
three axes, as their users do. What the limit leaves is used: values within 0.49 beyond it are rounded back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import VerificationError

from .imagecodecs_build import load_imagecodecs

ROUNDED = 0.49
"""What rounding to whole numbers takes back of an error of floats."""


@dataclass(frozen=True)
class BoundedErrorCodec:
    """A codec that keeps a limit of errors.

    Parameters
    ----------
    name : str
        What tables call it.
    lossy : bool
        Whether it has limits other than 0.
    encode : callable
        From a scene of unsigned integers, shape (bands, lines, samples), and a limit in counts to parts of a
        file.
    decode : callable
        From these parts and the shape of the scene to its samples.
    """

    name: str
    lossy: bool
    encode: Callable[[NDArray[Any], int], list[bytes]]
    decode: Callable[[list[bytes], tuple[int, ...]], NDArray[Any]]

    def bps(self, cube: NDArray[Any], limit: int) -> float:
        """Code a scene, and compare what comes back.

        Parameters
        ----------
        cube : ndarray of 8- or 16-bit integers, shape (bands, lines, samples)
            The scene.
        limit : int
            Largest error in counts; 0 is lossless.

        Returns
        -------
        float
            Bits per sample, without headers that a file of several parts would need.

        Raises
        ------
        VerificationError
            If a sample does not come back within the limit.
        """
        # Image codecs take no negative samples.
        lowest = min(int(cube.min()), 0)
        unsigned = (cube.astype(np.int32) - lowest).astype(np.uint16)
        parts = self.encode(unsigned, limit)
        found = np.rint(np.asarray(self.decode(parts, unsigned.shape), dtype=np.float64))
        worst = int(np.abs(found.reshape(unsigned.shape) - unsigned).max())
        if worst > limit:
            raise VerificationError(f"{self.name} is off by {worst}, not {limit}")
        return 8.0 * sum(map(len, parts)) / cube.size


def live_codecs() -> Iterator[BoundedErrorCodec]:
    """Codecs that are installed: an imagecodecs that was built without one leaves it out.

    Yields
    ------
    BoundedErrorCodec

    Raises
    ------
    SettingsError
        If imagecodecs is not installed.
    """
    imagecodecs = load_imagecodecs()
    yield from (one for name, one in _codecs(imagecodecs) if getattr(imagecodecs, name).available)


def _codecs(imagecodecs: Any) -> Iterator[tuple[str, BoundedErrorCodec]]:
    """All codecs, and what imagecodecs calls them."""

    def array_codec(
        name: str,
        encode: Callable[[NDArray[np.float32], float], bytes],
        decode: Callable[[bytes, tuple[int, ...]], Any],
    ) -> BoundedErrorCodec:
        return BoundedErrorCodec(
            name,
            True,
            lambda cube, limit: [bytes(encode(cube.astype(np.float32), limit + ROUNDED))],
            lambda parts, shape: np.asarray(decode(parts[0], shape)),
        )

    jpegls = BoundedErrorCodec(
        "JPEG-LS",
        True,
        lambda cube, limit: [imagecodecs.jpegls_encode(band, level=limit) for band in cube],
        lambda parts, _: np.stack([imagecodecs.jpegls_decode(part) for part in parts]),
    )
    jpegxl = BoundedErrorCodec(
        "JPEG XL",
        False,
        lambda cube, _: [imagecodecs.jpegxl_encode(band, lossless=True) for band in cube],
        lambda parts, _: np.stack([imagecodecs.jpegxl_decode(part) for part in parts]),
    )
    sperr = array_codec(
        "SPERR",
        lambda cube, error: imagecodecs.sperr_encode(cube, error, mode="pwe"),
        lambda data, _: imagecodecs.sperr_decode(data),
    )
    sz3 = array_codec(
        "SZ3",
        lambda cube, error: imagecodecs.sz3_encode(cube, mode="abs", abs=error),
        lambda data, shape: imagecodecs.sz3_decode(data, shape=shape, dtype=np.float32),
    )
    zfp = array_codec(
        "ZFP",
        lambda cube, error: imagecodecs.zfp_encode(cube, level=error, mode="a"),
        lambda data, _: imagecodecs.zfp_decode(data),
    )
    yield from (("JPEGLS", jpegls), ("JPEGXL", jpegxl), ("SPERR", sperr), ("SZ3", sz3), ("ZFP", zfp))
