"""A strip within its limits: what its base decodes to and its refinement in, counts out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.refinement_layout import Refinement
from bandfold.bitstream.segments.segment import Segment
from bandfold.common.errors import ModelError

from .residual_codec import load_refinement_tables, read_error_bound, read_residual
from .side_information import ErrorBound
from .tables import RefinementTables


def refined_counts(
    refinement: Refinement,
    base: NDArray[np.int32],
    dtype: np.dtype[np.generic],
    absent: NDArray[np.bool_] | None,
) -> tuple[NDArray[np.int32], ErrorBound]:
    """Decode a refinement.

    Parameters
    ----------
    refinement : Refinement
        Of the segment that the base comes from.
    base : ndarray of int32, shape (bands, lines, samples)
        Counts from `bandfold.bitstream.refinement.exact_base`.
    dtype : numpy.dtype
        Integer type of the counts, whose range they keep to.
    absent : ndarray of bool, same shape, or None
        Samples that are not refined: see `uncounted`.

    Returns
    -------
    counts : ndarray of int32, shape (bands, lines, samples)
        Any value where the mask says so.
    bound : ErrorBound
        Largest error that they have.

    Raises
    ------
    StreamError
        If the refinement is corrupt.
    ModelError
        If it was written with other tables.
    """
    ends = np.iinfo(dtype.name)
    tables = _tables_of(refinement)
    counts, _ = read_residual(refinement.residual, base, int(ends.min), int(ends.max), absent, tables)
    return counts, read_error_bound(refinement.residual, len(base), tables)


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
