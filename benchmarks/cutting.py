"""What cutting a stream to size costs, by each way: ``python -m bandfold.benchmarks.cutting``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.scenes.test_scenes import find_scenes
from bandfold.bitstream.container.truncation import truncate
from bandfold.calibration.program import run
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.downlink.requantise import requantise

PEAK = 65535.0
"""Peak of PSNR, in counts."""

HEAD = (
    "| scene, rate | to | chunks taken away | requantised | encoded to that size |\n|---|---:|---:|---:|---:|"
)


def rows(name: str, cube: NDArray[Any], bps: float, shares: Sequence[int]) -> list[str]:
    """Cut a scene to shares of its size.

    Parameters
    ----------
    name : str
    cube : ndarray, shape (bands, lines, samples)
    bps : float
        Rate of the stream that is cut.
    shares : sequence of int
        Percent of its bytes. Taking chunks away gives less; the other ways are held to the same bytes.

    Returns
    -------
    list of str
        Rows of a Markdown table.
    """
    stream = Encoder(bps=bps).encode(cube)
    title = f"{name}, {bps:g} bps ({psnr(stream, cube):.2f} dB)"
    found = []
    for share in shares:
        cut = truncate(stream, len(stream) * share // 100).data
        others = (requantise(stream, len(cut)).data, Encoder(nbytes=len(cut)).encode(cube))
        cells = " | ".join(f"{psnr(data, cube):.2f} dB" for data in (cut, *others))
        found.append(f"| {title} | {len(cut) / len(stream):.0%} | {cells} |")
        title = ""
    return found


def psnr(stream: bytes, cube: NDArray[Any]) -> float:
    """PSNR of a stream in dB, not restored."""
    error = Decoder(stream, restore="off").decode().astype(np.float64) - cube
    return float(10 * np.log10(PEAK**2 / np.mean(error * error)))


@click.command()
@click.option(
    "--scenes", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of scenes."
)
@click.option("--names", default="jasper_ridge_224", show_default=True, help="Scenes, with commas between.")
@click.option("--mosaic", is_flag=True, help="The mosaic of Los Angeles as well.")
@click.option("--bps", type=float, multiple=True, default=(0.25, 1.0), show_default=True)
@click.option("--shares", type=click.IntRange(1, 100), multiple=True, default=(75, 50), show_default=True)
def main(scenes: Path, names: str, *, mosaic: bool, bps: tuple[float, ...], shares: tuple[int, ...]) -> None:
    """Quality of scenes cut to shares of their size, by each way."""
    found = find_scenes(scenes, names.split(","))
    if mosaic:
        found += find_scenes(scenes, mosaic=True)
    click.echo(HEAD)
    for scene in found:
        for rate in bps:
            click.echo("\n".join(rows(scene.name, scene.read(), rate, shares)))


if __name__ == "__main__":
    run(main)
