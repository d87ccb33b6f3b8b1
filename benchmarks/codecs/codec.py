"""What the benchmarks ask of a codec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray


@dataclass(frozen=True)
class Encoded:
    """An encoded scene.

    Attributes
    ----------
    stream : bytes
        Everything that the decoder gets.
    seconds : float
        Time it took. A codec that tries several settings reports the time of the one it kept.
    """

    stream: bytes
    seconds: float


@dataclass(frozen=True)
class Decoded:
    """A decoded scene.

    Attributes
    ----------
    cube : ndarray, shape (bands, lines, samples)
        The samples.
    seconds : float
        Time it took.
    report : mapping
        What the decoder knows about the stream; may be empty.
    """

    cube: NDArray[Any]
    seconds: float
    report: Mapping[str, Any] = field(default_factory=dict)


class Codec(Protocol):
    """A codec that takes integer cubes and a rate."""

    @property
    def name(self) -> str:
        """How tables call it."""

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode a cube.

        Parameters
        ----------
        cube : ndarray, shape (bands, lines, samples)
            8 or 16 bit integers.
        bps : float
            Bits per sample to aim at, all bytes counted.

        Returns
        -------
        Encoded
            Stream and time.
        """

    def decode(self, stream: bytes) -> Decoded:
        """Decode a stream of `encode`.

        Parameters
        ----------
        stream : bytes
            Nothing else is known to the decoder.

        Returns
        -------
        Decoded
            Cube, time and report.
        """
