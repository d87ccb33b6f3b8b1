import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandfold.bitstream.transforms.band_order import (
    MOST_GAIN,
    MOST_REFERENCES,
    MOST_SPAN,
    Hierarchy,
    OrderedBand,
)

GAINS = st.lists(st.integers(0, MOST_GAIN), max_size=MOST_SPAN).map(tuple)


@given(bands=st.integers(1, 400), gains=GAINS)
def test_every_band_comes_once_and_behind_all_that_it_is_predicted_from(bands, gains):
    order = Hierarchy(gains).bands(bands)
    assert sorted(one.band for one in order) == list(range(bands))
    coded = set()
    for one in order:
        assert len(one.references) <= MOST_REFERENCES
        assert len(set(one.references)) == len(one.references)
        assert set(one.references) <= coded
        coded.add(one.band)
    assert [one.tier for one in order] == sorted(one.tier for one in order)


def test_without_levels_bands_follow_their_wavelengths():
    order = Hierarchy().bands(7)
    assert [one.band for one in order] == list(range(7))
    assert order[0].references == ()
    assert order[2].references == (1, 0)
    assert order[6].references == (5, 4, 3, 2)


def test_bands_half_way_have_neighbours_on_both_sides():
    order = {one.band: one for one in Hierarchy((2, 2)).bands(12)}
    assert order[8].references == (4, 0)
    assert order[6].references == (4, 8, 0, 2)
    assert order[5].references == (4, 6, 2, 8)
    assert order[11].references == (10, 8, 9)


def test_steps_grow_with_the_levels():
    order = Hierarchy((8, 4, 0))
    assert [order.step(1000, _in_tier(tier)) for tier in range(4)] == [1000, 2000, 2828, 2828]
    assert Hierarchy((1,)).step(1, _in_tier(1)) == 1
    assert Hierarchy((3, 5)).step(512, _in_tier(2)) == 1024


def test_bands_may_have_steps_of_their_own():
    order = Hierarchy((0, 0), 1, (8, -8, 0, -12))
    found = {one.band: order.step(1000, one) for one in order.bands(4)}
    assert found == {0: 2000, 1: 500, 2: 1000, 3: 353}
    assert order.step(1, order.bands(4)[1]) == 1


def test_steps_of_tiers_can_be_told_band_by_band():
    tiers = Hierarchy((3, 1, 2), 5)
    own = tiers.with_steps(11)
    assert own.bands(11) == tiers.bands(11)
    assert [own.step(5000, one) for one in own.bands(11)] == [
        tiers.step(5000, one) for one in tiers.bands(11)
    ]
    moved = tiers.with_steps(11, -16)
    assert [moved.step(4 * 5000, one) for one in own.bands(11)] == [
        own.step(5000, one) for one in own.bands(11)
    ]


def _in_tier(tier):
    return OrderedBand(0, tier, ())


@pytest.mark.parametrize("tier", range(MOST_SPAN + 1))
def test_steps_are_near_powers_of_two(tier):
    order = Hierarchy((3,) * MOST_SPAN)
    assert order.step(1 << 12, _in_tier(tier)) == pytest.approx(2 ** (12 + 3 * tier / 8), rel=2e-3)
