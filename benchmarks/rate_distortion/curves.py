"""Rate-distortion curves: codecs run on scenes at several rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from bandfold.benchmarks.codecs.codec import Codec
from bandfold.benchmarks.measures.bdrate import Curve
from bandfold.benchmarks.measures.quality import psnr
from bandfold.common.errors import BandfoldError


@dataclass(frozen=True)
class Point:
    """One encode and decode.

    Attributes
    ----------
    asked : float
        Bits per sample that were asked for.
    bps : float
        Bits per sample that the whole stream took.
    psnr : float
        dB, peak 65535, error pooled over the cube.
    encode_seconds, decode_seconds : float
        Times.
    basis_share : float or None
        Part of the stream that describes the spectral transform, where the codec tells.
    """

    asked: float
    bps: float
    psnr: float
    encode_seconds: float
    decode_seconds: float
    basis_share: float | None = None


@dataclass(frozen=True)
class Measured:
    """A codec on a scene.

    Attributes
    ----------
    codec : str
        Its name.
    points : tuple of Point
        In the order of the rates.
    failures : tuple of str
        What went wrong at which rate.
    """

    codec: str
    points: tuple[Point, ...]
    failures: tuple[str, ...] = field(default=())

    @property
    def curve(self) -> Curve:
        """The points as (bits per sample, dB)."""
        return [(point.bps, point.psnr) for point in self.points]


def measure(codec: Codec, cube: NDArray[Any], rates: Sequence[float]) -> Measured:
    """Run a codec on a scene at several rates.

    Parameters
    ----------
    codec : Codec
        The codec.
    cube : ndarray, shape (bands, lines, samples)
        8 or 16 bit integers.
    rates : sequence of float
        Bits per sample.

    Returns
    -------
    Measured
        A rate that the codec refuses is a failure with a reason, and leaves the others alone.
    """
    points: list[Point] = []
    failures: list[str] = []
    for rate in rates:
        try:
            encoded = codec.encode(cube, rate)
            decoded = codec.decode(encoded.stream)
            quality = psnr(cube, decoded.cube)
        except BandfoldError as error:
            failures.append(f"{codec.name} at {rate:g} bps: {error}")
            continue
        share = decoded.report.get("basis_share")
        points.append(
            Point(
                rate,
                8 * len(encoded.stream) / cube.size,
                quality,
                encoded.seconds,
                decoded.seconds,
                None if share is None else float(share),
            )
        )
    return Measured(codec.name, tuple(points), tuple(failures))
