"""Sections of limits and of refinements: what is written is read, and what breaks a rule is refused."""

import numpy as np
import pytest

from bandfold.bitstream.container.refinement_layout import (
    LARGEST_LIMIT,
    SHARE_UNIT,
    ErrorLimits,
    Refinement,
    segment_checksum,
)
from bandfold.common.errors import StreamError


@pytest.mark.parametrize(
    "limits",
    [
        ErrorLimits((0,)),
        ErrorLimits((LARGEST_LIMIT,), strips=300),
        ErrorLimits((0, 1, 200, 70)),
        ErrorLimits((3,), share=655),
        ErrorLimits((0,), exact=True),
    ],
)
def test_limits_come_back(limits):
    assert ErrorLimits.unpack(limits.pack(), 4) == limits


def test_one_limit_is_that_of_all_bands():
    np.testing.assert_array_equal(ErrorLimits((7,)).of_bands(3), [7, 7, 7])
    np.testing.assert_array_equal(ErrorLimits((1, 2, 3)).of_bands(3), [1, 2, 3])


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "ends inside a number"),
        (ErrorLimits((1, 2)).pack(), "2 limits for 4 bands"),
        (ErrorLimits((1,)).pack() + b"\0", "wrong length"),
        (ErrorLimits((LARGEST_LIMIT + 1,)).pack(), "out of range"),
        (ErrorLimits((1, 2, 3, 4), share=9).pack(), "out of range"),
        (ErrorLimits((1,), share=SHARE_UNIT).pack(), "out of range"),
        (b"\4" + ErrorLimits((1,)).pack()[1:], "reserved bits"),
    ],
)
def test_limits_that_break_a_rule_are_refused(payload, said):
    with pytest.raises(StreamError, match=said):
        ErrorLimits.unpack(payload, 4)


def test_a_refinement_comes_back():
    refinement = Refinement(300, segment_checksum(b"segment"), b"abcd", b"residual")
    assert Refinement.unpack(refinement.pack()) == refinement
    for cut in range(10):
        with pytest.raises(StreamError):
            Refinement.unpack(refinement.pack()[:cut])


def test_segments_are_told_apart_by_the_checksum_of_the_container():
    # CRC-32C of RFC 3720, section B.4.
    assert segment_checksum(bytes(32)) == bytes.fromhex("aa36918a")
