"""bandfold without some of its ideas: each step of an ablation as a codec.

The codec without an idea is the codec itself with a planner that does not have it, or with another quantiser;
entropy coder and rate control are the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import DEPENDENT, UNIFORM
from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, OLDER, SHIPPED_TABLES, load_tables
from bandfold.bitstream.transforms.klt import MERGE_LIMIT
from bandfold.ground import Decoder
from bandfold.onboard.coding.scene_coder import SceneCoder
from bandfold.onboard.coding.strip_coder import TransformMethod
from bandfold.onboard.effort import DEFAULT_EFFORT, EFFORTS
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.planning.plan import Plan, Planner
from bandfold.onboard.planning.scene_planner import ScenePlanner
from bandfold.onboard.rate.scene_control import SceneControl
from bandfold.onboard.samples.samples import ArraySource, Samples
from bandfold.onboard.settings import STRIP_LINES
from bandfold.onboard.target import step_code

from .codec import Decoded, Encoded


@dataclass(frozen=True)
class Step:
    """The codec with some of its ideas.

    Parameters
    ----------
    name : str
        What the last of them is called.
    spectral : bool
        Whether there is a KLT of each spectral interval at all.
    merged : bool
        Whether the second KLT merges the strongest components of all intervals.
    rotated : bool
        Whether blocks rotate their strongest components.
    quantiser : str
        As for `bandfold.onboard.Encoder`.
    extended : bool
        Whether the context network of two quantisers is extended.
    restored : bool
        Whether the ground restores it.
    """

    name: str
    spectral: bool
    merged: bool = False
    rotated: bool = False
    quantiser: str = UNIFORM
    extended: bool = False
    restored: bool = False


USUAL_TABLES = OLDER / "808baa973de675fc.npz"
"""The last tables of two quantisers whose network was not extended."""

STEPS = (
    Step("band by band", False),
    Step("+ fold by interval", True),
    Step("+ second fold", True, True),
    Step("+ rotations", True, True, True),
    Step("+ two quantisers", True, True, True, DEPENDENT),
    Step("+ extended contexts", True, True, True, DEPENDENT, True),
    Step("+ restoration", True, True, True, DEPENDENT, True, restored=True),
)
"""Each one has an idea more than the one before it; the last one is the codec as it is."""


class WithoutRotations(ScenePlanner):
    """Plans the spectral transform as the codec does, and no rotations of blocks."""

    def plan(self, step: float, *, rotate: bool = True) -> Plan:
        """Plan without rotations; see `ScenePlanner.plan`.

        Parameters
        ----------
        step : float
            Of the quantiser, in counts.
        rotate : bool
            Not used: blocks are never rotated.

        Returns
        -------
        Plan
            Spectral transform alone.
        """
        return super().plan(step, rotate=False)


class AblatedCodec:
    """The codec with some of its ideas.

    Parameters
    ----------
    step : Step
        Which ideas.
    tables : Path, optional
        Entropy tables in place of the shipped ones, for the quantiser of the step.
    restore : str
        What restores the last step; see `bandfold.ground.Decoder`.
    """

    def __init__(self, step: Step, tables: Path | None = None, restore: str = "auto") -> None:
        self.name = step.name
        self._step = step
        self._path = tables
        self._restore = restore if step.restored else "off"

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Codec.encode`."""
        tables = load_tables(self._path or self._shipped())
        start = time.perf_counter()
        samples = Samples.of(ArraySource(cube))
        coder = SceneCoder(samples, TransformMethod(tables), tables, STRIP_LINES, lambda stage, done: None)
        planner = self._planner(samples)
        count = samples.info.count
        first = step_code(planner.step_for_bits(bps * count))
        stream = SceneControl(coder, planner).within(int(bps * count / 8), first, errors=False).data
        return Encoded(stream, time.perf_counter() - start)

    def _shipped(self) -> Path:
        if self._step.quantiser == UNIFORM:
            return SHIPPED_TABLES
        return DEPENDENT_TABLES if self._step.extended else USUAL_TABLES

    def _planner(self, samples: Samples) -> Planner:
        kind = ScenePlanner if self._step.rotated else WithoutRotations
        effort = replace(EFFORTS[DEFAULT_EFFORT], merged=MERGE_LIMIT if self._step.merged else 0)
        planner = kind(sample_blocks(samples), None, effort=effort)
        return planner if self._step.spectral else planner.unfolded()

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Codec.decode`."""
        start = time.perf_counter()
        decoder = Decoder(stream, tables=self._path, restore=self._restore)
        cube = np.asarray(decoder.decode())
        return Decoded(cube, time.perf_counter() - start, decoder.report())
