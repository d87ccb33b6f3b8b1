"""Orders of coding and steps of bands come back; what is out of range is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.order_code import read_hierarchy, write_hierarchy
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.transforms.band_order import FARTHEST_STEP, MOST_GAIN, MOST_SPAN, Hierarchy
from bandfold.common.errors import StreamError

TABLES = load_tables()


@st.composite
def _hierarchies(draw):
    bands = draw(st.integers(1, 60))
    tiers = draw(st.integers(0, MOST_SPAN))
    first = draw(st.integers(0, (1 << tiers) - 1))
    if draw(st.booleans()):
        gains = draw(st.lists(st.integers(0, MOST_GAIN), min_size=tiers, max_size=tiers))
        return bands, Hierarchy(tuple(gains), first)
    unit = draw(st.integers(1, 6))
    reach = FARTHEST_STEP // unit
    steps = draw(st.lists(st.integers(-reach, reach), min_size=bands, max_size=bands))
    return bands, Hierarchy((0,) * tiers, first, tuple(unit * step for step in steps))


def _written(hierarchy):
    payload = PayloadWriter(TABLES)
    write_hierarchy(payload, hierarchy)
    return payload.data()


def _read(data, bands, *, stepped):
    payload = PayloadReader(TABLES, data)
    found = read_hierarchy(payload, bands, stepped=stepped)
    payload.finish()
    return found


@given(_hierarchies())
def test_what_is_written_is_read_again(given_one):
    bands, hierarchy = given_one
    assert _read(_written(hierarchy), bands, stepped=bool(hierarchy.steps)) == hierarchy


def test_bands_of_a_tier_that_are_alike_take_almost_nothing():
    plain = Hierarchy((2,) * 5, 24)
    assert len(_written(plain.with_steps(224, -10))) - len(_written(plain)) < 12


@pytest.mark.parametrize(
    "numbers", [[0, 1, 1, 0, 0], [130, 1, 0, 0, 0], [4, 0, 20, 0, 12], [1, 0, 0, 0, -121]]
)
def test_impossible_steps_are_refused(numbers):
    unit, *others = numbers
    payload = PayloadWriter(TABLES)
    payload.integers([1, 0], 2048, signed=False)
    payload.integers([unit], 256, signed=False)
    payload.integers(others[:2], 512)
    payload.integers(others[2:], 256)
    with pytest.raises(StreamError, match="impossible step"):
        _read(payload.data(), 2, stepped=True)
