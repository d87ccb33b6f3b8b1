"""An image in, the segments of CCSDS 122.0-B-2 out, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import BudgetError, SceneError, SettingsError, StreamError

from .bits import BitReader, Bits
from .blocks import column_shifts, from_blocks, to_blocks
from .header import NO_LIMITS, Header, Image, Limits, Size, read_header
from .segment_decoder import SegmentDecoder
from .segment_encoder import SegmentEncoder
from .wavelet import BLOCK, forward, inverse

LEAST_SIDE = 17
"""Lines and samples that an image has at least."""

_MOST_BLOCKS = 1 << 20


@dataclass(frozen=True)
class Settings:
    """How an image is coded.

    Attributes
    ----------
    reversible : bool
        Whether the wavelet transform is that of integers, so that nothing is lost without a limit.
    segment_blocks : int
        Blocks of a segment, of 8 x 8 samples each, at least 16; 0 for one segment of the whole image.
    limits : Limits
        Where each segment ends. That of bytes is for a segment of the full size: the last one, which may have
        fewer blocks, gets its share of it.
    """

    reversible: bool = False
    segment_blocks: int = 0
    limits: Limits = NO_LIMITS


DEFAULTS = Settings()
"""In floating point, one segment, no limit."""


def encode_image(image: NDArray[np.integer], settings: Settings = DEFAULTS) -> bytes:
    """Encode an image.

    Parameters
    ----------
    image : ndarray of integers, shape (lines, samples)
        Each side at least 17; up to 16 bits.
    settings : Settings
        How.

    Returns
    -------
    bytes
        Segments, one after another.

    Raises
    ------
    SceneError
        If the image is too small, or too large for one segment.
    BudgetError
        If the headers alone exceed the limit of bytes.
    SettingsError
        If segments have fewer than 16 blocks, or more than 2^20.
    """
    lines, samples = _checked(image, settings)
    padded = np.pad(image, [(0, -extent % BLOCK) for extent in image.shape], mode="edge")
    about = Image(settings.reversible, image.dtype.kind == "i", 8 * image.dtype.itemsize, samples)
    shifts = column_shifts(about.weights)
    blocks = to_blocks(forward(padded, reversible=settings.reversible)) << shifts
    full = settings.segment_blocks or len(blocks)
    starts = range(0, len(blocks), full)
    before: Header | None = None
    segments = []
    for number, start in enumerate(starts):
        part = blocks[start : start + full]
        encoder = SegmentEncoder(part, shifts)
        limits = replace(settings.limits, bytes=settings.limits.bytes * len(part) // full)
        last = number == len(starts) - 1
        header = Header(
            number == 0,
            last,
            number,
            encoder.dc_depth,
            encoder.ac_depth,
            -lines % BLOCK if last else 0,
            limits,
            Size(len(part)),
            about,
        )
        segments.append(_segment(_shortened(header, before), encoder, limits))
        before = header
    return b"".join(segments)


def _checked(image: NDArray[np.integer], settings: Settings) -> tuple[int, int]:
    if image.ndim != 2 or min(image.shape) < LEAST_SIDE:
        raise SceneError(f"CCSDS 122 takes images of at least 17 x 17 samples, not {image.shape}: pad it")
    if image.dtype.kind not in "iu" or image.dtype.itemsize > 2:
        raise SceneError(
            f"CCSDS 122 takes integers of 8 or 16 bits here, not {image.dtype}: scale them first"
        )
    if settings.segment_blocks and not 16 <= settings.segment_blocks <= _MOST_BLOCKS:
        raise SettingsError(f"a segment has 16 to 2^20 blocks, not {settings.segment_blocks}")
    blocks = (-(-image.shape[0] // BLOCK)) * (-(-image.shape[1] // BLOCK))
    if not settings.segment_blocks and blocks > _MOST_BLOCKS:
        raise SceneError(f"{blocks} blocks are too many for one segment: choose segments of at most 2^20")
    return image.shape[0], image.shape[1]


def _shortened(header: Header, before: Header | None) -> Header:
    """Leave out the parts of a header that say nothing new."""
    if before is None:
        return header
    return replace(
        header,
        limits=None if header.limits == before.limits else header.limits,
        size=None if header.size == before.size else header.size,
        image=None,
    )


def _segment(header: Header, encoder: SegmentEncoder, limits: Limits) -> bytes:
    head = header.pack()
    room = 8 * (limits.bytes - len(head))
    if room < 0:
        raise BudgetError(
            f"the header of a segment takes {len(head)} bytes, more than {limits.bytes}: raise the rate"
        )
    parts: list[Bits] = []
    count = 0
    for part in encoder.parts(limits):
        parts.append(part)
        count += len(part)
        if count >= room:
            break
    body = np.packbits(np.concatenate(parts)[:room]).tobytes()
    fill = limits.bytes - len(head) - len(body) if limits.fill else 0
    return head + body + bytes(fill)


def decode_image(data: bytes, start: int = 0) -> tuple[NDArray[np.integer], int]:
    """Decode an image.

    Parameters
    ----------
    data : bytes
        As `encode_image` returns it; more may follow. What is cut off at the end costs quality only.
    start : int
        Where its first segment begins.

    Returns
    -------
    image : ndarray of integers, shape (lines, samples)
        Samples, of 8 or 16 bits.
    end : int
        Where its last segment ends.

    Raises
    ------
    StreamError
        If the data is no image, or ends before the last segment.
    """
    segments = _Segments(data)
    position = start
    parts: list[NDArray[np.float64]] = []
    while True:
        header, blocks, position = segments.read(position)
        parts.append(blocks)
        if header.last:
            break
    about = segments.image
    whole = np.concatenate(parts) / np.left_shift(1, column_shifts(about.weights))
    width = -(-about.samples // BLOCK)
    if len(whole) % width:
        raise StreamError(f"CCSDS 122 data is damaged: {len(whole)} blocks do not fill lines of {width}")
    coefficients = from_blocks(whole, (len(whole) // width * BLOCK, width * BLOCK))
    image = np.rint(inverse(coefficients, reversible=about.reversible))
    low = -(1 << (about.depth - 1)) if about.signed else 0
    kind = np.dtype(f"{'i' if about.signed else 'u'}{1 if about.depth <= 8 else 2}")
    samples = np.clip(image, low, low + (1 << about.depth) - 1).astype(kind)
    samples = samples[: len(samples) - header.padding, : about.samples]
    return samples.T if about.transposed else samples, position


class _Segments:
    """Reads segment after segment, and keeps what holds until another one says otherwise."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._limits: Limits | None = None
        self._size: Size | None = None
        self._image: Image | None = None

    @property
    def image(self) -> Image:
        """What the segments say of the image."""
        if self._image is None:
            raise StreamError("CCSDS 122 data is damaged: its first segment does not say what the image is")
        if self._image.depth > 16:
            raise StreamError(
                f"CCSDS 122 data has samples of {self._image.depth} bits: up to 16 are read here"
            )
        return self._image

    def read(self, position: int) -> tuple[Header, NDArray[np.float64], int]:
        """Header and blocks of the segment at a position, and where it ends."""
        header, length = read_header(self._data, position)
        self._limits = limits = header.limits or self._limits
        self._size = size = header.size or self._size
        self._image = header.image or self._image
        if limits is None or size is None:
            raise StreamError("CCSDS 122 data is damaged: its first segment does not say how large it is")
        shifts = column_shifts(self.image.weights)
        reader = BitReader(self._data, position + length, limits.bytes - length)
        blocks = SegmentDecoder(reader, size.blocks, shifts).decode(header, limits)
        used = limits.bytes if limits.fill else length + -(-reader.position // 8)
        # Segments are whole words.
        used += -used % (self.image.word // 8)
        return header, blocks, min(position + used, len(self._data))
