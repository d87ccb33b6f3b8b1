"""Ranges of bands, lines and samples: one check for all who ask for a part of a scene."""

import pytest

from bandfold.common.errors import SettingsError
from bandfold.common.scene import range_inside


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (slice(10, 40), (10, 40)),
        (slice(None, 40), (0, 40)),
        (slice(10, None), (10, 50)),
        (slice(None), (0, 50)),
        (slice(0, 1, 1), (0, 1)),
        (None, (0, 50)),
        (slice(-2, None), (48, 50)),
        (slice(3, -1), (3, 49)),
    ],
)
def test_ranges_have_the_ends_of_the_scene(part, expected):
    found = range_inside("bands", part, 50)
    assert (found.start, found.stop, found.step) == (*expected, None)


@pytest.mark.parametrize(
    "part",
    [
        slice(6, 5),
        slice(0, 51),
        slice(50, 60),
        slice(-1, 5),
        slice(-51, 5),
        slice(0, 9, 2),
        slice(10**12, None),
    ],
)
@pytest.mark.parametrize("empty", [False, True])
def test_what_is_outside_or_has_a_step_is_refused(part, empty):
    with pytest.raises(SettingsError, match=r"lines .* are not a part of the scene, which has lines 0:50"):
        range_inside("lines", part, 50, empty=empty)


@pytest.mark.parametrize("part", [slice(5, 5), slice(50, None), slice(None, 0)])
def test_some_may_be_empty(part):
    found = range_inside("lines", part, 50, empty=True)
    assert found.start == found.stop
    with pytest.raises(SettingsError, match="are not a part of the scene"):
        range_inside("lines", part, 50)


@pytest.mark.parametrize("part", [[7], 7, 0, (1, 2), "1:2", slice("a", None), slice(0.5, 3)])
def test_what_is_no_range_is_refused(part):
    with pytest.raises(SettingsError, match=r"bands=.* is no range: give slice\(first, last\)"):
        range_inside("bands", part, 50)
