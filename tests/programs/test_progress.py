"""Progress: how much of a stage is left, told from the stage itself."""

import io
import sys

import pytest

from bandfold.programs.progress import StageClock, shown


class Time:
    """A clock that is put on by hand."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


def test_what_is_left_of_a_stage_at_even_speed(time):
    clock = StageClock(time)
    for done in (0.0, 0.25, 0.5, 0.75, 1.0):
        time.now = 100 + 40 * done
        clock.update("code", done)
        if done:
            assert clock.seconds_left() == pytest.approx(40 * (1 - done))


def test_slow_stages_before_do_not_count(time):
    clock = StageClock(time)
    clock.update("sample", 0.0)
    time.now = 1000
    clock.update("sample", 1.0)
    assert clock.update("code", 0.0)
    time.now = 1010
    assert not clock.update("code", 0.5)
    assert clock.seconds_left() == pytest.approx(10)


def test_a_stage_that_begins_anew_starts_again(time):
    clock = StageClock(time)
    clock.update("code", 0.0)
    time.now = 100
    clock.update("code", 1.0)
    assert clock.update("code", 0.1)
    assert clock.seconds_left() is None
    time.now = 109
    clock.update("code", 0.4)
    assert clock.seconds_left() == pytest.approx(18)


def test_nothing_is_told_of_what_is_not_known(time):
    clock = StageClock(time)
    clock.update("plan", 0.0)
    time.now = 5
    assert clock.seconds_left() is None


def test_the_terminal_shows_stage_and_time(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with shown() as progress:
        progress("code", 0.0)
        progress("code", 0.5)
    said = sys.stderr.getvalue()
    assert "code" in said
    assert "50%" in said
    assert "left" in said
