"""Refinement of a strip: samples within a limit of error, from a base that encoder and decoder share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .band_prediction import Bounds, Differences
from .contexts import ABSENT, Past, band_classes
from .interleaved_ans import SymbolReader, SymbolWriter
from .least_squares import ReferenceMoments, looked_at, target_difference
from .quantisation import check_magnitudes, quantise, reconstruct
from .scales import raw_bits, scale_of
from .side_information import NOTHING, BandSide, ErrorBound, read_bound, read_side, write_side
from .tables import RefinementTables, load_refinement_tables
from .value_axis import relative_axis

__all__ = ["load_refinement_tables", "read_error_bound", "read_residual", "write_residual"]


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
    samples: NDArray[np.int32],
    base: NDArray[np.int32],
    limits: NDArray[np.int32],
    lowest: int,
    highest: int,
    absent: NDArray[np.bool_] | None,
    tables: RefinementTables,
    relative: tuple[int, int] | None = None,
) -> tuple[bytes, NDArray[np.int32]]:
    """Code what a base lacks.

    Parameters
    ----------
    samples : ndarray of int32, shape (bands, lines, samples)
        Samples of a strip; those that are absent may have any value.
    base : ndarray of int32, same shape
        What a decoder has of them.
    limits : ndarray of int32, shape (bands,)
        Largest error that a sample of each band may have, in counts; 0 is lossless.
    lowest, highest : int
        Range of the samples.
    absent : ndarray of bool, shape (lines, samples) or (bands, lines, samples), or None
        Samples that are not coded.
    tables : RefinementTables
        Statistics; the decoder needs the same.
    relative : tuple of int, optional
        A relative limit in place of `limits`: share of a sample in units of 1/65536, and floor in counts. The
        error of a sample x is at most the larger one of the floor and ``|x| * share // 65536``.

    Returns
    -------
    payload : bytes
    refined : ndarray of int32, shape (bands, lines, samples)
        What `read_residual` gives.

    Raises
    ------
    ValueError
        If the relative limit is out of its range.
    """
    axis = None if relative is None else relative_axis(*relative, lowest, highest)
    bound = ErrorBound(limits, relative)
    if axis is not None:
        samples, base = axis.positions(samples), axis.positions(base)
        lowest, highest, limits = 0, len(axis.centres) - 1, np.zeros_like(limits)
    side, writer = SymbolWriter(tables), SymbolWriter(tables)
    refined, told = np.empty_like(base), []
    bounds = Bounds(lowest, highest)
    for number, band in enumerate(code_bands(samples, base, limits, bounds, absent, tables)):
        refined[number] = band.refined
        told.append(band.side)
        if band.side.scale != NOTHING:
            writer.append(band.steps, band.classes, raw_bits(band.side.scale))
    write_side(side, bound, told)
    return side.followed_by(writer), refined if axis is None else axis.values(refined)


def code_bands(
    samples: NDArray[np.int32],
    base: NDArray[np.int32],
    limits: NDArray[np.int32],
    bounds: Bounds,
    absent: NDArray[np.bool_] | None,
    tables: RefinementTables,
) -> Iterator[CodedBand]:
    """Predict, quantise and classify the bands of a strip, one after the other.

    Parameters
    ----------
    samples, base, limits, absent, tables
        As for `write_residual`.
    bounds : Bounds
        Range of the samples.

    Yields
    ------
    CodedBand
    """
    bands, lines, width = samples.shape
    gone = absent_planes(absent, bands)
    everywhere = None if absent is None else np.all(absent.reshape(-1, lines * width), axis=0)
    differences = Differences(lines * width)
    moments = ReferenceMoments(looked_at(everywhere, lines * width), lines * width)
    past = Past(lines, width)
    for number in range(bands):
        limit, known, here = int(limits[number]), base[number].ravel(), gone[number]
        wanted = samples[number].ravel()
        target = target_difference(wanted, known)
        prediction, unit = moments.fit(differences.planes, number, target, limit)
        predicted = differences.predict(number, known, prediction, bounds)
        steps = np.empty_like(known)
        total = quantise(wanted, predicted, None if here is None else here.ravel(), limit, steps)
        refined, differences.of(number)[:] = reconstruct(predicted, steps, limit, bounds, known)
        moments.learn(differences.planes, number)
        scale, classes, plane = (
            NOTHING,
            np.full((lines, width), ABSENT, dtype=np.uint8),
            steps.reshape(lines, width),
        )
        if total:
            count = steps.size - (0 if here is None else int(np.count_nonzero(here)))
            scale = scale_of(total, count)
            classes = band_classes(tables, scale, plane, here, past)
        yield CodedBand(BandSide(prediction, unit, scale), plane, classes, refined.reshape(lines, width))


def read_residual(
    payload: bytes,
    base: NDArray[np.int32],
    lowest: int,
    highest: int,
    absent: NDArray[np.bool_] | None,
    tables: RefinementTables,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Read what `write_residual` wrote.

    Parameters
    ----------
    payload : bytes
        The payload.
    base, lowest, highest, absent, tables
        As they were given to `write_residual`.

    Returns
    -------
    refined : ndarray of int32, shape (bands, lines, samples)
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
    bound, told = read_side(reader, bands)
    reader.align()
    axis = None if bound.relative is None else relative_axis(*bound.relative, lowest, highest)
    limits = bound.limits
    if axis is not None:
        base = axis.positions(base)
        lowest, highest, limits = 0, len(axis.centres) - 1, np.zeros_like(limits)
    bounds, gone = Bounds(lowest, highest), absent_planes(absent, bands)
    differences = Differences(lines * width)
    past = Past(lines, width)
    refined = np.empty_like(base)
    for number, side in enumerate(told):
        limit, known = int(limits[number]), base[number].ravel()
        predicted = differences.predict(number, known, side.prediction, bounds)
        steps = np.zeros_like(known)
        if side.scale != NOTHING:
            steps = reader.band(side.scale, gone[number], past).ravel()
            check_magnitudes(steps, limit, bounds)
        plane, differences.of(number)[:] = reconstruct(predicted, steps, limit, bounds, known)
        refined[number] = plane.reshape(lines, width)
    reader.finish()
    return refined if axis is None else axis.values(refined), bound.limits


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
