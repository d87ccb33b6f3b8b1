"""Latents that tests of quantisers share."""

import numpy as np

from bandfold.bitstream.transforms.klt import FRACTION

STEP = 5.0


def latents(components=6, rows=5, columns=7, seed=0):
    """Latents that fall along components and frequencies."""
    rng = np.random.default_rng(seed)
    spread = 30.0 * 0.5 ** np.arange(components)[:, None, None, None] / (1 + np.arange(64))[:, None, None]
    return np.rint(rng.laplace(0, 1, (components, 64, rows, columns)) * spread * STEP * FRACTION).astype(
        np.int32
    )
