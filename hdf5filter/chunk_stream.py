"""A chunk out of a stream: one that is the whole scene of its stream, or a strip of a larger scene."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.sections import Section, read_sections, read_varint
from bandfold.common.errors import StreamError
from bandfold.ground import Decoder
from bandfold.zarrcodec import ChunkSettings


def decode_chunk(
    stream: bytes, settings: ChunkSettings, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Decode a chunk.

    Parameters
    ----------
    stream : bytes
        What `ChunkSettings.encode` made of it, or a stream of a scene with the segment of one strip.
    settings : ChunkSettings
        Which axis are the bands.
    shape : tuple of int
        Of the chunk.
    dtype : numpy.dtype
        Of its samples, in native byte order.

    Returns
    -------
    ndarray of three axes
        The chunk. A strip that is lower than its chunk, the last one of a scene, is filled up with zeros.

    Raises
    ------
    StreamError
        If it is damaged, or of another shape or type.
    """
    decoder = Decoder(stream, restore="off")
    info = decoder.info
    strip = (info.bands, decoder.strip_lines, info.samples)
    if settings.band_axis or info.shape == shape or strip != shape or info.dtype != dtype:
        return settings.decode(stream, shape, dtype)
    first = _strip_number(stream) * decoder.strip_lines
    chunk = np.zeros(shape, dtype)
    lines = slice(first, min(first + decoder.strip_lines, info.lines))
    chunk[:, : lines.stop - first] = decoder.decode(lines=lines)
    if decoder.damage:
        raise StreamError(f"a chunk is damaged: {decoder.damage[0].reason}")
    return chunk


def _strip_number(stream: bytes) -> int:
    """Number of the strip whose segment a stream holds."""
    numbers = {
        read_varint(section.payload, 0)[0]
        for section in read_sections(stream)
        if section.intact and section.kind == Section.SEGMENT
    }
    if len(numbers) != 1:
        raise StreamError("a chunk is damaged: it holds no segment, or several strips")
    return numbers.pop()
