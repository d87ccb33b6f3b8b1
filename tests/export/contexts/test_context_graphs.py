"""Graphs of context networks: the classes of the codec from every engine."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("flatbuffers")
schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
onnxruntime = pytest.importorskip("onnxruntime")
interpreter = pytest.importorskip("ai_edge_litert.interpreter")

from bandfold import Encoder, EncoderSettings  # noqa: E402
from bandfold.bitstream.contexts.context_network import FEATURES, MOST_FEATURES  # noqa: E402
from bandfold.bitstream.contexts.features import (  # noqa: E402
    DIAGONAL_BOUNDS,
    DIAGONAL_SLICES,
    DIAGONALS,
    Past,
    Surroundings,
    magnitudes_of,
)
from bandfold.bitstream.contexts.tables import NAMED_TABLES, load_tables  # noqa: E402
from bandfold.bitstream.contexts.trellis_states import set_of_latents  # noqa: E402
from bandfold.bitstream.segments.latents import LatentStatistics  # noqa: E402
from bandfold.bitstream.transforms.dct import DIAGONAL, FREQUENCIES  # noqa: E402
from bandfold.common.errors import ModelError  # noqa: E402
from bandfold.export.contexts.context_description import (  # noqa: E402
    EXTENDED_MEANINGS,
    FEATURE_MEANINGS,
)
from bandfold.export.contexts.context_graphs import context_graphs, context_target_graphs  # noqa: E402
from bandfold.onboard.coding import strip_coder  # noqa: E402
from bandfold.onboard.networks.context_check import (  # noqa: E402
    COLUMNS,
    ROWS,
    check_context_graphs,
    classes_of,
    input_planes,
    probe_features,
)
from bandfold.onboard.networks.engine_choice import ENGINES, IntegerModel  # noqa: E402
from bandfold.onboard.prediction import predicted_coder  # noqa: E402
from bandfold.synthetic.scenes import SyntheticScene  # noqa: E402

from .conftest import SHIPPED, random_network  # noqa: E402

INSTALLED = [name for name in ("litert", "onnxruntime") if ENGINES[name].installed()]
BATCH = 7 * 4


def graphs_of(network):
    return context_graphs({"c": network}, "made up").values()


@pytest.mark.parametrize("threads", [1, 2])
def test_every_engine_gives_the_classes_of_shipped_networks(network, threads):
    assert list(check_context_graphs(network, *graphs_of(network), threads)) == [
        (name, "") for name in INSTALLED
    ]


@pytest.mark.parametrize("features", [FEATURES, MOST_FEATURES])
@pytest.mark.parametrize("shifts", [(0, 0, 0), (1, 3, 2), (9, 8, 10), (13, 12, 13)])
def test_every_engine_gives_those_of_any_network(shifts, features):
    network = random_network(shifts, seed=sum(shifts), features=features)
    assert list(check_context_graphs(network, *graphs_of(network))) == [(name, "") for name in INSTALLED]


def test_another_network_is_found_out(network):
    (hidden, bias), *others = network.layers
    bias = bias.copy()
    bias[3] += 128
    changed = type(network)(((hidden, bias), *others), network.shifts, network.classes, network.half_steps)
    found = dict(check_context_graphs(network, *graphs_of(changed)))
    assert found == dict.fromkeys(INSTALLED, "it gives other classes than the codec")
    assert "cannot be opened" in dict(check_context_graphs(network, b"no", b"graph"))[INSTALLED[0]]


@pytest.fixture(scope="module")
def probes():
    """Inputs of a batch, and the classes of it."""
    network = SHIPPED["tables-dependent-folded"]
    features = list(probe_features(network))
    planes = np.concatenate([input_planes(one) for one in features])
    return network, planes, np.stack([classes_of(network, one) for one in features])


@pytest.mark.parametrize("kernels", ["AUTO", "BUILTIN_REF", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"])
def test_kernels_of_litert_that_round_twice_give_them_too(probes, kernels):
    network, planes, wanted = probes
    _, tflite = graphs_of(network)
    opened = interpreter.Interpreter(
        model_content=tflite, experimental_op_resolver_type=interpreter.OpResolverType[kernels]
    )
    (given,), (output,) = opened.get_input_details(), opened.get_output_details()
    planes, wanted = planes[-BATCH:], wanted[-BATCH:]
    opened.resize_tensor_input(given["index"], planes.transpose(0, 2, 3, 1).shape)
    opened.allocate_tensors()
    opened.set_tensor(given["index"], np.ascontiguousarray(planes.transpose(0, 2, 3, 1)))
    opened.invoke()
    np.testing.assert_array_equal(opened.get_tensor(output["index"]).transpose(0, 3, 1, 2), wanted)


@pytest.mark.parametrize("level", ["ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_ALL"])
def test_all_optimisations_of_onnx_runtime_give_them(probes, level):
    network, planes, wanted = probes
    data, _ = graphs_of(network)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    (found,) = onnxruntime.InferenceSession(data, options).run(["output"], {"input": planes})
    np.testing.assert_array_equal(found, wanted)
    # Q/DQ, one plane at a time: computed in floats, or made integers by ONNX Runtime itself.
    extent = (8 * ROWS, 8 * COLUMNS - 3)
    targets = context_target_graphs({"c": network}, "made up", ["tensorrt", "fp16"], extent)
    assert list(targets) == ["c.qdq.onnx"]
    session = onnxruntime.InferenceSession(targets["c.qdq.onnx"], options)
    for plane, classes in zip(planes, wanted, strict=True):
        (found,) = session.run(["output"], {"input": plane[None].astype(np.float32)})
        np.testing.assert_array_equal(found[0], classes)


def test_symmetric_graphs_have_no_other_zeros_and_are_refused_for_large_sums(network):
    data = context_target_graphs({"c": network}, "made up", ["tensorrt"], (8, 8))["c.qdq.onnx"]
    graph = onnx.load_from_string(data).graph
    (zero,) = [one for one in graph.initializer if one.data_type == onnx.TensorProto.INT8 and not one.dims]
    assert onnx.numpy_helper.to_array(zero) == 0
    with pytest.raises(ModelError, match="sums of the context network"):
        context_target_graphs(
            {"c": random_network((13, 7, 7), units=(60, 60))}, "made up", ["tensorrt"], (8, 8)
        )


def _features(quantised, network, second):
    """Features of each component of a strip, learnt diagonal by diagonal as a decoder does."""
    rows, columns = quantised.shape[2:]
    last = before = Past.empty(1, rows, columns, extended=network.extended)
    for component in range(quantised.shape[1]):
        part = slice(component, component + 1)
        magnitudes = magnitudes_of(
            quantised[:, part], network.half_steps, None if second is None else second[:, part]
        )
        now = Surroundings(1, rows, columns, extended=network.extended)
        latent, position, channel = [], [], []
        for diagonal in range(DIAGONALS):
            latent.append(now.latent_features(diagonal, last, before)[:, :, 0])
            position.append(now.position_features(diagonal, last)[:, 0])
            channel.append(now.channel_features(diagonal, last)[:, :, 0])
            now.learn(diagonal, magnitudes[DIAGONAL_SLICES[diagonal]])
        yield np.concatenate(latent, axis=1), np.stack(position, axis=1), np.concatenate(channel, axis=1)
        last, before = now.past(last), last


@pytest.mark.parametrize(
    ("name", "module", "settings"),
    [
        ("tables-uniform-folded", strip_coder, {"quantiser": "uniform"}),
        ("tables-dependent-folded", strip_coder, {"quantiser": "dependent"}),
        ("tables-dependent-banded", strip_coder, {"spectral": "none"}),
        ("innovations", predicted_coder, {"model": "innovations"}),
    ],
)
def test_strips_of_a_scene(name, module, settings, monkeypatch):
    """The classes that an encoder writes levels with, from features to graphs."""
    written = []

    def keep(place, segment, *arguments, **options):
        # Strips lend each other their memory.
        pieces = [(segment.quantised, segment.classes)]
        packed = options.get("packed")
        if packed is not None:
            pieces = packed.pieces(slice(0, packed.components))
        copies = [(levels.copy(), classes.copy()) for levels, classes in pieces]
        quantised, classes = (np.concatenate(some, axis=1) for some in zip(*copies, strict=True))
        if packed is not None:
            quantised[np.arange(64)[:, None] >= DIAGONAL_BOUNDS[packed.statistics.extents]] = 0
        written.append(replace(segment, quantised=quantised, classes=classes))
        return write(place, segment, *arguments, **options)

    write = module.encode_segment
    monkeypatch.setattr(module, "encode_segment", keep)
    source = SyntheticScene(48, 40, 12, 5)
    scene = source.read(slice(0, 12), slice(0, 48))
    Encoder(EncoderSettings(step=12, strip_lines=24, **settings)).encode(scene)
    network = SHIPPED[name]
    onnx_graph, tflite = graphs_of(network)
    model = IntegerModel(name, onnx_graph, tflite, b"")
    engines = [ENGINES[engine].open(model, 1, "") for engine in INSTALLED]
    compared = 0
    for segment in written:
        quantised = segment.quantised
        second = set_of_latents(quantised) if network.half_steps else None
        extents = LatentStatistics.of(quantised).extents
        for component, features in enumerate(_features(quantised, network, second)):
            coded = extents[component] > DIAGONAL
            wanted = segment.classes[coded, component] % network.classes
            for engine in engines:
                found = engine.run(input_planes(features))[0]
                np.testing.assert_array_equal(found[coded], wanted)
            compared += wanted.size
    assert compared > 2000


def test_graphs_say_what_their_inputs_are(network):
    data, tflite = graphs_of(network)
    model = onnx.load_from_string(data)
    about = {one.key: one.value for one in model.metadata_props}
    named = [one["name"] for one in json.loads(about["features"])]
    assert len(named) == network.features
    assert named == [name for name in FEATURE_MEANINGS if network.extended or name not in EXTENDED_MEANINGS]
    assert json.loads(about["channels"]) == FREQUENCIES.tolist()
    assert about["source"] == "made up"
    assert ("half steps" in about["unit"]) == network.half_steps
    assert "integer from 0 to 47" in model.graph.output[0].doc_string
    assert "Features of the latents" in model.graph.input[0].doc_string
    assert {node.op_type for node in model.graph.node} == {"QLinearConv", "Clip"}
    file = schema.ModelT.InitFromObj(schema.Model.GetRootAs(tflite))
    (entry,) = file.metadata
    assert json.loads(bytes(file.buffers[entry.buffer].data)) == about
    assert "made up" in file.description.decode()


def test_the_same_network_gives_the_same_files(network):
    assert list(graphs_of(network)) == list(graphs_of(network))


def test_graphs_of_integers_need_no_pytorch():
    program = """
import sys
sys.modules["torch"] = None
import bandfold.export.accelerators
import bandfold.export.contexts.context_graphs
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_tables_are_named_by_what_they_are_for():
    assert not load_tables(NAMED_TABLES["tables-uniform"].path).modes["folded"].dependent
    assert load_tables(NAMED_TABLES["tables-dependent"].path).modes["folded"].dependent
