"""Peak memory of an encode from a file, above what imports take: ``python -m bandfold.benchmarks.memory``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from bandfold.benchmarks.measures.one_core import one_core_environment
from bandfold.benchmarks.measures.peak_memory import forget_peak, peak_resident
from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.common.errors import BandfoldError
from bandfold.formats.envi.reader import open_envi
from bandfold.onboard import Encoder, StreamEncoder
from bandfold.programs.options import bps_option, figures_option, geometry_options
from bandfold.programs.program import run, write_figures
from bandfold.synthetic.scenes import SyntheticScene

_MEBI = 1 << 20

_LINES_READ = 8
"""Lines that are handed over at once, as from a camera."""


def measure_here(path: Path, bps: float) -> dict[str, int]:
    """Encode a scene in this process and report its memory.

    Parameters
    ----------
    path : Path
        ENVI header.
    bps : float
        Bits per sample.

    Returns
    -------
    dict
        Bytes: ``baseline`` (after imports), ``peak`` and ``stream``.
    """
    forget_peak()
    baseline = peak_resident()
    stream = Encoder(bps=bps).encode(open_envi(path))
    return {"baseline": baseline, "peak": peak_resident(), "stream": len(stream)}


def measure_stream_here(path: Path, bps: float, times: int) -> dict[str, int]:
    """Encode the lines of a scene as a stream, over and over, in this process and report its memory.

    Parameters
    ----------
    path : Path
        ENVI header.
    bps : float
        Bits per sample.
    times : int
        How often the lines come.

    Returns
    -------
    dict
        As `measure_here`.
    """
    source = open_envi(path)
    info, size = source.info, 0

    def write(data: bytes) -> None:
        nonlocal size
        size += len(data)

    forget_peak()
    baseline = peak_resident()
    encoder = StreamEncoder(info, write, bps=bps)
    for _ in range(times):
        for line in range(0, info.lines, _LINES_READ):
            lines = slice(line, min(line + _LINES_READ, info.lines))
            encoder.push(source.read(slice(0, info.bands), lines).transpose(1, 0, 2))
    encoder.flush()
    return {"baseline": baseline, "peak": peak_resident(), "stream": size}


def measure_child(path: Path, bps: float, stream: int = 0) -> dict[str, int]:
    """Encode a scene in a fresh process on one core and report that process's memory.

    Parameters
    ----------
    path : Path
        ENVI header.
    bps : float
        Bits per sample.
    stream : int
        How often its lines come as a stream; 0 for the scene as a whole.

    Returns
    -------
    dict
        As `measure_here`.

    Raises
    ------
    BandfoldError
        If the child fails.
    """
    command = [sys.executable, "-m", "bandfold.benchmarks.memory", "--child", str(path), "--bps", str(bps)]
    command += ["--stream", str(stream)]
    done = subprocess.run(command, env=one_core_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise BandfoldError(f"the encoding process failed: {said[-1] if said else done.returncode}")
    sizes: dict[str, int] = json.loads(done.stdout)
    return sizes


@click.command()
@geometry_options(512, 680, 224)
@bps_option
@click.option(
    "--scene", type=click.Path(exists=True, path_type=Path), help="An ENVI scene instead of a synthetic one."
)
@figures_option("Write sizes here.")
@click.option(
    "--stream",
    type=click.IntRange(0),
    default=0,
    help="Encode as a stream, in which the lines of the scene come so many times.",
)
@click.option("--child", type=click.Path(path_type=Path), hidden=True)
def main(
    lines: int,
    samples: int,
    bands: int,
    bps: float,
    scene: Path | None,
    json_path: Path | None,
    stream: int,
    child: Path | None,
) -> None:
    """Peak memory of an encode, in a process of its own."""
    if child:
        click.echo(
            json.dumps(measure_stream_here(child, bps, stream) if stream else measure_here(child, bps))
        )
        return
    with tempfile.TemporaryDirectory(prefix="bandfold-memory-") as folder:
        if scene is None:
            scene = Path(folder, "synthetic.hdr")
            write_scene(scene, SyntheticScene(lines, samples, bands, 1))
        sizes: dict[str, Any] = measure_child(scene, bps, stream)
        info = open_envi(scene).info
    raw = info.count * info.dtype.itemsize
    above = sizes["peak"] - sizes["baseline"]
    times = max(stream, 1)
    click.echo(
        f"{info.bands} bands x {info.lines * times} x {info.samples} ({raw * times / _MEBI:.1f} MiB) "
        f"at {bps:g} bps{' as a stream' if stream else ''}: "
        f"{above / _MEBI:.1f} MiB above the {sizes['baseline'] / _MEBI:.1f} MiB of imports"
    )
    if json_path:
        write_figures(json_path, {**sizes, "above": above, "scene": raw})


if __name__ == "__main__":
    run(main)
