"""`bandfold synth`: a made-up scene."""

from __future__ import annotations

import time
from pathlib import Path

import click

from .console import tell
from .options import (
    bands_option,
    interleave_option,
    json_option,
    lines_option,
    output_option,
    samples_option,
    seed_option,
)
from .verbosity import progress_shown

STRIP_LINES = 64


EXAMPLE = """\b
Example:
  bandfold synth -o scene.hdr --lines 128 --samples 160 --seed 7
"""


@click.command(epilog=EXAMPLE)
@output_option(required=True, help="Header to write (.hdr).")
@lines_option(type=click.IntRange(1, 1 << 24), default=512, help="Number of lines.")
@samples_option(type=click.IntRange(1, 1 << 24), default=680, help="Number of samples of a line.")
@bands_option(type=click.IntRange(1, 1 << 16), help="Number of bands, 400-2500 nm.")
@seed_option
@interleave_option(default="bil", show_default=True, help="Layout of the file.")
@json_option
def synth(
    output: Path, lines: int, samples: int, bands: int, seed: int, interleave: str, as_json: bool
) -> None:
    """Make up a scene.

    Radiance as an imaging spectrometer would record it (uint16, ENVI). It shows no real place and is free of
    anybody's rights. The same seed gives the same scene.
    """
    from bandfold.formats.envi.writer import EnviWriter
    from bandfold.synthetic.scenes import SyntheticScene

    started = time.perf_counter()
    scene = SyntheticScene(lines, samples, bands, seed)
    writer = EnviWriter(output, scene.info, interleave=interleave)
    everything = slice(0, bands)
    with writer, progress_shown() as progress:
        for start in range(0, lines, STRIP_LINES):
            strip = slice(start, min(start + STRIP_LINES, lines))
            writer.write(everything, strip, scene.read(everything, strip))
            progress("making up", strip.stop / lines)
    seconds = time.perf_counter() - started
    tell(
        {
            "output": str(writer.header_path),
            "raw": str(writer.path),
            "bands": bands,
            "lines": lines,
            "samples": samples,
            "seed": seed,
            "seconds": seconds,
        },
        f"{writer.header_path}: {bands} bands, {lines} lines, {samples} samples, {seconds:.1f} s",
        as_json=as_json,
    )
