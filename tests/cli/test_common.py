"""Options that several commands share."""

import math

import click
import pytest

from bandfold.cli.common import (
    need_matplotlib,
    parse_no_data,
    range_option,
    resolve_range,
    size_option,
    wavelengths,
)
from bandfold.common.errors import SettingsError
from bandfold.common.scene import NoData


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:40", (10, 40)),
        (":40", (0, 40)),
        ("10:", (10, 50)),
        (":", (0, 50)),
        (" 0:1 ", (0, 1)),
        (None, (0, 50)),
    ],
)
def test_ranges_are_half_open(text, expected):
    part = resolve_range(range_option(None, None, text), 50, "bands")
    assert (part.start, part.stop, part.step) == (*expected, None)


@pytest.mark.parametrize(
    "text", ["", "10", "1-2", "-1:5", "1:2:3", "a:b", "1.5:2", "1:" + "9" * 30, "\uff11:2"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no range: write 10:40"):
        range_option(None, None, text)


@pytest.mark.parametrize("text", ["5:5", "6:5", "0:51", "50:", "50:60", ":0", "999999999999:"])
def test_empty_and_outside_ranges_are_refused(text):
    with pytest.raises(SettingsError, match=r"--lines .* is not a part of the scene, which has lines 0:50"):
        resolve_range(range_option(None, None, text), 50, "lines")


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
    assert size_option(None, None, text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "G", "1P", "1e9", "1 G G", "0.1", "nan", "9" * 40])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no size: write 4G"):
        size_option(None, None, text)


def test_no_data():
    assert parse_no_data(None) is NoData.HEADER
    assert parse_no_data("none") is None
    assert parse_no_data("None") is None
    assert parse_no_data("-9999") == -9999
    assert math.isnan(parse_no_data("nan"))
    with pytest.raises(SettingsError, match="--no-data 'zero' is not a number"):
        parse_no_data("zero")


def test_pictures_need_matplotlib(monkeypatch):
    need_matplotlib("--plot")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="--plot needs matplotlib: pip install"):
        need_matplotlib("--plot")


@pytest.mark.parametrize(
    ("items", "expected"),
    [(("400", "410.5"), (400, 410.5)), (("400",), None), (("400", "x"), None), ("400", None), (None, None)],
)
def test_wavelengths(items, expected):
    assert wavelengths({} if items is None else {"wavelength": items}, 2) == expected
