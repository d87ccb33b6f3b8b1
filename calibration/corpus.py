"""Training material: latents of scenes at several rates, made as the encoder makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common.scene import SceneSource, strips
from bandfold.formats.envi.reader import open_envi
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.planning.plan import Plan, Planner
from bandfold.onboard.planning.scene_planner import ScenePlanner
from bandfold.onboard.samples.samples import Samples
from bandfold.onboard.settings import STRIP_LINES
from bandfold.onboard.transform.analysis import Analysis
from bandfold.onboard.transform.rotation import rotate

RATES = {"folded": (0.03, 0.08, 0.2, 0.5, 1.2, 2.5), "banded": (0.1, 0.4, 1.2)}
"""Bits per sample, roughly, at which a scene is looked at in each mode."""

SPATIAL_GAIN = 8.0
"""A component of variance ``v`` costs about ``log2(SPATIAL_GAIN * v / step**2) / 2`` bits."""

RATE_EXCESS = 1.3
"""What that estimate exceeds the rate by."""

STEP_RANGE = (0.7, 20000.0)
"""Steps that are used, in counts."""

_LARGEST_HALF = 60000.0
"""Latents beyond so many steps are kept in float32, the others in float16."""

_LARGEST_LATENT = 3e7
"""Steps; as integers in units of ``1 / FRACTION`` they still fit int32."""

Half = NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True)
class Latents:
    """Latents of one scene at one step.

    Parameters
    ----------
    scene : str
        Name of the scene.
    mode : str
        ``folded`` or ``banded``.
    strips : tuple of ndarray, each of shape (components, 64, rows, columns)
        Latents in steps, strip by strip.
    """

    scene: str
    mode: str
    strips: tuple[Half, ...]

    @property
    def count(self) -> int:
        """Number of latents."""
        return sum(strip.size for strip in self.strips)

    def integers(self) -> Iterator[NDArray[np.int32]]:
        """Give the strips in units of ``1 / FRACTION`` of a step: what `quantise` takes at a step of 1."""
        for strip in self.strips:
            steps = np.clip(strip.astype(np.float64), -_LARGEST_LATENT, _LARGEST_LATENT)
            yield np.rint(steps * FRACTION).astype(np.int32)


def open_scene(path: Path) -> SceneSource:
    """Open a scene as the integers that the codec sees.

    Parameters
    ----------
    path : Path
        ENVI header. Floats and 32-bit integers are scaled automatically.

    Returns
    -------
    SceneSource
        Integer samples, absent ones filled.

    Raises
    ------
    SceneError
        If it cannot be read or scaled.
    """
    return Samples.of(open_envi(path))


def step_for_rate(variances: NDArray[np.float64], rate: float) -> float:
    """Guess the step at which components cost a rate, by reverse water-filling.

    Parameters
    ----------
    variances : ndarray, shape (n,)
        Variances of the components, in counts squared.
    rate : float
        Bits per sample.

    Returns
    -------
    float
        Within `STEP_RANGE`.
    """
    low, high = (float(np.log2(step)) for step in STEP_RANGE)
    logarithms = np.log2(np.maximum(variances, 1e-9) * SPATIAL_GAIN) / 2
    for _ in range(40):
        middle = (low + high) / 2
        spent = float(np.maximum(logarithms - middle, 0.0).mean())
        low, high = (middle, high) if spent > rate * RATE_EXCESS else (low, middle)
    return float(2.0**high)


@dataclass(frozen=True)
class Planned:
    """A scene under the plan for one step.

    Parameters
    ----------
    mode : str
        ``folded`` or ``banded``.
    step : float
        In counts.
    plan : Plan
        What the encoder decides before it codes: spectral transform and rotations.
    source : SceneSource
        The scene: integer samples, absent ones filled.
    """

    mode: str
    step: float
    plan: Plan
    source: SceneSource

    def strips(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.uint8] | None]]:
        """Analyse and rotate the scene, as the encoder does.

        Yields
        ------
        latents : ndarray of int32, shape (components, 64, rows, columns)
            In units of ``1 / FRACTION`` of a count.
        chosen : ndarray of uint8, shape (rows, columns), or None
            Rotation of each block.
        """
        analysis, rotations = Analysis(self.plan.fold), self.plan.bases[0].rotations
        for lines in strips(self.source.info.lines, STRIP_LINES):
            latents = analysis.strip(self.source, lines)
            yield latents, rotate(latents, rotations, self.step) if rotations else None


def planned_latents(source: SceneSource, rates: Mapping[str, tuple[float, ...]]) -> Iterator[Planned]:
    """Plan a scene, as the encoder does, for several rates.

    Parameters
    ----------
    source : SceneSource
        Integer samples without gaps.
    rates : mapping of str to tuple of float
        Rates of each mode, such as `RATES`.

    Yields
    ------
    Planned
        One for each mode and rate; a step that was used already (a scene without noise) is left out.
    """
    sample = sample_blocks(source)
    covariances = sample.moments[1]
    folded = ScenePlanner(sample, None)
    planners: dict[str, Planner] = {"folded": folded, "banded": folded.unfolded()}
    spread = {
        "folded": np.linalg.eigvalsh(covariances).astype(np.float64),
        "banded": np.diagonal(covariances),
    }
    for mode, wanted in rates.items():
        for step in sorted({step_for_rate(spread[mode], rate) for rate in wanted}, reverse=True):
            yield Planned(mode, step, planners[mode].plan(step), source)


def scene_latents(
    scene: str, source: SceneSource, rates: Mapping[str, tuple[float, ...]]
) -> Iterator[Latents]:
    """Make the latents of a scene, as the encoder does, at several rates.

    Parameters
    ----------
    scene : str
        Name to remember.
    source, rates
        As for `planned_latents`.

    Yields
    ------
    Latents
        One for each mode and step.
    """
    for planned in planned_latents(source, rates):
        parts = tuple(compact(latents / (FRACTION * planned.step)) for latents, _ in planned.strips())
        yield Latents(scene, planned.mode, parts)


def compact(steps: NDArray[np.float64]) -> Half:
    """Halve the memory where the values allow it; no rounding to the step is changed by more than a tie.

    Parameters
    ----------
    steps : ndarray of float64
        Latents in steps.

    Returns
    -------
    ndarray of float16 or float32, same shape
    """
    if float(np.abs(steps).max(initial=0.0)) < _LARGEST_HALF:
        return steps.astype(np.float16)
    return steps.astype(np.float32)
