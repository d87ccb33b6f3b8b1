"""An archive on one worker and on two: ``python -m bandfold.benchmarks.archive``."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from bandfold.benchmarks.measures.one_core import machine
from bandfold.benchmarks.measures.peak_memory import peak_resident
from bandfold.common.errors import BandfoldError
from bandfold.ground.archive.archive_decoding import Archive
from bandfold.ground.archive.dask_cluster import dask_client
from bandfold.onboard import Encoder
from bandfold.programs.options import figures_option, geometry_options
from bandfold.programs.program import run, write_figures
from bandfold.synthetic.scenes import SyntheticScene


@dataclass(frozen=True)
class ArchiveTimes:
    """What decoding an archive took.

    Attributes
    ----------
    workers : int
        Processes that shared the scenes.
    wall : float
        Seconds from the first scene given to the cluster to the last one done; workers have been started by
        then, and have decoded a scene each.
    busy : float
        Seconds of all scenes on their workers.
    processor : float
        Seconds of processor time of those.
    load : float
        Programs that wanted a core in the last minute, ours among them.
    peak : int
        Bytes in memory of the largest worker.
    """

    workers: int
    wall: float
    busy: float
    processor: float
    load: float
    peak: int


def write_archive(folder: Path, scenes: int, shape: tuple[int, int, int]) -> list[Path]:
    """Encode synthetic scenes, each of another seed; streams that are there are taken as they are.

    Parameters
    ----------
    folder : Path
        Where the streams are; made if it is not there.
    scenes : int
        How many.
    shape : tuple of int
        Bands, lines and samples.

    Returns
    -------
    list of Path
        The streams.
    """
    bands, lines, samples = shape
    paths = [folder / f"scene-{number:03}.bf" for number in range(scenes)]
    folder.mkdir(exist_ok=True)
    for number, path in enumerate(paths):
        if not path.is_file():
            Encoder(step=16).encode_to(SyntheticScene(lines, samples, bands, number), path)
    return paths


def measure(streams: list[Path], folder: Path, workers: int) -> ArchiveTimes:
    """Decode an archive into Zarr stores.

    Parameters
    ----------
    streams : list of Path
        Files to decode.
    folder : Path
        Gets the stores; not there yet.
    workers : int
        Processes of the cluster.

    Returns
    -------
    ArchiveTimes
        What it took.

    Raises
    ------
    BandfoldError
        If a scene cannot be decoded.
    """
    with dask_client(workers=workers, memory_limit=1 << 30) as client:
        client.wait_for_workers(workers)
        # Imports are no part of it.
        for number, address in enumerate(client.scheduler_info()["workers"]):
            warm = Archive(streams[:1], folder.with_name(f"{folder.name}-warm-{number}"))
            warm.decode(_On(client, address))  # type: ignore[arg-type]
        started = time.perf_counter()
        outcomes = Archive(streams, folder).decode(client)
        wall = time.perf_counter() - started
        peak = max(client.run(peak_resident).values())
    failed = [outcome for outcome in outcomes if outcome.state != "done"]
    if failed:
        raise BandfoldError(f"{failed[0].stream.name} failed: {failed[0].reason}")
    return ArchiveTimes(
        workers,
        wall,
        sum(outcome.seconds for outcome in outcomes),
        sum(outcome.processor for outcome in outcomes),
        os.getloadavg()[0],
        peak,
    )


class _On:
    """A client that sends everything to one worker."""

    def __init__(self, client: Any, address: str) -> None:
        self.loop = client.loop
        self._client = client
        self._address = address

    def submit(self, *arguments: Any, **options: Any) -> Any:
        """Submit a task; see `distributed.Client.submit`."""
        return self._client.submit(*arguments, **options, workers=[self._address])


@click.command()
@click.option("--scenes", type=click.IntRange(2), default=50, show_default=True)
@geometry_options(128, 128, 64)
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--streams",
    "kept",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the streams: kept, and taken as they are where they are there.",
)
@figures_option("Write figures here.")
def main(
    scenes: int,
    lines: int,
    samples: int,
    bands: int,
    runs: int,
    kept: Path | None,
    json_path: Path | None,
) -> None:
    """Time of an archive on one worker over that on two, in turns."""
    rounds: list[list[ArchiveTimes]] = []
    count = bands * lines * samples * scenes
    with tempfile.TemporaryDirectory(prefix="bandfold-archive-") as folder:
        streams = write_archive(kept or Path(folder), scenes, (bands, lines, samples))
        click.echo(
            f"{scenes} scenes of {bands} bands x {lines} x {samples}, into Zarr, {os.cpu_count()} cores"
        )
        for turn in range(runs):
            order = (1, 2) if turn % 2 == 0 else (2, 1)
            done = {
                workers: measure(streams, Path(folder, f"out-{turn}-{workers}"), workers) for workers in order
            }
            rounds.append([done[1], done[2]])
            _print(done[1], done[2], count)
    if json_path:
        figures = [[asdict(found) for found in turn] for turn in rounds]
        write_figures(json_path, {"machine": machine(), "rounds": figures})


def _print(one: ArchiveTimes, two: ArchiveTimes, count: int) -> None:
    """Print a round."""
    for found in (one, two):
        cores, rate = found.processor / found.wall, count / found.wall / 1e6
        click.echo(
            f"{found.workers} workers: {found.wall:6.1f} s, {rate:.2f} Msamples/s, "
            f"{found.processor:6.1f} s of processor time ({cores:.2f} cores), "
            f"load {found.load:.1f}, {found.peak / 2**20:.0f} MiB a worker"
        )
    fair = 2 * one.processor / two.processor
    click.echo(
        f"{one.wall / two.wall:.2f} times as fast; {fair:.2f} if both workers had a core to themselves"
    )


if __name__ == "__main__":
    run(main)
