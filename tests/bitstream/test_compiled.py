"""Compiled kernels: the bits of the NumPy code, and none of them needed."""

import os
import pickle
import shutil
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.header import MANY_STATES
from bandfold.bitstream.contexts.context_network import FEATURES, MOST_FEATURES, choose_byte_products
from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, MODES, load_tables
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.segments.latent_reader import LatentReader
from bandfold.bitstream.segments.latents import LatentStatistics, write_latents
from bandfold.common import exact, kernels
from bandfold.common.errors import StreamError
from bandfold.onboard.quantisation.rdoq import quantise

TABLES = load_tables()
TWO = load_tables(DEPENDENT_TABLES)
MANY = TWO.with_states(MANY_STATES)
LIBRARY = kernels.library

needs_kernels = pytest.mark.skipif(
    LIBRARY is None and (kernels.SWITCH in os.environ or shutil.which("cc") is None),
    reason="kernels are switched off, or there is no compiler to build them",
)
pytestmark = needs_kernels


def _latents(seed, components, rows, columns, peak):
    """Latents that fall off along frequencies and components, with blocks of all strengths."""
    generator = np.random.Generator(np.random.PCG64(seed))
    fall = np.exp(-np.arange(64) / 12)[None, :, None, None]
    strength = peak * 0.7 ** np.arange(components)[:, None, None, None]
    blocks = np.exp(generator.normal(size=(1, 1, rows, columns)))
    return np.rint(generator.laplace(size=(components, 64, rows, columns)) * fall * strength * blocks).astype(
        np.int32
    )


CASES = {
    "seed": st.integers(0, 1 << 30),
    "components": st.integers(1, 5),
    "rows": st.integers(1, 9),
    "columns": st.integers(1, 150),
    "peak": st.sampled_from([0.0, 1e2, 1e4, 1e6]),
    "mode": st.sampled_from(MODES),
}


def test_they_are_built_where_there_is_a_compiler():
    assert LIBRARY is not None


@pytest.mark.parametrize("tables", [TABLES, TWO, MANY], ids=["one", "two", "many"])
@settings(max_examples=40, deadline=None)
@given(**CASES, step=st.sampled_from([0.01, 0.7, 3.0, 40.0]))
def test_quantising(tables, seed, components, rows, columns, peak, mode, step):
    latents = _latents(seed, components, rows, columns, peak)
    fast = quantise(latents, step, tables.modes[mode])
    with kernels.switched_off():
        slow = quantise(latents, step, tables.modes[mode])
    for one, other in zip(fast, slow, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("tables", [TABLES, TWO, MANY], ids=["one", "two", "many"])
@settings(max_examples=30, deadline=None)
@given(**CASES, cut=st.integers(0, 5))
def test_writing_and_reading(tables, seed, components, rows, columns, peak, mode, cut):
    """In two parts, as chunks are; a reader does not know classes of diagonals that are not coded."""
    latents = _latents(seed, components, rows, columns, peak)
    quantised, classes = quantise(latents, 1.0, tables.modes[mode])
    statistics = LatentStatistics.of(quantised)
    parts = [slice(0, min(cut, components)), slice(min(cut, components), components)]

    def write():
        before, payloads = 15, []
        for part in parts:
            payload = PayloadWriter(tables)
            own = statistics.part(part)
            write_latents(
                payload, [(quantised[:, part], classes[:, part])], rows * columns, mode, own, before
            )
            before = int(own.extents[-1]) if part.stop > part.start else before
            payloads.append(payload.data())
        return payloads

    def read(first, then):
        """Parts by what is given: NumPy may begin, and go on what C began."""
        reader = LatentReader((components, rows, columns), tables, mode, tables.modes[mode].states)
        for part, data, how in zip(parts, written, (first, then), strict=True):
            with how():
                payload = PayloadReader(tables, data)
                reader.read(payload, part.stop - part.start)
                payload.finish()
        np.testing.assert_array_equal(reader.quantised, quantised)
        return reader.classes

    written = write()
    with kernels.switched_off():
        assert write() == written
        found = read(nullcontext, nullcontext)
    np.testing.assert_array_equal(read(nullcontext, nullcontext), found)
    np.testing.assert_array_equal(read(nullcontext, kernels.switched_off), found)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    shape=st.tuples(st.integers(0, 4), st.integers(1, 3), st.integers(1, 9)),
    scale=st.sampled_from([0.0, 0.1, 5.0, 1e5]),
)
def test_counting(seed, shape, scale):
    generator = np.random.Generator(np.random.PCG64(seed))
    quantised = np.rint(generator.laplace(size=(64, *shape)) * scale).astype(np.int32)
    quantised[:, generator.random(shape[0]) < 0.3] = 0
    fast = LatentStatistics.of(quantised)
    with kernels.switched_off():
        slow = LatentStatistics.of(quantised)
    for name in ("nonzero", "energy", "bits", "extents"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 30), flips=st.integers(1, 4), drop=st.integers(0, 12))
