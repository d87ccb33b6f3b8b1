"""The bounded encoder: it starts as the fixed transform, stays within its bound, and learns."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bandfold.bitstream.contexts.tables import load_tables  # noqa: E402
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT  # noqa: E402
from bandfold.bitstream.transforms.klt import FRACTION  # noqa: E402
from bandfold.common.errors import SettingsError  # noqa: E402
from bandfold.onboard.quantisation.rdoq import quantise  # noqa: E402
from bandfold.training.components import ComponentView, oriented  # noqa: E402
from bandfold.training.config import DataConfig, TrainingConfig, load_config  # noqa: E402
from bandfold.training.fold48 import BOUND, Bounded, Fold48  # noqa: E402
from bandfold.training.runs import train_run  # noqa: E402

CONFIG = DataConfig(crop=32)


@pytest.fixture
def latents(counted):
    return torch.from_numpy(ComponentView([counted], (1,), CONFIG).draw(np.random.default_rng(2)))


def test_crops_have_all_components_and_are_drawn_alike(counted):
    view = ComponentView([counted], (1,), CONFIG)
    first, again = (view.draw(np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape[1:] == (64, 4, 4)
    with pytest.raises(SettingsError, match="multiple of 8"):
        ComponentView([counted], (1,), DataConfig(crop=36))
    with pytest.raises(SettingsError, match="no scene has components"):
        ComponentView([dataclasses.replace(counted, counts=None)], (1,), CONFIG)


@pytest.mark.parametrize("orientation", range(8))
def test_orientations_are_those_of_the_plane(orientation):
    plane = np.random.default_rng(0).normal(size=(16, 24))

    def analysed(plane):
        blocks = plane.reshape(plane.shape[0] // 8, 8, plane.shape[1] // 8, 8).transpose(1, 3, 0, 2)
        found = DCT / DCT_UNIT @ blocks.reshape(64, -1)
        return found.reshape(1, 64, *blocks.shape[2:]).astype(np.float32)

    turned = plane[:: -1 if orientation & 1 else 1, :: -1 if orientation & 2 else 1]
    turned = turned.T if orientation & 4 else turned
    np.testing.assert_allclose(oriented(analysed(plane), orientation), analysed(turned), atol=1e-3)


def test_it_starts_as_the_fixed_transform(latents):
    network = Fold48()
    with torch.no_grad():
        torch.testing.assert_close(network.moved(latents), latents)
        assert network.measure(latents) == Fold48(encoder=False).measure(latents)


def test_changes_are_bounded(latents):
    network = Bounded()
    torch.nn.init.normal_(network.layers[-1].weight, 0, 100.0)
    with torch.no_grad():
        changes = network(latents)
    assert float(changes.abs().max()) == pytest.approx(BOUND)


def test_levels_are_nearly_those_of_the_encoder(latents):
    """Contexts come from plain rounding here, and from the levels themselves there."""
    integers = np.rint(latents.numpy().astype(np.float64) * FRACTION).astype(np.int32)
    expected = quantise(integers, 1.0, load_tables().modes["folded"])[0].swapaxes(0, 1)
    levels, points, smooth = Fold48().quantise(
        torch.from_numpy(integers.astype(np.float32) / np.float32(FRACTION))
    )
    assert (levels.numpy() == expected).mean() > 0.995
    assert float((levels - points).abs().max()) < 1
    assert float((smooth - levels.abs()).abs().max()) < 0.6


def test_rate_and_error_have_slopes_in_the_encoder(latents):
    network = Fold48()
    rate, error = network.measure(latents)
    for value in (rate, error):
        network.zero_grad()
        value.backward(retain_graph=True)
        assert float(network.analysis.layers[-1].weight.grad.abs().max()) > 0


def test_a_short_run_lowers_the_loss(counted, tmp_path):
    config = load_config("fold48")
    training = TrainingConfig(steps=40, learning_rate=2e-3, save_every=40, log_every=20, weight=7.7)
    config = dataclasses.replace(config, data=CONFIG, training=training)
    train_run(config, [counted], tmp_path, device=torch.device("cpu"))
    rows = (tmp_path / "1" / "log.csv").read_text().splitlines()
    assert len(rows) == 3
    assert (tmp_path / "1" / "model.pt").is_file()
