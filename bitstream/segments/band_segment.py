"""A segment of a stream with a model: all bands of a strip of lines, interval by interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.segment_layout import Chunk, ChunkedSegment, SegmentHeader
from bandfold.bitstream.container.stream_budget import StreamBudget
from bandfold.bitstream.payloads.escape_code import Escapes, read_escapes, write_escapes
from bandfold.bitstream.payloads.no_data_code import read_mask, write_mask
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common.errors import StreamError

from .band_codec import latent_rows
from .planes import PlaneTables, read_planes, write_planes
from .segment import check_place


@dataclass(frozen=True)
class BandSegment:
    """What a segment holds.

    Parameters
    ----------
    quantised : ndarray of int32, shape (bands, channels, rows, columns)
        Latents of all bands, rounded.
    absent : ndarray of bool, shape (bands, lines, samples), or None
        Samples without data.
    escapes : Escapes or None
        Samples that are kept exactly.
    shape : tuple of int
        Bands, lines and samples of the strip; only needed with escapes.
    """

    quantised: NDArray[np.int32]
    absent: NDArray[np.bool_] | None = None
    escapes: Escapes | None = None
    shape: tuple[int, int, int] = (0, 0, 0)


def write_band_segment(place: SegmentHeader, segment: BandSegment, tables: PlaneTables, fold: Fold) -> bytes:
    """Encode a segment.

    Parameters
    ----------
    place : SegmentHeader
        Where the segment belongs.
    segment : BandSegment
        Its latents, and where data are absent.
    tables : PlaneTables
        Tables of the format and of the model.
    fold : Fold
        Intervals and their engines.

    Returns
    -------
    bytes
        Payload of a segment section.

    Raises
    ------
    StreamError
        If a latent cannot be coded.
    """
    payload = PayloadWriter(tables)
    if segment.absent is not None:
        write_mask(payload, segment.absent)
    if segment.escapes is not None:
        write_escapes(payload, segment.escapes, segment.shape)
        place = replace(place, escapes=True)
    for start, end, engine in zip(fold.starts, fold.ends, fold.engines, strict=True):
        write_planes(payload, segment.quantised[start:end], tables.first_plane_table(engine))
    return ChunkedSegment(place, (Chunk(len(segment.quantised), payload.data()),)).pack()


def read_band_segment(
    segmented: ChunkedSegment,
    header: Header,
    tables: PlaneTables,
    fold: Fold,
    budget: StreamBudget | None = None,
) -> BandSegment:
    """Decode a segment.

    Parameters
    ----------
    segmented : ChunkedSegment
        The segment, not decoded.
    header : Header
        Of the stream.
    tables : PlaneTables
        Tables of the format and of the model.
    fold : Fold
        Intervals of bands, and the engine of each.
    budget : StreamBudget, optional
        What it may cost. Without one, what a stream of its bytes may cost.

    Returns
    -------
    BandSegment

    Raises
    ------
    StreamError
        If it is corrupt.
    MemoryLimitError
        If it claims more than the budget allows.
    """
    height = check_place(segmented.place, header)
    samples = header.info.samples
    if (
        len(segmented.chunks) != 1
        or segmented.components != fold.bands
        or segmented.place.rotation is not None
    ):
        raise StreamError("segment does not hold the bands of its model: it is corrupt")
    reader = PayloadReader(tables, segmented.chunks[0].data, budget)
    shape = (header.info.bands, height, samples)
    absent = escapes = None
    if header.info.no_data is not None:
        absent = read_mask(reader, shape)
    if segmented.place.escapes:
        escapes = read_escapes(reader, shape, header.info.dtype)
    place = (int(tables.planes.shape[1]), latent_rows(height), latent_rows(samples))
    parts = [
        read_planes(reader, (last - first, *place), tables.first_plane_table(engine))
        for first, last, engine in zip(fold.starts, fold.ends, fold.engines, strict=True)
    ]
    reader.finish()
    return BandSegment(np.concatenate(parts), absent, escapes, shape)
