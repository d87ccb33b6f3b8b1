"""Recorded sizes of codecs that are lossless or keep a limit of errors: CCSDS 123 and others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bandfold.common.errors import SettingsError

RIVAL = "c123_B2_tuned"
"""Recorded codec that sizes are compared with: CCSDS 123.0-B-2, tuned for each scene."""

RIVAL_NAME = "CCSDS 123, tuned (recorded)"
"""What tables call it."""

ESTIMATES = "est"
"""Recorded names that begin so are estimates, no codecs."""


def recorded_sizes(recorded: Mapping[str, Any], scene: str, limit: int) -> tuple[float | None, float | None]:
    """Recorded bits per sample of the rival, and of the best codec.

    Parameters
    ----------
    recorded : mapping
        The content of a file of recorded sizes; empty without one.
    scene : str
        Name of the scene.
    limit : int
        Largest error in counts; 0 is lossless.

    Returns
    -------
    rival, least : float or None
        None where nothing was recorded.

    Raises
    ------
    SettingsError
        If the file has another form.
    """
    try:
        if limit:
            near = recorded.get("near_lossless_ccsds123_b2_tuned_hybrid", {}).get(scene, {}).get(str(limit))
            return (None, None) if near is None else (float(near["bps"]), float(near["bps"]))
        found = recorded.get("scenes", {}).get(scene, {}).get("bps", {})
        codecs = [float(value) for name, value in found.items() if not name.startswith(ESTIMATES)]
        rival = found.get(RIVAL)
        return None if rival is None else float(rival), min(codecs, default=None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"recorded sizes of {scene} have another form: {error!r}") from error
