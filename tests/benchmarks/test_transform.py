"""The cosine transform in other hands: exact in float64 only."""

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from bandfold.benchmarks.transform import compare


def test_float64_is_exact_and_float32_is_not():
    ours, wide, narrow = compare(blocks=500, runs=1)
    assert (ours.wrong, wide.wrong) == (0, 0)
    assert 0 < narrow.wrong < 0.1
    assert min(one.rate for one in (ours, wide, narrow)) > 0
