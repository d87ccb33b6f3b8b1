"""Networks: what cannot be opened or run is told with one line that says what to do."""

import sys
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.packages.package import load_package
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.common.errors import ModelError
from bandfold.common.onnx_session import Network, fastest_providers


@pytest.fixture(scope="module")
def codec():
    return BandCodec.from_package(load_package(Path(__file__).parents[1] / "golden" / "golden-walsh.bfm"))


def test_a_network_and_its_inverse(codec):
    planes = np.zeros((2, 1, 32, 48), np.float32)
    planes[0, 0, :16, 16:32] = 7
    latents = codec.analysis(0).run(planes)
    assert latents.shape == (2, 16, 2, 3)
    assert latents[0, 0, 0, 1] == 7 * 16
    assert np.count_nonzero(latents) == 1
    np.testing.assert_array_equal(codec.synthesis(0).run(latents), planes)


def test_the_runtime_is_asked_for_when_it_is_missing(codec, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        ModelError, match=r"analysis-0.onnx of package 'golden-walsh'.*pip install 'bandfold\[onnx\]'"
    ):
        codec.analysis(0)


def test_what_is_no_network_is_refused(codec):
    for graph in (b"", b"nonsense", codec.networks["analysis-0.onnx"][:-100]):
        with pytest.raises(ModelError, match="net of mine cannot be opened"):
            Network(graph, "net of mine")


def test_planes_of_another_shape_are_refused(codec):
    with pytest.raises(ModelError, match="cannot be run") as caught:
        codec.analysis(0).run(np.zeros((1, 2, 32, 32), np.float32))
    assert "\n" not in str(caught.value)


def test_gpus_come_before_the_processor(monkeypatch):
    runtime = pytest.importorskip("onnxruntime")
    for available, wanted in (
        (["CPUExecutionProvider"], ("CPUExecutionProvider",)),
        (
            ["CPUExecutionProvider", "AzureExecutionProvider", "CUDAExecutionProvider"],
            ("CUDAExecutionProvider", "CPUExecutionProvider"),
        ),
        (
            ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
            ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
        ),
    ):
        monkeypatch.setattr(runtime, "get_available_providers", lambda available=available: available)
        assert fastest_providers() == wanted
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert fastest_providers() == ("CPUExecutionProvider",)
