"""The campaign of hostile streams: few inputs here, and that it finds what it is there to find."""

import random

import pytest

from bandfold.benchmarks import mutants
from bandfold.benchmarks.damage import command_trial
from bandfold.benchmarks.damage.command_trial import COMMANDS, CommandTally
from bandfold.benchmarks.damage.mutations import lying, sections
from bandfold.benchmarks.damage.streams import hostile_seeds
from bandfold.bitstream.container.sections import read_sections

pytest.importorskip("spacepackets")


def test_hostile_streams_end_in_typed_errors_and_cost_little():
    tally = mutants.try_inputs(0, 60)
    assert tally.tried == 60 * len(COMMANDS)
    assert 0 < tally.refused < tally.tried
    assert tally.untyped == tally.costly == []


def test_mutations_lie_past_the_checksums():
    stream = hostile_seeds()["holes"]
    chance = random.Random(1)
    made = [lying(stream, chance) for _ in range(50)]
    assert all(section.intact for data in made for section in read_sections(data))
    assert sum(data != stream for data in made) > 40
    assert any(len(sections(data)) != len(sections(stream)) for data in made)


def test_other_errors_and_costs_are_told(monkeypatch):
    def fail(data):
        raise IndexError("somewhere")

    monkeypatch.setattr(command_trial, "COMMANDS", {"broken": fail, "slow": lambda data: None})
    monkeypatch.setattr(command_trial, "SECONDS", -1.0)
    tally = CommandTally()
    tally.try_out("7 (holes)", b"")
    assert tally.untyped == ["7 (holes) broken: IndexError('somewhere')"]
    assert [one.split(":")[0] for one in tally.costly] == ["7 (holes) broken", "7 (holes) slow"]
    whole = mutants.summed([tally, tally])
    assert (whole.tried, len(whole.untyped)) == (4, 2)


def test_a_process_that_dies_is_told(monkeypatch):
    monkeypatch.setattr(mutants.sys, "executable", "false")
    assert mutants.try_elsewhere(0, 10) == "inputs 0:10 ended their process with 1: "
