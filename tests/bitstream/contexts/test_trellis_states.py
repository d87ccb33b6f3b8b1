"""States of the chains of dependent quantisation."""

import numpy as np
import pytest

from bandfold.bitstream.container.header import FEW_STATES, MANY_STATES
from bandfold.bitstream.contexts.features import DIAGONAL_SLICES
from bandfold.bitstream.contexts.tables import (
    CLASSES,
    DEPENDENT_TABLES,
    SHIPPED_TABLES,
    load_tables,
    shipped_tables,
)
from bandfold.bitstream.contexts.trellis_states import CHAINS, TRELLISES, Chains, set_of_latents
from bandfold.bitstream.transforms.dct import FREQUENCIES

states = pytest.mark.parametrize("states", [FEW_STATES, MANY_STATES])


@states
def test_each_state_follows_two_others_and_both_parities_lead_on(states):
    trellis = TRELLISES[states]
    assert (trellis[:, 0] != trellis[:, 1]).all()
    assert (np.bincount(trellis.ravel()) == 2).all()
    assert trellis.shape == (states, 2)


@states
def test_zeros_keep_a_chain_in_the_first_quantiser(states):
    assert not set_of_latents(np.zeros((64, 3, 2, 2), dtype=np.int32), states).any()


@states
def test_chains_are_followed_channel_by_channel_through_components(states):
    generator = np.random.default_rng(0)
    quantised = np.rint(generator.laplace(size=(64, 4, 2, 3)) * 2).astype(np.int32)
    found = set_of_latents(quantised, states)
    diagonals = [np.flatnonzero(FREQUENCIES.sum(axis=1) == diagonal) for diagonal in range(15)]
    for chain in range(CHAINS):
        state = 0
        for component in range(4):
            for channels in diagonals[chain : 15 - chain]:
                assert found[channels[chain], component, 1, 2] == state % 2
                state = TRELLISES[states][state][quantised[channels[chain], component, 1, 2] % 2]
    assert 0.2 < found.mean() < 0.8


def test_negative_levels_have_the_parity_of_their_magnitude():
    values = np.array([3, -3, 4, -4]).reshape(1, 1, 4)
    chains = Chains(TRELLISES[FEW_STATES], 1, 4)
    chains.move(0, values)
    assert chains.states[0, 0].tolist() == [1, 1, 0, 0]
    assert chains.quantisers(1).shape == (DIAGONAL_SLICES[1].stop - DIAGONAL_SLICES[1].start, 1, 4)


def test_tables_are_found_by_their_identity():
    one, two = load_tables(SHIPPED_TABLES), load_tables(DEPENDENT_TABLES)
    assert one.identity != two.identity
    assert shipped_tables(two.identity) is two
    assert shipped_tables(one.identity).identity == one.identity
    assert not one.modes["folded"].dependent
    assert two.modes["folded"].dependent
    assert not two.modes["banded"].dependent
    assert two.first_table("banded") == 2 * CLASSES
    assert one.first_table("banded") == CLASSES


def test_a_trellis_of_more_states_leaves_statistics_as_they_are():
    two = load_tables(DEPENDENT_TABLES)
    many = two.with_states(MANY_STATES)
    assert (many.identity, many.side is two.side) == (two.identity, True)
    assert many.modes["folded"].frequencies is two.modes["folded"].frequencies
    assert [many.modes[mode].states for mode in ("folded", "banded")] == [MANY_STATES, FEW_STATES]
    assert two.with_states(FEW_STATES) is two
