"""Dependent quantisation: the path found is the best one, and worth its trouble."""

import contextlib
import itertools

import numpy as np
import pytest

from bandfold.bitstream.container.header import MANY_STATES, CodingTools, Header
from bandfold.bitstream.contexts.features import Past
from bandfold.bitstream.contexts.tables import CLASSES, DEPENDENT_TABLES, OLDER, load_tables
from bandfold.bitstream.contexts.trellis_states import set_of_latents
from bandfold.bitstream.entropy.ans import to_tokens
from bandfold.bitstream.segments.latents import classify
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common import kernels
from bandfold.common.errors import SettingsError, StreamError
from bandfold.common.strip_memory import StripMemory
from bandfold.ground.decoder import Decoder
from bandfold.onboard import StreamEncoder
from bandfold.onboard.encoder import Encoder
from bandfold.onboard.quantisation.rdoq import _scalar_classes, decision_thresholds, quantise
from bandfold.onboard.quantisation.trellis_search import TRELLIS_RATIO
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER
from bandfold.onboard.samples.samples import ArraySource

from ..latents import STEP, latents

ONE, TWO = load_tables().modes["folded"], load_tables(DEPENDENT_TABLES).modes["folded"]
MANY = load_tables(DEPENDENT_TABLES).with_states(MANY_STATES).modes["folded"]

trellises = pytest.mark.parametrize("mode", [TWO, MANY], ids=["8", "32"])


def scene():
    rng = np.random.default_rng(3)
    fields = rng.normal(size=(3, 40, 48)).cumsum(axis=1).cumsum(axis=2)
    spectra = rng.normal(size=(12, 3)).cumsum(axis=0)
    cube = np.tensordot(spectra, fields, axes=1) * 3 + rng.normal(size=(12, 40, 48)) * 4 + 3000
    return np.clip(np.rint(cube), 0, 65535).astype(np.uint16)


def distortion_and_bits(exact, step, quantised, classes, mode):
    size = np.abs(exact.transpose(1, 0, 2, 3)) / (step * FRACTION)
    magnitudes = np.abs(quantised)
    tokens = to_tokens(magnitudes.ravel().astype(np.int64))[0].reshape(magnitudes.shape)
    error = ((size - mode.reconstruction_points(magnitudes, classes)) ** 2).sum() * step**2
    return error, mode.costs[classes, tokens].sum() / 256


@trellises
def test_contexts_and_quantisers_are_those_that_the_decoder_will_see(mode):
    quantised, classes = quantise(latents(), STEP, mode)
    second = set_of_latents(quantised, mode.states)
    nothing = Past.empty(2, *quantised.shape[2:], extended=TWO.network.extended)
    seen, _ = classify(quantised, TWO.network, nothing, second)
    np.testing.assert_array_equal(classes, seen + CLASSES * second)


@trellises
def test_signs_are_kept_and_levels_are_near(mode):
    exact = latents()
    quantised, classes = quantise(exact, STEP, mode)
    steps = exact.transpose(1, 0, 2, 3) / (STEP * FRACTION)
    assert (quantised * steps >= 0).all()
    level = np.abs(quantised) - 0.5 * (classes >= CLASSES) * (quantised != 0)
    assert np.abs(np.abs(steps) - level).max() < 2.0


@trellises
def test_a_single_chain_takes_the_best_of_all_paths(mode):
    """One position, and only first channels of the lowest diagonals hold anything: few enough to try all."""
    exact = np.zeros((1, 64, 1, 1), dtype=np.int32)
    chain = [0, 1, 3, 6, 10]
    exact[0, chain, 0, 0] = np.array([2.3, -1.6, 0.45, 1.24, -0.7]) * STEP * FRACTION
    quantised = quantise(exact, STEP, mode)[0]

    def price(values, contexts):
        total, state = 0.0, 0
        for channel, value in zip(chain, values, strict=True):
            kind = contexts[channel] + CLASSES * (state % 2)
            point = TWO.reconstruction_points(np.array([abs(value)]), np.array([kind]))[0]
            size = abs(int(exact[0, channel, 0, 0])) / (STEP * FRACTION)
            total += (size - point) ** 2
            total += LAGRANGE_MULTIPLIER * TRELLIS_RATIO / 256 * int(TWO.costs[kind, abs(value)])
            state = mode.trellis[state][value % 2]
        return total

    # In the contexts that the search went by: those of the levels of one quantiser.
    multiplier = LAGRANGE_MULTIPLIER * TRELLIS_RATIO
    thresholds = decision_thresholds(TWO, multiplier)[: TWO.network.classes]
    found = np.empty((64, 1, 1, 1), dtype=np.uint8)
    _scalar_classes(TWO.network, exact, 1.0 / (STEP * FRACTION), thresholds, found)
    contexts = found[:, 0, 0, 0].astype(int)
    best = min(price(path, contexts) for path in itertools.product(range(4), repeat=len(chain)))
    # What follows on the chain are zeros, whose price depends a little on the state.
    assert price(np.abs(quantised[chain, 0, 0, 0]).tolist(), contexts) <= best + 0.05


