"""Latents under a factorised prior: what is written is read, with both coders."""

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.entropy.ans import TOKENS
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.segments.planes import (
    FIRST_PLANE_TABLE,
    plane_tables,
    read_planes,
    unzigzag,
    write_planes,
    zigzag,
)
from bandfold.calibration.integer_tables import integer_frequencies
from bandfold.common import kernels
from bandfold.common.errors import ModelError, StreamError


def make_frequencies(engines=2, channels=3):
    rng = np.random.default_rng(0)
    falls = rng.uniform(0.2, 0.9, (engines * channels, 1))
    return integer_frequencies(falls ** np.arange(TOKENS)).reshape(engines, channels, TOKENS)


@pytest.fixture
def tables():
    return plane_tables(load_tables(), make_frequencies())


def latents(seed=0, shape=(5, 3, 4, 6)):
    values = np.rint(np.random.default_rng(seed).laplace(0.6, 3, shape)).astype(np.int32)
    values[1] = 0
    values[2, 0, 0, 0] = 2_000_000_000
    values[2, 1, 0, 0] = -2_000_000_000
    return values


def written(tables, values, engine=1):
    payload = PayloadWriter(tables)
    payload.integers([5, -3], 256)
    write_planes(payload, values, tables.first_plane_table(engine))
    return payload.data()


def read(tables, data, shape, engine=1):
    payload = PayloadReader(tables, data)
    assert payload.integers(2, 256) == [5, -3]
    values = read_planes(payload, shape, tables.first_plane_table(engine))
    payload.finish()
    return values


def test_zigzag_numbers_every_integer_once():
    values = np.arange(-4, 5)
    assert zigzag(values).tolist() == [7, 5, 3, 1, 0, 2, 4, 6, 8]
    np.testing.assert_array_equal(unzigzag(zigzag(values)), values)


def test_planes_come_back(tables):
    values = latents()
    np.testing.assert_array_equal(read(tables, written(tables, values), values.shape), values)


def test_both_coders_write_the_same(tables):
    data = written(tables, latents())
    with kernels.switched_off():
        assert written(tables, latents()) == data
        np.testing.assert_array_equal(read(tables, data, latents().shape), latents())


def test_no_live_band_and_no_band_at_all(tables):
    for shape in ((4, 3, 2, 2), (0, 3, 2, 2)):
        values = np.zeros(shape, np.int32)
        data = written(tables, values)
        assert len(data) < 16
        np.testing.assert_array_equal(read(tables, data, shape), values)


def test_size_is_the_entropy_of_the_tables(tables):
    rng = np.random.default_rng(4)
    frequencies = make_frequencies()[0]
    values = np.stack(
        [unzigzag(rng.choice(16, (40, 40), p=row[:16] / row[:16].sum())) for row in frequencies]
    )[None].astype(np.int32)
    tokens = zigzag(values[0])
    expected = sum(
        float((24 - np.log2(row[plane])).sum()) for row, plane in zip(frequencies, tokens, strict=True)
    )
    assert 8 * len(written(tables, values, engine=0)) == pytest.approx(expected, abs=96)


def test_engines_have_tables_of_their_own(tables):
    assert tables.first_plane_table(0) == FIRST_PLANE_TABLE
    assert tables.first_plane_table(1) == FIRST_PLANE_TABLE + 3
    values = latents()
    assert written(tables, values, 0) != written(tables, values, 1)
    with pytest.raises(StreamError):
        read(tables, written(tables, values, 0), values.shape, 1)


def test_cut_and_mistaken_payloads_are_refused(tables):
    data = written(tables, latents())
    with pytest.raises(StreamError):
        read(tables, data[:-3], latents().shape)
    payload = PayloadWriter(tables)
    payload.integers([5, -3], 256)
    payload.integers([1, 2, 0], 256, signed=False)
    with pytest.raises(StreamError, match="neither coded nor empty"):
        read(tables, payload.data(), (3, 3, 1, 1))


def test_latents_beyond_the_alphabet_are_refused(tables):
    with pytest.raises(StreamError, match="out of range"):
        write_planes(PayloadWriter(tables), np.full((1, 3, 1, 1), 1 << 36), FIRST_PLANE_TABLE)


def test_wrong_tables_are_refused():
    good = make_frequencies()
    for bad in (good - good.min(), good[..., :-1], good[0], good + 1):
        with pytest.raises(ModelError, match="frequencies of a model"):
            plane_tables(load_tables(), bad)
