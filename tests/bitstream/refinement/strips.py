"""Strips for the tests of refinement: samples, a base of them, limits and absent samples."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

RANGES = ((0, 65535), (-32768, 32767), (0, 9), (0, (1 << 24) - 1), (-(1 << 31), (1 << 31) - 1))


@dataclass
class Strip:
    samples: np.ndarray
    base: np.ndarray
    limits: np.ndarray
    lowest: int
    highest: int
    absent: np.ndarray | None

    @property
    def present(self):
        gone = np.zeros(self.samples.shape[1:], bool) if self.absent is None else self.absent
        return ~np.broadcast_to(gone, self.samples.shape)


@st.composite
def strips(draw, largest_limit=(1 << 31) - 1):
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 21)))
    lowest, highest = draw(st.sampled_from(RANGES))
    random = np.random.Generator(np.random.PCG64(draw(st.integers(0, 1 << 30))))
    scene = (
        random.normal(0, (highest - lowest) / 20, shape[1:]) * np.linspace(0.5, 2, shape[0])[:, None, None]
    )
    noise = draw(st.sampled_from([0.0, 0.3, 3.0, 500.0, 1e9]))
    middle = (lowest + highest) / 2
    samples = np.clip(np.rint(middle + scene), lowest, highest)
    lacking = (
        random.laplace(0, 1, shape) * noise * (random.random(shape) < draw(st.sampled_from([0.02, 0.5, 1.0])))
    )
    base = np.clip(np.rint(samples + lacking), lowest, highest)
    limits = draw(
        st.lists(st.sampled_from([0, 0, 1, 2, 7, 300, largest_limit]), min_size=shape[0], max_size=shape[0])
    )
    if draw(st.booleans()):
        limits = limits[:1] * shape[0]
    kind = draw(st.sampled_from(["none", "pixels", "samples", "all"]))
    absent = {
        "none": None,
        "pixels": random.random(shape[1:]) < 0.3,
        "samples": random.random(shape) < 0.3,
        "all": np.ones(shape[1:], bool),
    }[kind]
    return Strip(
        samples.astype(np.int64).astype(np.int32),
        base.astype(np.int64).astype(np.int32),
        np.minimum(np.array(limits), largest_limit).astype(np.int32),
        lowest,
        highest,
        absent,
    )
