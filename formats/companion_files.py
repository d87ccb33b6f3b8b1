"""Files of georeference beside a scene: what puts its pixels on a map is told, since no stream carries it."""

from __future__ import annotations

import os
import re
from pathlib import Path

_KINDS = {"glt", "igm", "loc", "obs"}
"""Geometry lookup tables, grids of places (two names), and geometry of the observation."""

_GRANULE = re.compile(r"\d{8}t\d{6}(_\d{3}(?=_))?", re.IGNORECASE)
"""Time at which a scene begins, as in names of AVIRIS-NG, AVIRIS-3, AVIRIS-5 and EMIT, and its number."""

_LISTED = 4
"""Names in one line."""


def companion_notes(path: Path) -> tuple[str, ...]:
    """Say which files of georeference belong to a scene.

    Parameters
    ----------
    path : Path
        Of the scene.

    Returns
    -------
    tuple of str
        One line, or none if there are none. Files of AVIRIS and EMIT belong together by the time and number
        in their names; others if their names are that of the scene with ``glt``, ``igm``, ``loc`` or ``obs``
        behind it or in place of its last part.
    """
    stem = _stem(path.name)
    try:
        stems = {_stem(name) for name in os.listdir(path.parent)} - {stem}
    except OSError:
        # Who may open a file need not be able to list its folder.
        return ()
    found = sorted(one for one in stems if _belongs(one.lower(), stem.lower()))
    if not found:
        return ()
    more = f" and {len(found) - _LISTED} others" if len(found) > _LISTED else ""
    return (f"not carried, keep these files beside the stream: {', '.join(found[:_LISTED])}{more}",)


def _belongs(name: str, scene: str) -> bool:
    if _KINDS.isdisjoint(name.split("_")):
        return False
    granule = _GRANULE.search(scene)
    if granule is not None:
        return granule.group() in name
    first, _, kind = name.rpartition("_")
    return kind in _KINDS and first in (scene, scene.rpartition("_")[0])


def _stem(name: str) -> str:
    """Name without suffixes: that of an ENVI header may follow that of its raw file."""
    return name.partition(".")[0]
