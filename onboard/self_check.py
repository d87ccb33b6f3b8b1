"""Whether this machine writes the stream that every other one writes, of a scene made from integers."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from bandfold.common import kernels

from .encoder import Encoder

DIGEST = "a3ba7cbbe0026f39fe0191d6945ce771306feefbd02c14bfacbb68ff26ae1b14"
"""SHA-256 of the stream of `made_up_scene` at `BPS`: it changes with format, tables and encoder."""

BPS = 1.5


def made_up_scene() -> NDArray[np.uint16]:
    """A small scene of integer arithmetic alone.

    Returns
    -------
    ndarray of uint16, shape (100, 72, 80)
        Patches of four materials on slopes, and a little noise: enough for intervals, rotations and strips.
    """
    bands, lines, samples = np.meshgrid(np.arange(100), np.arange(72), np.arange(80), indexing="ij")
    material = (lines // 11 * 5 + samples // 13 * 3) % 4
    peak = 12 + 25 * material
    spectrum = 900 - (bands - peak) ** 2 * (1 + material) // 9 + 300 * (bands // (9 + 4 * material) % 2)
    slopes = lines * samples // 9 + lines * (3 + material) + (lines * lines + samples * material) % 23
    light = 40 + slopes % 61
    noise = (bands * 7919 + lines * 104729 + samples * 1299709) ** 2 % 65521 % 9
    scene: NDArray[np.uint16] = (np.maximum(spectrum, 60) * light // 16 + noise).astype(np.uint16)
    return scene


def runs_by() -> str:
    """What runs the inner loops here.

    Returns
    -------
    str
        ``"compiled kernels"`` or ``"NumPy"``.
    """
    return "NumPy" if kernels.library is None else "compiled kernels"


def writes_the_known_stream() -> bool:
    """Encode the made-up scene and compare the stream with the known one.

    Returns
    -------
    bool
    """
    stream = Encoder(bps=BPS).encode(made_up_scene())
    return hashlib.sha256(stream).hexdigest() == DIGEST
