"""Hostile streams and settings through libbandfold: ``python -m bandfold.benchmarks.c_mutants DRIVER``.

Checksums of streams and packages are right. DRIVER is ``bandfold_mutants``, which CMake builds of
``libbandfold/fuzz`` (``make fuzz-c``). Input number N is the same in every run.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
import subprocess
import time
from functools import cache
from pathlib import Path

import click

from bandfold.benchmarks.damage.mutations import joined, lying, mutated, sections
from bandfold.benchmarks.damage.streams import hostile_seeds
from bandfold.bitstream.container.refinement_layout import Refinement, segment_checksum
from bandfold.bitstream.container.sections import Section
from bandfold.bitstream.contexts.tables import DATA
from bandfold.bitstream.packages.package import pack
from bandfold.calibration.sensor_fit import fit_sensor
from bandfold.common.errors import StreamError
from bandfold.programs.options import figures_option
from bandfold.programs.program import run, write_figures
from bandfold.synthetic.scenes import SyntheticScene

PACKAGED = {"sensor": "aviris-224", "predicted": "innovations"}
"""Streams among those of `bandfold.benchmarks.damage.streams.hostile_seeds` that name shipped packages."""

SMALL_BANDS = 12
"""Bands of the sensor with which mutants of settings encode."""

SETTINGS = struct.Struct("<HHBdHbbBdBdHHBdd")
"""Bands, samples, type, step, strip lines, effort, repeat, whether a value marks absent samples, which one,
layout of the source and number of lines in one byte, bits per sample, buffer, reserve and its shift, PSNR and
RMSE."""

DIGITS = 64
"""Bytes at the end of a package: its digest in hexadecimal."""

STREAMS, PACKAGES, SETTINGS_TO_ENCODE = "streams", "packages", "settings"
"""What mutants are of."""

OPTIONS = {STREAMS: (), PACKAGES: ("--packages",), SETTINGS_TO_ENCODE: ("--encode",)}
"""Options of the driver for them."""

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


def changed_package(whole: bytes, chance: random.Random) -> bytes:
    """Change bytes of a package file behind a right digest.

    Parameters
    ----------
    whole : bytes
        The file.
    chance : random.Random
        What is changed.

    Returns
    -------
    bytes
    """
    body = bytearray(whole[:-DIGITS])
    # The end says where the directory is, which has the names; what is between is arrays.
    directory = int.from_bytes(body[-6:-2], "little")
    for _ in range(chance.choice((1, 2, 8))):
        start = chance.choice((0, 0, directory))
        body[chance.randrange(start, len(body))] = chance.choice(
            (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
        )
    return bytes(body) + hashlib.sha256(body).hexdigest().encode()


@cache
def small_package() -> bytes:
    """A package of a made-up sensor of `SMALL_BANDS` bands."""
    scene = SyntheticScene(lines=40, samples=40, bands=SMALL_BANDS, seed=1)
    return pack(fit_sensor({"made-up": scene}, "small", intervals=2))


def settings_mutant(number: int) -> tuple[bytes, bytes]:
    """Make settings of an encoder and samples, and a package; half of the packages are hostile.

    Parameters
    ----------
    number : int
        Of the input.

    Returns
    -------
    settings, package : bytes
        As ``libbandfold/fuzz/encode_all.c`` reads them.
    """
    chance = random.Random(number)

    def mostly(usual: float, *others: float) -> float:
        return usual if chance.randrange(20) else chance.choice(others)

    target = chance.choice(("step", "step", "rate", "psnr", "rmse"))
    samples = mostly(chance.choice((1, 7, 8, 20, 65)), 0, 65535)
    settings = SETTINGS.pack(
        int(mostly(SMALL_BANDS, 0, 1, SMALL_BANDS + 1, 65535)),
        int(samples),
        int(mostly(chance.randrange(4), 4, 6, 8, 255)),
        mostly(chance.choice((1 / 16, 1.0, 7.3, 300.0)), -1.0, 1e300, float("nan")) * (target == "step"),
        int(mostly(chance.choice((0, 8, 16, 64)), 4, 65528)),
        int(mostly(chance.randrange(10), 10, -1)),
        int(mostly(chance.choice((0, 1, 3, -1)), -128, 127)),
        chance.randrange(2),
        mostly(chance.choice((0.0, 255.0, -1.0)), 0.5, float("inf"), float("nan")),
        chance.randrange(256),
        mostly(chance.choice((0.5, 3.0, 40.0)), -1.0, 1e308, 1e-300) * (target == "rate"),
        chance.choice((0, 1, 60000)) if target == "rate" else int(mostly(0, 1)),
        chance.choice((0, 0, 200, 65535)),
        int(mostly(chance.randrange(6), 31)),
        mostly(chance.choice((20.0, 60.0, 90.0)), 140.0, -1.0) * (target == "psnr"),
        mostly(chance.choice((0.1, 5.0, 300.0)), 1e300, -1.0) * (target == "rmse"),
    )
    content = chance.randbytes(chance.choice((1, 16, 97, 5000)))
    package = small_package()
    return settings + content, changed_package(package, chance) if chance.randrange(2) else package


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
    package = changed_package(whole, chance)
    old, new = (hashlib.sha256(one[:-DIGITS]).digest()[:8] for one in (whole, package))
    parts = [(kind, payload.replace(old, new)) for kind, payload in sections(seeds[seed])]
    return joined(parts), package


def _inputs(seeds: dict[str, bytes], number: int, kind: str) -> tuple[bytes, ...]:
    """What is sent for an input."""
    if kind == SETTINGS_TO_ENCODE:
        return settings_mutant(number)
    return package_mutant(seeds, number) if kind == PACKAGES else (mutant(seeds, number),)


def campaign(
    driver: Path, seeds: dict[str, bytes], first: int, count: int, *, kind: str = STREAMS
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
    kind : str
        What is hostile: `STREAMS`, `PACKAGES` that streams name, or `SETTINGS_TO_ENCODE` with.

    Returns
    -------
    dict
        What the driver tells at its end; with "crash", what it said last, if it did not get there.
    """
    shipped = ":".join(str(DATA / f"{name}.bfm") for name in PACKAGED.values())
    with subprocess.Popen(
        [driver, *OPTIONS[kind]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "BANDFOLD_PACKAGES": shipped},
    ) as process:
        assert process.stdin is not None  # noqa: S101
        sent = first
        try:
            for number in range(first, first + count):
                for data in _inputs(seeds, number, kind):
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
@click.option(
    "--kind",
    type=click.Choice(list(OPTIONS)),
    default=STREAMS,
    show_default=True,
    help="What is mutated: streams, packages that they name, or settings and samples to encode.",
)
@figures_option("Write here.")
def main(driver: Path, count: int, first: int, sanitised: bool, kind: str, json_path: Path | None) -> None:
    """Mutate streams past their checksums, and decode them in C; or settings, and encode."""
    started = time.perf_counter()
    found = campaign(driver.absolute(), hostile_seeds(), first, count, kind=kind)
    found["seconds"] = round(time.perf_counter() - started)
    click.echo(json.dumps(found))
    if json_path:
        write_figures(json_path, [found])
    slow = not sanitised and float(str(found.get("slowest", 0))) > MOST_SECONDS
    if "crash" in found or slow or float(str(found.get("largest", 0))) > MOST_BYTES:
        raise SystemExit(1)


if __name__ == "__main__":
    run(main)
