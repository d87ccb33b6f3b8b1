"""A segment: all components of a strip of lines, decodable without any other segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import StreamError
from .geometry import block_rows
from .header import Header
from .latents import read_latents, write_latents
from .nodata import read_mask, write_mask
from .payload import PayloadReader, PayloadWriter
from .rotationcode import read_map, write_map
from .tables import Tables
from .varint import read_varint, write_varint


@dataclass(frozen=True)
class Segment:
    """What a segment holds.

    Parameters
    ----------
    quantised : ndarray of int32, shape (64, components, rows, columns)
    classes : ndarray of uint8, same shape
        Contexts, which also choose the reconstruction points.
    chosen : ndarray of uint8, shape (rows, columns), or None
        Rotation of each block.
    absent : ndarray of bool, shape (bands, lines, samples), or None
        Samples without data.
    """

    quantised: NDArray[np.int32]
    classes: NDArray[np.uint8]
    chosen: NDArray[np.uint8] | None = None
    absent: NDArray[np.bool_] | None = None


def mode_name(*, spectral: bool) -> str:
    """Statistics that a stream uses."""
    return "folded" if spectral else "banded"


def write_segment(index: int, segment: Segment, tables: Tables, *, spectral: bool, rotations: int) -> bytes:
    """Encode a segment.

    Parameters
    ----------
    index : int
        Number of the strip, from 0.
    segment : Segment
    tables : Tables
    spectral : bool
    rotations : int
        Number of rotation matrices, 0 if there are none.

    Returns
    -------
    bytes
        Payload of a segment section.
    """
    payload = PayloadWriter(tables)
    if segment.absent is not None:
        write_mask(payload, segment.absent)
    if segment.chosen is not None:
        write_map(payload, segment.chosen, rotations)
    write_latents(payload, segment.quantised, segment.classes, mode_name(spectral=spectral))
    return write_varint(index) + payload.data()


def segment_index(payload: bytes) -> int:
    """Number of the strip of a segment, without decoding the rest."""
    return read_varint(payload, 0)[0]


def segment_lines(payload: bytes, header: Header) -> tuple[int, int]:
    """Lines of the strip of a segment, and where in its payload the rest begins.

    Parameters
    ----------
    payload : bytes
    header : Header

    Returns
    -------
    lines, start : int

    Raises
    ------
    StreamError
        If the scene has no strip of that number.
    """
    index, start = read_varint(payload, 0)
    if index >= header.strip_count:
        raise StreamError(f"segment has number {index}, the scene has {header.strip_count}: it is corrupt")
    lines = header.strip(index)
    return lines.stop - lines.start, start


def read_segment(payload: bytes, header: Header, components: int, rotations: int, tables: Tables) -> Segment:
    """Decode a segment.

    Parameters
    ----------
    payload : bytes
    header : Header
    components : int
        Components of the scene.
    rotations : int
        Number of rotation matrices.
    tables : Tables

    Returns
    -------
    Segment

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    height, start = segment_lines(payload, header)
    samples = header.info.samples
    rows, columns = block_rows(height), block_rows(samples)
    reader = PayloadReader(tables, payload[start:])
    absent = chosen = None
    if header.info.no_data is not None:
        absent = read_mask(reader, (header.info.bands, height, samples))
    if rotations:
        chosen = read_map(reader, rows, columns, rotations)
    mode = mode_name(spectral=header.spectral)
    quantised, classes = read_latents(reader, (components, rows, columns), tables, mode)
    reader.finish()
    return Segment(quantised, classes, chosen, absent)
