"""What a stream may cost: it grows with its bytes, and what is claimed is charged before it is built."""

import pytest

from bandfold.bitstream.container.stream_budget import (
    LEAST_MEMORY,
    LEAST_WORK,
    MEMORY_OF_BYTE,
    WORK_OF_BYTE,
    StreamBudget,
)
from bandfold.common.errors import MemoryLimitError


def test_work_is_charged_until_nothing_is_left():
    budget = StreamBudget(100)
    budget.work(LEAST_WORK, "strips")
    budget.work(100 * WORK_OF_BYTE, "samples")
    with pytest.raises(MemoryLimitError, match="100 bytes claim more samples than"):
        budget.work(1, "samples")


def test_another_pass_has_all_of_it_again():
    budget = StreamBudget(100)
    budget.work(LEAST_WORK, "samples")
    again = budget.again(factor=2)
    again.work(LEAST_WORK + 200 * WORK_OF_BYTE, "samples")
    with pytest.raises(MemoryLimitError):
        again.work(1, "samples")


def test_memory_grows_with_the_bytes_up_to_the_limit():
    StreamBudget(100).memory(LEAST_MEMORY, "it")
    with pytest.raises(MemoryLimitError, match=r"of a stream of 100 bytes the limit is 0\.2 GiB"):
        StreamBudget(100).memory(LEAST_MEMORY + 1, "it")
    StreamBudget(1 << 20).memory(MEMORY_OF_BYTE << 20, "it")
    with pytest.raises(MemoryLimitError, match="--memory-limit"):
        StreamBudget(1 << 20, 1 << 27).memory((1 << 27) + 1, "it")


def test_trusted_streams_have_the_memory_limit_alone():
    budget = StreamBudget(100, 1 << 40, trusted=True)
    budget.work(1 << 60, "samples")
    budget.again().work(1 << 60, "samples")
    budget.memory(1 << 40, "it")
    with pytest.raises(MemoryLimitError, match="--memory-limit"):
        budget.memory((1 << 40) + 1, "it")
