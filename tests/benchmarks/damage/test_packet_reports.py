"""A ground that reports lost packets wrongly is found."""

import pytest

from bandfold.benchmarks.damage.packet_reports import ReportTally, sent_streams
from bandfold.ground.packets.received_scene import LostStrips, ReceivedScene


@pytest.fixture(scope="module")
def sent():
    return sent_streams(32, 128)


def lose(sent, *gone):
    tally = ReportTally("some", 0)
    sent.lose([number for number in range(len(sent.packets)) if number not in gone], tally)
    return tally


@pytest.mark.parametrize("name", ["whole scene", "band by band", "packets of lines as they come"])
def test_single_losses_are_reported_exactly(sent, name):
    one = sent[name]
    assert (lose(one).untouched, lose(one).lost) == (1, 0)
    step = max(len(one.packets) // 8, 1)
    tallies = [lose(one, number) for number in range(0, len(one.packets), step)]
    assert sum(tally.lost for tally in tallies) > 0
    assert {(tally.inexact, tally.wrong, tally.silent) for tally in tallies} == {(0, 0, 0)}


def test_a_ground_that_says_too_little_is_found(sent, monkeypatch):
    one = sent["whole scene"]
    segment = next(number for number, packet in enumerate(one.packets) if packet[15] == 5)
    assert lose(one, segment).inexact == 0
    monkeypatch.setattr(ReceivedScene, "lost_strips", lambda self: LostStrips({}))
    assert lose(one, segment).inexact == 1
    monkeypatch.setattr(ReceivedScene, "complete", lambda self, strips: True)
    assert lose(one, segment).silent == 1


def test_a_decoder_that_is_wrong_is_found(sent):
    one = sent["whole scene"]
    one.whole[0, 0, 0] ^= 1
    try:
        assert lose(one).wrong == 1
    finally:
        one.whole[0, 0, 0] ^= 1


def test_everything_lost(sent):
    one = sent["whole scene"]
    assert lose(one, *range(len(one.packets))).hopeless == 1
    # Closing packets alone.
    tally = lose(one, *range(len(one.packets) - 2))
    assert (tally.hopeless, tally.inexact) == (1, 0)
