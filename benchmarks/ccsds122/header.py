"""Headers of segments (section 4.2 of CCSDS 122.0-B-2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandfold.common.errors import StreamError

from .bits import BitReader, EndOfBitsError, to_bits
from .blocks import SHIFTS

_NO_LIMIT = 1 << 27
"""Bytes of a segment without a limit, which the header writes as 0."""

_WORDS = {8: 0, 16: 2, 24: 4, 32: 6, 40: 1, 48: 3, 56: 5, 64: 7}
"""What the header writes for a word of so many bits."""


@dataclass(frozen=True)
class Limits:
    """Where a segment ends: part 2.

    Attributes
    ----------
    bytes : int
        Most bytes of the segment with its header, at most 2^27.
    dc_only : bool
        Whether only DC coefficients are coded.
    plane : int
        Last bit plane that is coded.
    stage : int
        Last stage of that plane, 1 to 4.
    fill : bool
        Whether zeros fill a segment up to `bytes`.
    """

    bytes: int = _NO_LIMIT
    dc_only: bool = False
    plane: int = 0
    stage: int = 4
    fill: bool = False


NO_LIMITS = Limits()
"""Everything is coded."""


@dataclass(frozen=True)
class Size:
    """What part 3 tells.

    Attributes
    ----------
    blocks : int
        Blocks of the segment, at most 2^20.
    best_dc, best_ac : bool
        Whether codes of DC coefficients and of bit depths are the best ones, or found by a rule of thumb.
    """

    blocks: int
    best_dc: bool = True
    best_ac: bool = True


@dataclass(frozen=True)
class Image:
    """What is the same for all segments of an image: part 4.

    Attributes
    ----------
    reversible : bool
        Whether the wavelet transform is that of integers.
    signed : bool
        Whether samples are.
    depth : int
        Bits of a sample, 1 to 28.
    samples : int
        Of a line, at most 2^20.
    transposed : bool
        Whether lines and samples were exchanged before.
    word : int
        Bits that the length of a segment is a multiple of: 8 to 64.
    shifts : tuple of 10 int
        Weights of subbands as powers of two, as `bandfold.benchmarks.ccsds122.blocks.SHIFTS`, each up to 3.
        Those of the transform in floating point do not count.
    """

    reversible: bool
    signed: bool
    depth: int
    samples: int
    transposed: bool = False
    word: int = 8
    shifts: tuple[int, ...] = SHIFTS

    @property
    def weights(self) -> tuple[int, ...]:
        """Weights of the subbands: none for the transform in floating point."""
        return self.shifts if self.reversible else (0,) * len(SHIFTS)


@dataclass(frozen=True)
class Header:
    """Header of a segment.

    Attributes
    ----------
    first, last : bool
        Whether it is the first segment of the image, and the last.
    number : int
        Of the segment, from 0; told modulo 256.
    dc_depth, ac_depth : int
        Bits of the largest DC coefficient, in two's complement, and of the largest magnitude of the others.
    padding : int
        Lines to leave out at the end of the image, 0 to 7; told by the last segment.
    limits : Limits or None
        Part 2; None where it is that of the segment before.
    size : Size or None
        Part 3, likewise.
    image : Image or None
        Part 4, likewise.
    """

    first: bool
    last: bool
    number: int
    dc_depth: int
    ac_depth: int
    padding: int = 0
    limits: Limits | None = None
    size: Size | None = None
    image: Image | None = None

    def pack(self) -> bytes:
        """Write the header.

        Returns
        -------
        bytes
            3 to 20 of them.
        """
        parts = [
            (self.first, 1),
            (self.last, 1),
            (self.number % 256, 8),
            (self.dc_depth, 5),
            (self.ac_depth, 5),
            (0, 1),
        ]
        parts += [(part is not None, 1) for part in (self.limits, self.size, self.image)]
        if self.last:
            parts += [(self.padding, 3), (0, 5)]
        if self.limits is not None:
            limits = self.limits
            parts += [(limits.bytes % _NO_LIMIT, 27), (limits.dc_only, 1), (limits.plane, 5)]
            parts += [(limits.stage - 1, 2), (limits.fill, 1), (0, 4)]
        if self.size is not None:
            parts += [
                (self.size.blocks % (1 << 20), 20),
                (self.size.best_dc, 1),
                (self.size.best_ac, 1),
                (0, 2),
            ]
        if self.image is not None:
            image = self.image
            own = image.reversible and image.shifts != SHIFTS
            parts += [
                (image.reversible, 1),
                (0, 1),
                (image.depth > 16, 1),
                (image.signed, 1),
                (image.depth % 16, 4),
            ]
            parts += [
                (image.samples % (1 << 20), 20),
                (image.transposed, 1),
                (_WORDS[image.word], 3),
                (own, 1),
            ]
            # From HH1 to LL3.
            parts += [(shift if own else 0, 2) for shift in reversed(image.shifts)]
            parts += [(0, 11)]
        values, lengths = np.array(parts, np.int64).T
        return np.packbits(to_bits(values, lengths)).tobytes()


def read_header(data: bytes, start: int) -> tuple[Header, int]:
    """Read a header.

    Parameters
    ----------
    data : bytes
        Segments.
    start : int
        Where the header begins.

    Returns
    -------
    header : Header
        What it says.
    size : int
        Bytes it took.

    Raises
    ------
    StreamError
        If the data ends within it.
    """
    reader = BitReader(data, start, _LONGEST)
    try:
        return _read(reader), reader.position // 8
    except EndOfBitsError:
        raise StreamError(
            f"CCSDS 122 data ends within the header of a segment, after {len(data) - start} bytes"
        ) from None


_LONGEST = 20


def _read(reader: BitReader) -> Header:
    first, last, number, dc_depth, ac_depth, _ = (reader.read(length) for length in (1, 1, 8, 5, 5, 1))
    has_limits, has_size, has_image = (reader.read(1) for _ in range(3))
    padding = 0
    if last:
        padding, _ = reader.read(3), reader.read(5)
    limits = size = image = None
    if has_limits:
        count, dc_only, plane, stage, fill, _ = (reader.read(length) for length in (27, 1, 5, 2, 1, 4))
        limits = Limits(count or _NO_LIMIT, bool(dc_only), plane, stage + 1, bool(fill))
    if has_size:
        blocks, best_dc, best_ac, _ = (reader.read(length) for length in (20, 1, 1, 2))
        size = Size(blocks or 1 << 20, bool(best_dc), bool(best_ac))
    if has_image:
        reversible, _, more, signed, depth = (reader.read(length) for length in (1, 1, 1, 1, 4))
        samples, transposed, word, own = (reader.read(length) for length in (20, 1, 3, 1))
        weights = [reader.read(2) for _ in SHIFTS][::-1]
        reader.read(11)
        # Depths are told modulo 16.
        depth = (depth or 16) + 16 * more
        words = {code: bits for bits, code in _WORDS.items()}
        image = Image(
            bool(reversible),
            bool(signed),
            depth,
            samples or 1 << 20,
            bool(transposed),
            words[word],
            tuple(weights) if own else SHIFTS,
        )
    return Header(bool(first), bool(last), number, dc_depth, ac_depth, padding, limits, size, image)
