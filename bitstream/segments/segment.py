"""A segment: the components of a strip of lines, decodable without any other segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.segment_layout import Chunk, ChunkedSegment, SegmentHeader, worth_of
from bandfold.bitstream.container.stream_budget import BLOCK_WORK, ZERO_SHARE, StreamBudget
from bandfold.bitstream.contexts.features import DIAGONAL_BOUNDS, DIAGONALS
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.payloads.block_weight_code import read_block_weights, write_block_weights
from bandfold.bitstream.payloads.escape_code import Escapes, read_escapes, write_escapes
from bandfold.bitstream.payloads.no_data_code import read_mask, write_mask
from bandfold.bitstream.payloads.payload import SIDE_UNIT, PayloadReader, PayloadWriter
from bandfold.common.errors import StreamError
from bandfold.common.scene import CHANNELS, block_rows

from .latent_reader import LatentReader
from .latents import LatentStatistics, write_latents

if TYPE_CHECKING:
    from bandfold.bitstream.transforms.band_order import OrderedBand
    from bandfold.bitstream.transforms.band_prediction import Prediction

    from .packed_levels import PackedLevels

CHUNK_BYTES = 7168
"""Bytes of a chunk at least, about: each costs some 15 bytes."""

MOST_CHUNKS = 32
"""Chunks of a segment at most: larger segments have larger ones."""

BITS_OF_VALUE = 6
"""Bits of a latent that is not zero, about."""


RANK_MEAN = SIDE_UNIT
"""Expected rank of the rotation of a block among the candidates."""


@dataclass(frozen=True)
class Segment:
    """What a segment holds.

    Parameters
    ----------
    quantised : ndarray of int32, shape (64, components, rows, columns)
        Levels of all components.
    classes : ndarray of uint8, same shape
        Contexts, which also choose the reconstruction points.
    chosen : ndarray of uint8, shape (rows, columns), or None
        Rotation of each block.
    absent : ndarray of bool, shape (bands, lines, samples), or None
        Samples without data.
    escapes : Escapes or None
        Samples that are kept exactly.
    shape : tuple of int
        Bands, lines and samples of the strip; only needed with escapes.
    predictions : tuple of Prediction
        Of the bands in the order of coding, where bands are predicted from bands.
    shift : int
        Logarithm of the unit in which their first weights are told.
    block_codes : ndarray of uint8, shape (rows, columns), or None
        Codes of the weights of the blocks, by which their latents are multiplied; see
        `bandfold.bitstream.transforms.coding_weights`. None where all weigh the same.
    """

    quantised: NDArray[np.int32]
    classes: NDArray[np.uint8]
    chosen: NDArray[np.uint8] | None = None
    absent: NDArray[np.bool_] | None = None
    escapes: Escapes | None = None
    shape: tuple[int, int, int] = (0, 0, 0)
    predictions: tuple[Prediction, ...] = ()
    shift: int = 0
    block_codes: NDArray[np.uint8] | None = None


def mode_name(*, spectral: bool) -> str:
    """Statistics that a stream uses."""
    return "folded" if spectral else "banded"


def chunk_components(nonzero: NDArray[np.int64]) -> list[int]:
    """Cut the components of a segment into chunks of about equal size.

    Parameters
    ----------
    nonzero : ndarray of int64, shape (components,)
        Latents of each component that are not zero.

    Returns
    -------
    list of int
        Components of each chunk; one chunk where the segment is small.
    """
    components = len(nonzero)
    total = int(nonzero.sum())
    count = min(total * BITS_OF_VALUE // (8 * CHUNK_BYTES), MOST_CHUNKS)
    if count < 2:
        return [components]
    # Each component goes to the chunk in which its middle lies.
    middle = np.cumsum(nonzero) - nonzero // 2
    found = np.bincount(np.minimum(middle * count // total, count - 1), minlength=1)
    return [int(one) for one in found if one]


def chunks_together(tokens: Sequence[int]) -> list[range]:
    """Find chunks that go through the entropy coder together.

    It takes two at a time side by side in less time than one by one, so none should be left alone: the last
    chunk often has as many tokens as several others.

    Parameters
    ----------
    tokens : sequence of int
        Tokens of each chunk, in any unit.

    Returns
    -------
    list of range
        Chunks in turn, from the last ones to the first ones. No chunk has more tokens than the others of its
        group have together, as far as there are enough.
    """
    groups, end = [], len(tokens)
    while end:
        start = end - 1
        while start and 2 * max(tokens[start:end]) > sum(tokens[start:end]):
            start -= 1
        groups.append(range(start, end))
        end = start
    return groups


def encode_segment(
    place: SegmentHeader,
    segment: Segment,
    tables: Tables,
    *,
    spectral: bool,
    rotations: int,
    step_code: int,
    each: Callable[[Callable[[range], list[Chunk]], Iterable[range]], Iterable[list[Chunk]]] = map,
    packed: PackedLevels | None = None,
) -> ChunkedSegment:
    """Encode a segment.

    Parameters
    ----------
    place : SegmentHeader
        Where the segment belongs, and what it is coded with.
    segment : Segment
        Levels, their classes, the rotation of each block, and where data are absent.
    tables : Tables
        Context networks and entropy tables.
    spectral : bool
        Whether there is a spectral transform. Then components come in falling order of what they are worth,
        as predicted bands do, and the segment has chunks.
    rotations : int
        Number of rotation matrices, 0 if there are none.
    step_code : int
        Code of the step, told or not.
    each : callable
        Writes chunks, some at once; several times at a time, if it can.
    packed : PackedLevels, optional
        Levels and their classes, where the segment holds none.

    Returns
    -------
    ChunkedSegment
        Whose `pack` is the payload of a segment section.
    """
    statistics = LatentStatistics.of(segment.quantised) if packed is None else packed.statistics
    falling = spectral or segment.predictions
    counts = chunk_components(statistics.nonzero) if falling else [len(statistics.nonzero)]
    positions = segment.quantised.shape[2] * segment.quantised.shape[3]
    ends = np.cumsum(counts, dtype=np.int64).tolist()
    mode = mode_name(spectral=spectral)

    def payload_of(number: int) -> PayloadWriter:
        part = slice(ends[number] - counts[number], ends[number])
        payload = PayloadWriter(tables)
        if not number:
            if segment.absent is not None:
                write_mask(payload, segment.absent)
            if segment.escapes is not None:
                write_escapes(payload, segment.escapes, segment.shape)
            if segment.chosen is not None:
                write_map(payload, segment.chosen, rotations)
            if segment.block_codes is not None:
                write_block_weights(payload, segment.block_codes)
            if segment.predictions:
                from bandfold.bitstream.payloads.prediction_code import write_predictions

                write_predictions(payload, segment.predictions, segment.shift)
        before = int(statistics.extents[part.start - 1]) if part.start else DIAGONALS
        own = statistics.part(part)
        whole = [(segment.quantised[:, part], segment.classes[:, part])]
        pieces = whole if packed is None else packed.pieces(part)
        write_latents(payload, pieces, positions, mode, own, before)
        return payload

    def chunks(numbers: range) -> list[Chunk]:
        found = {}
        order = sorted(numbers, key=lambda number: -tokens[number])
        for number, data in zip(order, PayloadWriter.data_of(map(payload_of, order), tables), strict=True):
            energy = int(statistics.energy[ends[number] - counts[number] : ends[number]].sum())
            worth = worth_of(energy, step_code, len(data)) if len(counts) > 1 else 0
            found[number] = Chunk(counts[number], data, worth)
        return [found[number] for number in numbers]

    place = replace(place, escapes=segment.escapes is not None)
    coded = DIAGONAL_BOUNDS[statistics.extents]
    tokens = [int(coded[end - count : end].sum()) for count, end in zip(counts, ends, strict=True)]
    groups = list(each(chunks, chunks_together(tokens)))
    return ChunkedSegment(place, tuple(chain.from_iterable(reversed(groups))))


def check_place(place: SegmentHeader, header: Header) -> int:
    """Lines of the strip of a segment.

    Parameters
    ----------
    place : SegmentHeader
        Where the segment belongs, and what it is coded with.
    header : Header
        Which knows the lines of the scene.

    Returns
    -------
    int

    Raises
    ------
    StreamError
        If the scene has no strip of that number, or it has another height.
    """
    if place.index >= header.strip_count:
        raise StreamError(
            f"segment has number {place.index}, the scene has {header.strip_count}: it is corrupt"
        )
    lines = header.strip(place.index)
    height: int = lines.stop - lines.start
    if (place.lines or header.strip_lines) != height:
        raise StreamError(f"segment {place.index} has not the {height} lines of its strip: it is corrupt")
    return height


def read_segment(
    segmented: ChunkedSegment,
    header: Header,
    components: int,
    rotations: int,
    tables: Tables,
    order: Sequence[OrderedBand] = (),
    budget: StreamBudget | None = None,
) -> Segment:
    """Decode a segment.

    Parameters
    ----------
    segmented : ChunkedSegment
        The segment, its chunks not decoded.
    header : Header
        Of the stream.
    components : int
        Components of the fold. Latents of those that the segment lacks are zero.
    rotations : int
        Number of rotation matrices, 0 if it has none.
    tables : Tables
        Context networks and entropy tables.
    order : sequence of OrderedBand
        Bands in the order of coding, where they are predicted from bands.
    budget : StreamBudget, optional
        What it may cost. Without one, what a stream of its bytes may cost.

    Returns
    -------
    Segment

    Raises
    ------
    StreamError
        If it is corrupt.
    MemoryLimitError
        If it claims more than the budget allows.
    """
    height = check_place(segmented.place, header)
    samples = header.info.samples
    rows, columns = block_rows(height), block_rows(samples)
    shape = (header.info.bands, height, samples)
    absent = chosen = escapes = block_codes = None
    predictions: tuple[Prediction, ...] = ()
    shift = 0
    if budget is None:
        budget = StreamBudget(sum(len(chunk.data) for chunk in segmented.chunks))
    budget.work(CHANNELS * components * rows * columns // ZERO_SHARE, "latents")
    mode = mode_name(spectral=header.spectral)
    latents = LatentReader((components, rows, columns), tables, mode, header.trellis_states)
    for number, chunk in enumerate(segmented.chunks):
        reader = PayloadReader(tables, chunk.data, budget)
        if not number:
            if header.info.no_data is not None:
                absent = read_mask(reader, shape)
            if segmented.place.escapes:
                escapes = read_escapes(reader, shape, header.info.dtype)
            if rotations:
                chosen = read_map(reader, rows, columns, rotations)
            if header.tools.regional:
                block_codes = read_block_weights(reader, rows, columns)
            if order:
                from bandfold.bitstream.payloads.prediction_code import read_predictions

                predictions, shift = read_predictions(reader, order)
        latents.read(reader, chunk.components)
        reader.finish()
    return Segment(
        latents.quantised,
        latents.classes,
        chosen,
        absent,
        escapes,
        shape,
        predictions,
        shift,
        block_codes,
    )


def write_map(payload: PayloadWriter, chosen: NDArray[np.uint8], count: int) -> None:
    """Append the choices of a segment: each as its rank after the choices to the left and above.

    Parameters
    ----------
    payload : PayloadWriter
        Where the map is written or read.
    chosen : ndarray of uint8, shape (rows, columns)
        Number of the rotation of each block.
    count : int
        Number of matrices.

    Raises
    ------
    ValueError
        If a block has chosen a matrix that is not there.
    """
    if chosen.max(initial=0) >= count:
        raise ValueError(f"a block has chosen matrix {chosen.max()} of {count}")
    payload.integers(_ranks(chosen).ravel().tolist(), RANK_MEAN, signed=False)


def _ranks(chosen: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Place of each choice among its `_candidates`, for all blocks at once."""
    own = chosen.astype(np.int64)
    # No choice is below 0: that stands for a neighbour that is not there, or is the same as the other one.
    left, upper = np.full_like(own, -1), np.full_like(own, -1)
    left[:, 1:] = own[:, :-1]
    upper[1:] = own[:-1]
    upper[upper == left] = -1
    others = own + (left > own) + (upper > own)
    return np.where(own == left, 0, np.where(own == upper, left >= 0, others))


