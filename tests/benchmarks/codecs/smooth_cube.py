"""A scene that codecs of images are tried on."""

import numpy as np


def smooth_cube(dtype, bands=12, size=48, noise=1):
    """Bands that share two smooth images, as those of a scene do."""
    rng = np.random.default_rng(3)
    images = rng.normal(size=(2, size, size)).cumsum(axis=1).cumsum(axis=2)
    images /= np.abs(images).max()
    mixed = np.tensordot(rng.uniform(0.2, 1, (bands, 2)), images, 1)
    scaled = 3000 * mixed + noise * rng.normal(size=mixed.shape)
    return np.rint(scaled if np.dtype(dtype).kind == "i" else scaled - scaled.min()).astype(dtype)
