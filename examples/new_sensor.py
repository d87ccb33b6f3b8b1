# %% [markdown]
# # A new sensor
#
# A scene carries the vectors that fold its bands. A package of the sensor, fitted once to a few scenes and
# known on board and on the ground, takes that load off each scene: small scenes gain most.

# %%
import numpy as np

from bandfold import Decoder, Encoder
from bandfold.bitstream.packages.package import save_package
from bandfold.calibration.sensor_fit import fit_sensor
from bandfold.synthetic.scenes import SyntheticScene

BANDS = 64


def flight(seed: int) -> SyntheticScene:
    """Stand in for a scene of the sensor; `bandfold.open("scene.hdr")` opens one of yours."""
    return SyntheticScene(lines=64, samples=64, bands=BANDS, seed=seed)


# %% [markdown]
# Fit the package to some scenes, and look at its card. On the command line: `bandfold fit *.hdr -o
# camera.bfm`.

# %%
package = fit_sensor(
    {f"flight {seed}": flight(seed) for seed in (1, 2, 3)}, "camera", description="our camera"
)
saved = save_package(package, "camera.bfm")
card = saved.manifest.card
print(f"{card['bands']} bands in intervals that end at {card['intervals']}, hash {saved.identity.hex()}")

# %% [markdown]
# A scene that the fit has not seen, with and without the package. The stream names the package by its hash,
# and the decoder needs it.

# %%
scene = flight(9)
cube = scene.read(slice(0, BANDS), slice(0, 64)).astype(float)
for sensor in (None, "camera.bfm"):
    stream = Encoder(step=12, sensor=sensor).encode(scene)
    again = Decoder(stream, models=[] if sensor is None else [sensor]).decode()
    rmse = np.sqrt(np.mean((again - cube) ** 2))
    print(f"{'with' if sensor else 'without'} the package: {len(stream)} bytes, error {rmse:.2f} counts")

# %% [markdown]
# Board and ground find packages by name in the folders of `BANDFOLD_MODELS`; `bandfold models` lists them.
