"""Which bands of a scene are the red, green and blue of its picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import SceneInfo
from bandfold.formats.header_fields import WAVELENGTH, nanometres

NANOMETRES = (650.0, 550.0, 460.0)
"""Wavelengths of the picture in colours, where the header names no default bands."""

NEAR = 40.0
"""Nanometres that a band may lie beside its colour: others are false colours anyway."""

PIXELS = 1 << 12
"""About as many pixels tell which bands are clear."""

DIM = 0.02
"""Share of the widest spread that counts as noise of every band, so that dim bands are not taken."""


def told_bands(info: SceneInfo, given: Sequence[int] | None = None) -> tuple[int, int, int] | None:
    """Bands that the user, the default bands of the header, or wavelengths tell.

    Parameters
    ----------
    info : SceneInfo
        Metadata of the scene.
    given : sequence of int, optional
        Three bands of the user, from 0.

    Returns
    -------
    (int, int, int) or None
        Bands of red, green and blue, from 0: those given; those of the header, if they are bands of the
        scene; the nearest to `NANOMETRES`. None where nothing tells them, or no band is near one of these.
    """
    if given is not None:
        red, green, blue = given
        return red, green, blue
    shown = info.metadata.get("default bands")
    if isinstance(shown, tuple) and len(shown) == 3:
        try:
            red, green, blue = (int(item) - 1 for item in shown)
        except ValueError:
            red = -1
        if red >= 0 and all(0 <= band < info.bands for band in (red, green, blue)):
            return red, green, blue
    centres = nanometres(info.metadata, WAVELENGTH, info.bands)
    if centres is not None and np.isfinite(centres).all():
        distances = np.abs(centres - np.array(NANOMETRES)[:, None])
        if distances.min(1).max() <= NEAR:
            red, green, blue = (int(band) for band in distances.argmin(1))
            return red, green, blue
    return None


def clear_bands(values: NDArray[np.float32]) -> tuple[int, int, int]:
    """The clearest band of each third of the bands: false colours of a scene without visible light.

    A band is clear where its samples differ much from pixel to pixel, and little from the mean of the bands
    beside it: bands of noise, of which absorption by water vapour leaves some in most scenes, are not.

    Parameters
    ----------
    values : ndarray of float32, shape (bands, lines, samples)
        Some lines of the scene; NaN where there is no data.

    Returns
    -------
    (int, int, int)
        Bands of red, green and blue, from 0: of the last, the middle and the first third. The middle ones of
        the thirds where no band differs from pixel to pixel.
    """
    bands = len(values)
    pixels = values.reshape(bands, -1)
    pixels = pixels[:, :: max(1, pixels.shape[1] // PIXELS)].astype(np.float64)
    pixels = pixels[:, np.isfinite(pixels).all(0)]
    score = np.zeros(bands)
    if pixels.size:
        spread = pixels.std(1)
        beside = np.pad(pixels, ((1, 1), (0, 0)), mode="reflect" if bands > 1 else "edge")
        noise = (pixels - (beside[:-2] + beside[2:]) / 2).std(1) + DIM * spread.max()
        np.divide(spread, noise, out=score, where=noise > 0)
    thirds = [(bands * part // 3, max(bands * (part + 1) // 3, bands * part // 3 + 1)) for part in (2, 1, 0)]
    red, green, blue = (
        first + int(score[first:end].argmax()) if score[first:end].any() else (first + end) // 2
        for first, end in thirds
    )
    return red, green, blue
