"""The rate that training sees is the rate that the bitstream pays."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bandfold.bitstream.contexts.features import Past  # noqa: E402
from bandfold.bitstream.contexts.tables import COST_UNIT, load_tables  # noqa: E402
from bandfold.bitstream.entropy.tokens import to_tokens  # noqa: E402
from bandfold.bitstream.segments.latents import classify  # noqa: E402
from bandfold.training.contextrate import ContextRate, magnitude_costs  # noqa: E402

MODE = load_tables().modes["folded"]


def latents(scale, components=6, rows=5, columns=7, seed=0):
    """Integers whose spread falls over components and frequencies: (64, components, rows, columns)."""
    rng = np.random.default_rng(seed)
    fall = 0.6 ** np.arange(components)[:, None] / (1 + np.arange(64)) ** 0.8
    spread = scale * fall.T[:, :, None, None] * rng.gamma(1, 1, (1, 1, rows, columns))
    return np.rint(rng.laplace(0, 1, (64, components, rows, columns)) * spread).astype(np.int32)


@pytest.mark.parametrize("scale", [1.0, 8.0, 60.0])
def test_whole_latents_cost_what_their_tables_say(scale):
    values = latents(scale)
    classes, _ = classify(values, MODE.network, Past.empty(2, *values.shape[2:]))
    tokens, _ = to_tokens(np.abs(values).ravel().astype(np.int64))
    paid = MODE.costs[classes.ravel().astype(int), tokens].sum() / COST_UNIT
    rate = ContextRate(MODE)
    batch = torch.from_numpy(values.swapaxes(0, 1).astype(np.float32))
    level = rate.levels(batch.abs()).clamp(0, 47.99).floor().numpy()
    assert (np.abs(level - classes.swapaxes(0, 1)) <= 1).mean() > 0.99
    assert float(rate(batch)) == pytest.approx(paid, rel=0.02)


def test_costs_rise_between_magnitudes():
    costs = magnitude_costs(MODE)
    assert costs.shape == (48, 256)
    middle = torch.full((1, 64, 1, 1), 0.5)
    rate = ContextRate(MODE)
    assert float(rate(0 * middle)) < float(rate(middle)) < float(rate(2 * middle))


def test_a_latent_is_charged_for_what_it_does_to_later_ones():
    values = torch.from_numpy(latents(4.0).swapaxes(0, 1).astype(np.float32)) + 0.25
    values.requires_grad_()
    rate = ContextRate(MODE)
    rate(values).backward()
    whole = values.grad.clone()
    # With the contexts held, only its own cost is left.
    with torch.no_grad():
        level = rate.levels(values.abs())
    rate.levels = lambda magnitudes: level
    values.grad = None
    rate(values).backward()
    changed = (whole - values.grad).abs()
    assert float(changed.mean()) > 1e-3
    # Nothing comes after the last channel of the last component.
    assert float(changed[-1, -1].max()) < 1e-6


def test_costs_beyond_the_table_go_on_rising():
    big = torch.zeros(1, 64, 1, 1)
    rate = ContextRate(MODE)
    found = []
    for magnitude in (200.0, 255.0, 256.0, 1024.0):
        big[0, 0] = magnitude
        found.append(float(rate(big)))
    assert found == sorted(found)
    assert found[3] - found[1] < 20
