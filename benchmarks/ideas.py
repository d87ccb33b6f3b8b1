"""What each idea buys: ``python -m bandfold.benchmarks.ideas --scenes DIR``.

The codec without an idea is the codec itself with that idea switched off in its planner, or with one
quantiser; entropy coder and rate control are the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.codecs.contestants import Contestant, Decoded, Encoded
from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000Klt
from bandfold.benchmarks.codecs.recorded import Folds, Recorded, read_anchors
from bandfold.benchmarks.measures.bdrate import BdRate, Curve, bd_rate, mean
from bandfold.benchmarks.measures.curves import Measured, measure
from bandfold.benchmarks.rate_distortion.rd_options import names_option, rates_option
from bandfold.benchmarks.scenes.evaluation_scenes import EvaluationScene, find_scenes
from bandfold.bitstream.container.header import DEPENDENT, UNIFORM
from bandfold.bitstream.contexts.tables import DEPENDENT as TRELLIS
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.transforms.klt import MERGE_LIMIT
from bandfold.calibration.program import run
from bandfold.common.errors import OutputError
from bandfold.ground import Decoder
from bandfold.onboard.coding.scene_coder import SceneCoder
from bandfold.onboard.coding.strip_coder import TransformMethod
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.planning.plan import Plan, Planner
from bandfold.onboard.planning.scene_planner import ScenePlanner
from bandfold.onboard.rate.scene_control import SceneControl
from bandfold.onboard.samples.samples import ArraySource, Samples
from bandfold.onboard.settings import STRIP_LINES, step_code

RIVAL = Jpeg2000Klt.name


@dataclass(frozen=True)
class Step:
    """The codec with some of its ideas.

    Parameters
    ----------
    name : str
        What the last of them is called.
    spectral : bool
        Whether bands are folded at all.
    merged : bool
        Whether the second KLT merges the strongest components of all intervals.
    rotated : bool
        Whether blocks rotate their strongest components.
    quantiser : str
        As for `bandfold.onboard.Encoder`.
    restored : bool
        Whether the ground restores it.
    """

    name: str
    spectral: bool
    merged: bool = False
    rotated: bool = False
    quantiser: str = UNIFORM
    restored: bool = False


STEPS = (
    Step("band by band", False),
    Step("+ fold by interval", True),
    Step("+ second fold", True, True),
    Step("+ rotations", True, True, True),
    Step("+ two quantisers", True, True, True, DEPENDENT),
    Step("+ restoration", True, True, True, DEPENDENT, restored=True),
)
"""Each one has an idea more than the one before it; the last one is the codec as it is."""


class WithoutRotations(ScenePlanner):
    """Plans of one fold, whose blocks are not rotated."""

    def plan(self, step: float, *, rotate: bool = True) -> Plan:
        """See `ScenePlanner.plan`."""
        return super().plan(step, rotate=False)


class Partly:
    """The codec with some of its ideas, as a contestant.

    Parameters
    ----------
    step : Step
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
        """Encode; see `Contestant.encode`."""
        tables = load_tables(self._path or (TRELLIS if self._step.quantiser == DEPENDENT else None))
        start = time.perf_counter()
        samples = Samples.of(ArraySource(cube))
        coder = SceneCoder(samples, TransformMethod(tables), tables, STRIP_LINES, lambda stage, done: None)
        planner = self._planner(samples)
        count = samples.info.count
        first = step_code(planner.step_for_bits(bps * count))
        stream = SceneControl(coder, planner).within(int(bps * count / 8), first, errors=False).data
        return Encoded(stream, time.perf_counter() - start)

    def _planner(self, samples: Samples) -> Planner:
        kind = ScenePlanner if self._step.rotated else WithoutRotations
        planner = kind(sample_blocks(samples), None, merge_limit=MERGE_LIMIT if self._step.merged else 0)
        return planner if self._step.spectral else planner.unfolded()

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Contestant.decode`."""
        start = time.perf_counter()
        decoder = Decoder(stream, tables=self._path, restore=self._restore)
        cube = np.asarray(decoder.decode())
        return Decoded(cube, time.perf_counter() - start, decoder.report())


@dataclass(frozen=True)
class Row:
    """A step on a scene.

    Parameters
    ----------
    measured : Measured
    before, rival : BdRate
        Delta rates against the step before, and against JPEG 2000 + KLT.
    """

    measured: Measured
    before: BdRate
    rival: BdRate


def rows(
    codecs: Sequence[Contestant], cube: NDArray[Any], rates: Sequence[Sequence[float]], rival: Curve
) -> list[Row]:
    """Measure steps on a scene.

    Parameters
    ----------
    codecs : sequence of Contestant
        Each one with an idea more than the one before.
    cube : ndarray, shape (bands, lines, samples)
        8 or 16 bit integers.
    rates : sequence of sequence of float
        Bits per sample of each codec: without a fold it takes more for the same quality.
    rival : curve

    Returns
    -------
    list of Row
    """
    found: list[Row] = []
    before: Curve = []
    for codec, asked in zip(codecs, rates, strict=True):
        measured = measure(codec, cube, asked)
        found.append(Row(measured, bd_rate(before, measured.curve), bd_rate(rival, measured.curve)))
        before = measured.curve
    return found


def table(title: str, scene: Sequence[Row]) -> str:
    """A scene's rows as text.

    Parameters
    ----------
    title : str
    scene : sequence of Row

    Returns
    -------
    str
        A line for each step, with its points and delta rates.
    """
    lines = [title, f"  {'':<20}{'vs before':>11}{'vs ' + RIVAL:>20}   bits per sample: dB"]
    for row in scene:
        points = ", ".join(f"{rate:.3f}: {level:.2f}" for rate, level in row.measured.curve)
        figures = f"{_percent(row.before.percent):>11}{_percent(row.rival.percent):>20}"
        lines.append(f"  {row.measured.codec:<20}{figures}   {points}")
        lines.extend(f"  ! {failure}" for failure in row.measured.failures)
    return "\n".join(lines)


def means_table(scenes: Sequence[Sequence[Row]]) -> str:
    """Mean delta rates over scenes as a table in Markdown.

    Parameters
    ----------
    scenes : sequence of sequence of Row

    Returns
    -------
    str
        With the number of scenes that a mean is over.
    """
    lines = [f"| idea | against the row before | against {RIVAL} |", "|---|---:|---:|"]
    for steps in zip(*scenes, strict=True):
        figures = ([row.before.percent for row in steps], [row.rival.percent for row in steps])
        texts = [
            ""
            if np.isnan(mean(one))
            else f"{_percent(mean(one))} ({sum(not np.isnan(value) for value in one)})"
            for one in figures
        ]
        lines.append(f"| {steps[0].measured.codec} | {texts[0]} | {texts[1]} |")
    return "\n".join(lines)


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--scenes", "folder", type=_FOLDER, required=True, help="Folder of ENVI scenes.")
@click.option("--anchors", type=_FILE, help="Recorded curves of other codecs (JSON).")
@click.option("--tile", type=click.IntRange(1, 8), default=1, help="Mirrored copies along each side.")
@click.option("--mosaic", is_flag=True, help="The Los Angeles mosaic instead of single scenes.")
@click.option("--tables", type=_FOLDER, help="Tables that have not seen the scenes, and folds.json.")
@click.option("--json", "json_path", type=_OUTPUT, help="Write all figures here.")
@names_option
@rates_option("--rates", "0.05,0.1,0.25,0.5,1", "Bits per sample.")
@rates_option("--banded-rates", "0.25,0.5,1,2,4", "Bits per sample of what has no fold.")
def main(
    folder: Path,
    anchors: Path | None,
    tile: int,
    mosaic: bool,
    tables: Path | None,
    json_path: Path | None,
    names: tuple[str, ...],
    rates: tuple[float, ...],
    banded_rates: tuple[float, ...],
) -> None:
    """What each idea of bandfold buys, as one table."""
    recorded = read_anchors(anchors) if anchors else {}
    folds = {step.quantiser: Folds(tables, step.quantiser) for step in STEPS} if tables else {}
    measured = {}
    for scene in find_scenes(folder, names, tile=tile, mosaic=mosaic):
        codecs = [
            Partly(
                step,
                folds[step.quantiser].tables(scene.base),
                folds[step.quantiser].restoration(scene.base),
            )
            if folds
            else Partly(step)
            for step in STEPS
        ]
        asked = [rates if step.spectral else banded_rates for step in STEPS]
        cube = scene.read()
        measured[scene.name] = rows(codecs, cube, asked, _rival(scene, cube, rates, recorded))
        click.echo(table(scene.name, measured[scene.name]) + "\n")
    click.echo(means_table(list(measured.values())))
    if json_path:
        report = {name: [_figures(row) for row in scene] for name, scene in measured.items()}
        try:
            json_path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{json_path} cannot be written: {error.strerror}") from error


def _rival(scene: EvaluationScene, cube: NDArray[Any], rates: Sequence[float], recorded: Recorded) -> Curve:
    """Recorded, or measured live."""
    known = recorded.get(scene.name, {})
    return known[RIVAL] if RIVAL in known else measure(Jpeg2000Klt(), cube, rates).curve


def _figures(row: Row) -> dict[str, Any]:
    return {
        "idea": row.measured.codec,
        "points": row.measured.curve,
        "failures": row.measured.failures,
        "against the row before": _finite(row.before.percent),
        f"against {RIVAL}": _finite(row.rival.percent),
    }


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else value


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:+.1f} %"


if __name__ == "__main__":
    run(main)
