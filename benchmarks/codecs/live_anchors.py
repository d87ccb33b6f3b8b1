"""Anchors that run live if they are asked for, beside JPEG 2000 and what is recorded."""

from __future__ import annotations

from collections.abc import Sequence

from .codec import Codec
from .klt_images import KltHtj2k, KltJpegXl
from .sperr import Sperr

LIVE: dict[str, type[KltJpegXl | KltHtj2k | Sperr]] = {
    "klt-jpegxl": KltJpegXl,
    "klt-htj2k": KltHtj2k,
    "sperr": Sperr,
}
"""By what they are asked for."""


def live_anchors(names: Sequence[str]) -> list[Codec]:
    """Make codecs ready.

    Parameters
    ----------
    names : sequence of str
        Of `LIVE`.

    Returns
    -------
    list of Codec
        In the order of the names, each once.

    Raises
    ------
    SettingsError
        If imagecodecs is not installed, or was built without one of them.
    """
    return [LIVE[name]() for name in dict.fromkeys(names)]
