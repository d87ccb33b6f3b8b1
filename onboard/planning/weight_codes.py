"""Weights of bands as a stream tells them: given, or found from the noise of the scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.coding_weights import LARGEST_CODE, PER_OCTAVE
from bandfold.common import exact
from bandfold.common.errors import SettingsError
from bandfold.common.scene import SceneInfo

from .block_sample import BlockSample
from .noise_estimate import noise_variances


def weight_codes(weights: str | Sequence[float], sample: BlockSample, info: SceneInfo) -> NDArray[np.int64]:
    """Choose the codes of the weights of a scene.

    Parameters
    ----------
    weights : "snr" or sequence of float
        The reciprocal of the noise of each band, or how much more an error weighs in each band, in the units
        of the samples.
    sample : BlockSample
        Blocks of the scene.
    info : SceneInfo
        Of the scene, whose scaling tells what counts are worth.

    Returns
    -------
    ndarray of int64, shape (bands,)
        The largest weight has the code 0, those below the smallest that can be told are cut to it.

    Raises
    ------
    SettingsError
        If there are weights for another number of bands.
    """
    if isinstance(weights, str):
        octaves = exact.log2(noise_variances(sample.few)) * -0.5
    else:
        if len(weights) != info.bands:
            raise SettingsError(
                f"{len(weights)} weights are given for {info.bands} bands: give one for each band"
            )
        octaves = exact.log2(np.array(weights, dtype=np.float64))
        for own in () if info.scaling is None else info.scaling.bands:
            octaves[own.band] += own.doublings
    codes = np.rint((octaves.max() - octaves) * PER_OCTAVE).astype(np.int64)
    return np.asarray(np.minimum(codes, LARGEST_CODE), dtype=np.int64)
