"""A ground that mixes streams, or calls them complete too early, is found."""

import random

import pytest

from bandfold.benchmarks.damage.packet_mixes import SITUATIONS, MixTally, PacketMixes
from bandfold.ground.packets import reassembly
from bandfold.ground.packets.received_scene import ReceivedScene, StreamName

TRIALS = 6


@pytest.fixture(scope="module")
def mixes():
    return PacketMixes(128)


def tried(mixes, name):
    tally, chance = MixTally(name), random.Random(5)
    for _ in range(TRIALS):
        mixes.trial(tally, chance)
    return tally


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_right_ground_passes(mixes, name):
    tally = tried(mixes, name)
    assert (tally.untold, tally.mixed, tally.early, tally.late) == (0, 0, 0, 0)
    assert tally.streams >= TRIALS == tally.trials


def test_a_ground_that_is_content_with_what_it_has_is_found(mixes, monkeypatch):
    monkeypatch.setattr(ReceivedScene, "complete", lambda self, strips: True)
    assert tried(mixes, SITUATIONS[1]).early > 0
    monkeypatch.setattr(ReceivedScene, "complete", lambda self, strips: False)
    assert tried(mixes, SITUATIONS[4]).late > 0


def test_a_ground_that_takes_streams_for_one_is_found(mixes, monkeypatch):
    """As packets without an identity would make it: all have the identity of some stream."""
    identity = mixes._lines[0].identity
    monkeypatch.setattr(reassembly, "StreamName", lambda apid, scene, _: StreamName(apid, scene, identity))
    monkeypatch.setattr(reassembly.Reassembly, "assemble", _first_of_each(reassembly.Reassembly.assemble))
    tally = tried(mixes, SITUATIONS[2])
    assert tally.untold > 0
    assert tally.mixed > 0


def _first_of_each(assemble):
    return lambda self, identity: assemble(self)
