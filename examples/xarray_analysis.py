# %% [markdown]
# # Analysis in xarray
#
# xarray opens a stream as a data set, with wavelengths as coordinate, and decodes the strips and bands that
# are used. It takes `pip install 'bandfold[xarray]'`.

# %%
import numpy as np
import xarray

import bandfold
from bandfold.synthetic.scenes import SyntheticScene

scene = SyntheticScene(lines=96, samples=64, bands=60, seed=7)
bandfold.Encoder(psnr=78, strip_lines=32).encode_to(scene, "scene.bf")

# %% [markdown]
# NDVI, from the bands that are nearest to red and near infrared:

# %%
data = xarray.open_dataset("scene.bf", chunks={"band": -1})
red = data.cube.sel(wavelength=660, method="nearest").astype(float)
infrared = data.cube.sel(wavelength=860, method="nearest").astype(float)
ndvi = (infrared - red) / (infrared + red)
print(f"NDVI between {float(ndvi.min()):.2f} and {float(ndvi.max()):.2f}")

# %% [markdown]
# The mean spectrum of what is green, and where it rises most: the red edge.

# %%
green = data.cube.where(ndvi > 0.3).mean(("y", "x")).compute()
near = green.sel(wavelength=slice(650, 800))
edge = near.wavelength[int(near.diff("band").values.argmax())]
print(f"red edge near {float(edge):.0f} {data.wavelength.units}")

# %% [markdown]
# Did compression change the result? Here the scene itself is at hand.

# %%
exact = scene.read(slice(0, 60), slice(0, 96)).astype(float)
bands = [int(np.abs(data.wavelength.values - nanometres).argmin()) for nanometres in (660, 860)]
reference = (exact[bands[1]] - exact[bands[0]]) / (exact[bands[1]] + exact[bands[0]])
print(f"NDVI is off by {np.abs(ndvi.values - reference).mean():.4f} in the mean")
