"""Read some bands and lines of a file, compressed or not, without decoding the rest."""

import numpy as np

import bandfold
from bandfold.synthetic.scenes import SyntheticScene

# A scene to look at: 96 lines in three strips of 32. The source is an object with `info` and `read`, so the
# encoder can take it as it is, with the wavelengths that it knows.
scene = SyntheticScene(lines=96, samples=64, bands=48, seed=5)
bandfold.Encoder(psnr=75, strip_lines=32).encode_to(scene, "scene.bf")

# `open` knows streams by their first bytes, and ENVI, GeoTIFF, NetCDF, Zarr and others by their suffix.
part = bandfold.open("scene.bf")
print(f"{part.info.bands} bands x {part.info.lines} lines x {part.info.samples} samples of {part.info.dtype}")

# The band nearest to 860 nm, in the near infrared. Header fields are texts, named as in ENVI.
wavelengths = np.array([float(one) for one in part.info.metadata["wavelength"]])
band = int(np.abs(wavelengths - 860).argmin())

# Only the strip that these lines lie in is decoded, and of that only this band.
block = part.read(slice(band, band + 1), slice(40, 60))
print(f"band {band} at {wavelengths[band]:.0f} nm, lines 40 to 59: mean {block.mean():.1f} counts")

# It is the same as in the whole scene.
whole = bandfold.Decoder("scene.bf").decode()
print("as in the whole scene:", bool((block[0] == whole[band, 40:60]).all()))
