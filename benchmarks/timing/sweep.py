"""Encoding times over growing synthetic scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.synthetic.scenes import SyntheticScene

from .runners import BandfoldRunner
from .turns import Times, take_turns

_SEED = 1


@dataclass(frozen=True)
class Geometry:
    """Size of a synthetic scene.

    Parameters
    ----------
    lines, samples, bands : int
        How many there are.
    """

    lines: int
    samples: int
    bands: int

    @property
    def count(self) -> int:
        """Samples in all."""
        return self.lines * self.samples * self.bands

    def __str__(self) -> str:
        """As tables write it."""
        return f"{self.lines} x {self.samples} x {self.bands}"


def synthetic_file(folder: Path, geometry: Geometry) -> Path:
    """Write a synthetic scene.

    Parameters
    ----------
    folder : Path
        Gets the header and the samples.
    geometry : Geometry
        Size of the scene.

    Returns
    -------
    Path
        ENVI header.
    """
    header = folder / f"synthetic-{geometry.lines}-{geometry.bands}.hdr"
    write_scene(header, SyntheticScene(geometry.lines, geometry.samples, geometry.bands, _SEED))
    return header


def sweep(
    folder: Path, geometries: Sequence[Geometry], bps: float, runs: int, *, stream: bool = False
) -> list[Times]:
    """Time bandfold over growing scenes.

    Parameters
    ----------
    folder : Path
        For the scenes; each is removed after use.
    geometries : sequence of Geometry
        Sizes of the scenes.
    bps : float
        Bits per sample.
    runs : int
        Timed runs each.
    stream : bool
        Whether strips are coded one after the other, as lines come.

    Returns
    -------
    list of Times
        One for each.
    """
    times = []
    for geometry in geometries:
        header = synthetic_file(folder, geometry)
        times += take_turns([BandfoldRunner(bps, stream=stream, decodes=False)], header, runs)
        header.with_suffix(".img").unlink()
    return times
