"""What reading a part of a stream through xarray touches: ``python -m bandfold.benchmarks.partial``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from bandfold.benchmarks.measures.one_core import machine, one_core, restart_with_one_thread
from bandfold.benchmarks.timing.turns import spread
from bandfold.formats.containers.cf_conventions import variable_name
from bandfold.ground.access.strip_reader import StripReader
from bandfold.onboard import Encoder
from bandfold.programs.options import bps_option, figures_option, geometry_options
from bandfold.programs.program import run, write_figures
from bandfold.synthetic.scenes import SyntheticScene


@dataclass
class Reading:
    """One way to read a stream.

    Attributes
    ----------
    name : str
        What is read.
    read : int
        Bytes read from the file, those for opening it included.
    segments : int
        Strips that were decoded.
    seconds : list of float
        Processor time, run by run, without opening.
    """

    name: str
    read: int = 0
    segments: int = 0
    seconds: list[float] = field(default_factory=list)


def measure(path: Path, runs: int) -> list[Reading]:
    """Read a stream in several ways, each through a data set that has decoded nothing yet.

    Parameters
    ----------
    path : Path
        The stream.
    runs : int
        Timed rounds, after one that is not.

    Returns
    -------
    list of Reading
        From opening alone to reading everything.
    """
    reader = StripReader(path)
    lines, last = reader.strip_lines, reader.info.lines - 1
    interval = slice(0, reader.ends[0])
    ways: dict[str, Callable[[Any], Any]] = {
        "opened": lambda cube: None,
        "one interval, one strip": lambda cube: cube[interval, :lines].load(),
        "one pixel, all bands": lambda cube: cube[:, last, 0].load(),
        "one interval, all lines": lambda cube: cube[interval].load(),
        "everything": lambda cube: cube.load(),
    }
    readings = [Reading(name) for name in ways]
    for turn in range(runs + 1):
        for reading, way in zip(readings, ways.values(), strict=True):
            _read(path, way, reading, timed=turn > 0)
    return readings


def _read(path: Path, way: Callable[[Any], Any], reading: Reading, *, timed: bool) -> None:
    """Read in one way, and note what that took."""
    from bandfold.ground.access.xarray_backend import reader_dataset

    reader = _Counting(path)
    cube = reader_dataset(reader)[variable_name(reader.info)]
    started = time.process_time()
    way(cube)
    if timed:
        reading.seconds.append(time.process_time() - started)
    reading.read, reading.segments = reader.bytes_read, len(reader.decoded)


class _Counting(StripReader):
    """A reader that notes the strips which it decodes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.decoded: set[int] = set()

    def _decode(self, strip: int, bands: slice) -> Any:
        self.decoded.add(strip)
        return super()._decode(strip, bands)


@click.command()
@geometry_options(512, 680, 224)
@bps_option
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True)
@figures_option("Write figures here.")
def main(lines: int, samples: int, bands: int, bps: float, runs: int, json_path: Path | None) -> None:
    """Bytes read and time of parts of a stream, on one core."""
    with tempfile.TemporaryDirectory(prefix="bandfold-partial-") as folder:
        path = Path(folder, "scene.bf")
        size = Encoder(bps=bps).encode_to(SyntheticScene(lines, samples, bands, 1), path)
        strips = -(-lines // StripReader(path).strip_lines)
        readings = measure(path, runs)
    click.echo(f"{bands} bands x {lines} x {samples} at {bps:g} bps: {size} bytes, {strips} strips, one core")
    whole = readings[-1]
    for reading in readings:
        share = sorted(reading.seconds)[runs // 2] / sorted(whole.seconds)[runs // 2]
        click.echo(
            f"{reading.name:26} {reading.read:9} bytes {100 * reading.read / size:5.1f} %  "
            f"{reading.segments:2} strips  {spread(reading.seconds)} s, {share:.3f} of everything"
        )
    if json_path:
        content = {"machine": machine(), "bytes": size, "readings": [asdict(one) for one in readings]}
        write_figures(json_path, content)


if __name__ == "__main__":
    restart_with_one_thread("bandfold.benchmarks.partial")
    with one_core():
        run(main)
