"""Bins of latents, with and without compiled kernels."""

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, load_tables
from bandfold.common.kernels import switched_off
from bandfold.ground.restoration.latent_bins import bin_tables, into_bins

UNIFORM = load_tables().modes["folded"]
TWO = load_tables(DEPENDENT_TABLES).modes["folded"]


def test_bins_hold_what_the_encoder_puts_there():
    np.testing.assert_array_equal(
        bin_tables(UNIFORM)[5, [0, 1, 3], 1:], [[-1.5, 1.5], [-0.5, 1.5], [-0.5, 1.5]]
    )
    tables, second = bin_tables(TWO), TWO.network.classes + 3
    np.testing.assert_allclose(tables[3, :3, 1:], [[-1, 1], [-0.8, 0.8], [-0.8, 0.8]])
    np.testing.assert_allclose(tables[second, :3, 1:], [[-1, 1], [-1.3, 0.3], [-1.3, 0.3]])


@pytest.mark.parametrize("mode", [UNIFORM, TWO])
def test_latents_have_the_same_bits_without_compiled_kernels(mode):
    rng = np.random.default_rng(4)
    levels = np.rint(rng.laplace(0, 1, (21, 64, 32))).astype(np.int32)
    levels[..., 19:], levels[:, 7, 3] = 0, 90_000
    classes = rng.integers(0, len(mode.points), levels.shape).astype(np.uint8)
    changes = rng.normal(0, 1, levels.shape).astype(np.float32)
    changes[..., 17:] = 0.0
    found = np.full((64, 19, 30), 7.0, dtype=np.float32)
    plain, live, plain_live = found.copy(), np.empty(19, dtype=np.uint8), np.empty(19, dtype=np.uint8)
    levels[..., 18] = 0
    into_bins(levels, classes, changes, bin_tables(mode), 0.7, 4, found, live)
    with switched_off():
        into_bins(levels, classes, changes, bin_tables(mode), 0.7, 4, plain, plain_live)
    np.testing.assert_array_equal(found, plain)
    np.testing.assert_array_equal(live, plain_live)
    assert live.tolist() == [1] * 18 + [0]
    assert (found[..., :4] == 7.0).all()
    assert (found[..., 25:] == 7.0).all()
    one = found[2, 5, 6]
    level, change = int(levels[2, 2, 5]), float(changes[2, 2, 5])
    point, low, high = bin_tables(mode)[classes[2, 2, 5], min(abs(level), 3)]
    sign = -1 if level < 0 else 1
    assert one == pytest.approx(
        sign * np.clip(abs(level) + point + 0.7 * sign * change, abs(level) + low, abs(level) + high),
        abs=1e-5,
    )
