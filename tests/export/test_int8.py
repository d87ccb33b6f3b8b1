"""Quantisation: from a graph in floating point to the same integers in ONNX and TFLite."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")
pytest.importorskip("flatbuffers")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from bandfold.common.errors import ModelError  # noqa: E402
from bandfold.export.float_stack import FloatStack  # noqa: E402
from bandfold.export.graphs import run, session  # noqa: E402
from bandfold.export.half import to_half  # noqa: E402
from bandfold.export.qoperator import to_qoperator  # noqa: E402
from bandfold.export.quantise import affine, quantise, round_up  # noqa: E402
from bandfold.export.tflite import to_tflite  # noqa: E402
from bandfold.export.widen import widen  # noqa: E402
from bandfold.onboard.networks.conv_stack import ConvStack, same_padding  # noqa: E402
from bandfold.onboard.networks.engine_choice import IntegerModel, golden_digest, probe, require_exact  # noqa: E402
from bandfold.onboard.networks.integer_network import to_channels, to_integers  # noqa: E402
from bandfold.onboard.networks.numpy_network import NumpyNetwork  # noqa: E402

BAND = ((1, 8, 9, 4), (8, 12, 5, 2), (12, 16, 5, 2))
"""Inputs, outputs, kernel and stride of layers: as `balle48` is built."""

COMPONENTS = ((64, 24, 3, 1), (24, 24, 3, 1), (24, 64, 1, 1))
"""As a bounded network on latents is built."""


def graph(layers, *, rounds, relu=True, seed=0):
    """A stack of convolutions, whose output is rounded about a shift or not."""
    rng = np.random.default_rng(seed)
    nodes, constants, at = [], [], "input"
    for number, (inputs, outputs, kernel, stride) in enumerate(layers):
        weights = rng.normal(0, (inputs * kernel * kernel) ** -0.5, (outputs, inputs, kernel, kernel))
        names = [f"w{number}", f"b{number}"]
        constants += [
            numpy_helper.from_array(weights.astype(np.float32) * 2, names[0]),
            numpy_helper.from_array(rng.normal(0, 0.1, outputs).astype(np.float32), names[1]),
        ]
        before, after = same_padding(kernel, stride)
        pads = [before, before, after, after]
        nodes.append(helper.make_node("Conv", [at, *names], [f"c{number}"], strides=[stride] * 2, pads=pads))
        at = f"c{number}"
        if relu and number < len(layers) - 1:
            nodes.append(helper.make_node("Relu", [at], [f"r{number}"]))
            at = f"r{number}"
    if rounds:
        shift = rng.normal(0, 1, (outputs, 1, 1)).astype(np.float32)
        constants.append(numpy_helper.from_array(shift, "shift"))
        nodes += [helper.make_node("Sub", [at, "shift"], ["s"]), helper.make_node("Round", ["s"], ["output"])]
    else:
        nodes[-1].output[0] = "output"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, *sides])
        for name, channels, sides in (
            ("input", layers[0][0], ("h", "w")),
            ("output", layers[-1][1], ("r", "c")),
        )
    ]
    made = helper.make_graph(nodes, "stack", ends[:1], ends[1:], constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def batches(inputs, side=48, seed=1, count=4):
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 3, (2, inputs, side, side)).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize(("layers", "rounds"), [(BAND, True), (COMPONENTS, False)])
@pytest.mark.parametrize("method", ["headroom", "minmax", "percentile", "entropy"])
def test_any_stack_is_quantised_and_the_same_in_all_engines(layers, rounds, method):
    made = graph(layers, rounds=rounds)
    network = FloatStack.from_onnx(made)
    assert network.rounds is rounds
    stack, report = quantise(network, batches(layers[0][0]), method)
    data = to_qoperator(stack).SerializeToString(deterministic=True)
    golden = golden_digest(NumpyNetwork(stack).run(probe(stack)))
    require_exact(IntegerModel("mine", data, to_tflite(stack), golden))
    again = ConvStack.from_onnx(data, "mine")
    assert (again.inputs, again.outputs, again.reduction) == (stack.inputs, stack.outputs, stack.reduction)
    # What was not seen in calibration comes out nearly as in floating point.
    (batch,) = batches(layers[0][0], seed=2, count=1)
    wanted = run(session(made), batch)
    last = stack.layers[-1]
    found = NumpyNetwork(stack).run(to_integers(batch, stack.scale, stack.zero)).astype(np.float64)
    error = (found - last.zero) * float(last.scale) - wanted
    if rounds:
        assert (float(last.scale), last.zero) == (1.0, 0)
    # The entropy of so few values says little, and cuts too much.
    assert 10 * np.log10((wanted**2).sum() / (error**2).sum()) > (0 if method == "entropy" else 18)
    assert [one.name for one in report] == ["input", "layer 1", "layer 2", "layer 3"]
    for one in report:
        assert one.seen_low <= 0 <= one.seen_high
        if method != "entropy":
            assert one.clipped < 2e-3
            assert one.snr > 15
    assert report[1].low == 0.0
    if method == "minmax":
        assert all(one.clipped == 0 for one in report[:3])


def test_scales_of_an_exact_product():
    """Eight times sixteen bits are twenty-four: float32 holds the product."""
    rng = np.random.default_rng(0)
    for value in rng.uniform(1e-4, 9, 50).tolist():
        activation, weight = round_up(value, 8), round_up(value / 7, 16)
        assert value <= float(activation) < value * (1 + 2**-7)
        assert float(activation * weight) == float(activation) * float(weight)
    for low, high in ((0.0, 3.0), (-1.0, 0.5), (-4.0, 0.0), (-1e-3, 7.0)):
        scale, zero = affine(low, high)
        assert (-128 - zero) * float(scale) <= low + float(scale) / 2
        assert (127 - zero) * float(scale) >= high - float(scale) / 2
        assert -128 <= zero <= 127


def test_what_is_no_stack_is_refused():
    divided = graph(BAND, rounds=False)
    divided.graph.node.insert(1, helper.make_node("Sigmoid", ["c0"], ["s0"]))
    divided.graph.node[2].input[0] = "s0"
    with pytest.raises(ModelError, match="an operator Sigmoid: only convolutions with SAME padding and ReLU"):
        FloatStack.from_onnx(divided)
    padded = graph(BAND, rounds=False)
    next(one for one in padded.graph.node[0].attribute if one.name == "pads").ints[0] = 0
    with pytest.raises(ModelError, match="a convolution of 9 x 9 with padding that is not SAME"):
        FloatStack.from_onnx(padded)
    branched = graph(BAND, rounds=False)
    branched.graph.node[2].input[0] = "input"
    with pytest.raises(ModelError, match="branches"):
        FloatStack.from_onnx(branched)
    empty = graph(BAND, rounds=False)
    del empty.graph.node[:]
    with pytest.raises(ModelError, match="no convolution"):
        FloatStack.from_onnx(empty)


def test_relu_may_be_absent():
    network = FloatStack.from_onnx(graph(BAND, rounds=False, relu=False))
    assert not any(layer.relu for layer in network.layers)
    stack, report = quantise(network, batches(1))
    assert all(one.snr > 25 for one in report)
    assert stack.layers[0].zero > -128


def test_constant_input_can_be_quantised():
    network = FloatStack.from_onnx(graph(BAND, rounds=True))
    stack, report = quantise(network, [np.zeros((1, 1, 32, 32), np.float32)])
    assert report[0].snr == np.inf
    assert report[0].as_dict()["snr"] is None
    assert NumpyNetwork(stack).run(np.zeros((1, 1, 32, 32), np.int8)).shape == (1, 16, 2, 2)


def test_half_precision_is_near():
    made = graph(BAND, rounds=False)
    (batch,) = batches(1, count=1)
    half = to_half(made)
    assert {tensor.data_type for tensor in half.graph.initializer} == {TensorProto.FLOAT16}
    wanted, found = run(session(made), batch), run(session(half), batch)
    error = np.abs(found - wanted).max()
    assert 0 < error < 0.02 * np.abs(wanted).max()


@pytest.mark.parametrize(("kernel", "stride"), [(9, 4), (5, 2), (4, 4), (8, 4), (3, 1)])
def test_a_wider_first_layer_gives_the_same_integers(kernel, stride):
    layers = ((1, 6, kernel, stride), (6, 7, 5, 2))
    stack, _ = quantise(FloatStack.from_onnx(graph(layers, rounds=True)), batches(1))
    wide = widen(stack)
    assert wide.inputs == stride**2
    assert wide.layers[0].stride == 1
    plane = np.random.default_rng(3).integers(-128, 128, (48, 80)).astype(np.int8)
    found = NumpyNetwork(wide).run(to_channels(plane, stride)[None])
    np.testing.assert_array_equal(found, NumpyNetwork(stack).run(plane[None, None]))
    data = to_qoperator(wide).SerializeToString(deterministic=True)
    golden = golden_digest(NumpyNetwork(wide).run(probe(wide)))
    require_exact(IntegerModel("mine", data, to_tflite(wide), golden))