@pytest.mark.parametrize("mode", [ONE, TWO])
def test_memory_that_another_strip_has_used_changes_nothing(mode):
    memory = StripMemory()
    quantise(latents(rows=12, columns=9), STEP, mode, memory=memory)
    exact = latents(rows=8, columns=9)
    for found, usual in zip(
        quantise(exact, STEP, mode, memory=memory), quantise(exact, STEP, mode), strict=True
    ):
        np.testing.assert_array_equal(found, usual)


def test_fewer_bits_at_the_same_error():
    exact = latents(rows=20, columns=20)
    # With the contexts of one quantiser: the latents are drawn by chance, and have no edges to follow.
    two = load_tables(OLDER / "808baa973de675fc.npz").modes["folded"]
    points = []
    for step in (4.0, 5.0, 6.0):
        points.append(distortion_and_bits(exact, step, *quantise(exact, step, two), two))
    errors, bits = np.log(np.array(points)).T
    for step in (4.0, 4.6):
        error, cost = distortion_and_bits(exact, step, *quantise(exact, step, ONE), ONE)
        assert np.exp(np.interp(np.log(error), errors, bits)) < 0.985 * cost


@pytest.mark.parametrize("step", [5.0, 8.0])
def test_paths_through_more_states_cost_less(step):
    exact = latents(rows=20, columns=20)
    worth = LAGRANGE_MULTIPLIER * TRELLIS_RATIO * step**2
    few, many = (distortion_and_bits(exact, step, *quantise(exact, step, mode), mode) for mode in (TWO, MANY))
    assert many[0] + worth * many[1] < few[0] + worth * few[1]


@pytest.mark.parametrize("quantiser", ["dependent", "dependent-32"])
@pytest.mark.parametrize("how", [{"step": 6.0}, {"bps": 1.0}, {"step": 6.0, "stream": True}])
def test_streams_come_back(how, quantiser):
    cube = scene()
    data = Encoder(quantiser=quantiser, strip_lines=16, **how).encode(cube)
    found = Decoder(data, restore="off").decode().astype(float)
    step = Decoder(data).step
    assert np.sqrt(((found - cube) ** 2).mean()) < 0.5 * max(step, 6.0)


def test_streams_name_their_quantiser_and_bands_have_one():
    cube = scene()
    folded = Encoder(step=6.0, quantiser="dependent").encode(cube)
    banded = Encoder(step=6.0, quantiser="dependent", spectral="none").encode(cube)
    many = Encoder(step=6.0, effort=6).encode(cube)
    for data, quantiser in ((folded, "dependent"), (banded, "uniform"), (many, "dependent-32")):
        assert Decoder(data, restore="off").report()["quantiser"] == quantiser
    assert np.abs(Decoder(banded, restore="off").decode().astype(int) - cube).max() < 12


@pytest.mark.parametrize("stream", [False, True])
def test_two_quantisers_in_32_states_are_the_default(stream):
    cube = scene()
    plain, named, one = (
        Encoder(step=6.0, stream=stream, **how).encode(cube)
        for how in ({}, {"quantiser": "dependent-32"}, {"quantiser": "uniform"})
    )
    assert plain == named
    assert Decoder(one, restore="off").report()["quantiser"] == "uniform"


def test_settings_that_contradict_each_other():
    with pytest.raises(SettingsError, match="uniform or dependent or dependent-32"):
        Encoder(step=1.0, quantiser="vector")
    with pytest.raises(SettingsError, match="leave out the quantiser"):
        Encoder(step=1.0, quantiser="dependent", tables=DEPENDENT_TABLES)
    with pytest.raises(SettingsError, match="quantiser"):
        StreamEncoder(ArraySource(scene()).info, print, step=1.0, quantiser="no")


@pytest.mark.parametrize("quantiser", ["dependent", "dependent-32"])
def test_headers_of_single_bands_with_two_quantisers_are_refused(quantiser):
    info = ArraySource(scene()).info
    header = Header(info, 16, 256, CodingTools(False, "dct8", quantiser), bytes(8))
    with pytest.raises(StreamError, match="quantiser"):
        Header.unpack(header.pack())


@pytest.mark.parametrize("how", [contextlib.nullcontext, kernels.switched_off])
@pytest.mark.parametrize("mode", [ONE, TWO, MANY])
def test_levels_may_take_the_place_of_their_latents(mode, how):
    exact = latents(rows=5, columns=7)
    usual = quantise(exact, STEP, mode)
    with how():
        given = exact.copy()
        found = quantise(given, STEP, mode, in_place=True)
    assert np.shares_memory(found[0], given)
    for one, other in zip(found, usual, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_second_search_keeps_its_latents():
    exact = latents(rows=5, columns=7)
    given = exact.copy()
    found = quantise(given, STEP, TWO, searches=2, in_place=True)
    np.testing.assert_array_equal(given, exact)
    for one, other in zip(found, quantise(exact, STEP, TWO, searches=2), strict=True):
        np.testing.assert_array_equal(one, other)