def test_corrupt_payloads_are_refused_or_read_alike(seed, flips, drop):
    generator = np.random.Generator(np.random.PCG64(seed))
    quantised, classes = quantise(_latents(seed, 3, 2, 5, 3e4), 1.0, TABLES.modes["folded"])
    payload = PayloadWriter(TABLES)
    write_latents(payload, [(quantised, classes)], 10, "folded", LatentStatistics.of(quantised))
    data = bytearray(payload.data())
    for place in generator.integers(0, len(data), size=flips).tolist():
        data[place] ^= 1 << int(generator.integers(8))
    found = []
    for how in (nullcontext, kernels.switched_off):
        with how():
            reader = LatentReader((3, 2, 5), TABLES, "folded")
            try:
                source = PayloadReader(TABLES, bytes(data[: len(data) - drop]))
                reader.read(source, 3)
                source.finish()
                found.append(reader.quantised.tobytes())
            except StreamError as error:
                found.append(type(error))
    assert found[0] == found[1]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    count=st.integers(1, 3),
    size=st.integers(1, 20),
    fall=st.sampled_from([0.0, 0.5, 3.0]),
    rank=st.integers(0, 20),
)
def test_eigenvectors(seed, count, size, fall, rank):
    generator = np.random.Generator(np.random.PCG64(seed))
    factor = generator.normal(size=(count, size, rank)) * np.exp(-fall * np.arange(size))[:, None]
    matrices = factor @ factor.transpose(0, 2, 1)
    matrices = (matrices + matrices.transpose(0, 2, 1)) / 2
    fast = exact.eigh(matrices)
    with kernels.switched_off():
        slow = exact.eigh(matrices)
    assert [one.tobytes() for one in fast] == [one.tobytes() for one in slow]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 30), size=st.integers(1, 30), count=st.integers(0, 30), twins=st.booleans())
def test_orthonormal_vectors_and_products(seed, size, count, twins):
    generator = np.random.Generator(np.random.PCG64(seed))
    vectors = generator.normal(size=(size, min(count, size)))
    if twins and vectors.shape[1] > 1:
        vectors[:, 1] = vectors[:, 0]
    other = generator.normal(size=(size, count))
    fast = exact.orthonormalise(vectors), exact.product(vectors.T, other)
    with kernels.switched_off():
        slow = exact.orthonormalise(vectors), exact.product(vectors.T, other)
    assert [one.tobytes() for one in fast] == [one.tobytes() for one in slow]


@pytest.fixture
def byte_products():
    """Choose the instructions that multiply bytes; the best ones again in the end."""
    yield choose_byte_products
    choose_byte_products(1)


@pytest.mark.parametrize("tables", [TABLES, TWO, MANY], ids=["one", "two", "many"])
@pytest.mark.parametrize("kind", [0, 1, 2, 3])
@pytest.mark.parametrize("features", [FEATURES, MOST_FEATURES])
def test_all_instructions_give_the_same_classes(byte_products, deep_network, tables, kind, features):
    # Kinds that this processor does not have are none.
    byte_products(kind)
    latents = _latents(kind, 5, 4, 41, 1e3)
    latents[0, :9] *= 300
    for units, middle_units in ((16, 16), (24, 16), (1, 1), (5, 7), (64, 3), (3, 64)):
        network = deep_network(units, units, middle_units, half_steps=tables is TWO, features=features)
        mode = replace(tables.modes["folded"], network=network)
        fast = quantise(latents, 2.0, mode)
        with kernels.switched_off():
            slow = quantise(latents, 2.0, mode)
        np.testing.assert_array_equal(fast[0], slow[0])
        np.testing.assert_array_equal(fast[1], slow[1])
        assert units == 1 or len(np.unique(slow[1])) > 4


@pytest.mark.parametrize("units", [1, 6, 13, 64])
def test_one_hidden_layer_of_any_number_of_units_up_to_what_there_is_room_for(deep_network, units):
    deep = deep_network(units, units)
    output, offset = deep.layers[-1]
    layers = (deep.layers[0], (output[:, :1].repeat(units, 1), offset))
    small = replace(deep, layers=layers, shifts=(7, 11))
    latents = _latents(3, 3, 4, 9, 1e3)
    mode = replace(TABLES.modes["folded"], network=small)
    fast = quantise(latents, 2.0, mode)
    with kernels.switched_off():
        slow = quantise(latents, 2.0, mode)
    np.testing.assert_array_equal(fast[1], slow[1])


@pytest.mark.parametrize("sizes", [(65, 4), (4, 65)])
def test_networks_that_there_is_no_room_for(deep_network, sizes):
    with pytest.raises(ValueError, match="room"):
        deep_network(0, *sizes)


def test_tables_travel_to_other_processes():
    quantised, classes = quantise(_latents(1, 2, 2, 2, 1e3), 2.0, TABLES.modes["folded"])
    mode = pickle.loads(pickle.dumps(TABLES.modes["folded"]))
    again = quantise(_latents(1, 2, 2, 2, 1e3), 2.0, mode)
    np.testing.assert_array_equal(again[0], quantised)
    np.testing.assert_array_equal(again[1], classes)
