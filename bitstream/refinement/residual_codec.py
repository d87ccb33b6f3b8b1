"""Refinement of a strip: samples within a limit of error, from a base that encoder and decoder share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .band_prediction import Bounds, ReferencePlanes
from .contexts import ABSENT, Past, band_classes
from .interleaved_ans import SymbolReader, SymbolWriter
from .least_squares import ReferenceMoments, looked_at
from .quantisation import AxisSteps, UniformSteps
from .scales import raw_bits, scale_of
from .side_information import NOTHING, BandSide, ErrorBound, read_bound, read_side, write_side
from .tables import RefinementTables
from .used_values import counted_in_used_values, used_values
from .value_axis import relative_axis, used_axis


@dataclass(frozen=True)
class CodedBand:
    """A band as it is coded.

    Parameters
    ----------
    side : BandSide
        What is told of it.
    steps : ndarray of int32, shape (lines, samples)
        What its prediction lacks, in steps.
    classes : ndarray of uint8, shape (lines, samples)
        Class that codes each, `bandfold.bitstream.refinement.contexts.ABSENT` where none does.
    refined : ndarray of int32, shape (lines, samples)
        What a decoder makes of it.
    """

    side: BandSide
    steps: NDArray[np.int32]
    classes: NDArray[np.uint8]
    refined: NDArray[np.int32]


def write_residual(
    samples: NDArray[np.integer],
    base: NDArray[np.integer],
    bound: ErrorBound,
    bounds: Bounds,
    absent: NDArray[np.bool_] | None,
    tables: RefinementTables,
) -> tuple[bytes, NDArray[np.integer]]:
    """Code what a base lacks.

    Parameters
    ----------
    samples : ndarray of integers, shape (bands, lines, samples)
        Samples of a strip, of at most 32 bits; those that are absent may have any value.
    base : ndarray of integers, same shape
        What a decoder has of them, of a type that holds all values of the range.
    bound : ErrorBound
        Limits of errors: 0 is lossless. With a relative limit the error of a sample x is at most the larger
        one of the floor and ``|x| * share // 65536``.
    bounds : Bounds
        Range of the samples.
    absent : ndarray of bool, shape (lines, samples) or (bands, lines, samples), or None
        Samples that are not coded.
    tables : RefinementTables
        Statistics; the decoder needs the same.

    Returns
    -------
    payload : bytes
    refined : ndarray of the type of `base`, shape (bands, lines, samples)
        What `read_residual` gives.

    Raises
    ------
    ValueError
        If a relative limit is out of its range.
    """
    writer, refined = ResidualWriter(bound, tables), np.empty_like(base)
    for number, band in enumerate(code_bands(samples, base, bound, bounds, absent, tables)):
        writer.append(band)
        refined[number] = band.refined
    return writer.finish(), refined


class ResidualWriter:
    """Writes bands that were coded.

    Parameters
    ----------
    bound : ErrorBound
        Limits of errors.
    tables : RefinementTables
        Statistics; the decoder needs the same.
    """

    def __init__(self, bound: ErrorBound, tables: RefinementTables) -> None:
        self._bound = bound
        self._side, self._symbols = SymbolWriter(tables), SymbolWriter(tables)
        self._told: list[BandSide] = []

    def append(self, band: CodedBand, room: NDArray[np.uint8] | None = None) -> None:
        """Append the next band.

        Parameters
        ----------
        band : CodedBand
            From `code_bands`.
        room : ndarray of uint8, shape (2, lines, samples), optional
            Memory that is left to the writer; without it takes its own, as much for each band.
        """
        self._told.append(band.side)
        if band.side.scale != NOTHING:
            self._symbols.append(band.steps, band.classes, raw_bits(band.side.scale), room)

    def finish(self) -> bytes:
        """The payload, once all bands were appended."""
        write_side(self._side, self._bound, self._told)
        return self._side.followed_by(self._symbols)


def code_bands(
    samples: NDArray[np.integer],
    base: NDArray[np.integer],
    bound: ErrorBound,
    bounds: Bounds,
    absent: NDArray[np.bool_] | None,
    tables: RefinementTables,
) -> Iterator[CodedBand]:
    """Predict, quantise and classify the bands of a strip, one after the other.

    Parameters
    ----------
    samples, base, absent, tables
        As for `write_residual`.
    bound : ErrorBound
        Limits of errors.
    bounds : Bounds
        Range of the samples.

    Yields
    ------
    CodedBand
        The base of this band and of those before it is not looked at any more.
    """
    bands, lines, width = samples.shape
    gone = absent_planes(absent, bands)
    everywhere = None if absent is None else np.all(absent.reshape(-1, lines * width), axis=0)
    references = ReferencePlanes(base.reshape(bands, lines * width))
    moments = ReferenceMoments(references, looked_at(everywhere, lines * width))
    past = Past(lines, width)
    for number in range(bands):
        limit, here = int(bound.limits[number]), gone[number]
        wanted = samples[number].ravel().astype(np.int32, copy=False)
        flat = None if here is None else here.ravel()
        for slot in references.enter(number):
            moments.learn(slot)
        told = moments.fit(number, wanted, limit)
        references.weigh(number, told.prediction)
        values = None
        if limit == 0 and bound.relative is None:
            values = _values_that_pay(references, wanted, flat, bounds)
        slot = references.difference(number)
        quantiser = band_quantiser(bound, number, values, bounds)
        steps, refined, total = quantiser.code(references, slot, wanted, flat)
        moments.learn(slot)
        scale, classes, plane = (
            NOTHING,
            np.full((lines, width), ABSENT, dtype=np.uint8),
            steps.reshape(lines, width),
        )
        if total:
            count = steps.size - (0 if here is None else int(np.count_nonzero(here)))
            scale = scale_of(total, count)
            classes = band_classes(tables, scale, plane, here, past)
        yield CodedBand(BandSide(told, scale, values), plane, classes, refined.reshape(lines, width))


def _values_that_pay(
    references: ReferencePlanes,
    samples: NDArray[np.int32],
    absent: NDArray[np.uint8] | None,
    bounds: Bounds,
) -> NDArray[np.int32] | None:
    """Values that a band uses, where steps are to be counted in these."""
    present = samples if absent is None else samples[absent == 0]
    values = used_values(present, bounds)
    if values is None:
        return None
    predicted = references.predict(bounds)
    total = UniformSteps(0, bounds).count(samples, predicted, absent)[1]
    if absent is not None:
        predicted = predicted[absent == 0]
    return values if total and counted_in_used_values(values, present, predicted, total) else None


def band_quantiser(
    bound: ErrorBound, band: int, values: NDArray[np.int32] | None, bounds: Bounds
) -> UniformSteps | AxisSteps:
    """What counts the steps of a band.

    Parameters
    ----------
    bound : ErrorBound
        Limits of errors.
    band : int
        Number of the band.
    values : ndarray of int32, shape (n,), or None
        The values that it uses, where only these are counted.
    bounds : Bounds
        Range of the samples.

    Returns
    -------
    UniformSteps or AxisSteps
    """
    if values is not None:
        return AxisSteps(used_axis(values, bounds.lowest, bounds.highest), bounds)
    if bound.relative is not None:
        return AxisSteps(relative_axis(*bound.relative, bounds.lowest, bounds.highest), bounds)
    return UniformSteps(int(bound.limits[band]), bounds)


def read_residual(
    payload: bytes,
    base: NDArray[np.integer],
    bounds: Bounds,
    absent: NDArray[np.bool_] | None,
    tables: RefinementTables,
) -> tuple[NDArray[np.integer], NDArray[np.int32]]:
    """Read what `write_residual` wrote.

    Parameters
    ----------
    payload : bytes
        The payload.
    base, bounds, absent, tables
        As they were given to `write_residual`.

    Returns
    -------
    refined : ndarray of the type of `base`, shape (bands, lines, samples)
        Samples; those that are absent have some value of the range.
    limits : ndarray of int32, shape (bands,)
        Largest error of each band in counts; with a relative limit its floor (see `read_error_bound`).

    Raises
    ------
    StreamError
        If the payload is damaged.
    """
    bands, lines, width = base.shape
    reader = SymbolReader(tables, payload)
    gone = absent_planes(absent, bands)
    bound, told = read_side(reader, bands, lines * width, bounds)
    reader.align()
    references, past = ReferencePlanes(base.reshape(bands, lines * width)), Past(lines, width)
    refined = np.empty_like(base)
    for number, side in enumerate(told):
        references.enter(number)
        references.weigh(number, side.told.prediction)
        quantiser = band_quantiser(bound, number, side.values, bounds)
        steps = np.zeros(lines * width, dtype=np.int32)
        if side.scale != NOTHING:
            steps = reader.band(side.scale, gone[number], past).ravel()
            quantiser.check(steps)
        plane = quantiser.decode(references, references.difference(number), steps)
        refined[number] = plane.reshape(lines, width)
    reader.finish()
    return refined, bound.limits


def read_error_bound(payload: bytes, bands: int, tables: RefinementTables) -> ErrorBound:
    """Read the limits that a payload tells, and nothing else.

    Parameters
    ----------
    payload : bytes
        From `write_residual`.
    bands : int
        Bands of the strip.
    tables : RefinementTables
        Statistics that it was written with.

    Returns
    -------
    ErrorBound

    Raises
    ------
    StreamError
        If the payload is damaged.
    """
    return read_bound(SymbolReader(tables, payload), bands)


def absent_planes(absent: NDArray[np.bool_] | None, bands: int) -> list[NDArray[np.uint8] | None]:
    """Absent samples of each band, None where there are none."""
    if absent is None or not absent.any():
        return [None] * bands
    planes = np.ascontiguousarray(absent).view(np.uint8)
    return [planes] * bands if absent.ndim == 2 else [plane if plane.any() else None for plane in planes]
