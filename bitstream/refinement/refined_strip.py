"""A strip within its limits: what its base decodes to and its refinement in, counts out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.refinement_layout import Refinement
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.scaling import BandUnits, mark_no_data, put_no_data
from bandfold.common.errors import ModelError
from bandfold.common.scene import SceneInfo

from .band_prediction import Bounds
from .ordered_integers import ORDERED_BOUNDS, from_words, ordered_base
from .residual_codec import read_error_bound, read_residual
from .side_information import ErrorBound
from .tables import RefinementTables, load_refinement_tables


def refined_counts(
    refinement: Refinement,
    base: NDArray[np.integer],
    info: SceneInfo,
    doublings: int,
    absent: NDArray[np.bool_] | None,
) -> tuple[NDArray[np.integer], ErrorBound]:
    """Decode a refinement.

    Parameters
    ----------
    refinement : Refinement
        Of the segment that the base comes from.
    base : ndarray of integers, shape (bands, lines, samples)
        Counts from `bandfold.bitstream.refinement.exact_base`.
    info : SceneInfo
        Of the scene.
    doublings : int
        Counts of the strip are worth ``2**doublings`` times what the scaling says.
    absent : ndarray of bool, same shape, or None
        Samples that are not refined: see `uncounted`.

    Returns
    -------
    counts : ndarray of integers, shape (bands, lines, samples)
        Counts, or ordered integers where the bound says so: see `refined_samples`. Any value where the mask
        says so.
    bound : ErrorBound
        Largest error that they have.

    Raises
    ------
    StreamError
        If the refinement is corrupt.
    ModelError
        If it was written with other tables.
    """
    tables = _tables_of(refinement)
    bound = read_error_bound(refinement.residual, len(base), tables)
    bounds = Bounds.of(info.coded_dtype)
    if bound.words:
        base, absent = ordered_base(base, info, doublings, bound.words), of_words(absent, bound.words)
        bounds = ORDERED_BOUNDS
    counts, _ = read_residual(refinement.residual, base, bounds, absent, tables)
    return counts, bound


def refined_samples(
    counts: NDArray[np.integer],
    words: int,
    bands: slice,
    absent: NDArray[np.bool_] | None,
    info: SceneInfo,
    doublings: int,
) -> NDArray[Any]:
    """Turn what is refined into samples.

    Parameters
    ----------
    counts : ndarray of integers, shape (bands, lines, samples)
        From `refined_counts`, of all bands; with words, these of all bands one after the other.
    words : int
        Of its bound.
    bands : slice
        Which bands: a half-open range.
    absent : ndarray of bool, shape (all bands, lines, samples), or None
        Samples without data; None if all have data.
    info : SceneInfo
        Of the scene.
    doublings : int
        Counts of the strip are worth ``2**doublings`` times what the scaling says.

    Returns
    -------
    ndarray, shape (wanted bands, lines, samples)
        Of type ``info.dtype``; absent ones have the no-data value.

    Raises
    ------
    StreamError
        If a count would be worth more than any float64.
    """
    gone = None if absent is None else absent[bands]
    if not words:
        units = BandUnits.of(info, bands, doublings)
        return mark_no_data(counts[bands].astype(info.coded_dtype, copy=False), gone, info, units)
    wanted = counts.astype(np.int32, copy=False).reshape(words, info.bands, *counts.shape[1:])[:, bands]
    count = bands.stop - bands.start
    samples = from_words(wanted.reshape(words * count, *counts.shape[1:]), info.dtype, count)
    return samples if gone is None else put_no_data(samples, gone, info)


def of_words(absent: NDArray[np.bool_] | None, words: int) -> NDArray[np.bool_] | None:
    """Which words are not refined, from a mask of samples, shape (words * bands, lines, samples)."""
    return absent if absent is None or words == 1 else np.concatenate([absent] * words)


def uncounted(segment: Segment, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Samples of a strip that no count stands for: those without data, and those that are kept exactly.

    Parameters
    ----------
    segment : Segment
        Of the strip, decoded.
    shape : tuple of int
        Bands, lines and samples of the strip.

    Returns
    -------
    ndarray of bool, shape (bands, lines, samples), or None
        None if there are none.
    """
    if segment.escapes is None:
        return segment.absent
    mask = np.zeros(shape, np.bool_) if segment.absent is None else segment.absent.copy()
    mask.reshape(-1)[segment.escapes.places] = True
    return mask


def refinement_bound(refinement: Refinement, bands: int) -> ErrorBound:
    """The error that a refinement allows, without decoding the rest of it.

    Parameters
    ----------
    refinement : Refinement
        Of a strip.
    bands : int
        Number of bands.

    Returns
    -------
    ErrorBound

    Raises
    ------
    StreamError
        If the refinement is corrupt.
    ModelError
        If it was written with other tables.
    """
    return read_error_bound(refinement.residual, bands, _tables_of(refinement))


def _tables_of(refinement: Refinement) -> RefinementTables:
    tables = load_refinement_tables()
    if tables.identity != refinement.tables:
        raise ModelError(
            f"its refinement needs the tables {refinement.tables.hex()}, there are {tables.identity.hex()}: "
            "use the release that wrote the stream"
        )
    return tables
