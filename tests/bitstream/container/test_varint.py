"""LEB128 integers: exact bytes, and refusal of what is cut or too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandfold.bitstream.container.sections import read_varint, write_varint
from bandfold.common.errors import StreamError

KNOWN = {
    0: "00",
    1: "01",
    127: "7f",
    128: "8001",
    300: "ac02",
    16383: "ff7f",
    16384: "808001",
    (1 << 64) - 1: "ffffffffffffffffff01",
}


@pytest.mark.parametrize(("value", "data"), KNOWN.items())
def test_known_bytes(value, data):
    assert write_varint(value).hex() == data
    assert read_varint(bytes.fromhex(data), 0) == (value, len(data) // 2)


@given(st.integers(0, (1 << 64) - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_round_trip_amid_other_bytes(value, before, after):
    data = write_varint(value)
    assert read_varint(before + data + after, len(before)) == (value, len(before) + len(data))


@given(st.integers(0, (1 << 64) - 1), st.data())
def test_truncation_is_an_error(value, data):
    encoded = write_varint(value)
    with pytest.raises(StreamError, match="truncated"):
        read_varint(encoded[: data.draw(st.integers(0, len(encoded) - 1))], 0)


def test_longer_forms_are_read():
    assert read_varint(bytes.fromhex("8000"), 0) == (0, 2)
    assert read_varint(bytes.fromhex("85808000"), 0) == (5, 4)


@pytest.mark.parametrize(
    "data", ["ffffffffffffffffff02", "80808080808080808002", "ff" * 10 + "01", "80" * 12]
)
def test_more_than_64_bits_are_an_error(data):
    with pytest.raises(StreamError, match="longer than 64 bits"):
        read_varint(bytes.fromhex(data), 0)
