"""The entropy coder: both implementations write the same words, and those words never change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.entropy import coder, rans
from bandfold.bitstream.entropy.coder import RansBackend, backend
from bandfold.bitstream.entropy.kernelcoder import KernelBackend
from bandfold.bitstream.entropy.runs import Run
from bandfold.common import kernels
from bandfold.common.errors import StreamError

TOTAL = 1 << 24

needs_constriction = pytest.mark.skipif(coder.constriction is None, reason="constriction has no wheel here")


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


TABLES = _tables()
RANS = RansBackend(TABLES)
BACKENDS = [pytest.param(RANS, id="rans")]
if coder.constriction is not None:
    BACKENDS.append(pytest.param(coder.ConstrictionBackend(TABLES), id="constriction"))
if kernels.library is not None:
    BACKENDS.append(pytest.param(KernelBackend(TABLES), id="kernels"))

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
    words = RANS.encode(_runs(groups))
    assert words.dtype == np.uint32
    for one in (parameter.values[0] for parameter in BACKENDS):
        np.testing.assert_array_equal(one.encode(_runs(groups)), words)
        assert _read(one.decoder(words), groups) == [symbols.tolist() for symbols, _ in groups]


@pytest.mark.parametrize("one", BACKENDS)
def test_nothing_is_no_words(one):
    assert one.encode([]).size == 0
    one.decoder(np.zeros(0, dtype=np.uint32)).finish()


@pytest.mark.parametrize("one", BACKENDS)
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


@pytest.mark.parametrize("one", BACKENDS)
def test_pinned_words(one):
    assert [f"{word:08x}" for word in one.encode(_runs(PINNED_GROUPS)).tolist()] == PINNED_WORDS
    words = np.array([int(word, 16) for word in PINNED_WORDS], dtype=np.uint32)
    assert _read(one.decoder(words), PINNED_GROUPS) == [symbols.tolist() for symbols, _ in PINNED_GROUPS]


@needs_constriction
def test_the_fastest_coder_is_chosen(monkeypatch):
    if kernels.library is not None:
        assert isinstance(backend(TABLES), KernelBackend)
    monkeypatch.setattr(kernels, "library", None)
    assert isinstance(backend(TABLES), coder.ConstrictionBackend)
    monkeypatch.setattr(coder, "constriction", None)
    assert isinstance(backend(TABLES), RansBackend)


@pytest.mark.parametrize("one", BACKENDS)
def test_words_left_over_are_an_error(one):
    words = one.encode(_runs(PINNED_GROUPS))
    reader = one.decoder(words)
    reader.decode(8, 0)
    with pytest.raises(StreamError, match="do not end"):
        reader.finish()


@pytest.mark.parametrize("one", BACKENDS)
def test_an_extra_word_at_the_end_is_an_error(one):
    words = np.append(one.encode(_runs(PINNED_GROUPS)), np.uint32(7))
    reader = one.decoder(words)
    for symbols, table in PINNED_GROUPS:
        reader.decode(len(symbols), table)
    with pytest.raises(StreamError, match="do not end"):
        reader.finish()


@pytest.mark.parametrize("one", BACKENDS)
def test_an_empty_first_word_is_an_error(one):
    with pytest.raises(StreamError, match="empty word"):
        one.decoder(np.array([0, 5, 7], dtype=np.uint32))


@pytest.mark.parametrize("one", BACKENDS)
def test_an_exhausted_coder_gives_token_0_for_ever(one):
    reader = one.decoder(np.zeros(0, dtype=np.uint32))
    for table in range(len(TABLES)):
        assert not reader.decode(50, table).any()
    reader.finish()


@pytest.mark.parametrize("one", BACKENDS)
@given(words=st.lists(st.integers(0, (1 << 32) - 1), max_size=6))
def test_any_words_are_read_without_any_other_error(one, words):
    # Both find the same symbols in nonsense too: a corrupt stream decodes alike on all machines.
    array = np.array(words, dtype=np.uint32)
    if array.size and array[0] == 0:
        array[0] = 1
    reader, other = one.decoder(array), RANS.decoder(array)
    for table in range(len(TABLES)):
        assert reader.decode(4, table).tolist() == other.decode(4, table).tolist()


def test_state_stays_within_64_bits():
    # The rule for pushing a word must hold at the border: a state just below f * 2**40 is not pushed.
    table = rans.RansTable(TABLES[3])
    symbols = np.zeros(3000, dtype=np.int32)
    symbols[::7] = 5
    words = rans.encode([(symbols, table)])
    reader = rans.RansDecoder(words)
    assert reader.decode(3000, table).tolist() == symbols.tolist()
    reader.finish()
