from hypothesis import given
from hypothesis import strategies as st

from bandfold.bitstream.transforms.band_order import Hierarchy
from bandfold.bitstream.transforms.predicted_bands import needed_bands, slots_of


@given(bands=st.integers(1, 300), tiers=st.integers(0, 8), first=st.integers(0, 255))
def test_no_band_is_forgotten_that_is_still_needed(bands, tiers, first):
    order = Hierarchy((2,) * tiers, first % (1 << tiers)).bands(bands)
    slots = slots_of(order)
    held = {}
    for one in order:
        for reference in one.references:
            assert held[slots[reference]] == reference
        held[slots[one.band]] = one.band
    assert len(slots) == bands


def test_half_of_the_bands_are_held():
    assert max(slots_of(Hierarchy((2,) * 5, 24).bands(224))) + 1 < 224 * 0.6
    assert max(slots_of(Hierarchy().bands(224))) + 1 <= 6


def test_what_a_band_needs():
    order = Hierarchy((2, 2)).bands(9)
    assert needed_bands(order, slice(0, 1)) == {0}
    assert needed_bands(order, slice(2, 3)) == {0, 2, 4, 8}
    assert needed_bands(order, slice(0, 9)) == set(range(9))
