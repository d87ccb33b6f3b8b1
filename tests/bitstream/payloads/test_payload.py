"""Payloads: side information and values, in the order that the document gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import SIDE_CLASSES, load_tables
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter, next_mean, side_class
from bandfold.common import kernels
from bandfold.common.errors import StreamError

TABLES = load_tables()
LARGEST = (1 << 36) - 1
MAGNITUDES = st.integers(0, 20) | st.integers(0, 1 << 16) | st.integers(0, LARGEST)
SIGNED = st.builds(lambda value, sign: value * sign, MAGNITUDES, st.sampled_from([-1, 1]))
CALLS = st.lists(
    st.tuples(st.just("unsigned"), st.lists(MAGNITUDES, max_size=8), st.integers(1, 1 << 20))
    | st.tuples(st.just("signed"), st.lists(SIGNED, max_size=8), st.integers(1, 1 << 20))
    | st.tuples(st.just("values"), st.lists(st.tuples(SIGNED, st.integers(0, 95)), max_size=12), st.none()),
    max_size=6,
)


def _write(calls):
    writer = PayloadWriter(TABLES)
    for kind, content, mean in calls:
        if kind == "values":
            pairs = np.array(content, dtype=np.int64).reshape(-1, 2)
            writer.values(pairs[:, 0], pairs[:, 1])
        else:
            writer.integers(content, mean, signed=kind == "signed")
    return writer.data()


@settings(max_examples=150, deadline=None)
@given(CALLS)
def test_whatever_is_written_is_read_back(calls):
    reader = PayloadReader(TABLES, _write(calls))
    for kind, content, mean in calls:
        if kind == "values":
            tables = np.array([table for _, table in content], dtype=np.int64)
            assert reader.values(tables).tolist() == [value for value, _ in content]
        else:
            assert reader.integers(len(content), mean, signed=kind == "signed") == content
    reader.finish()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.lists(SIGNED, max_size=8), st.integers(1, 1 << 20)), max_size=4), st.booleans())
def test_lists_are_integers_one_after_the_other(lists, signed):
    lists = [([value if signed else abs(value) for value in one], mean) for one, mean in lists]

    def together():
        writer = PayloadWriter(TABLES)
        writer.integer_lists([one for one, _ in lists], [mean for _, mean in lists], signed=signed)
        return writer.data()

    apart = PayloadWriter(TABLES)
    for one, mean in lists:
        apart.integers(one, mean, signed=signed)
    with kernels.switched_off():
        assert together() == apart.data()
    assert together() == apart.data()


def test_nothing_is_one_byte():
    assert PayloadWriter(TABLES).data() == b"\0"
    PayloadReader(TABLES, b"\0").finish()


def test_order_of_raw_bits():
    writer = PayloadWriter(TABLES)
    # 16 + 0b101, then 32 + 0b0110; signs of the three that are not zero after both.
    writer.integers([-21, 0, 38, -3], 256)
    # Here the signs come first.
    writer.values(np.array([20, -17, 0]), np.array([4, 2, 3]))
    data = writer.data()
    bits = "101" + "0110" + "101" + "01" + "100" + "001"
    tail = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    assert data[1 + 4 * data[0] :] == tail


def test_values_are_grouped_by_rising_table():
    writer, sorted_writer = PayloadWriter(TABLES), PayloadWriter(TABLES)
    values, tables = np.array([1, 2, 3, 4, 5]), np.array([9, 3, 9, 0, 3])
    writer.values(values, tables)
    for value, table in ((4, 0), (2, 3), (5, 3), (1, 9), (3, 9)):
        sorted_writer.symbols(np.array([value], dtype=np.int32), table)
    words = 4 * writer.data()[0] + 1
    assert writer.data()[:words] == sorted_writer.data()[:words]


@pytest.mark.parametrize(
    ("mean", "number"),
    [(1, 0), (16, 0), (22, 0), (23, 1), (255, 7), (256, 8), (362, 8), (363, 9), (512, 10), (1 << 40, 39)],
)
def test_side_class_has_two_classes_an_octave(mean, number):
    assert side_class(mean) == number


def test_side_class_stays_in_range_and_rises():
    classes = [
        side_class(mean) for mean in (*range(1, 5000), *(3 << octave >> 1 for octave in range(13, 50)))
    ]
    assert classes == sorted(classes)
    assert classes[-1] == SIDE_CLASSES - 1
    assert set(classes[:4999]) == set(range(17))


def test_running_mean_rounds_down_and_stays_positive():
    assert next_mean(256, 1) == 256
    assert next_mean(256, 0) == 224
    assert next_mean(9, 0) == 7
    assert next_mean(1, 0) == 1
    assert next_mean(1, 1) == 32


@pytest.mark.parametrize(
    "data", [b"", b"\x01\x01\x02\x03", b"\x80", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"]
)
def test_words_that_are_not_there(data):
    with pytest.raises(StreamError):
        PayloadReader(TABLES, data)


@pytest.mark.parametrize("extra", [b"\0", b"\1", b"\0\0\0\0"])
def test_bytes_left_over_are_an_error(extra):
    writer = PayloadWriter(TABLES)
    writer.integers([3, 4, 500], 256)
    reader = PayloadReader(TABLES, writer.data() + extra)
    assert reader.integers(3, 256) == [3, 4, 500]
    with pytest.raises(StreamError, match="do not end"):
        reader.finish()


@pytest.mark.parametrize("magnitude", [LARGEST + 1, 1 << 40, (1 << 47) - 1])
def test_what_no_token_reaches_is_refused_by_the_writer(magnitude):
    with pytest.raises(StreamError, match="cannot be coded"):
        PayloadWriter(TABLES).integers([1, magnitude], 256)
