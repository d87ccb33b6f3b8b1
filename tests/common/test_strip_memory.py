"""Arrays that strips take one after the other."""

import numpy as np

from bandfold.common.strip_memory import StripMemory


def test_the_same_memory_is_taken_again_whatever_its_shape():
    memory = StripMemory()
    first = memory.array("levels", (4, 6), np.int32)
    first[:] = 7
    again = memory.array("levels", (3, 5), np.int32)
    assert again.shape == (3, 5)
    assert again.flags.c_contiguous
    assert np.shares_memory(first, again)
    assert not np.shares_memory(first, memory.array("classes", (4, 6), np.uint8))


def test_more_is_taken_where_more_is_needed():
    memory = StripMemory()
    small = memory.array("planes", (2, 3), np.int32)
    large = memory.array("planes", (5, 7), np.int32)
    assert (large.shape, large.dtype) == ((5, 7), np.int32)
    assert not np.shares_memory(small, large)
    assert np.shares_memory(large, memory.array("planes", (2, 3), np.int32))


def test_what_is_given_back_is_kept_only_if_it_was_reserved():
    memory = StripMemory()
    memory.reserve("planes", (4, 5), np.int32)
    planes, levels = memory.array("planes", (3, 5), np.int32), memory.array("levels", (3, 5), np.int32)
    memory.give_back("planes")
    memory.give_back("levels")
    memory.give_back("none such")
    assert np.shares_memory(planes, memory.array("planes", (4, 5), np.int32))
    assert not np.shares_memory(levels, memory.array("levels", (3, 5), np.int32))
