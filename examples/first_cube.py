# %% [markdown]
# # First cube
#
# Encode a cube, decode it, and look at what was lost. A cube is an array (bands, lines, samples) of 8 or 16
# bit integers.

# %%
import numpy as np

import bandfold
from bandfold.synthetic.scenes import SyntheticScene

# %% [markdown]
# A made-up scene: an imaging spectrometer over hills, fields and water. Any array of yours will do.

# %%
scene = SyntheticScene(lines=64, samples=64, bands=48, seed=1)
cube = scene.read(slice(0, 48), slice(0, 64))

# %% [markdown]
# Half a bit per sample, every byte of the stream counted. `nbytes`, `psnr` or `step` may be given instead.
# The stream is bytes: write it to a file, send it, keep it. Nothing else is needed to decode it.

# %%
stream = bandfold.Encoder(bps=0.5).encode(cube)
again = bandfold.Decoder(stream).decode()

error = again.astype(float) - cube
psnr = 10 * np.log10(65535**2 / np.mean(error**2))
print(f"{cube.nbytes} bytes became {len(stream)}, {8 * len(stream) / cube.size:.3f} bits per sample")
print(f"PSNR {psnr:.1f} dB, root of the mean squared error {np.sqrt(np.mean(error**2)):.2f} counts")

# %% [markdown]
# Mistakes that are yours to mend are subclasses of `BandfoldError`, and their message says what to do.

# %%
try:
    bandfold.Encoder(bps=0.5, step=8)
except bandfold.BandfoldError as mistake:
    print(f"refused: {mistake}")
