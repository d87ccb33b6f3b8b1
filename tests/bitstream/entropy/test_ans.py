"""The entropy coder: C, plain Python and constriction write the same words, and those words never change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.entropy.ans import AnsCoder, Run
from bandfold.common import kernels
from bandfold.common.errors import StreamError

try:
    import constriction
except ImportError:  # Linux on ARM has no wheel
    constriction = None

TOTAL = 1 << 24


def _tables():
    """Tables of every temper: flat, steep, and with one all but certain token first, last and inside."""
    flat = np.full(8, TOTAL // 8)
    steep = np.array([TOTAL // 2 ** (k + 1) for k in range(8)])
    steep[-1] += TOTAL - steep.sum()
    rows = [flat, steep, steep[::-1]]
    for place in (0, 3, 7):
        row = np.ones(8, dtype=np.int64)
        row[place] = TOTAL - 7
        rows.append(row)
    return np.array(rows, dtype=np.int64)


class PlainCoder:
    """The coder in plain Python."""

    def __init__(self, frequencies):
        self.coder = AnsCoder(frequencies)

    def encode(self, runs):
        with kernels.switched_off():
            return self.coder.encode(runs)

    def decoder(self, words):
        return PlainDecoder(self.coder.decoder(words))


class PlainDecoder:
    def __init__(self, decoder):
        self.decoder, self.finish = decoder, decoder.finish

    def decode(self, count, table):
        with kernels.switched_off():
            return self.decoder.decode(count, table)


class Constriction:
    """The oracle: constriction's AnsCoder."""

    def __init__(self, frequencies):
        # With perfect=False constriction gives each symbol one unit and spreads the rest by probability:
        # handing it f - 1 reproduces the integer frequencies f exactly.
        self.models = [
            constriction.stream.model.Categorical(row.astype(np.float64) - 1.0, perfect=False)
            for row in frequencies
        ]

    def encode(self, runs):
        coder = constriction.stream.stack.AnsCoder()
        for run in reversed(runs):
            ends = np.cumsum(run.counts)
            for table, end, count in list(zip(run.tables.tolist(), ends, run.counts, strict=True))[::-1]:
                symbols = run.symbols[end - count : end].astype(np.int32)
                coder.encode_reverse(symbols, self.models[table])
        return coder.get_compressed()[::-1]

    def decoder(self, words):
        coder = constriction.stream.stack.AnsCoder(np.ascontiguousarray(words[::-1]))
        return ConstrictionDecoder(coder, self.models)


class ConstrictionDecoder:
    def __init__(self, coder, models):
        self.coder, self.models = coder, models

    def decode(self, count, table):
        return self.coder.decode(self.models[table], count)

    def finish(self):
        if not self.coder.is_empty():
            raise StreamError("entropy-coded data do not end where they should")


TABLES = _tables()
PLAIN = PlainCoder(TABLES)
OURS = [pytest.param(PLAIN, id="python"), pytest.param(AnsCoder(TABLES), id="usual")]
CODERS = OURS + ([] if constriction is None else [pytest.param(Constriction(TABLES), id="constriction")])

GROUPS = st.lists(
    st.tuples(st.lists(st.integers(0, 7), max_size=12), st.integers(0, len(TABLES) - 1)), max_size=12
).map(lambda groups: [(np.array(symbols, dtype=np.int32), table) for symbols, table in groups])


def _runs(groups):
    return [Run.of(symbols, table) for symbols, table in groups]


def _read(decoder, groups):
    found = [decoder.decode(len(symbols), table).tolist() for symbols, table in groups]
    decoder.finish()
    return found


@settings(max_examples=150, deadline=None)
@given(GROUPS)
def test_all_coders_write_the_same_words_and_read_them_back(groups):
    words = PLAIN.encode(_runs(groups))
    assert words.dtype == np.uint32
    for one in (parameter.values[0] for parameter in CODERS):
        np.testing.assert_array_equal(one.encode(_runs(groups)), words)
        assert _read(one.decoder(words), groups) == [symbols.tolist() for symbols, _ in groups]


@settings(max_examples=100, deadline=None)
@given(st.lists(GROUPS, min_size=1, max_size=5))
def test_parts_are_what_they_are_one_by_one(parts):
    together = [_runs(groups) for groups in parts]
    alone = [PLAIN.encode(runs).tolist() for runs in together]
    assert [words.tolist() for words in PLAIN.coder.encode_parts(together)] == alone
    with kernels.switched_off():
        assert [words.tolist() for words in PLAIN.coder.encode_parts(together)] == alone


@pytest.mark.parametrize("one", CODERS)
def test_nothing_is_no_words(one):
    assert one.encode([]).size == 0
    one.decoder(np.zeros(0, dtype=np.uint32)).finish()


@pytest.mark.parametrize("one", CODERS)
@pytest.mark.parametrize("table", range(len(TABLES)))
@pytest.mark.parametrize("symbol", range(8))
def test_one_symbol(one, table, symbol):
    groups = [(np.array([symbol], dtype=np.int32), table)]
    words = one.encode(_runs(groups))
    # From state 0 a symbol leads to the state that is its cumulative frequency.
    start = int(TABLES[table, :symbol].sum())
    assert words.tolist() == ([start] if start else [])
    assert _read(one.decoder(words), groups) == [[symbol]]


