"""Exported graphs and tables do what the network does."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from bandfold.bitstream.entropy.ans import TOKENS, to_tokens  # noqa: E402
from bandfold.bitstream.segments.planes import zigzag  # noqa: E402
from bandfold.common.errors import ModelError  # noqa: E402
from bandfold.export.compact import LEAST_INT8, quantise_weights  # noqa: E402
from bandfold.export.factorised import make_engines  # noqa: E402
from bandfold.export.graphs import run, session  # noqa: E402
from bandfold.export.work import multiplications, parameters  # noqa: E402

SIZES = [(1, 16, 16), (2, 48, 80), (5, 160, 32)]


@pytest.mark.parametrize("size", SIZES)
def test_graphs_take_any_size_and_agree_with_the_network(network, engines, size):
    planes = torch.randn(size[0], 1, *size[1:], generator=torch.Generator().manual_seed(1)) * 4
    with torch.no_grad():
        quantised = network.quantise(planes)
        restored = network.restore(quantised)
    found = run(session(engines.analysis), planes.numpy())
    assert found.shape == quantised.shape
    np.testing.assert_array_equal(found, np.rint(found))
    # Weights were rounded to 1/127 of the largest of their channel: latents near a half may go the other way.
    assert np.abs(found - quantised.numpy()).max() <= 1
    assert (found != quantised.numpy()).mean() < 0.15
    again = run(session(engines.synthesis), quantised.numpy())
    error = np.mean((again - restored.numpy()) ** 2)
    assert error < 1e-3 * np.mean(restored.numpy() ** 2)


def test_graphs_pad_in_the_convolutions_and_say_nothing_of_this_machine(engines):
    kinds = [node.op_type for node in engines.analysis.graph.node]
    assert "Pad" not in kinds
    assert kinds.count("DequantizeLinear") == 2
    assert kinds[-1] == "Round"
    text = engines.analysis.SerializeToString() + engines.synthesis.SerializeToString()
    for trace in (b".py", b"site-packages", b"/home", b"/work"):
        assert trace not in text
    assert len(engines.analysis.SerializeToString()) < 160_000
    large = [tensor for tensor in engines.analysis.graph.initializer if np.prod(tensor.dims) >= LEAST_INT8]
    assert {tensor.data_type for tensor in large} == {onnx.TensorProto.INT8}


def test_what_a_sample_costs(engines):
    # 9x9/4, 5x5/2, 5x5/2 of 48 filters, and the two GDN between.
    convolutions = 48 * 81 / 16 + 48 * 48 * 25 / 64 + 48 * 48 * 25 / 256
    normalisation = 48 * 48 / 16 + 48 * 48 / 64
    assert multiplications(engines.analysis) == pytest.approx(convolutions + normalisation)
    # Transposed convolutions make one line and column too many, which are cut off.
    assert multiplications(engines.synthesis, 256) == pytest.approx(convolutions + normalisation, rel=0.02)
    assert parameters(engines.analysis) == 48 * 81 + 2 * 48 * 48 * 25 + 3 * 48 + 2 * (48 * 48 + 48) + 48


def test_tables_are_the_prior(network, engines):
    frequencies = engines.frequencies
    assert frequencies.shape == (48, TOKENS)
    assert frequencies.min() >= 1
    assert (frequencies.sum(axis=1) == 1 << 24).all()
    values = np.arange(-40, 41)
    tokens, _ = to_tokens(zigzag(values))
    with torch.no_grad():
        grid = network.medians[:, None] + torch.from_numpy(values).float()
        expected = network.prior.likelihood(grid).numpy()
    mass = np.zeros((48, TOKENS))
    for column, token in enumerate(tokens):
        mass[:, token] += expected[:, column]
    # Tokens all of whose numbers are among the values.
    whole = slice(0, 20)
    np.testing.assert_allclose(frequencies[:, whole] / 2**24, mass[:, whole], rtol=1e-2, atol=1e-5)


def test_weights_are_rounded_channel_by_channel():
    weights = np.array([[1.0, -2.0, 0.5], [100.0, 50.0, -0.2], [0.0, 0.0, 0.0]], np.float32)
    codes, scales = quantise_weights(weights, 0)
    np.testing.assert_array_equal(codes, [[64, -127, 32], [127, 64, 0], [0, 0, 0]])
    np.testing.assert_allclose(scales, [2 / 127, 100 / 127, 1])
    turned, same = quantise_weights(np.ascontiguousarray(weights.T), 1)
    np.testing.assert_array_equal(turned.T, codes)
    np.testing.assert_array_equal(same, scales)


def test_a_graph_that_does_something_else_is_refused(network, engines, monkeypatch):
    from bandfold.export import factorised

    # Its own graphs with rounded weights are too far off already.
    monkeypatch.setattr(factorised, "to_onnx", lambda *_: engines.analysis)
    with pytest.raises(ModelError, match="does not give what PyTorch gives"):
        make_engines(network)
