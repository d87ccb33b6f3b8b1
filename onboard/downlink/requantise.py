"""Streams made smaller by a coarser step: latents are decoded and quantised again, samples are not seen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import STEP_UNIT, Header
from bandfold.bitstream.container.sections import (
    RawSection,
    Section,
    read_sections,
    read_varint,
    write_preamble,
    write_section,
)
from bandfold.bitstream.container.segment_layout import SegmentHeader, read_segment_header, split_segment
from bandfold.bitstream.container.stream_budget import STRIP_WORK, StreamBudget
from bandfold.bitstream.contexts.tables import Tables, load_tables, needed_tables
from bandfold.bitstream.payloads.klt_code import MOST_ROTATED, read_matrices
from bandfold.bitstream.payloads.payload import PayloadReader
from bandfold.bitstream.segments.segment import Segment, check_place, encode_segment, mode_name, read_segment
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common.errors import BudgetError, StreamError
from bandfold.common.exact import exp2, log2_of
from bandfold.common.scene import CHANNELS, block_rows
from bandfold.onboard.quantisation.rdoq import quantise
from bandfold.onboard.rate.step_search import find_step
from bandfold.onboard.target import step_code

LEAST_USED = 0.985
"""Share of the bytes that is good enough."""

SLOPE = -0.9
"""Logarithm of the bytes over that of the step."""

EVALUATIONS = 7
"""Steps that are tried at most."""

WORK_FACTOR = 8
"""Times the work of decoding that a stream may take here: it is coded several times."""

KEPT_BYTES = 1 << 24
"""Bytes of decoded segments that stay in memory from one step that is tried to the next."""

QUANTISE_WORK = 8
"""Units of work for each latent that is quantised and coded."""

LEAST_POSITIONS = 8
"""Blocks of a strip that take as long as one: positions of a channel are coded side by side."""

BYTES_PER_LATENT = 40
"""Memory for each latent of a strip: levels, classes, reconstruction points and what is made of them."""

BYTES_PER_MARK = 4
"""Memory for each sample of a strip that may be absent."""

_LARGEST_LATENT = (1 << 31) - 1


@dataclass(frozen=True)
class Requantised:
    """A stream with coarser steps.

    Parameters
    ----------
    data : bytes
        The whole stream.
    factor : float
        New steps over old ones.
    """

    data: bytes
    factor: float


def requantise(
    data: bytes, nbytes: int, *, tables: str | os.PathLike[str] | None = None, trusted: bool = False
) -> Requantised:
    """Make a stream smaller by coarser steps.

    All steps grow by one factor. That costs less than a decibel against encoding the scene to that size,
    where `bandfold.bitstream.container.truncation.truncate` costs up to eleven, and the time of decoding and
    coding all latents a few times, where truncating decodes nothing. One strip is held at a time. Limits of
    errors and the refinements that keep them are left out: they hold for the old steps only.

    Parameters
    ----------
    data : bytes
        A stream without a model, all of it intact.
    nbytes : int
        Bytes at most.
    tables : path_like, optional
        Those of the stream, if they are not the shipped ones.
    trusted : bool
        Whether the stream may claim far more latents than its bytes make likely.

    Returns
    -------
    Requantised
        The stream itself, with a factor of 1, if it is small enough.

    Raises
    ------
    StreamError
        If the stream is damaged, or coded by a model, whose latents are rounded by its networks.
    ModelError
        If it was written with other tables.
    BudgetError
        If what all strips need takes more bytes than that.
    MemoryLimitError
        If the stream claims far more latents than streams of its size have, and is not trusted.
    """
    if len(data) <= nbytes:
        return Requantised(data, 1.0)
    coder = _Recoder(
        list(read_sections(data)),
        None if tables is None else load_tables(Path(tables)),
        StreamBudget(len(data), trusted=trusted, factor=WORK_FACTOR),
    )
    best: Requantised | None = None
    least = len(data)

    def measure(code: int) -> float:
        nonlocal best, least
        made = coder.code(code / STEP_UNIT)
        least = min(least, len(made))
        if len(made) <= nbytes and (best is None or len(made) > len(best.data)):
            best = Requantised(made, code / STEP_UNIT)
        return float(len(made))

    start = step_code(exp2(log2_of(max(nbytes, 1) / len(data)) / SLOPE))
    find_step(measure, (LEAST_USED * nbytes, float(nbytes)), start, slope=SLOPE, evaluations=EVALUATIONS)
    if best is None:
        raise BudgetError(
            f"{nbytes} bytes are too few: what all strips need leaves no less than {least}; give more, or "
            "encode the scene again"
        )
    return best


@dataclass(frozen=True)
class _Decoded:
    """A segment, and its latents of shape (components, 64, rows, columns), in 1 / FRACTION of a count."""

    place: SegmentHeader
    step_code: int
    latents: NDArray[np.int32]
    segment: Segment

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""
        absent = 0 if self.segment.absent is None else self.segment.absent.size
        return 2 * self.latents.nbytes + self.segment.classes.nbytes + absent


class _Recoder:
    """Segments of a stream, quantised again."""

    def __init__(self, sections: Sequence[RawSection], tables: Tables | None, budget: StreamBudget) -> None:
        if any(not section.intact for section in sections):
            raise StreamError("stream is damaged: make the intact one smaller, or decode what there is")
        header = next((Header.unpack(one.payload) for one in sections if one.kind == Section.HEADER), None)
        if header is None:
            raise StreamError("header section is missing: nothing is known of the segments")
        if header.model is not None:
            raise StreamError(
                f"stream is coded by the model {header.model.name}, which rounds by itself: "
                "encode the scene again"
            )
        tables = needed_tables(header.tables, tables).with_states(header.trellis_states)
        places = [read_segment_header(one.payload)[0] for one in sections if one.kind == Section.SEGMENT]
        if header.open:
            ends = (one.index * header.strip_lines + (one.lines or header.strip_lines) for one in places)
            header = replace(header, info=replace(header.info, lines=max(ends, default=1)))
        budget.work(STRIP_WORK * len(places), "strips")
        self._budget = budget
        self._header = header
        self._sections = sections
        self._tables = tables
        self._mode = tables.modes[mode_name(spectral=header.spectral)]
        self._rotations: dict[int, int] = {}
        # Each step that is tried begins with the same latents.
        self._decoded: dict[bytes, _Decoded] = {}
        self._room = KEPT_BYTES
        for one in sections:
            if one.kind == Section.ROTATION:
                number, start = read_varint(one.payload, 0)
                matrices = read_matrices(PayloadReader(tables, one.payload[start:], budget), MOST_ROTATED)
                self._rotations[number] = len(matrices)

    def code(self, factor: float) -> bytes:
        """The stream with all steps multiplied."""
        return write_preamble() + b"".join(
            # Kinds that this version does not know are copied with the others.
            write_section(
                one.kind,  # type: ignore[arg-type]
                self._segment(one.payload, factor) if one.kind == Section.SEGMENT else one.payload,
            )
            for one in self._sections
            # What refines the decoded counts does not fit those of coarser steps.
            if one.kind not in (Section.REFINEMENT, Section.LIMITS)
        )

    def _segment(self, payload: bytes, factor: float) -> bytes:
        found = self._decoded.get(payload)
        if found is not None:
            components, _, rows, columns = found.latents.shape
            self._charge(components, rows * columns)
        else:
            found = self._decode(payload)
            if found.nbytes <= self._room:
                self._room -= found.nbytes
                self._decoded[payload] = found
        new = step_code(found.step_code / STEP_UNIT * factor)
        # A strip without components has no latents, however wide it claims to be.
        quantised, classes = found.segment.quantised, found.segment.classes
        if found.latents.size:
            quantised, classes = quantise(found.latents, new / STEP_UNIT, self._mode)
        return encode_segment(
            replace(found.place, step_code=None if new == self._header.step_code else new),
            replace(found.segment, quantised=quantised, classes=classes),
            self._tables,
            spectral=self._header.spectral,
            rotations=self._matrices(found.place),
            step_code=new,
        ).pack()

    def _decode(self, payload: bytes) -> _Decoded:
        header, segmented = self._header, split_segment(payload)
        place = segmented.place
        rotations = self._matrices(place)
        height = check_place(place, header)
        positions = block_rows(height) * block_rows(header.info.samples)
        self._charge(segmented.components, positions)
        latents = segmented.components * positions * CHANNELS
        absent = 0 if header.info.no_data is None else header.info.bands * height * header.info.samples
        self._budget.memory(BYTES_PER_LATENT * latents + BYTES_PER_MARK * absent, "one strip")
        found = read_segment(
            segmented, header, segmented.components, rotations, self._tables, budget=self._budget
        )
        old = header.step_code if place.step_code is None else place.step_code
        points = self._mode.reconstruction_points(np.abs(found.quantised), found.classes)
        points *= old / STEP_UNIT * FRACTION
        values = np.copysign(np.minimum(np.rint(points), _LARGEST_LATENT), found.quantised)
        return _Decoded(place, old, np.ascontiguousarray(values.swapaxes(0, 1).astype(np.int32)), found)

    def _charge(self, components: int, positions: int) -> None:
        """Charge that a segment is quantised and coded once more, before it is decoded the first time."""
        latents = components * max(positions, LEAST_POSITIONS) * CHANNELS
        self._budget.work(QUANTISE_WORK * latents, "latents")

    def _matrices(self, place: SegmentHeader) -> int:
        """Number of rotations that the blocks of a segment choose from."""
        if place.rotation is None:
            return 0
        if place.rotation not in self._rotations:
            raise StreamError(f"rotation section {place.rotation} is missing: segment {place.index} needs it")
        return self._rotations[place.rotation]
