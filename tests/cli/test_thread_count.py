"""Threads on the command line: a number, or as many as there are cores."""

import click
import pytest

from bandfold.cli.thread_count import ThreadCount
from bandfold.common.workers import available_cores


def test_numbers_and_auto():
    assert ThreadCount().convert("3", None, None) == 3
    assert ThreadCount().convert("auto", None, None) == available_cores() >= 1


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_anything_else_is_refused(text):
    with pytest.raises(click.BadParameter, match="give 1 or more, or auto"):
        ThreadCount().convert(text, None, None)
