"""The published network: geometry, a start that already is a transform, and a prior that is a density."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bandfold.onboard.networks.conv_stack import same_padding  # noqa: E402
from bandfold.training.balle48 import Balle48  # noqa: E402
from bandfold.training.layers import DivisiveNormalisation, SameConv, SameTransposed  # noqa: E402
from bandfold.training.orthonormal import hierarchical_maps  # noqa: E402
from bandfold.training.prior import FactorisedPrior  # noqa: E402


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Balle48()


def smooth_planes():
    rng = np.random.default_rng(0)
    field = np.cumsum(np.cumsum(rng.normal(0, 1, (2, 1, 64, 96)), axis=2), axis=3)
    field -= field.mean(axis=(2, 3), keepdims=True)
    return torch.from_numpy((8 * field / field.std()).astype(np.float32))


def test_padding_is_tensorflows():
    assert same_padding(9, 4) == (2, 3)
    assert same_padding(5, 2) == (1, 2)


@pytest.mark.parametrize(("kernel", "stride"), [(9, 4), (5, 2)])
def test_transposed_convolution_is_the_transpose(kernel, stride):
    down, up = SameConv(2, 3, kernel, stride).double(), SameTransposed(3, 2, kernel, stride).double()
    with torch.no_grad():
        up.weight.copy_(down.weight)
        down.bias.zero_()
        up.bias.zero_()
        x, y = torch.randn(1, 2, 4 * stride, 6 * stride).double(), torch.randn(1, 3, 4, 6).double()
        assert down(x).shape == y.shape
        assert up(y).shape == x.shape
        assert (down(x) * y).sum().item() == pytest.approx((x * up(y)).sum().item())


def test_an_even_difference_cannot_be_mirrored():
    with pytest.raises(ValueError, match="odd"):
        SameTransposed(1, 1, 4, 2)


def test_gdn_divides_by_the_energy_around():
    gdn, inverse = DivisiveNormalisation(2), DivisiveNormalisation(2, inverse=True)
    with torch.no_grad():
        for one in (gdn, inverse):
            one.beta_root.copy_(torch.tensor([1.0, 2.0]))
            one.gamma_root.copy_(torch.tensor([[0.5, 1.0], [0.0, 2.0]]))
        x = torch.tensor([3.0, -2.0]).reshape(1, 2, 1, 1)
        norms = np.sqrt([1 + 0.25 * 9 + 4, 4 + 4 * 4])
        np.testing.assert_allclose(gdn(x).ravel(), np.array([3, -2]) / norms, rtol=1e-5)
        np.testing.assert_allclose(inverse(x).ravel(), np.array([3, -2]) * norms, rtol=1e-5)


def test_the_start_is_orthonormal_and_keeps_what_is_smooth(network):
    for found in hierarchical_maps((4, 2, 2), (48, 48, 48)):
        flat = found.reshape(len(found), -1)
        np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-12)
    # GDN is close to nothing for small samples.
    planes = smooth_planes() / 8
    with torch.no_grad():
        restored = network.restore(network.quantise(planes))
    assert restored.shape == planes.shape
    # Random weights would leave about all of it.
    assert torch.mean((restored - planes) ** 2) < 0.2 * torch.mean(planes**2)


def test_latents_are_integers_at_a_sixteenth(network):
    quantised = network.quantise(smooth_planes())
    assert quantised.shape == (2, 48, 4, 6)
    assert torch.equal(quantised, torch.round(quantised))


def test_prior_is_a_density_and_knows_its_median():
    torch.manual_seed(1)
    prior = FactorisedPrior(4)
    with torch.no_grad():
        for number, bias in enumerate(prior.biases):
            bias.add_(0.5 * number)
        grid = torch.arange(-3000.0, 3001.0).expand(4, -1)
        masses = prior.likelihood(grid)
        np.testing.assert_allclose(masses.sum(1), 1, atol=1e-3)
        medians = prior.medians()
        np.testing.assert_allclose(torch.sigmoid(prior(medians[:, None, None])).ravel(), 0.5, atol=1e-4)
        latents = torch.zeros(1, 4, 1, 2)
        expected = -2 * torch.log2(prior.likelihood(torch.zeros(4, 1))).sum()
        assert prior.bits(latents).item() == pytest.approx(expected.item(), rel=1e-5)


def test_rounding_passes_the_gradient(network):
    planes = smooth_planes()
    restored, bits = network(planes)
    (bits / planes.numel() + torch.mean((restored - planes) ** 2)).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    assert network.analysis[0].weight.grad.abs().max() > 0
    network.zero_grad()
