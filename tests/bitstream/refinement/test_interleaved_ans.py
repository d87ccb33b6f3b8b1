"""Tokens and raw bits: compiled kernels write what NumPy writes, however large numbers are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.refinement.contexts import ABSENT
from bandfold.bitstream.refinement.interleaved_ans import SymbolReader, SymbolWriter
from bandfold.bitstream.refinement.scales import CLASSES, FIRST_CLASS
from bandfold.bitstream.refinement.tables import load_refinement_tables
from bandfold.common import kernels

TABLES = load_refinement_tables()


def blocks(seed, raw):
    """Blocks of odd and even sizes: small numbers, then some that are large, then small ones again."""
    generator = np.random.default_rng(seed)
    for samples in (511, 1, 700, 3):
        numbers = (
            np.rint(generator.laplace(0, 9, (3, samples)) * (1 << raw))
            .clip(1 - (1 << 31), (1 << 31) - 1)
            .astype(np.int64)
        )
        some = generator.random(numbers.shape) < generator.choice([0.0, 0.0005, 0.5])
        numbers[some] = generator.choice([-(1 << 31), (1 << 31) - 1, 1 << 15, (1 << 15) - 1, -16], some.sum())
        classes = generator.integers(0, CLASSES, numbers.shape).astype(np.uint8)
        classes[generator.random(numbers.shape) < generator.choice([0.0, 0.2, 1.0])] = ABSENT
        yield numbers.astype(np.int32), classes


def written(seed, raw):
    writer = SymbolWriter(TABLES)
    for numbers, classes in blocks(seed, raw):
        writer.append(numbers, classes, raw)
    return writer.followed_by(SymbolWriter(TABLES))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1 << 20), raw=st.sampled_from([0, 0, 1, 20, 26]))
def test_compiled_kernels_and_numpy_write_the_same(seed, raw):
    compiled = written(seed, raw)
    with kernels.switched_off():
        assert written(seed, raw) == compiled


@pytest.mark.parametrize("largest", [3, 1 << 14, 1 << 15, 1 << 30])
def test_numbers_come_back(largest):
    numbers = (
        np.random.default_rng(largest).integers(-largest, largest, (1, 2000), endpoint=True).astype(np.int32)
    )
    writer = SymbolWriter(TABLES)
    writer.append(numbers, np.full(numbers.shape, 5, dtype=np.uint8))
    reader = SymbolReader(TABLES, writer.followed_by(SymbolWriter(TABLES)))
    np.testing.assert_array_equal(reader.numbers(2000, FIRST_CLASS + 10), numbers[0])