# Pinned by hand: if these words change, every stream ever written is lost.
PINNED_GROUPS = [
    (np.array([0, 1, 2, 3, 4, 5, 6, 7], dtype=np.int32), 0),
    (np.array([7, 7, 7], dtype=np.int32), 1),
    (np.array([0, 0, 7], dtype=np.int32), 2),
    (np.array([3, 0, 3, 7], dtype=np.int32), 4),
    (np.array([0, 5, 0], dtype=np.int32), 3),
]
PINNED_WORDS = ["00000010", "0101fffd", "635e10c0", "00ff0003", "0c000056"]


@pytest.mark.parametrize("one", CODERS)
def test_pinned_words(one):
    assert [f"{word:08x}" for word in one.encode(_runs(PINNED_GROUPS)).tolist()] == PINNED_WORDS
    words = np.array([int(word, 16) for word in PINNED_WORDS], dtype=np.uint32)
    assert _read(one.decoder(words), PINNED_GROUPS) == [symbols.tolist() for symbols, _ in PINNED_GROUPS]


@pytest.mark.parametrize("one", CODERS)
def test_words_left_over_are_an_error(one):
    words = one.encode(_runs(PINNED_GROUPS))
    reader = one.decoder(words)
    reader.decode(8, 0)
    with pytest.raises(StreamError, match="do not end"):
        reader.finish()


@pytest.mark.parametrize("one", CODERS)
def test_an_extra_word_at_the_end_is_an_error(one):
    words = np.append(one.encode(_runs(PINNED_GROUPS)), np.uint32(7))
    reader = one.decoder(words)
    for symbols, table in PINNED_GROUPS:
        reader.decode(len(symbols), table)
    with pytest.raises(StreamError, match="do not end"):
        reader.finish()


@pytest.mark.parametrize("one", OURS)
def test_an_empty_first_word_is_an_error(one):
    with pytest.raises(StreamError, match="empty word"):
        one.decoder(np.array([0, 5, 7], dtype=np.uint32))


@pytest.mark.parametrize("one", CODERS)
def test_an_exhausted_coder_gives_token_0_for_ever(one):
    reader = one.decoder(np.zeros(0, dtype=np.uint32))
    for table in range(len(TABLES)):
        assert not reader.decode(50, table).any()
    reader.finish()


@pytest.mark.parametrize("one", CODERS)
@given(words=st.lists(st.integers(0, (1 << 32) - 1), max_size=6))
def test_any_words_are_read_without_any_other_error(one, words):
    # Both find the same symbols in nonsense too: a corrupt stream decodes alike on all machines.
    array = np.array(words, dtype=np.uint32)
    if array.size and array[0] == 0:
        array[0] = 1
    reader, other = one.decoder(array), PLAIN.decoder(array)
    for table in range(len(TABLES)):
        assert reader.decode(4, table).tolist() == other.decode(4, table).tolist()


@pytest.mark.parametrize("one", CODERS)
def test_state_stays_within_64_bits(one):
    # The rule for pushing a word must hold at the border: a state just below f * 2**40 is not pushed.
    symbols = np.zeros(3000, dtype=np.int32)
    symbols[::7] = 5
    words = one.encode([Run.of(symbols, 3)])
    np.testing.assert_array_equal(words, PLAIN.encode([Run.of(symbols, 3)]))
    reader = one.decoder(words)
    assert reader.decode(3000, 3).tolist() == symbols.tolist()
    reader.finish()


FREQUENCIES = st.one_of(
    st.sampled_from([1, 2, 3, (1 << 23) - 1, 1 << 23, (1 << 23) + 1, (1 << 24) - 1, 1 << 24]),
    st.integers(1, 1 << 24),
    st.integers(1 << 23, 1 << 24),
)


@settings(max_examples=500, deadline=None)
@given(frequency=FREQUENCIES, quotient=st.integers(0, (1 << 40) - 1), rest=st.integers(0, (1 << 24) - 1))
def test_reciprocals_divide_every_state(frequency, quotient, rest):
    """What comes before and behind a multiple of the frequency is where a reciprocal errs first."""
    frequencies = [frequency, (1 << 24) - frequency] if frequency < 1 << 24 else [frequency]
    pushes = AnsCoder(np.array([frequencies])).pushes
    with kernels.switched_off():
        np.testing.assert_array_equal(AnsCoder(np.array([frequencies])).pushes, pushes)
    told, reciprocal = (int(word) for word in pushes[0, 0])
    assert told >> 38 & (1 << 25) - 1 == frequency
    for state in (
        quotient * frequency,
        quotient * frequency + rest % frequency,
        (quotient + 1) * frequency - 1,
    ):
        assert (state + (told >> 63)) * reciprocal >> 64 + (told & 63) == state // frequency