def read_map(payload: PayloadReader, rows: int, columns: int, count: int) -> NDArray[np.uint8]:
    """Read what `write_map` wrote.

    Parameters
    ----------
    payload : PayloadReader
        Where the map is written or read.
    rows, columns, count : int
        Blocks along lines and samples, and number of matrices.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)

    Raises
    ------
    StreamError
        If the payload is corrupt.
    """
    payload.budget.work(BLOCK_WORK * rows * columns, "blocks that are rotated")
    ranks = iter(payload.integers(rows * columns, RANK_MEAN, signed=False))
    choices: list[list[int]] = []
    for row in range(rows):
        choices.append([])
        for column in range(columns):
            rank = next(ranks)
            if rank >= count:
                raise StreamError("a block chooses a rotation that does not exist: the segment is corrupt")
            choices[row].append(_candidates(choices, row, column, count)[rank])
    return np.array(choices, dtype=np.uint8)


def _candidates(choices: list[list[int]], row: int, column: int, count: int) -> list[int]:
    """All choices, those of the left and the upper neighbour first, then by number."""
    first = []
    if column:
        first.append(choices[row][column - 1])
    if row and choices[row - 1][column] not in first:
        first.append(choices[row - 1][column])
    return first + [choice for choice in range(count) if choice not in first]
