"""An untrained network, and what is exported of it."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from bandfold.export.factorised import make_engines  # noqa: E402
from bandfold.training.balle48 import Balle48  # noqa: E402


@pytest.fixture(scope="session")
def network():
    torch.manual_seed(3)
    network = Balle48()
    with torch.no_grad():
        # Biases that matter: the start has none.
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.01)
    network.refresh()
    return network.eval()


@pytest.fixture(scope="session")
def engines(network):
    return make_engines(network)
