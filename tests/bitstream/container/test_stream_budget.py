"""What a stream may cost: it grows with its bytes, and what is claimed is charged before it is built."""

from dataclasses import replace

import numpy as np
import pytest

from bandfold.bitstream.container.stream_budget import (
    LEAST_MEMORY,
    LEAST_WORK,
    MEMORY_OF_BYTE,
    SAMPLE_SHARE,
    WORK_OF_BYTE,
    StreamBudget,
    sample_work,
)
from bandfold.common.errors import MemoryLimitError
from bandfold.common.scene import Scaling, SceneInfo


def test_work_is_charged_until_nothing_is_left():
    for nbytes, work in ((100, LEAST_WORK), (1 << 20, WORK_OF_BYTE << 20)):
        budget = StreamBudget(nbytes)
        budget.work(100, "strips")
        budget.work(work - 100, "samples")
        with pytest.raises(MemoryLimitError, match=f"{nbytes} bytes claim more samples than"):
            budget.work(1, "samples")


def test_another_pass_has_all_of_it_again():
    budget = StreamBudget(1 << 20)
    budget.work(WORK_OF_BYTE << 20, "samples")
    again = budget.again(factor=2)
    again.work(WORK_OF_BYTE << 21, "samples")
    with pytest.raises(MemoryLimitError):
        again.work(1, "samples")


def test_samples_cost_more_where_they_are_scaled_and_may_be_absent():
    plain = SceneInfo(1, 8, 8, np.dtype("int16"))
    scaled = SceneInfo(1, 8, 8, np.dtype("float32"), scaling=Scaling(0.5, 0.0))
    absent = replace(scaled, no_data=-1.0)
    assert [sample_work(1000 * SAMPLE_SHARE, info) for info in (plain, scaled, absent)] == [1000, 2000, 3000]
    budget = StreamBudget(100)
    budget.samples(LEAST_WORK * SAMPLE_SHARE, plain)
    with pytest.raises(MemoryLimitError):
        budget.samples(SAMPLE_SHARE, plain)


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
