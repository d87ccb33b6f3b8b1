"""The high-water mark of memory."""

import sys

import numpy as np
import pytest

from bandfold.benchmarks.measures.peak_memory import forget_peak, peak_resident

MEBI = 1 << 20


def test_the_mark_stays_when_memory_is_given_back():
    block = np.ones(256 * MEBI, np.uint8)
    high = peak_resident()
    del block
    assert high > 256 * MEBI
    # The kernel counts in batches of pages.
    assert peak_resident() > high - 8 * MEBI


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the mark")
def test_the_mark_can_start_again():
    block = np.ones(256 * MEBI, np.uint8)
    high = peak_resident()
    del block
    forget_peak()
    assert peak_resident() < high - 128 * MEBI
