"""The target of the fuzzer takes any input; fuzzing itself is run by hand."""

import random

import pytest

from bandfold.benchmarks import fuzz
from bandfold.benchmarks.damage.mutations import joined, sections
from bandfold.benchmarks.fuzz import STREAMS, TARGETS, one_input


def test_any_input_is_decoded_or_refused():
    chance = random.Random(3)
    for length in (0, 1, 2, 9, 40, 200):
        for choice in range(TARGETS * len(STREAMS)):
            one_input(bytes([choice]) + chance.randbytes(length))


def test_inputs_reach_what_they_are_for(monkeypatch):
    reached = []
    monkeypatch.setattr(fuzz, "decode", lambda data: reached.append(sections(data)))
    monkeypatch.setattr(fuzz, "read_values", reached.append)
    parts = STREAMS[1]
    one_input(b"\0" + joined(parts)[10:])
    assert reached.pop() == parts
    one_input(b"\4\2payload")
    assert reached.pop()[2] == (parts[2][0], b"payload")
    one_input(b"\2values")
    assert reached.pop() == b"values"


def test_other_errors_come_through(monkeypatch):
    monkeypatch.setattr(fuzz, "read_values", lambda data: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        one_input(b"\2values")


def test_seeds_are_streams_that_decode(tmp_path, monkeypatch):
    decoded = []
    monkeypatch.setattr(fuzz, "decode", decoded.append)
    fuzz.write_seeds(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        one_input(path.read_bytes())
    whole = [joined(parts) for parts in STREAMS]
    assert len(decoded) == len(STREAMS) + sum(map(len, STREAMS))
    assert all(data in whole for data in decoded)
