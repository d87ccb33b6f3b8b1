"""Raw bits of a payload."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bandfold.bitstream.payloads.raw_bits import BitReader, BitWriter
from bandfold.common.errors import StreamError

FIELDS = st.lists(
    st.integers(0, 47).flatmap(lambda width: st.tuples(st.integers(0, (1 << width) - 1), st.just(width)))
)


@given(FIELDS, st.lists(st.integers(0, 1), max_size=9))
def test_raw_bits_are_the_binary_numbers_in_a_row(fields, flags):
    values, widths = (
        np.array([pair[place] for pair in fields], dtype=kind) for place, kind in ((0, "i8"), (1, "i4"))
    )
    writer = BitWriter()
    writer.flags(np.array(flags, dtype=np.uint8))
    writer.fields(values, widths)
    text = "".join(map(str, flags)) + "".join(f"{value:0{width}b}" for value, width in fields if width)
    padded = text + "0" * (-len(text) % 8)
    data = writer.data()
    assert data == (int(padded, 2).to_bytes(len(padded) // 8, "big") if padded else b"")
    reader = BitReader(data)
    assert reader.flags(len(flags)).tolist() == flags
    np.testing.assert_array_equal(reader.fields(widths), values)
    reader.finish()


def test_reading_past_the_end_is_an_error():
    reader = BitReader(b"\xff")
    reader.flags(7)
    with pytest.raises(StreamError, match="too early"):
        reader.flags(2)


@pytest.mark.parametrize(("data", "read"), [(b"\x80\x00", 1), (b"\x81", 1), (b"\x00", 0)])
def test_bits_left_over_are_an_error(data, read):
    reader = BitReader(data)
    reader.flags(read)
    with pytest.raises(StreamError, match="do not end"):
        reader.finish()
