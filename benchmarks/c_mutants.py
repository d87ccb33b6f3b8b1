"""Hostile streams through libbandfold: ``python -m bandfold.benchmarks.c_mutants DRIVER``.

Their checksums are right. DRIVER is ``bandfold_mutants``, which CMake builds of ``libbandfold/fuzz``
(``make fuzz-c``). Input number N is the same in every run.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import time
from pathlib import Path

import click

from bandfold.benchmarks.damage.mutations import joined, lying, mutated, sections
from bandfold.benchmarks.damage.streams import hostile_seeds
from bandfold.bitstream.container.refinement_layout import Refinement, segment_checksum
from bandfold.bitstream.container.sections import Section
from bandfold.bitstream.contexts.tables import DATA
from bandfold.common.errors import StreamError
from bandfold.programs.options import figures_option
from bandfold.programs.program import run, write_figures

PACKAGED = {"sensor": "aviris-224", "predicted": "innovations"}
"""Streams among those of `bandfold.benchmarks.damage.streams.hostile_seeds` that name shipped packages."""

DIGITS = 64
"""Bytes at the end of a package: its digest in hexadecimal."""

MOST_SECONDS = 2.0
"""What an input of 100 kB or less may take."""

MOST_BYTES = 256 << 20
"""What an input of 100 kB or less may hold at a time."""


def relinked(data: bytes) -> bytes:
    """Make refinements those of the segments that a stream has, so that a decoder goes on to read them.

    Parameters
    ----------
    data : bytes
        A stream whose sections are all intact.

    Returns
    -------
    bytes
    """
    parts = sections(data)
    segments: dict[int, bytes] = {}
    for kind, payload in parts:
        if kind == Section.SEGMENT and payload:
            segments.setdefault(payload[0], segment_checksum(payload))
    for place, (kind, payload) in enumerate(parts):
        if kind == Section.REFINEMENT:
            try:
                old = Refinement.unpack(payload)
            except StreamError:
                continue
            checksum = segments.get(old.index, old.segment)
            parts[place] = kind, Refinement(old.index, checksum, old.tables, old.residual).pack()
    return joined(parts)


def mutant(seeds: dict[str, bytes], number: int) -> bytes:
    """Make a hostile stream: of five, four have right checksums.

    Parameters
    ----------
    seeds : dict of str to bytes
        Intact streams, which are taken in turn.
    number : int
        Of the input.

    Returns
    -------
    bytes
    """
    names, chance = list(seeds), random.Random(number)
    data = seeds[names[number % len(names)]]
    if chance.randrange(5) == 0:
        return mutated(data, chance)
    return relinked(lying(data, chance))


def package_mutant(seeds: dict[str, bytes], number: int) -> tuple[bytes, bytes]:
    """Make a hostile package, and a stream that names it by its right hash.

    Parameters
    ----------
    seeds : dict of str to bytes
        Intact streams; those of `PACKAGED` are taken in turn.
    number : int
        Of the input.

    Returns
    -------
    stream, package : bytes
    """
    chance = random.Random(number)
    seed, name = list(PACKAGED.items())[number % len(PACKAGED)]
    whole = (DATA / f"{name}.bfm").read_bytes()
    body = bytearray(whole[:-DIGITS])
    # The end says where the directory is, which has the names; what is between is arrays.
    directory = int.from_bytes(body[-6:-2], "little")
    for _ in range(chance.choice((1, 2, 8))):
        start = chance.choice((0, 0, directory))
        body[chance.randrange(start, len(body))] = chance.choice(
            (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
        )
    digest = hashlib.sha256(body)
    old = hashlib.sha256(whole[:-DIGITS]).digest()[:8]
    parts = [(kind, payload.replace(old, digest.digest()[:8])) for kind, payload in sections(seeds[seed])]
    return joined(parts), bytes(body) + digest.hexdigest().encode()


def campaign(
    driver: Path, seeds: dict[str, bytes], first: int, count: int, *, packages: bool = False
) -> dict[str, object]:
    """Send hostile streams through a driver.

    Parameters
    ----------
    driver : Path
        The program ``bandfold_mutants``.
    seeds : dict of str to bytes
        Intact streams.
    first, count : int
        Number of the first input, and how many.
    packages : bool
        Whether packages are hostile, and streams are not.

    Returns
    -------
    dict
        What the driver tells at its end; with "crash", what it said last, if it did not get there.
    """
    shipped = ":".join(str(DATA / f"{name}.bfm") for name in PACKAGED.values())
    with subprocess.Popen(
        [driver, "--packages"] if packages else [driver],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "BANDFOLD_PACKAGES": shipped},
    ) as process:
        assert process.stdin is not None  # noqa: S101
        sent = first
        try:
            for number in range(first, first + count):
                for data in package_mutant(seeds, number) if packages else (mutant(seeds, number),):
                    process.stdin.write(len(data).to_bytes(4, "little") + data)
                sent = number
        except BrokenPipeError:
            pass
        told, errors = process.communicate()
    if process.returncode:
        return {"crash": f"at input {sent} or up to 64 KiB before: {errors.decode(errors='replace')[:4000]}"}
    found: dict[str, object] = json.loads(told.decode().splitlines()[-1])
    return found


@click.command()
@click.argument("driver", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--count", type=click.IntRange(1), default=100_000, show_default=True, help="Inputs.")
@click.option("--first", type=click.IntRange(0), default=0, show_default=True, help="Number of the first.")
@click.option("--sanitised", is_flag=True, help="Leave time alone: a sanitised library takes more.")
@click.option("--packages", is_flag=True, help="Mutate packages, and not the streams that name them.")
@figures_option("Write here.")
def main(
    driver: Path, count: int, first: int, sanitised: bool, packages: bool, json_path: Path | None
) -> None:
    """Mutate streams past their checksums, and decode them in C."""
    started = time.perf_counter()
    found = campaign(driver.absolute(), hostile_seeds(), first, count, packages=packages)
    found["seconds"] = round(time.perf_counter() - started)
    click.echo(json.dumps(found))
    if json_path:
        write_figures(json_path, [found])
    slow = not sanitised and float(str(found.get("slowest", 0))) > MOST_SECONDS
    if "crash" in found or slow or float(str(found.get("largest", 0))) > MOST_BYTES:
        raise SystemExit(1)


if __name__ == "__main__":
    run(main)
