"""What a scene is, apart from its samples: geometry, sample type, scaling and the metadata that travels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from operator import index
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .errors import SceneError, SettingsError

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

MOST_DOUBLINGS = 255
"""Doublings of the value of a count, of a band or of lines, at most."""

Scalar = TypeVar("Scalar", bound=np.generic)

MetadataValue = str | tuple[str, ...]
"""An ENVI header value: a text, or the items of a ``{a, b, c}`` list."""


class NoData(Enum):
    """Where the no-data value of a scene comes from when it is not given."""

    HEADER = "the data ignore value of the header, or what stands for it in the file"


@dataclass(frozen=True)
class BandScaling:
    """A band whose values need another scale and offset than those of the scene.

    Parameters
    ----------
    band : int
        Its number, from 0.
    doublings : int
        Its count is worth ``2**doublings`` counts of the scene, 0 to `MOST_DOUBLINGS`.
    offset : float
        Value of its count 0; finite.
    """

    band: int
    doublings: int
    offset: float


@dataclass(frozen=True)
class Scaling:
    """A map between sample values and integer counts: ``value = count * scale + offset``.

    Parameters
    ----------
    scale : float
        Value of one count; finite and not zero.
    offset : float
        Value of count 0; finite.
    counts : numpy.dtype
        ``int16`` or ``uint16``: the type that the counts are coded in.
    bands : tuple of BandScaling
        Bands with a scale and an offset of their own, in rising order.
    """

    scale: float
    offset: float = 0.0
    counts: np.dtype[np.generic] = np.dtype("int16")
    bands: tuple[BandScaling, ...] = ()

    def __post_init__(self) -> None:
        if not (np.isfinite(self.scale) and self.scale != 0 and np.isfinite(self.offset)):
            raise SceneError(
                f"scaling {self.scale!r} / offset {self.offset!r} is not usable: "
                "give a finite scale other than zero and a finite offset"
            )
        if np.dtype(self.counts) not in (np.dtype("int16"), np.dtype("uint16")):
            raise SceneError(f"counts of type {self.counts} are not supported: use int16 or uint16")
        for band in self.bands:
            usable = 0 <= band.doublings <= MOST_DOUBLINGS and np.isfinite(band.offset)
            if not (usable and np.isfinite(self.scale * 2.0**band.doublings)):
                raise SceneError(
                    f"scaling of band {band.band} is not usable: give 0 to {MOST_DOUBLINGS} doublings and a "
                    "finite offset, and a finite scale after them"
                )
        numbers = [band.band for band in self.bands]
        if numbers != sorted(set(numbers)):
            raise SceneError("bands with a scaling of their own are not in rising order: sort them")

    def coarser(self, doublings: int) -> Scaling:
        """The scaling of lines whose counts are worth ``2**doublings`` times as much."""
        return self if not doublings else replace(self, scale=self.scale * 2.0**doublings)

    def of_band(self, band: int) -> tuple[float, float]:
        """Value of one count of a band, and value of its count 0."""
        for own in self.bands:
            if own.band == band:
                return self.scale * 2.0**own.doublings, own.offset
        return self.scale, self.offset


@dataclass(frozen=True)
class SceneInfo:
    """Geometry, type and metadata of a scene.

    Parameters
    ----------
    bands, lines, samples : int
        Geometry, each at least 1. Arrays of samples are always shaped ``(bands, lines, samples)``.
    dtype : numpy.dtype
        Sample type in native byte order: one of `CODED_DTYPES` or `SCALED_DTYPES`.
    interleave : str
        ``bsq``, ``bil`` or ``bip``: how the source file is laid out. Only remembered, so that the decoded
        file can be laid out the same way.
    byte_order : str
        ``little`` or ``big``, of the source file. Only remembered.
    scaling : Scaling or None
        Of `SCALED_DTYPES`, refused for `CODED_DTYPES`. None where it is to be found from the samples before
        they are coded; a stream always has one.
    no_data : float or None
        Sample value (possibly NaN) that marks absent data; such samples come back exactly.
    metadata : mapping of str to str or tuple of str
        Other ENVI header fields, keys in lower case: wavelengths, FWHM, map info, description, ...

    Raises
    ------
    SceneError
        If a dimension is below 1, the type is not supported, or the scaling does not fit it.
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
        if self.dtype in CODED_DTYPES and self.scaling is not None:
            raise SceneError(f"{self.dtype} samples are coded as they are: remove the scaling")
        if self.scaling is not None and any(own.band >= self.bands for own in self.scaling.bands):
            raise SceneError(f"the scaling names a band that the scene of {self.bands} bands does not have")
        if self.dtype not in CODED_DTYPES + SCALED_DTYPES:
            raise SceneError(
                f"sample type {self.dtype} is not supported: use integers of 8, 16 or 32 bits, or floats "
                "of 32 or 64 bits"
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
        if self.scaling is not None:
            return np.dtype(self.scaling.counts)
        return self.dtype if self.dtype in CODED_DTYPES else np.dtype("int16")


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


def range_inside(name: str, part: slice | None, size: int, *, empty: bool = False) -> slice:
    """A range of bands, lines or samples, with its ends: the one check of what a user asks for.

    Parameters
    ----------
    name : str
        ``"bands"``, ``"lines"`` or ``"samples"``, for the message.
    part : slice or None
        Half-open, without a step; an end that is not given is that of the scene, one below 0 counts from it.
        None stands for everything.
    size : int
        How many there are.
    empty : bool
        Whether the range may be empty.

    Returns
    -------
    slice
        With explicit bounds.

    Raises
    ------
    SettingsError
        If it is no slice of whole numbers, not inside the scene, has a step, or is empty and may not be.
    """
    part = slice(None) if part is None else part
    try:
        ends = ((part.start, 0), (part.stop, size), (part.step, 1))
        start, stop, step = (default if given is None else index(given) for given, default in ends)
    except (AttributeError, TypeError):
        raise SettingsError(
            f"{name}={part!r} is no range: give slice(first, last), of whole numbers"
        ) from None
    start, stop = (end + size * (end < 0) for end in (start, stop))
    if step != 1 or not 0 <= start <= stop <= size or (start == stop and not empty):
        by = "" if step == 1 else f":{step}"
        raise SettingsError(
            f"{name} {start}:{stop}{by} are not a part of the scene, which has {name} 0:{size}: "
            "give a range inside, without a step (counted from 0, end excluded)"
        )
    return slice(start, stop)


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
