"""Recorded rate-distortion curves of codecs that are not at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bandfold.benchmarks.measures.bdrate import Curve
from bandfold.common.errors import SettingsError

from .json_object import read_object

Recorded = Mapping[str, Mapping[str, Curve]]
"""Scene, codec, curve."""


def read_anchors(path: Path) -> Recorded:
    """Read recorded curves.

    Parameters
    ----------
    path : Path
        JSON: ``{"scenes": {scene: {codec: [[bps, dB, seconds], ...]}}}``.

    Returns
    -------
    mapping
        Scene to codec to curve; seconds are left out.

    Raises
    ------
    SettingsError
        If the file is unreadable or of another form.
    """
    try:
        return {
            scene: {
                codec: [(float(point[0]), float(point[1])) for point in points]
                for codec, points in codecs.items()
            }
            for scene, codecs in read_object(path)["scenes"].items()
        }
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"{path} does not hold recorded curves: {error!r}") from error
