"""Sizes of codecs that keep a limit of errors: one row for each scene and limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.codecs.bounded_error import BoundedErrorCodec
from bandfold.benchmarks.codecs.recorded_sizes import RIVAL_NAME, recorded_sizes
from bandfold.benchmarks.measures.refined_size import stream_bps

CANDIDATE = "bandfold"
"""The first column."""


@dataclass(frozen=True)
class NearLossless:
    """Sizes of a scene within a limit.

    Attributes
    ----------
    scene : str
        Name of the scene.
    limit : int
        Largest error in counts; 0 is lossless.
    bps : dict of str to float
        Bits per sample of each codec that keeps the limit, `CANDIDATE` first.
    """

    scene: str
    limit: int
    bps: dict[str, float]


def near_lossless(
    scene: str,
    cube: NDArray[Any],
    limits: Sequence[int],
    rivals: Sequence[BoundedErrorCodec],
    recorded: Mapping[str, Any],
) -> list[NearLossless]:
    """Code a scene within limits; every sample that comes back is compared.

    Parameters
    ----------
    scene : str
        Its name, by which recorded sizes are found.
    cube : ndarray of 8- or 16-bit integers, shape (bands, lines, samples)
        The scene.
    limits : sequence of int
        Largest errors in counts.
    rivals : sequence of BoundedErrorCodec
        Codecs to run beside bandfold. Those without limits run where nothing may be lost.
    recorded : mapping
        Recorded sizes; see `bandfold.benchmarks.codecs.recorded_sizes`.

    Returns
    -------
    list of NearLossless
        One for each limit.

    Raises
    ------
    VerificationError
        If a sample does not come back within its limit.
    """
    found = []
    for limit in limits:
        bps = {CANDIDATE: stream_bps(cube, limit)}
        for rival in rivals:
            if rival.lossy or not limit:
                bps[rival.name] = rival.bps(cube, limit)
        known = recorded_sizes(recorded, scene, limit)[0]
        if known is not None:
            bps[RIVAL_NAME] = known
        found.append(NearLossless(scene, limit, bps))
    return found


def near_lossless_text(results: Sequence[NearLossless]) -> str:
    """Describe sizes within limits as a Markdown table.

    Parameters
    ----------
    results : sequence of NearLossless
        Of all scenes and limits.

    Returns
    -------
    str
        Lines of text: bits per sample, what bandfold saves in brackets, and means over scenes of both.
    """
    names = list(dict.fromkeys(name for one in results for name in one.bps))
    lines = [f"| scene | limit | {' | '.join(names)} |", f"|---|---:|{'---:|' * len(names)}"]
    for one in results:
        cells = (_cell(one, name) for name in names)
        lines.append(f"| {one.scene} | {one.limit} | {' | '.join(cells)} |")
    for limit in dict.fromkeys(one.limit for one in results):
        means = []
        for name in names:
            ratios = [
                one.bps[CANDIDATE] / one.bps[name]
                for one in results
                if one.limit == limit and name in one.bps
            ]
            said = f"{100 * (float(np.mean(ratios)) - 1):+.1f} % of {len(ratios)}" if ratios else ""
            means.append("" if name == CANDIDATE else said)
        lines.append(f"| mean | {limit} | {' | '.join(means)} |")
    return "\n".join(lines)


def _cell(result: NearLossless, name: str) -> str:
    """A size, and what bandfold saves of it."""
    bps = result.bps.get(name)
    if bps is None:
        return ""
    if name == CANDIDATE:
        return f"{bps:.3f}"
    return f"{bps:.3f} ({100 * (result.bps[CANDIDATE] / bps - 1):+.1f} %)"
