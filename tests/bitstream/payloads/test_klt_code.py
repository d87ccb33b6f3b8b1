"""Folds: partition, means and eigenvectors come back; what contradicts itself is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.klt_code import read_fold, read_matrices, write_fold, write_matrices
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.payloads.vector_code import (
    PREDICTORS,
    are_triangular,
    best_residuals,
    expected_entry,
    read_vectors,
    write_vectors,
)
from bandfold.bitstream.transforms.coding_weights import LARGEST_CODE, weights_of
from bandfold.bitstream.transforms.klt import MERGE_LIMIT, Fold
from bandfold.bitstream.transforms.triangular import OpenRows
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, MOST_ROW_SHIFT, Vectors
from bandfold.common import exact
from bandfold.common.errors import StreamError

from ..older_vectors import write_older_fold, write_older_matrices

TABLES = load_tables()


def _vectors(draw, length, count):
    precision = np.array(draw(st.lists(st.integers(1, 16), min_size=count, max_size=count)), dtype=np.int64)
    codes = [
        draw(st.lists(st.integers(-(1 << bits), 1 << bits), min_size=length, max_size=length))
        for bits in precision.tolist()
    ]
    return Vectors(np.array(codes, dtype=np.int64).reshape(count, length).T, precision)


def _triangular(vectors):
    """The same with zeros in the pivots of vectors before."""
    codes, left = vectors.codes.copy(), OpenRows(len(vectors.codes))
    for column in codes.T:
        column[np.setdiff1d(np.arange(len(codes)), left.rows)] = 0
        left.close(column[left.rows])
    return replace(vectors, codes=codes)


@st.composite
def folds(draw):
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    bands = sum(lengths)
    shift = draw(st.integers(0, 20))
    means = np.array(
        draw(st.lists(st.integers(-40000, 70000), min_size=bands, max_size=bands)), dtype=np.int64
    )
    ends = tuple(np.cumsum(lengths).tolist())
    if draw(st.booleans()):
        return Fold(ends, means << shift, shift)
    first = tuple(_vectors(draw, length, draw(st.integers(0, length))) for length in lengths)
    merged = tuple(draw(st.integers(0, vectors.count)) for vectors in first)
    second = _vectors(draw, sum(merged), draw(st.integers(0, sum(merged))))
    if draw(st.booleans()):
        first, second = tuple(map(_triangular, first)), _triangular(second)
        length = sum(merged)
        shifts = draw(st.lists(st.integers(0, MOST_ROW_SHIFT), min_size=length, max_size=length))
        second = replace(second, row_shifts=np.array(shifts) if any(shifts) else None)
    codes = st.lists(st.integers(0, LARGEST_CODE), min_size=bands, max_size=bands)
    weights = draw(st.none() | codes.map(np.array))
    if weights is not None:
        parts = np.split(weights_of(weights), ends[:-1])
        first = tuple(replace(one, weights=part) for one, part in zip(first, parts, strict=True))
    return Fold(ends, means << shift, shift, first, merged, second, weights=weights)


def _same_vectors(one, other):
    np.testing.assert_array_equal(one.codes, other.codes)
    np.testing.assert_array_equal(one.precision, other.precision)
    np.testing.assert_array_equal(one.row_shifts, other.row_shifts)
    np.testing.assert_array_equal(one.weights, other.weights)


def _fold_comes_back(fold, write):
    writer = PayloadWriter(TABLES)
    write(writer, fold)
    reader = PayloadReader(TABLES, writer.data())
    found = read_fold(reader, fold.bands, spectral=fold.spectral, weighted=fold.weights is not None)
    reader.finish()
    assert (found.ends, found.mean_shift, found.merged) == (fold.ends, fold.mean_shift, fold.merged)
    np.testing.assert_array_equal(found.means, fold.means)
    np.testing.assert_array_equal(found.weights, fold.weights)
    for one, other in zip(found.first, fold.first, strict=True):
        _same_vectors(one, other)
    assert (found.second is None) == (fold.second is None)
    if fold.second is not None:
        _same_vectors(found.second, fold.second)
    assert found.components == fold.components


@settings(max_examples=80, deadline=None)
@given(folds())
def test_any_fold_comes_back(fold):
    _fold_comes_back(fold, write_fold)


def _fold_of(second, *first):
    """A fold of intervals of three bands each, whose vectors are all merged."""
    ends = tuple((3 * np.arange(1, len(first) + 1)).tolist())
    merged = tuple(one.count for one in first)
    return Fold(ends, np.arange(3 * len(first)) << 2, 2, first, merged, second)


def _some(length, count, seed, row_shifts=None):
    codes = np.random.default_rng(seed).integers(-99, 100, (length, count))
    return replace(_triangular(Vectors(codes, np.full(count, 7))), row_shifts=row_shifts)


def test_triangular_folds_of_earlier_encoders_come_back():
    _fold_comes_back(_fold_of(_some(5, 4, 0), _some(3, 3, 1), _some(3, 2, 2)), write_older_fold)


def test_row_shifts_of_a_single_vector_come_back():
    """Although nothing can be left out of one vector."""
    second = _some(2, 1, 3, row_shifts=np.array([4, 0]))
    _fold_comes_back(_fold_of(second, _some(3, 1, 4), _some(3, 1, 5)), write_fold)


@pytest.mark.parametrize("shifts", [[MOST_ROW_SHIFT + 1, 0], [3, -1]])
def test_impossible_row_shifts_are_refused(shifts):
    fold_writer, matrix_writer = PayloadWriter(TABLES), PayloadWriter(TABLES)
    square = _some(2, 2, 3, row_shifts=np.array(shifts))
    write_fold(fold_writer, _fold_of(square, _some(3, 1, 4), _some(3, 1, 5)))
    with pytest.raises(StreamError, match="impossible number of bits"):
        read_fold(PayloadReader(TABLES, fold_writer.data()), 6, spectral=True)
    write_matrices(matrix_writer, (square,))
    with pytest.raises(StreamError, match="impossible number of bits"):
        read_matrices(PayloadReader(TABLES, matrix_writer.data()), 2)


def test_rows_of_vectors_that_tell_everything_are_not_shifted():
    shifted = replace(_rotations(False)[0], row_shifts=np.arange(8))
    with pytest.raises(ValueError, match="not triangular"):
        write_matrices(PayloadWriter(TABLES), (shifted,))


def _rotations(triangular):
    generator = np.random.default_rng(3)
    matrices = [
        Vectors(np.rint(generator.normal(size=(8, 8)) * 60).astype(np.int64), np.full(8, 7)) for _ in range(3)
    ]
    return tuple(map(_triangular, matrices)) if triangular else tuple(matrices)


def _shifted_rotations():
    shifts = np.array([0, 0, 3, 1, MOST_ROW_SHIFT, 0, 2, 5])
    return tuple(replace(one, row_shifts=shifts) for one in _rotations(True))


@pytest.mark.parametrize(
    ("matrices", "write"),
    [
        (_rotations(False), write_matrices),
        (_rotations(True), write_matrices),
        (_shifted_rotations(), write_matrices),
        (_rotations(True), write_older_matrices),
    ],
)
def test_rotations_come_back(matrices, write):
    writer = PayloadWriter(TABLES)
    write(writer, matrices)
    reader = PayloadReader(TABLES, writer.data())
    for one, other in zip(read_matrices(reader, 8), matrices, strict=True):
        _same_vectors(one, other)
    reader.finish()


def test_triangular_rotations_take_half_of_the_bytes():
    sizes = []
    for triangular in (True, False):
        writer = PayloadWriter(TABLES)
        write_matrices(writer, _rotations(triangular))
        sizes.append(len(writer.data()))
    assert sizes[0] < 0.65 * sizes[1]


def test_one_matrix_that_is_not_triangular_tells_them_all():
    matrices = (*_rotations(True), *_rotations(False)[:1])
    assert not are_triangular(matrices)
    writer = PayloadWriter(TABLES)
    write_matrices(writer, matrices)
    for one, other in zip(read_matrices(PayloadReader(TABLES, writer.data()), 8), matrices, strict=True):
        _same_vectors(one, other)


def test_finest_basis_of_many_bands_comes_back():
    codes = np.rint(exact.orthonormalise(np.random.default_rng(1).normal(size=(200, 9))) * BASIS_UNIT).astype(
        np.int64
    )
    vectors = Vectors(codes, np.full(9, 16, dtype=np.int64))
    writer = PayloadWriter(TABLES)
    write_vectors(writer, vectors, triangular=False)
    reader = PayloadReader(TABLES, writer.data())
    _same_vectors(read_vectors(reader, 200, 9, triangular=False), vectors)
    reader.finish()


def test_integers_are_orthonormal_whatever_the_codes():
    codes = np.array([[3, 6, 0, 1], [1, 2, 0, 0], [0, 0, 0, 0], [-2, -4, 0, 5]], dtype=np.int64)
    basis = Vectors(codes, np.array([3, 2, 1, 4])).integers
    assert (basis == np.rint(basis)).all()
    np.testing.assert_allclose(basis.T @ basis / BASIS_UNIT**2, np.eye(4), atol=1e-4)
    np.testing.assert_allclose(basis[:, 0], np.rint(codes[:, 0] / math.sqrt(14) * BASIS_UNIT))


def test_order_of_components():
    """Merged first, then the others by falling precision; equals keep their places."""

    def vectors(*precision):
        return Vectors(np.eye(6, len(precision), dtype=np.int64), np.array(precision, dtype=np.int64))

    fold = Fold(
        (6, 12),
        np.zeros(12, dtype=np.int64),
        0,
        (vectors(9, 5, 3, 3), vectors(8, 7, 3, 6)),
        (1, 1),
        vectors(9, 8),
    )
    inside, outside = fold.split
    assert inside.tolist() == [0, 4]
    assert outside.tolist() == [5, 7, 1, 2, 3, 6]
    assert fold.components == 8
    assert fold.starts == (0, 6)


@pytest.mark.parametrize("mode", range(len(PREDICTORS)))
def test_best_predictor(mode):
    steps = np.arange(12, dtype=np.int64)
    column = [(steps % 2 * 2 - 1) * 50, 100 + steps % 2, 100 - 17 * steps][mode]
    assert best_residuals([column])[0] == [mode]


@pytest.mark.parametrize("length", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize("precision", [1, 5, 16])
def test_expected_entry_is_an_integer_square_root(length, precision):
    expected = 205 * 2**precision / math.sqrt(length)
    assert expected_entry(length, precision) == max(int(expected), 1)


def _fold_payload(*calls):
    writer = PayloadWriter(TABLES)
    for values, mean, signed in calls:
        writer.integers(values, mean, signed=signed)
    return PayloadReader(TABLES, writer.data())


GOOD = [([2], 2048, False), ([3, 1], 8192, False), ([0], 2048, False), ([1, 2, 3, 4], 16384, True)]


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ([([0], 2048, False)], "intervals"),
        ([([5], 2048, False)], "intervals"),
        ([([2], 2048, False), ([4, 0], 8192, False)], "do not make up"),
        ([([2], 2048, False), ([3, 2], 8192, False)], "do not make up"),
        ([*GOOD[:2], ([41], 2048, False)], "shifted"),
        ([*GOOD, ([4, 1], 2048, False), ([0, 0], 2048, False)], "more components than bands"),
        ([*GOOD, ([2, 1], 2048, False), ([3, 0], 2048, False)], "merged"),
        ([*GOOD, ([1, 0], 2048, False), ([1, 0], 2048, False), ([1], 256, True)], "precision"),
        ([*GOOD, ([1, 0], 2048, False), ([1, 0], 2048, False), ([-16], 256, True)], "precision"),
        (
            [*GOOD, ([1, 0], 2048, False), ([1, 0], 2048, False), ([-8], 256, True), ([3], 256, False)],
            "predictor",
        ),
        ([*GOOD, ([0, 0], 2048, False), ([0, 0], 2048, False), ([1], 2048, False)], "second fold"),
        ([([0], 2048, False)] * 3, "0 intervals"),
    ],
)
def test_contradictions_are_refused(calls, message):
    with pytest.raises(StreamError, match=message):
        read_fold(_fold_payload(*calls), 4, spectral=True)


@pytest.mark.parametrize("changes", [[-1, 1, 0, 0], [0, 96, 0, 0], [95, 0, 0, 1]])
def test_impossible_weights_are_refused(changes):
    with pytest.raises(StreamError, match="impossible weight"):
        read_fold(_fold_payload(*GOOD, (changes, 512, True)), 4, spectral=True, weighted=True)


def test_more_merged_components_than_allowed_are_refused():
    bands = MERGE_LIMIT + 1
    calls = [([1], 2048, False), ([bands], 8192, False), ([0], 2048, False), ([0] * bands, 16384, True)]
    calls += [([bands], 2048, False), ([bands], 2048, False)]
    with pytest.raises(StreamError, match="merged"):
        read_fold(_fold_payload(*calls), bands, spectral=True)
