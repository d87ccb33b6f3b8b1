"""The campaign finds what it is there to find."""

import random

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.benchmarks import faults
from bandfold.benchmarks.faults import Subject, Tally, cut, flipped, lying, main, mutated, without_segments
from bandfold.ground import Decoder
from bandfold.onboard import Encoder


@pytest.fixture(scope="module")
def subject():
    rng = np.random.default_rng(1)
    cube = (100 + np.cumsum(rng.normal(0, 3, (3, 20, 9)), axis=1)).astype(np.uint8)
    return Subject(Encoder(step=9.0, strip_lines=8, spectral="none").encode(cube))


def test_damage_is_counted_by_what_became_of_it(subject):
    tally = Tally("some")
    for damaged in (*list(cut(subject.data))[::40], *list(flipped(subject.data))[::97]):
        subject.try_out(damaged, tally)
    assert tally.tried == tally.refused + tally.reported + tally.whole
    assert tally.refused > 0
    assert tally.reported > 0
    assert (tally.wrong, tally.crashed) == (0, 0)
    assert f"| {tally.tried} | {tally.refused} |" in tally.row()


def test_a_decoder_that_says_nothing_or_crashes_is_found(subject, monkeypatch):
    other = Encoder(step=9.0, strip_lines=8, spectral="none").encode(255 - subject.intact)
    tally = Tally("other")
    subject.try_out(other, tally)
    assert tally.wrong == 1
    monkeypatch.setattr(Decoder, "report", lambda self: 1 / 0)
    subject.try_out(subject.data, tally)
    assert tally.crashed == 1
    assert "ZeroDivisionError" in tally.crashes[0]


def test_ways_to_damage_differ_from_the_stream(subject):
    chance = random.Random(1)
    assert len({*flipped(subject.data), subject.data}) == 8 * len(subject.data) + 1
    assert without_segments(subject.data, 0, chance) == subject.data
    assert len(without_segments(subject.data, 100, chance)) < len(subject.data)
    for way in (mutated, lying):
        assert sum(way(subject.data, chance) != subject.data for _ in range(20)) > 15


def test_the_table(monkeypatch, subject):
    monkeypatch.setattr(faults, "small_streams", lambda: {"small": subject.data[:200]})
    monkeypatch.setattr(faults, "model_stream", lambda: subject.data)
    monkeypatch.setattr(faults, "long_stream", lambda: subject.data)
    monkeypatch.setattr(faults, "flipped", lambda data: iter([data]))
    monkeypatch.setattr(faults, "cut", lambda data: iter([data[:50]]))
    monkeypatch.setattr(faults, "ROUNDS", 2)
    result = CliRunner().invoke(main, ["--mutations", "6"])
    assert result.exit_code == 0
    assert result.output.count("\n| ") == 12
    assert "Peak memory rose by" in result.output
    result = CliRunner().invoke(main, ["--mutations", "6", "--only", "5 % of packets"])
    assert [line[:14] for line in result.output.splitlines() if "%" in line] == ["| long stream,"]


def test_a_stream_of_a_model_is_damaged_too():
    subject = Subject(faults.model_stream())
    tally = Tally("model")
    for damaged in (*list(cut(subject.data))[::60], *list(flipped(subject.data))[::301]):
        subject.try_out(damaged, tally)
    assert tally.reported > 0
    assert (tally.wrong, tally.crashed) == (0, 0)
