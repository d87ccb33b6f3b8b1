"""Every scene of a folder there and back: ``python -m bandfold.benchmarks.roundtrip --scenes FOLDER``.

Prints, for a quarter of a bit and for a step of one count, the rate, the PSNR, the largest error and the
seconds of each scene, and fails if one does not come back.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from bandfold.benchmarks.measures.quality import decibels
from bandfold.benchmarks.scenes.scene_file import read_whole
from bandfold.common.scene import SCALED_DTYPES, SceneSource
from bandfold.formats.envi.reader import open_envi
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.samples.samples import Samples
from bandfold.programs import options
from bandfold.programs.program import run


def open_counts(path: Path) -> SceneSource:
    """Open a scene as the integers that are coded.

    Parameters
    ----------
    path : Path
        ENVI header.

    Returns
    -------
    SceneSource
        Floats through an automatic scaling.
    """
    scene = open_envi(path)
    return Samples.of(scene).counts if scene.info.dtype in SCALED_DTYPES else scene


@click.command()
@click.option("--scenes", "folder", type=options.FOLDER, required=True)
@click.option("--names", default="", callback=options.names, help="Only these: a,b,c.")
def main(folder: Path, names: tuple[str, ...]) -> None:
    """Encode and decode every scene at 0.25 bps and at a step of one count."""
    table = Table("scene", "setting")
    for heading in ("bps", "PSNR dB", "largest error", "encode s", "decode s"):
        table.add_column(heading, justify="right")
    for path in sorted(folder.glob("*.hdr")):
        if names and path.stem not in names:
            continue
        source = open_counts(path)
        cube = read_whole(source).astype(np.float64)
        for setting, encoder in (("0.25 bps", Encoder(bps=0.25)), ("step 1", Encoder(step=1.0))):
            start = time.perf_counter()
            stream = encoder.encode(source)
            middle = time.perf_counter()
            decoder = Decoder(stream)
            error = decoder.decode() - cube
            end = time.perf_counter()
            if decoder.damage:
                raise click.ClickException(f"{path.stem} at {setting}: {decoder.damage[0].reason}")
            mse = float(np.mean(error * error))
            table.add_row(
                path.stem,
                setting,
                f"{len(stream) * 8 / cube.size:.4f}",
                f"{decibels(mse):.2f}" if mse else "exact",
                f"{np.abs(error).max():.0f}",
                f"{middle - start:.1f}",
                f"{end - middle:.1f}",
            )
    Console().print(table)


if __name__ == "__main__":
    run(main)
