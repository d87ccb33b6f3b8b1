"""What the texts of options mean."""

import math

import click
import pytest

from bandfold.cli.option_values import parse_no_data, parse_range, parse_size
from bandfold.common.errors import SettingsError
from bandfold.common.scene import NoData


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:40", (10, 40)),
        (":40", (None, 40)),
        ("10:", (10, None)),
        (":", (None, None)),
        (" 0:1 ", (0, 1)),
    ],
)
def test_ranges_are_half_open(text, expected):
    assert parse_range(text) == expected


@pytest.mark.parametrize(
    "text", ["", "10", "1-2", "-1:5", "1:2:3", "a:b", "1.5:2", "1:" + "9" * 30, "\uff11:2"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no range: write 10:40"):
        parse_range(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("500000", 500000),
        ("4G", 4 << 30),
        ("512M", 512 << 20),
        ("1.5k", 1536),
        ("2GiB", 2 << 30),
        ("2gb", 2 << 30),
        ("1T", 1 << 40),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "G", "1P", "1e9", "1 G G", "0.1", "nan", "9" * 40])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no size: write 4G"):
        parse_size(text)


def test_no_data():
    assert parse_no_data(None) is NoData.HEADER
    assert parse_no_data("none") is None
    assert parse_no_data("None") is None
    assert parse_no_data("-9999") == -9999
    assert math.isnan(parse_no_data("nan"))
    with pytest.raises(SettingsError, match="--no-data 'zero' is not a number"):
        parse_no_data("zero")
