"""What a scene is, apart from its samples: geometry, sample type, scaling and the metadata that travels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .errors import SceneError

BLOCK = 8
"""Lines and samples of a block: one latent position."""

CHANNELS = BLOCK * BLOCK
"""Latents of a block."""

INTERLEAVES = ("bsq", "bil", "bip")
BYTE_ORDERS = ("little", "big")

CODED_DTYPES = tuple(np.dtype(name) for name in ("uint8", "int8", "uint16", "int16"))
"""Sample types that are coded as they are."""

SCALED_DTYPES = tuple(np.dtype(name) for name in ("int32", "uint32", "float32", "float64"))
"""Sample types that are coded through a declared `Scaling` to int16 or uint16 counts."""

Scalar = TypeVar("Scalar", bound=np.generic)

MetadataValue = str | tuple[str, ...]
"""An ENVI header value: a text, or the items of a ``{a, b, c}`` list."""


class NoData(Enum):
    """Where the no-data value of a scene comes from when it is not given."""

    HEADER = "the data ignore value of the header, or what stands for it in the file"


@dataclass(frozen=True)
class Scaling:
    """A declared map between sample values and integer counts: ``value = count * scale + offset``.

    Parameters
    ----------
    scale : float
        Value of one count; finite and not zero.
    offset : float
        Value of count 0; finite.
    counts : numpy.dtype
        ``int16`` or ``uint16``: the type that the counts are coded in.
    """

    scale: float
    offset: float = 0.0
    counts: np.dtype[np.generic] = np.dtype("int16")

    def __post_init__(self) -> None:
        if not (np.isfinite(self.scale) and self.scale != 0 and np.isfinite(self.offset)):
            raise SceneError(
                f"scaling {self.scale!r} / offset {self.offset!r} is not usable: "
                "give a finite scale other than zero and a finite offset"
            )
        if np.dtype(self.counts) not in (np.dtype("int16"), np.dtype("uint16")):
            raise SceneError(f"counts of type {self.counts} are not supported: use int16 or uint16")


@dataclass(frozen=True)
class SceneInfo:
    """Geometry, type and metadata of a scene.

    Parameters
    ----------
    bands, lines, samples : int
        Geometry, each at least 1. Arrays of samples are always shaped ``(bands, lines, samples)``.
    dtype : numpy.dtype
        Sample type in native byte order: one of `CODED_DTYPES`, or of `SCALED_DTYPES` with a `scaling`.
    interleave : str
        ``bsq``, ``bil`` or ``bip``: how the source file is laid out. Only remembered, so that the decoded
        file can be laid out the same way.
    byte_order : str
        ``little`` or ``big``, of the source file. Only remembered.
    scaling : Scaling or None
        Required for `SCALED_DTYPES`, refused for `CODED_DTYPES`.
    no_data : float or None
        Sample value (possibly NaN) that marks absent data; such samples come back exactly.
    metadata : mapping of str to str or tuple of str
        Other ENVI header fields, keys in lower case: wavelengths, FWHM, map info, description, ...

    Raises
    ------
    SceneError
        If a dimension is below 1, the type is not supported or a required scaling is absent.
    """

    bands: int
    lines: int
    samples: int
    dtype: np.dtype[np.generic]
    interleave: str = "bsq"
    byte_order: str = "little"
    scaling: Scaling | None = None
    no_data: float | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for name in ("bands", "lines", "samples"):
            if getattr(self, name) < 1:
                raise SceneError(f"scene has {getattr(self, name)} {name}: at least 1 is needed")
        if self.interleave not in INTERLEAVES:
            raise SceneError(f"interleave {self.interleave!r} is unknown: use bsq, bil or bip")
        if self.byte_order not in BYTE_ORDERS:
            raise SceneError(f"byte order {self.byte_order!r} is unknown: use little or big")
        if self.dtype in SCALED_DTYPES and self.scaling is None:
            raise SceneError(
                f"{self.dtype} samples need a declared scaling to 16-bit counts: "
                "give the value of one count (--scale, and --offset), or --scale auto"
            )
        if self.dtype in CODED_DTYPES and self.scaling is not None:
            raise SceneError(f"{self.dtype} samples are coded as they are: remove the scaling")
        if self.dtype not in CODED_DTYPES + SCALED_DTYPES:
            raise SceneError(
                f"sample type {self.dtype} is not supported: use 8 or 16 bit integers, "
                "or 32-bit integers and floats with a scaling"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(bands, lines, samples)``."""
        return self.bands, self.lines, self.samples

    @property
    def geometry(self) -> dict[str, int | str]:
        """Bands, lines, samples and sample type, ready for JSON."""
        return {
            "bands": self.bands,
            "lines": self.lines,
            "samples": self.samples,
            "dtype": str(self.dtype),
        }

    @property
    def count(self) -> int:
        """Number of samples in the scene."""
        return self.bands * self.lines * self.samples

    @property
    def coded_dtype(self) -> np.dtype[np.generic]:
        """The 8 or 16 bit integer type that the codec sees."""
        return self.dtype if self.scaling is None else np.dtype(self.scaling.counts)


def native(dtype: DTypeLike) -> np.dtype[np.generic]:
    """Return `dtype` in native byte order.

    Parameters
    ----------
    dtype : dtype_like
        Any NumPy type.

    Returns
    -------
    numpy.dtype
        The same type, native byte order.
    """
    return np.dtype(dtype).newbyteorder("=")


class SceneSource(Protocol):
    """A scene that can be read piece by piece, more than once and in any order."""

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block of the scene.

        Parameters
        ----------
        bands, lines : slice
            Half-open ranges with explicit bounds inside the scene and no step.

        Returns
        -------
        ndarray, shape (bands, lines, samples)
            Samples of type ``info.dtype`` (native byte order, before any scaling).
        """


def block_rows(length: int) -> int:
    """Blocks that cover `length` lines or samples."""
    return -(-length // BLOCK)


def pad_to_blocks(planes: NDArray[Scalar], block: int = BLOCK) -> NDArray[Scalar]:
    """Extend planes to whole blocks by mirroring, so that the seam has no edge that would cost bits.

    Parameters
    ----------
    planes : ndarray, shape (..., lines, samples)
        Samples, or anything that lies by lines and samples.
    block : int
        Lines and samples of a block.

    Returns
    -------
    ndarray, shape (..., block * ceil(lines / block), block * ceil(samples / block))
        The planes themselves where nothing is missing.
    """
    lines, samples = planes.shape[-2:]
    if not lines % block and not samples % block:
        return planes
    return planes[..., mirrored(lines, block), :][..., mirrored(samples, block)]


def mirrored(length: int, block: int) -> NDArray[np.intp]:
    """Indices of a mirrored extension to whole blocks; short axes are mirrored more than once.

    Parameters
    ----------
    length, block : int
        Lines or samples, and how many of them make up a block.

    Returns
    -------
    ndarray of int, shape (block * ceil(length / block),)
        0 to ``length - 1``.
    """
    index = np.arange(-(-length // block) * block)
    index %= 2 * length
    return np.where(index < length, index, 2 * length - 1 - index)


def strips(lines: int, height: int) -> list[slice]:
    """Cut `lines` lines into strips of `height`; the last one may be lower."""
    return [slice(start, min(start + height, lines)) for start in range(0, lines, height)]
