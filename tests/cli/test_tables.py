"""Tables: nothing that is to be typed again is cut, however narrow the terminal."""

import re
import sys

import pytest

from bandfold.cli.tables import print_table

ROWS = [
    {
        "name": "balle48-relu-uncal-l1",
        "hash": "7476c4c34eb4608f" * 2,
        "description": "raw counts of a sensor " * 6,
    },
    {"name": "a", "hash": None, "description": "short"},
]


@pytest.mark.parametrize("columns", [20, 60, 90, 400])
@pytest.mark.parametrize("terminal", [True, False])
def test_no_word_is_cut(capsys, monkeypatch, columns, terminal):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("TERM", "xterm" if terminal else "dumb")
    print_table(ROWS)
    out = capsys.readouterr().out
    assert "…" not in out
    for row in ROWS:
        assert str(row["name"]) in out
    assert ROWS[0]["hash"] in out
    assert out.count("counts") == 6


def test_rows_of_a_pipe_are_lines(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    print_table(ROWS)
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "balle48" in one]
    assert ROWS[0]["description"].strip() in line


def test_a_terminal_that_is_wide_enough_is_not_exceeded(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(ROWS)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, plain.splitlines())) <= 90


def test_names_of_packages_are_whole(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    out = run("models").out
    for name in ("balle48-relu-uncal-l1", "aviris-224", "tables-dependent"):
        assert f" {name} " in out
