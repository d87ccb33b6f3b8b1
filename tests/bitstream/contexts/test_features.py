"""Contexts: every feature as the document defines it, computed here latent by latent in plain Python."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.context_network import FEATURES, MOST_FEATURES, ContextNetwork
from bandfold.bitstream.contexts.features import (
    DIAGONAL_SLICES,
    DIAGONALS,
    LOG,
    Past,
    find_logarithms,
    magnitudes_of,
)
from bandfold.bitstream.contexts.tables import DATA, MODES, SHIPPED_TABLES, Mode, load_tables
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.segments.latent_reader import LatentReader
from bandfold.bitstream.segments.latents import LatentStatistics, classify, write_latents
from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.common import kernels

TABLES = load_tables()
PAIRS = [tuple(pair) for pair in FREQUENCIES.tolist()]
GROUP = (0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7)


def _log(x):
    power, n = (1 + min(x, 65535)) ** 16, 0
    while power >= 1 << (2 * n + 1):
        n += 1
    return min(n, 127)


class _Component:
    """Magnitudes of one component by frequency and position; nothing outside."""

    def __init__(self, values=None, last=None):
        self.values = {}
        self.history = {}
        self.positions = 1
        if values is not None:
            _, rows, columns = values.shape
            self.positions = rows * columns
            for number, pair in enumerate(PAIRS):
                for r in range(rows):
                    for s in range(columns):
                        place = pair, r, s
                        self.values[place] = min(abs(int(values[number, r, s])), 2047)
                        before = last.history.get(place, 0)
                        self.history[place] = min(15 * before // 16 + 8 * self.values[place], 65535)

    def a(self, i, j, r, s):
        return self.values.get(((i, j), r, s), 0)

    def ring(self, i, j, r, s):
        return _around(lambda y, x: self.a(i, j, y, x), r, s)

    def m(self, i, j):
        total = sum(value for (pair, _, _), value in self.values.items() if pair == (i, j))
        return min((64 * total + self.positions // 2) // self.positions, 65535)

    def below(self, d, r, s):
        return sum(self.a(i, j, r, s) for i, j in PAIRS if i + j < d)


def _around(plane, r, s):
    return sum(plane(r + y, s + x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))


def _features(i, j, r, s, now, last, before):
    d = i + j

    def recent(y, x):
        return now.below(d, y, x) - now.below(max(d - 2, 0), y, x)

    extended = [
        now.a(i - 1, j, r, s - 1) + now.a(i - 1, j, r, s + 1),
        now.a(i - 1, j, r - 1, s) + now.a(i - 1, j, r + 1, s),
        now.a(i, j - 1, r, s - 1) + now.a(i, j - 1, r, s + 1),
        now.a(i, j - 1, r - 1, s) + now.a(i, j - 1, r + 1, s),
        last.history.get(((i, j), r, s), 0),
    ]
    sums = [
        now.a(i - 1, j, r, s),
        now.a(i, j - 1, r, s),
        now.a(i - 1, j - 1, r, s),
        max(now.a(i - 2, j, r, s), now.a(i, j - 2, r, s)),
        now.ring(i - 1, j, r, s),
        now.ring(i, j - 1, r, s),
        last.a(i, j, r, s),
        last.ring(i, j, r, s),
        last.a(i - 1, j, r, s) + last.a(i, j - 1, r, s) + last.a(i + 1, j, r, s) + last.a(i, j + 1, r, s),
        before.a(i, j, r, s),
        before.ring(i, j, r, s),
        *extended,
        now.below(d, r, s),
        _around(lambda y, x: now.below(d, y, x), r, s),
        recent(r, s),
        _around(recent, r, s),
        last.below(15, r, s),
        now.m(i - 1, j) + now.m(i, j - 1),
        last.m(i, j),
        last.m(i - 1, j) + last.m(i, j - 1),
    ]
    return [_log(value) for value in sums]


def _latents(shape, seed, scale=3.0):
    """Heavy-tailed latents that fall with frequency; some beyond every cut."""
    generator = np.random.Generator(np.random.PCG64(seed))
    fall = scale * 8.0 / (1.0 + FREQUENCIES.sum(axis=1))
    values = generator.standard_t(1.2, size=(64, *shape)) * fall[:, None, None, None]
    return np.clip(np.rint(values), -100_000, 100_000).astype(np.int32)


def _mode(network):
    mode = TABLES.modes["folded"]
    return Mode(network, mode.frequencies, mode.points)


def _single(feature, features):
    """A network of so many features whose class is one of them."""
    hidden = np.zeros((8, 1, features), dtype=np.float32)
    hidden[:, 0, feature] = 1
    bias, output, offset = np.zeros((64, 1), "f4"), np.ones((8, 1), "f4"), np.zeros(8, "f4")
    return _mode(ContextNetwork(((hidden, bias), (output, offset)), (0, 0), 128))


def _classify(quantised, mode):
    nothing = Past.empty(2, *quantised.shape[2:], extended=mode.network.extended)
    return classify(quantised, mode.network, nothing)[0]


@pytest.fixture(scope="module")
def brute():
    """Latents and their features, shape (24, 64, components, rows, columns)."""
    quantised = _latents((7, 2, 3), seed=1)
    quantised[:, 2] //= 50
    # Beyond the cuts of magnitudes, of means (all positions of a plane) and of sums.
    quantised[:40, 0] = 70_000
    quantised[5, 1, 0, 1] = -2048
    parts = [_Component(), _Component()]
    for index in range(quantised.shape[1]):
        parts.append(_Component(quantised[:, index], parts[-1]))
    described = np.empty((MOST_FEATURES, *quantised.shape), dtype=np.int64)
    for channel, (i, j) in enumerate(PAIRS):
        for k, r, s in np.ndindex(quantised.shape[1:]):
            described[:, channel, k, r, s] = _features(i, j, r, s, parts[k + 2], parts[k + 1], parts[k])
    return quantised, described


def test_brute_force_meets_every_cut(brute):
    quantised, described = brute
    assert np.abs(quantised).max() > 2047
    assert described.max() == 127
    assert (described.max(axis=(1, 2, 3, 4)) > 0).all()


USUAL = [*range(11), *range(16, MOST_FEATURES)]
"""Features of networks that are not extended."""


@pytest.mark.parametrize("feature", range(MOST_FEATURES))
def test_feature(brute, feature):
    quantised, described = brute
    mode = _single(feature, MOST_FEATURES)
    np.testing.assert_array_equal(_classify(quantised, mode), described[feature])
    if feature in USUAL:
        mode = _single(USUAL.index(feature), FEATURES)
        np.testing.assert_array_equal(_classify(quantised, mode), described[feature])


OLDER = sorted(DATA.glob("older/*.npz"))


NETWORKS = {
    f"{name}-{path.stem}": load_tables(path).modes[name]
    for name in MODES
    for path in (SHIPPED_TABLES, *OLDER)
    # Its features are of half steps, those of all others of steps.
    if not load_tables(path).modes[name].network.half_steps
}


@pytest.mark.parametrize("mode", NETWORKS.values(), ids=NETWORKS)
def test_network_in_integers(brute, mode):
    quantised, described = brute
    network = mode.network
    known = described if network.extended else described[USUAL]
    layers = [(weights.astype(np.int64), bias.astype(np.int64)) for weights, bias in network.layers]
    (hidden, bias), *between, (output, offset) = layers
    expected = np.empty(quantised.shape, dtype=np.int64)
    for channel, pair in enumerate(PAIRS):
        group = GROUP[sum(pair)]
        units = np.tensordot(hidden[group], known[:, channel], axes=1) + bias[channel][:, None, None, None]
        units = np.clip(units >> network.shifts[0], 0, 127 if between else 1023)
        for weights, middle_bias in between:
            sums = np.tensordot(weights[group], units, axes=1) + middle_bias[group][:, None, None, None]
            units = np.clip(sums >> network.shifts[1], 0, 127)
        level = np.tensordot(output[group], units, axes=1) + offset[group]
        expected[channel] = np.clip(level >> network.shifts[-1], 0, 47)
    np.testing.assert_array_equal(_classify(quantised, mode), expected)
    # A network that always answers the same would pass too.
    assert len(np.unique(expected)) > 10


def test_logarithm_table():
    exact = 8 * np.log2(1 + np.arange(65536, dtype=np.float64))
    near_tie = np.abs(exact - np.floor(exact) - 0.5) < 1e-9
    expected = np.minimum(np.rint(exact), 127)
    assert not near_tie.any()
    np.testing.assert_array_equal(LOG, expected)


def test_every_logarithm_that_is_computed():
    sums = np.arange(65536, dtype=np.uint16)
    for start in range(20):
        found = np.zeros(65536 - start, dtype=np.uint8)
        find_logarithms(LOG, sums[start:], found)
        np.testing.assert_array_equal(found, LOG[start:])


def test_channels_of_the_diagonals():
    covered = [channel for part in DIAGONAL_SLICES for channel in range(64)[part]]
    assert covered == list(range(64))
    for diagonal, part in enumerate(DIAGONAL_SLICES):
        assert PAIRS[part] == sorted(pair for pair in np.ndindex(8, 8) if sum(pair) == diagonal)


@pytest.mark.parametrize("features", [FEATURES, MOST_FEATURES])
@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_components_in_runs_have_the_same_classes(cut, features, deep_network):
    quantised = _latents((6, 3, 2), seed=2)
    mode = _mode(deep_network(0, features=features))
    whole = _classify(quantised, mode)
    past, parts = Past.empty(2, 3, 2, extended=mode.network.extended), []
    for start in range(0, 6, cut):
        run = quantised[:, start : start + cut]
        classes, learnt = classify(run, mode.network, past)
        parts.append(classes)
        past = past.then(learnt).part(run.shape[1], run.shape[1] + 2)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize("layer", ["hidden", "output", "bias", "offset"])
def test_network_that_float32_cannot_hold_is_refused(layer):
    parts = {
        "hidden": np.zeros((8, 2, FEATURES), dtype=np.float32),
        "bias": np.zeros((64, 2), dtype=np.float32),
        "output": np.zeros((8, 2), dtype=np.float32),
        "offset": np.zeros(8, dtype=np.float32),
    }
    largest = {
        "hidden": (1 << 24) // 127,
        "output": (1 << 24) // 1023,
        "bias": (1 << 24) - 1,
        "offset": (1 << 24) - 1,
    }
    parts[layer].flat[-1] = -largest[layer]
    layers = ((parts["hidden"], parts["bias"]), (parts["output"], parts["offset"]))
    ContextNetwork(layers, shifts=(0, 0), classes=48)
    parts[layer].flat[-1] = -largest[layer] - 1
    with pytest.raises(ValueError, match="float32 is exact"):
        ContextNetwork(layers, shifts=(0, 0), classes=48)


@pytest.mark.parametrize("number", [np.nan, 0.5, np.inf])
@pytest.mark.parametrize("array", [0, 1])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_weights_are_whole_numbers(layer, array, number, deep_network):
    network = deep_network(1)
    layers = [[part.copy() for part in one] for one in network.layers]
    layers[layer][array].flat[0] = number
    with pytest.raises(ValueError, match=r"whole numbers|a weight is inf|sums reach inf"):
        ContextNetwork(tuple(map(tuple, layers)), network.shifts, network.classes)


@pytest.mark.parametrize("layer", [0, 1, 2], ids=["hidden", "middle", "output"])
def test_weights_of_two_hidden_layers_are_bytes(layer, deep_network):
    network = deep_network(1)
    layers = list(network.layers)
    values = layers[layer][0].copy()
    layers[layer] = (values, layers[layer][1])
    values.flat[5] = -127
    replace(network, layers=tuple(layers))
    values.flat[5] = -128
    with pytest.raises(ValueError, match=r"a weight is 128: 127 is most"):
        replace(network, layers=tuple(layers))


def test_every_layer_has_a_shift(deep_network):
    with pytest.raises(ValueError, match="2 shifts for 3 layers"):
        replace(deep_network(1), shifts=(7, 7))


@pytest.mark.parametrize("second", [False, True])
def test_magnitudes_in_half_steps(second):
    values = np.array([0, 1, -1, 2, -7, 1023, 1024, 5000, -(2**31) + 1])
    flags = np.full(len(values), second, dtype=np.uint8)
    less = int(second)
    expected = [0, 2 - less, 2 - less, 4 - less, 14 - less, 2046 - less, *3 * [2047 - less]]
    np.testing.assert_array_equal(magnitudes_of(values, True, flags), expected)
    np.testing.assert_array_equal(magnitudes_of(values, True), magnitudes_of(values, True, 0 * flags))
    np.testing.assert_array_equal(magnitudes_of(values), np.minimum(np.abs(values), 2047))


def _round_trip(quantised, name, tables=TABLES):
    mode = tables.modes[name]
    classes = _classify(quantised, mode)
    writer = PayloadWriter(tables)
    positions = quantised.shape[2] * quantised.shape[3]
    write_latents(writer, [(quantised, classes)], positions, name, LatentStatistics.of(quantised))
    reader = PayloadReader(tables, writer.data())
    latents = LatentReader(quantised.shape[1:], tables, name)
    latents.read(reader, quantised.shape[1])
    reader.finish()
    found, found_classes = latents.quantised, latents.classes
    np.testing.assert_array_equal(found, quantised)
    # The encoder sees all components at once, the decoder one diagonal at a time: same classes, where coded.
    for component, extent in enumerate(LatentStatistics.of(quantised).extents.tolist()):
        coded = slice(0, DIAGONAL_SLICES[extent - 1].stop if extent else 0)
        np.testing.assert_array_equal(found_classes[coded, component], classes[coded, component])


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 1, 7), (2, 9, 1), (3, 8, 8)])
def test_latents_come_back(name, shape):
    _round_trip(_latents(shape, seed=sum(shape)), name)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)),
    st.integers(0, 1 << 30),
    st.sampled_from([0.0, 0.05, 0.5, 20.0]),
    st.sampled_from(MODES),
)
def test_any_latents_come_back(shape, seed, scale, name):
    _round_trip(_latents(shape, seed, scale), name)


@pytest.mark.parametrize("compiled", [True, False])
def test_latents_of_an_extended_network_come_back(compiled, deep_network):
    mode = _mode(deep_network(3, features=MOST_FEATURES))
    tables = replace(TABLES, modes={**TABLES.modes, "folded": mode})
    with nullcontext() if compiled else kernels.switched_off():
        _round_trip(_latents((6, 3, 4), seed=5), "folded", tables)


@pytest.mark.parametrize("features", [18, 20, 23, 25])
def test_networks_of_other_features_are_refused(features, deep_network):
    with pytest.raises(ValueError, match="layer 0 of a context network has weights of shape"):
        deep_network(0, features=features)


def test_extreme_latents_come_back():
    quantised = np.zeros((64, 3, 2, 2), dtype=np.int32)
    limits = np.iinfo(np.int32)
    quantised[0, 0] = [[limits.max, -limits.max], [0, 2047]]
    quantised[63, 1] = 1
    _round_trip(quantised, "banded")


def test_extent_is_the_last_diagonal_that_holds_anything():
    quantised = np.zeros((64, DIAGONALS + 1, 1, 2), dtype=np.int32)
    for diagonal in range(DIAGONALS):
        quantised[DIAGONAL_SLICES[diagonal].stop - 1, diagonal + 1, 0, 1] = -1
    assert LatentStatistics.of(quantised).extents.tolist() == list(range(DIAGONALS + 1))


def test_a_latent_does_not_see_itself_or_anything_later():
    quantised = _latents((3, 2, 2), seed=9, scale=30.0)
    mode = TABLES.modes["folded"]
    before = _classify(quantised, mode)
    for diagonal, part in enumerate(DIAGONAL_SLICES):
        changed = quantised.copy()
        changed[part.start :, 1] += 1000
        after = _classify(changed, mode)
        np.testing.assert_array_equal(after[:, 0], before[:, 0], err_msg=f"component 0, diagonal {diagonal}")
        np.testing.assert_array_equal(after[: part.stop, 1], before[: part.stop, 1])
    assert (after[:, 2] != before[:, 2]).any()
