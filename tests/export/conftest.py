"""An untrained network, and what is exported of it."""

import pytest


@pytest.fixture(scope="session")
def network():
    torch = pytest.importorskip("torch")
    from bandfold.training.balle48 import Balle48

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
    from bandfold.export.factorised import make_engines

    return make_engines(network)
