"""Spool: bytes come back as they were, in memory or not, and no file stays behind."""

import os

import pytest

from bandfold.common import spool
from bandfold.common.errors import OutputError
from bandfold.common.spool import Pieces, Spool, Spooled, held

PIECES = [os.urandom(size) for size in (5, 0, 3000, 1, 70_000)]


@pytest.mark.parametrize("most", [0, 3004, 1 << 20])
def test_bytes_come_back(tmp_path, monkeypatch, most):
    monkeypatch.setattr(spool, "HELD", most)
    with Spool(tmp_path / "out.bf") as kept_in:
        kept = [kept_in.keep(piece) for piece in PIECES[:-1]]
        kept.append(kept_in.keep(Pieces([PIECES[-1][:9], b"", PIECES[-1][9:]])))
        assert [len(one) for one in kept] == [len(piece) for piece in PIECES]
        # In any order, and more than once.
        for one, piece in [*reversed(list(zip(kept, PIECES, strict=True))), (kept[2], PIECES[2])]:
            assert bytes(one) == piece
        assert len(list(tmp_path.iterdir())) == (sum(map(len, PIECES)) > most)
    assert sum(len(one) for one in kept if not isinstance(one, Spooled)) <= most
    assert not list(tmp_path.iterdir())


def test_the_file_goes_after_a_failure_too(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "HELD", 0)

    def fail():
        with Spool(tmp_path / "out.bf") as kept_in:
            kept_in.keep(b"some")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "HELD", 0)
    with Spool(tmp_path / "none" / "out.bf") as kept_in, pytest.raises(OutputError, match="none"):
        kept_in.keep(b"some")


def test_what_is_kept_twice_is_written_once(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "HELD", 0)
    with Spool(tmp_path / "out.bf") as kept_in:
        kept = kept_in.keep(b"some")
        assert kept_in.keep(kept) is kept


def test_what_is_held_is_the_same():
    assert held(PIECES[2]) is PIECES[2]
