"""First inputs of libFuzzer: ``python -m bandfold.benchmarks.fuzz_corpus FOLDER``.

``FOLDER/streams`` are for ``bandfold_fuzz``, ``FOLDER/settings`` and the package ``FOLDER/small.bfm`` for
``bandfold_fuzz_encode`` (``make fuzz-libfuzzer``).
"""

from __future__ import annotations

from pathlib import Path

import click

from bandfold.benchmarks.c_mutants import settings_mutant, small_package
from bandfold.benchmarks.damage.streams import hostile_seeds
from bandfold.programs.program import run

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
"""Streams of the repository; an installed package has none."""

SETTINGS = 200
"""Settings with samples, as many."""


def write_corpus(folder: Path) -> None:
    """Write all inputs.

    Parameters
    ----------
    folder : Path
        Made where it is not there; what else is in it stays.
    """
    streams, settings = folder / "streams", folder / "settings"
    for one in (streams, settings):
        one.mkdir(parents=True, exist_ok=True)
    for number, stream in enumerate(hostile_seeds().values()):
        (streams / f"seed-{number}").write_bytes(stream)
    for path in GOLDEN.rglob("*.bndf"):
        (streams / "-".join(path.relative_to(GOLDEN).parts)).write_bytes(path.read_bytes())
    (folder / "small.bfm").write_bytes(small_package())
    for number in range(SETTINGS):
        (settings / f"settings-{number}").write_bytes(settings_mutant(number)[0])


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write streams, settings and a package for libFuzzer to begin with."""
    write_corpus(folder)
    click.echo(f"{folder}: {sum(path.is_file() for path in folder.rglob('*'))} files")


if __name__ == "__main__":
    run(main)
