"""Ordered integers: they rise with the samples, lead back to every bit, and refuse what breaks a rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.refinement_layout import Refinement
from bandfold.bitstream.refinement.ordered_integers import (
    ORDERED_BOUNDS,
    differ,
    from_words,
    needed_words,
    ordered_base,
    words_of,
)
from bandfold.bitstream.refinement.refined_strip import refined_counts, refinement_bound
from bandfold.bitstream.refinement.residual_codec import read_residual, write_residual
from bandfold.bitstream.refinement.side_information import ErrorBound
from bandfold.bitstream.refinement.tables import load_refinement_tables
from bandfold.common import kernels
from bandfold.common.errors import StreamError
from bandfold.common.scene import Scaling, SceneInfo

TABLES = load_refinement_tables()
SHAPE = (2, 3, 5)
FLOATS = ["float32", "float64"]
INTEGERS = ["int32", "uint32"]


def of_bits(dtype, values):
    """Samples with any bits, NaN among them."""
    width = np.dtype(dtype).itemsize
    return np.array(values, dtype=np.uint64).astype(f"u{width}").view(dtype).reshape(SHAPE)


def bits(dtype):
    width = 8 * np.dtype(dtype).itemsize
    ends = [0, 1, (1 << width - 1) - 1, 1 << width - 1, (1 << width) - 1]
    one = st.integers(0, (1 << width) - 1) | st.sampled_from(ends)
    return st.lists(one, min_size=30, max_size=30).map(lambda values: of_bits(dtype, values))


samples = st.sampled_from(FLOATS + INTEGERS).flatmap(bits)


def info_of(dtype, scaling=None):
    bands, lines, width = SHAPE
    return SceneInfo(bands, lines, width, np.dtype(dtype), scaling=scaling or Scaling(0.3, -7.0))


@settings(max_examples=150, deadline=None)
@given(cube=samples)
def test_every_bit_comes_back(cube):
    words = cube.dtype.itemsize // 4
    found = words_of(cube, words)
    assert (found.shape, found.dtype) == ((words * SHAPE[0], *SHAPE[1:]), np.int32)
    assert not differ(from_words(found, cube.dtype, SHAPE[0]), cube, None).any()


@settings(max_examples=100, deadline=None)
@given(cube=samples)
def test_they_rise_with_the_samples(cube):
    words = cube.dtype.itemsize // 4
    parts = words_of(cube, words).astype(object).reshape(words, -1)
    whole = parts[0] if words == 1 else parts[0] * 2**32 + parts[1]
    known = cube.ravel() if cube.dtype.kind != "f" else cube.ravel()[~np.isnan(cube.ravel())]
    whole = whole if cube.dtype.kind != "f" else whole[~np.isnan(cube.ravel())]
    order = np.argsort(whole, kind="stable")
    assert (np.diff(known[order].astype(np.longdouble)) >= 0).all()
    same = whole[order][1:] == whole[order][:-1]
    pairs = zip(known[order], known[order][1:], same, strict=False)
    assert all(one.tobytes() == other.tobytes() for one, other, equal in pairs if equal)


def test_neighbours_differ_by_one_across_zero():
    least = np.float32(1e-45)
    line = np.array([-least, -0.0, 0.0, least], dtype=np.float32).reshape(1, 1, 4)
    assert words_of(line, 1).ravel().tolist() == [-2, -1, 0, 1]


def test_doubles_take_a_second_word_only_where_they_need_it():
    cube = np.linspace(-3, 3, 30).reshape(SHAPE)
    assert needed_words(cube, None) == 2
    assert needed_words(cube.astype(np.float32).astype(np.float64), None) == 1
    mask = np.ones(SHAPE, dtype=bool)
    assert needed_words(cube, mask) == 1
    assert needed_words(np.full(SHAPE, 1e300), None) == 2
    assert needed_words(np.full(SHAPE, -0.0), None) == 1
    assert needed_words(cube.astype(np.float32), None) == 1


@pytest.mark.parametrize("compiled", [True, False])
@settings(max_examples=30, deadline=None)
@given(cube=samples, known=samples, gone=st.booleans())
def test_any_base_leads_to_any_samples(compiled, cube, known, gone):
    """Differences of up to 2**32 among them."""
    words = cube.dtype.itemsize // 4
    base = words_of(known if known.dtype == cube.dtype else cube[::-1].copy(), words)
    mask = np.arange(base.size).reshape(base.shape) % 3 == 0 if gone else None
    bound = ErrorBound(np.zeros(len(base), np.int32), words=words)
    wanted = words_of(cube, words)
    payload, refined = write_residual(wanted, base, bound, ORDERED_BOUNDS, mask, TABLES)
    if compiled:
        found, _ = read_residual(payload, base, ORDERED_BOUNDS, mask, TABLES)
    else:
        with kernels.switched_off():
            assert write_residual(wanted, base, bound, ORDERED_BOUNDS, mask, TABLES)[0] == payload
            found, _ = read_residual(payload, base, ORDERED_BOUNDS, mask, TABLES)
    np.testing.assert_array_equal(found, refined)
    present = slice(None) if mask is None else ~mask
    np.testing.assert_array_equal(found[present], wanted[present])


def test_the_base_is_the_sample_that_its_count_stands_for():
    counts = np.arange(-15, 15, dtype=np.int32).reshape(SHAPE)
    for dtype in INTEGERS + FLOATS:
        expected = counts * 1.2 - 7.0
        if dtype in INTEGERS:
            expected = np.clip(np.rint(expected), np.iinfo(dtype).min, np.iinfo(dtype).max)
        for words in range(1, 1 + np.dtype(dtype).itemsize // 4):
            wanted = words_of(expected.astype(dtype), words)
            np.testing.assert_array_equal(ordered_base(counts, info_of(dtype), 2, words), wanted)


@pytest.mark.filterwarnings("error")
def test_values_beyond_float32_are_its_largest():
    found = ordered_base(np.full(SHAPE, 30000, np.int32), info_of("float64", Scaling(1e300)), 0, 1)
    assert (from_words(found, np.dtype("float64"), SHAPE[0]) == np.finfo(np.float32).max).all()


@pytest.mark.parametrize(("dtype", "words"), [("int16", 1), ("uint8", 2), ("float32", 2), ("int32", 2)])
def test_words_that_no_sample_has_are_damage(dtype, words):
    base = np.zeros((words * SHAPE[0], *SHAPE[1:]), np.int32)
    bound = ErrorBound(np.zeros(len(base), np.int32), words=words)
    payload, _ = write_residual(base + 1, base, bound, ORDERED_BOUNDS, None, TABLES)
    refinement = Refinement(0, b"", TABLES.identity, payload)
    assert refinement_bound(refinement, SHAPE[0]).words == words
    info = SceneInfo(*SHAPE, np.dtype(dtype)) if np.dtype(dtype).itemsize < 4 else info_of(dtype)
    with pytest.raises(StreamError, match=f"{words} words of {dtype}"):
        refined_counts(refinement, base[: SHAPE[0]], info, 0, None)
