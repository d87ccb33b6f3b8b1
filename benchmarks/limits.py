"""Limits of errors over random scenes and settings: ``python -m bandfold.benchmarks.limits``.

Every sample of every case is compared with its limit, which is computed from the settings alone. A case is
made from its number, so that one that fails can be run again by itself (``--first N --samples 1``).
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from bandfold.benchmarks.measures.limit_cases import LimitCase
from bandfold.programs import options
from bandfold.programs.program import run


@click.command()
@click.option("--samples", type=click.IntRange(1), default=10_000_000, show_default=True, help="To compare.")
@click.option(
    "--first", type=click.IntRange(0), default=0, show_default=True, help="Number of the first case."
)
@click.option("--size", type=click.IntRange(1), default=400_000, show_default=True, help="Samples of a case.")
@click.option("--scenes", type=options.FOLDER, help="Folder of ENVI scenes that take turns with random ones.")
@click.option("--every", type=click.IntRange(1), default=100, show_default=True, help="Cases between lines.")
def main(samples: int, first: int, size: int, scenes: Path | None, every: int) -> None:
    """Code random scenes within limits until so many samples were compared."""
    files = () if scenes is None else tuple(sorted(scenes.glob("*.hdr")))
    done, number, refused, start = 0, first, 0, time.perf_counter()
    while done < samples:
        case = LimitCase.make(number, size, files)
        number += 1
        if case.check():
            done += case.cube.size
        else:
            refused += 1
        if (number - first) % every == 0 or done >= samples:
            seconds = time.perf_counter() - start
            click.echo(
                f"{number - first} cases from {first} on, {refused} refused: all of {done} samples "
                f"within their limits, {seconds:.0f} s"
            )


if __name__ == "__main__":
    run(main)
