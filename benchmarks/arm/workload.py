"""What runs under QEMU: it codes a made-up scene, and tells how often each block of the kernels ran."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path

import click

from bandfold.common import kernels
from bandfold.common.errors import BandfoldError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.settings import EncoderSettings
from bandfold.synthetic.scenes import SyntheticScene

SEED = 1
"""Of the made-up scene."""


def read_counters(lengths: dict[str, int]) -> dict[str, list[int]]:
    """Read counters of the library of kernels that is loaded.

    Parameters
    ----------
    lengths : dict of str to int
        How many there are in each array, by its name.

    Returns
    -------
    dict of str to list of int
        How often each block has run since the library was loaded.

    Raises
    ------
    BandfoldError
        If no kernels are loaded.
    """
    library = kernels.library
    if library is None:
        raise BandfoldError("no kernels are loaded: they are of another version, or for another processor")
    return {name: list((ctypes.c_uint64 * length).in_dll(library, name)) for name, length in lengths.items()}


@click.command()
@click.argument("task", type=click.Choice(["encode", "decode"]))
@click.argument("lengths", metavar="COUNTERS", callback=lambda _, __, text: json.loads(text))
@click.option("--shape", nargs=3, type=int, default=(8, 16, 16), help="Lines, samples, bands.")
@click.option("--bps", type=float, help="Lossless if it is not given.")
@click.option("--effort", type=int, default=5)
@click.option("--stream", type=click.Path(path_type=Path), help="To decode.")
@click.option("--restore", is_flag=True, help="Decode with restoration.")
def main(
    task: str,
    lengths: dict[str, int],
    shape: tuple[int, int, int],
    bps: float | None,
    effort: int,
    stream: Path | None,
    restore: bool,
) -> None:
    """Encode a scene or decode a stream; then write counters as JSON."""
    if stream is not None and task == "decode":
        Decoder(stream.read_bytes(), restore="auto" if restore else "off").decode()
    else:
        Encoder(EncoderSettings(bps=bps, effort=effort, lossless=bps is None)).encode(
            SyntheticScene(*shape, SEED)
        )
    click.echo(json.dumps(read_counters(lengths)))


if __name__ == "__main__":
    main()
