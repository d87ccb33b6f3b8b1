# %% [markdown]
# # Streaming from a camera
#
# Encode lines as a camera delivers them, in memory that does not grow. Nobody knows beforehand how many
# lines will come. Each strip of 64 lines is coded, written and forgotten.

# %%
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bandfold
from bandfold.common.scene import SceneInfo
from bandfold.synthetic.scenes import SyntheticScene

BANDS, SAMPLES, LINES = 32, 64, 150
land = SyntheticScene(lines=LINES, samples=SAMPLES, bands=BANDS, seed=2)


def camera() -> Iterator[NDArray[np.uint16]]:
    """Stand in for an instrument: one line after the other, each of shape (1, bands, samples)."""
    for line in range(LINES):
        yield land.read(slice(0, BANDS), slice(line, line + 1)).transpose(1, 0, 2)


# %% [markdown]
# `write` is called with each section as soon as it is finished: here it goes into a file, on a satellite to
# the transmitter. At 0.6 bits per sample a leaky bucket keeps the rate from the first strip. Of the
# description of the lines their number is not used, and 1 will do.

# %%
info = SceneInfo(BANDS, 1, SAMPLES, np.dtype("uint16"), interleave="bil")
with open("pass.bf", "wb") as link:
    encoder = bandfold.StreamEncoder(info, link.write, bps=0.6)
    for line in camera():
        encoder.push(line)
    encoder.flush()  # the last strip, which is lower, and the end of the stream

# %% [markdown]
# On the ground it is a stream like any other.

# %%
decoder = bandfold.Decoder("pass.bf")
cube = decoder.decode()
original = land.read(slice(0, BANDS), slice(0, LINES))
rate = 8 * Path("pass.bf").stat().st_size / cube.size
largest = np.abs(cube.astype(int) - original).max()
print(f"{encoder.lines} lines went in, {cube.shape[1]} came out, at {rate:.3f} bits per sample")
print(f"largest error {largest} counts, {len(decoder.damage)} strips damaged")
