"""Made-up latents: busy and quiet places, energy that falls with frequency and with the component."""

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.transforms.dct import DIAGONAL
from bandfold.calibration.corpus import Latents
from bandfold.calibration.material import prepare


def make_latents(seed, mode="folded", components=5):
    rng = np.random.default_rng(seed)
    busy = 2.0 ** rng.normal(0, 1, (1, 1, 8, 8))
    falling = 2.0 ** -np.arange(components)[:, None] * 2.0 ** (-DIAGONAL / 2)
    strips = [rng.laplace(0, 12, (components, 64, 8, 8)) * busy * falling[:, :, None, None] for _ in range(2)]
    return Latents(f"scene-{seed}", mode, tuple(strip.astype(np.float16) for strip in strips))


@pytest.fixture(scope="session")
def material():
    """Latents of both modes, ready for training."""
    start = load_tables()
    return [
        prepare(make_latents(seed, mode), start, seed=0, examples=20000)
        for mode in ("folded", "banded")
        for seed in range(2)
    ]


@pytest.fixture(scope="session")
def unseen():
    """Latents that no test trains on."""
    return [make_latents(99)]
