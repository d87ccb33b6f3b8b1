"""Metadata come back to the letter, numbers included."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.metadata_code import read_metadata, write_metadata
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.common.errors import StreamError

TABLES = load_tables()


def _round_trip(metadata):
    writer = PayloadWriter(TABLES)
    write_metadata(writer, metadata)
    data = writer.data()
    reader = PayloadReader(TABLES, data)
    found = read_metadata(reader)
    reader.finish()
    assert found == metadata
    assert list(found) == list(metadata)
    return data


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
NUMBER = st.builds(
    lambda value, digits: f"{value:.{digits}f}", st.integers(-99999, 99999).map(float), st.just(2)
)
VALUES = TEXT | st.lists(TEXT, max_size=4).map(tuple) | st.lists(NUMBER, max_size=6).map(tuple)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_any_metadata_come_back(metadata):
    _round_trip(metadata)


@pytest.mark.parametrize(
    "items",
    [
        ("0", "00"),
        ("1.0", "1.00"),
        ("-0", "-1"),
        ("-0.5", "0.5"),
        ("0.50", "-12.25"),
        (".5", "1.5"),
        ("1e3",),
        ("+1",),
        (" 1",),
        ("1.",),
        ("007",),
        ("9999.999999", "-1.000000"),
        ("",),
        (),
        ("nan", "inf"),
        ("٣",),
    ],
)
def test_lists_that_look_like_numbers(items):
    _round_trip({"wavelength": items})


@pytest.mark.parametrize(
    "items", [("376.719576190", "386.500000000"), ("999999999.999999", "-1.000000"), ("999999999.999999999",)]
)
def test_numbers_with_many_digits(items):
    _round_trip({"wavelength": items})


def test_wavelengths_cost_about_a_byte_each():
    steady = tuple(f"{366 + 9.6 * band:.2f}" for band in range(224))
    assert len(_round_trip({"wavelength": steady})) < 224


def test_every_byte_has_a_rank():
    _round_trip({"latin": "".join(chr(code) for code in range(256)), "other": "µm, 波長, \U0001f6f0"})


def _payload(*calls):
    writer = PayloadWriter(TABLES)
    for values, mean, signed in calls:
        writer.integers(values, mean, signed=signed)
    return PayloadReader(TABLES, writer.data())


ONE = [([1], 2048, False), ([1], 2048, False), ([1], 2048, False)]
"""One field whose key is the text "e"."""


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        ([([(1 << 20) + 1], 2048, False)], "characters"),
        ([ONE[0], ([1], 2048, False), ([256], 2048, False)], "readable"),
        ([*ONE, ([3], 256, False)], "unknown kind"),
        ([*ONE, ([2], 256, False), ([10], 256, False), ([1], 2048, False), ([5], 4096, True)], "decimals"),
        ([*ONE, ([0], 256, False), ([1], 2048, False), ([200], 2048, False)], "readable"),
    ],
)
def test_nonsense_is_refused(calls, message):
    with pytest.raises(StreamError, match=message):
        read_metadata(_payload(*calls))
