"""Small streams of several kinds, to be damaged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import MetadataValue, Scaling
from bandfold.onboard import ArraySource, Encoder
from bandfold.synthetic.scenes import SyntheticScene

MODEL = "balle48-relu-cal-l1"
"""Shipped package that codes the stream of a trained model."""


def _cube(lines: int, samples: int, bands: int, seed: int) -> NDArray[Any]:
    return SyntheticScene(lines, samples, bands, seed).read(slice(0, bands), slice(0, lines))


def small_streams() -> dict[str, bytes]:
    """Encode a scene of 8 bands, 20 lines and 12 samples in three ways.

    Returns
    -------
    dict of str to bytes
        Streams of three strips by what they are.
    """
    cube = _cube(20, 12, 8, seed=1)
    return {
        "whole scene": Encoder(step=40.0, strip_lines=8).encode(cube),
        "stream of lines": Encoder(step=40.0, strip_lines=8, stream=True, repeat=1).encode(cube),
        "band by band": Encoder(step=60.0, strip_lines=8, spectral="none").encode(cube),
    }


def model_stream() -> bytes:
    """Encode the scene of `small_streams` with a trained model, band by band.

    Returns
    -------
    bytes
        A stream of three strips.
    """
    return Encoder(step=100.0, strip_lines=8, model=MODEL).encode(_cube(20, 12, 8, seed=1))


def hostile_seeds() -> dict[str, bytes]:
    """Encode small scenes of all kinds that need no package, to be mutated past their checksums.

    Returns
    -------
    dict of str to bytes
        Streams by what they are: those of `small_streams`, one with absent samples and metadata, one with two
        quantisers and chunks, and one with a scaling.
    """
    cube = _cube(20, 12, 8, seed=1)
    holes = cube.copy()
    holes[:, 3:9, 2:5] = 0
    about: dict[str, MetadataValue] = {
        "wavelength": tuple(f"{400 + 10.5 * band}" for band in range(8)),
        "description": "a scene",
    }
    return {
        **small_streams(),
        "holes": Encoder(step=40.0, strip_lines=8).encode(ArraySource(holes, no_data=0.0, metadata=about)),
        "one quantiser": Encoder(step=30.0, strip_lines=8, quantiser="uniform").encode(cube),
        "many bands": Encoder(step=20.0, strip_lines=16).encode(_cube(32, 24, 40, seed=3)),
        "scaled": Encoder(step=40.0, strip_lines=16).encode(
            ArraySource(cube.astype(np.float32), scaling=Scaling(0.5, 1.0))
        ),
    }


def long_stream() -> bytes:
    """Encode 512 lines as they come.

    Returns
    -------
    bytes
        A stream of 64 strips, each of several chunks.
    """
    return Encoder(step=30.0, strip_lines=8, stream=True, repeat=4).encode(_cube(512, 24, 12, seed=2))
