"""Damaged streams are counted by what became of them, and bad decoders are found."""

from bandfold.benchmarks.damage.decode_trial import DamageTally, Subject
from bandfold.benchmarks.damage.mutations import cut, flipped
from bandfold.benchmarks.damage.streams import model_stream
from bandfold.ground import Decoder
from bandfold.onboard import Encoder


def test_damage_is_counted_by_what_became_of_it(subject):
    tally = DamageTally("some")
    for damaged in (*list(cut(subject.data))[::40], *list(flipped(subject.data))[::97]):
        subject.try_out(damaged, tally)
    assert tally.tried == tally.refused + tally.reported + tally.whole
    assert tally.refused > 0
    assert tally.reported > 0
    assert (tally.wrong, tally.crashed) == (0, 0)
    assert f"| {tally.tried} | {tally.refused} |" in tally.row()


def test_a_decoder_that_says_nothing_or_crashes_is_found(subject, monkeypatch):
    other = Encoder(step=9.0, strip_lines=8, spectral="none").encode(255 - subject.intact)
    tally = DamageTally("other")
    subject.try_out(other, tally)
    assert tally.wrong == 1
    monkeypatch.setattr(Decoder, "report", lambda self: 1 / 0)
    subject.try_out(subject.data, tally)
    assert tally.crashed == 1
    assert "ZeroDivisionError" in tally.crashes[0]


def test_a_stream_of_a_model_is_damaged_too():
    subject = Subject(model_stream())
    tally = DamageTally("model")
    for damaged in (*list(cut(subject.data))[::60], *list(flipped(subject.data))[::301]):
        subject.try_out(damaged, tally)
    assert tally.reported > 0
    assert (tally.wrong, tally.crashed) == (0, 0)
