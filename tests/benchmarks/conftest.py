"""A codec to measure with: a plain quantiser and zlib, so that every figure can be recomputed."""

import struct
import time
import zlib

import numpy as np
import pytest

from bandfold.benchmarks.codecs.codec import Decoded, Encoded
from bandfold.common.errors import BudgetError


class Quantiser:
    """Rounds to a multiple of the finest power of two that fits the rate."""

    def __init__(self, name="quantiser"):
        self.name = name

    def encode(self, cube, bps):
        start = time.perf_counter()
        for shift in range(17):
            counts = np.rint(cube / 2.0**shift).astype("<i4")
            head = struct.pack("<4i", *cube.shape, shift)
            stream = head + zlib.compress(counts.tobytes())
            if 8 * len(stream) <= bps * cube.size:
                return Encoded(stream, time.perf_counter() - start)
        raise BudgetError(f"{bps:g} bits per sample are too few")

    def decode(self, stream):
        start = time.perf_counter()
        *shape, shift = struct.unpack_from("<4i", stream)
        counts = np.frombuffer(zlib.decompress(stream[16:]), "<i4").reshape(shape)
        return Decoded(counts * 2**shift, time.perf_counter() - start, {"basis_share": 0.25})


@pytest.fixture
def quantiser():
    return Quantiser


@pytest.fixture
def cube():
    rng = np.random.default_rng(5)
    image = rng.normal(size=(32, 40)).cumsum(axis=0).cumsum(axis=1)
    bands = image * np.linspace(20, 30, 6)[:, None, None] + rng.normal(0, 3, (6, 32, 40))
    return np.rint(bands - bands.min()).astype(np.uint16)
