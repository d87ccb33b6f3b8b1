"""Graphs for accelerators: the integers of every other engine, in one shape, in Q/DQ and in floats."""

import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
import onnxruntime

from bandfold.bitstream.contexts.tables import NAMED_TABLES, load_tables
from bandfold.bitstream.packages.package import load_package
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.segments.predicted_codec import codec_of
from bandfold.common.errors import ModelError, SettingsError
from bandfold.export.accelerators import TARGETS, Shape, integer_range, target_graphs
from bandfold.export.contexts.context_graphs import context_target_graphs
from bandfold.onboard.networks.litert_network import find_interpreter
from bandfold.onboard.networks.numpy_network import NumpyNetwork
from bandfold.onboard.prediction.model_networks import integer_models

GOLDEN = Path(__file__).parents[1] / "golden" / "golden-lapped.bfm"
SHAPE = Shape(30, 50)


def _stacks(package):
    return [model.stack for model in integer_models(codec_of(package))]


@pytest.fixture(scope="module")
def stack():
    return _stacks(load_package(GOLDEN))[0]


@pytest.fixture(scope="module")
def graphs(stack):
    return target_graphs([stack], list(TARGETS), SHAPE)


@pytest.fixture(scope="module")
def plane(stack):
    extent = SHAPE.positions(stack)
    assert extent == (6, 9)
    return np.random.default_rng(1).integers(-127, 128, (1, 64, *extent)).astype(np.int8)


def _run(data, plane):
    (result,) = onnxruntime.InferenceSession(data).run(["output"], {"input": plane})
    return result


def test_symmetric_graphs_give_the_integers(stack, graphs, plane):
    data = graphs["analysis-0.qdq.onnx"]
    zeros = [
        onnx.numpy_helper.to_array(one)
        for one in onnx.load_from_string(data).graph.initializer
        if "zero" in one.name
    ]
    assert zeros
    assert not any(zero.any() for zero in zeros)
    found = _run(data, plane.astype(np.float32))
    np.testing.assert_array_equal(found, NumpyNetwork(stack).run(plane))


def test_float_graphs_give_them_but_for_the_rounding(stack, graphs, plane):
    wanted = NumpyNetwork(stack).run(plane).astype(int)
    found = _run(graphs["analysis-0.float.onnx"], plane.astype(np.float32))
    np.testing.assert_array_equal(integer_range(found), wanted)
    # Products of float16 are off by a thousandth.
    half = _run(graphs["analysis-0.fp16.onnx"], plane.astype(np.float16))
    assert np.abs(integer_range(half).astype(int) - wanted).max() <= 1
    assert (integer_range(half) == wanted).mean() > 0.9


def test_graphs_of_one_shape_give_the_integers(stack, graphs, plane):
    module = find_interpreter()
    if module is None:
        pytest.skip("LiteRT is not installed")
    interpreter = module.Interpreter(model_content=graphs["analysis-0.static.tflite"])
    (given,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert given["shape"].tolist() == given["shape_signature"].tolist() == [1, 6, 9, 64]
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], np.ascontiguousarray(plane.transpose(0, 2, 3, 1)))
    interpreter.invoke()
    found = interpreter.get_tensor(output["index"]).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(found, NumpyNetwork(stack).run(plane))


def test_what_cannot_be_symmetric_is_told():
    published = _stacks(Registry().find("balle48-relu-uncal-l1"))
    assert set(target_graphs(published, ["tflite", "float"], SHAPE)) == {
        f"analysis-{number}.{name}" for number in range(2) for name in ("static.tflite", "float.onnx")
    }
    with pytest.raises(ModelError, match="not symmetric"):
        target_graphs(published, ["tensorrt"], SHAPE)
    with pytest.raises(SettingsError, match="unknown"):
        target_graphs(published, ["abacus"], SHAPE)


@pytest.mark.vela
@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-256"])
def test_all_of_it_runs_on_an_ethos_u(tmp_path, tmp_path_factory, accelerator):
    folder = tmp_path_factory.getbasetemp() / "vela"
    if not folder.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", "ethos-u-vela"], check=True)
    sources = [
        target_graphs(_stacks(Registry().find(name)), ["tflite"], Shape(64, 680))
        for name in ("innovations", "balle48-relu-cal-l1", "balle48-relu-uncal-l1")
    ]
    networks = {name: load_tables(named.path).modes["folded"].network for name, named in NAMED_TABLES.items()}
    networks["innovations"] = codec_of(Registry().find("innovations")).mode.network
    sources.append(context_target_graphs(networks, "contexts", ["tflite"], (64, 680)))
    for graphs in sources:
        for file, data in graphs.items():
            (tmp_path / file).write_bytes(data)
            command = [folder / "bin/vela", file, "--accelerator-config", accelerator]
            said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
            print(file, accelerator, said, file=sys.stderr)
            assert "CPU operators = 0 (0.0%)" in said
            assert "NPU operators" in said
