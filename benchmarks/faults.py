"""What damage does to streams: ``python -m bandfold.benchmarks.faults``."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.sections import (
    PREAMBLE,
    Section,
    read_sections,
    write_preamble,
    write_section,
)
from bandfold.calibration.program import run
from bandfold.common.errors import BandfoldError, OutputError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

from .memory import peak_resident

MEMORY_LIMIT = 1 << 26
"""Bytes that decoders are allowed."""

PACKET = 64
"""Bytes of a packet: few, so that a small stream has many."""

DROPPED = (1, 5, 10)
"""Shares of packets and of segments that are dropped, in percent."""

ROUNDS = 25
"""Times that each share is dropped."""

MODEL = "balle48-relu-cal-l1"
"""Codes one of the streams."""

_MEBI = 1 << 20


@dataclass
class Tally:
    """What became of damaged streams.

    Attributes
    ----------
    name : str
        Of the damage.
    tried, refused, reported, whole : int
        Streams; those that were refused as a whole, decoded with damage reported, and decoded with none.
    wrong : int
        Streams of which lines that are not reported differ from those of the intact stream.
    crashed : int
        Streams that ended in an error of no type of its own.
    slowest : float
        Seconds that one took at most.
    """

    name: str
    tried: int = 0
    refused: int = 0
    reported: int = 0
    whole: int = 0
    wrong: int = 0
    crashed: int = 0
    slowest: float = 0.0
    crashes: list[str] = field(default_factory=list)

    def row(self) -> str:
        """A row of a Markdown table."""
        return (
            f"| {self.name} | {self.tried} | {self.refused} | {self.reported} | {self.whole} "
            f"| {self.wrong} | {self.crashed} | {self.slowest:.2f} |"
        )


HEAD = (
    "| damage | streams | refused | decoded, damage reported | decoded as if intact | silently wrong "
    "| crashed | slowest s |\n|---|---:|---:|---:|---:|---:|---:|---:|"
)


class Subject:
    """A stream to be damaged.

    Parameters
    ----------
    data : bytes
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.intact: NDArray[Any] = Decoder(data).decode()

    def try_out(self, damaged: bytes, tally: Tally, *, honest: bool = True) -> None:
        """Decode a damaged copy.

        Parameters
        ----------
        damaged : bytes
        tally : Tally
            Takes the result.
        honest : bool
            Whether checksums are as they were, so that what is changed must be found.
        """
        started = time.perf_counter()
        tally.tried += 1
        try:
            decoder = Decoder(damaged, memory_limit=MEMORY_LIMIT)
            decoder.report()
            decoded = decoder.decode()
        except BandfoldError:
            tally.refused += 1
        except Exception as error:
            # Whatever it is, it is what the campaign is there to find.
            tally.crashed += 1
            tally.crashes.append(repr(error))
        else:
            reported = bool(decoder.damage) or not decoder.complete
            tally.reported += reported
            tally.whole += not reported
            if honest:
                tally.wrong += self._differs(decoded, decoder)
        tally.slowest = max(tally.slowest, time.perf_counter() - started)

    def _differs(self, decoded: NDArray[Any], decoder: Decoder) -> bool:
        """Whether lines that nothing is said about are wrong."""
        lines = decoded.shape[1]
        whole = self.intact.shape[1]
        too_few = lines < whole and decoder.complete
        if decoded.shape[::2] != self.intact.shape[::2] or lines > whole or too_few:
            return True
        good = np.ones(lines, dtype=np.bool_)
        for damage in decoder.damage:
            good[damage.lines] = False
        return not np.array_equal(decoded[:, good], self.intact[:, :lines][:, good])


def small_streams() -> dict[str, bytes]:
    """Small streams of several kinds."""
    cube = SyntheticScene(20, 12, 8, seed=1).read(slice(0, 8), slice(0, 20))
    return {
        "whole scene": Encoder(step=40.0, strip_lines=8).encode(cube),
        "stream of lines": Encoder(step=40.0, strip_lines=8, stream=True, repeat=1).encode(cube),
        "band by band": Encoder(step=60.0, strip_lines=8, spectral="none").encode(cube),
    }


def model_stream() -> bytes:
    """A small stream that a trained model has coded, band by band."""
    cube = SyntheticScene(20, 12, 8, seed=1).read(slice(0, 8), slice(0, 20))
    return Encoder(step=100.0, strip_lines=8, model=MODEL).encode(cube)


def long_stream() -> bytes:
    """A stream of 64 strips of several chunks or packets each."""
    cube = SyntheticScene(512, 24, 12, seed=2).read(slice(0, 12), slice(0, 512))
    return Encoder(step=30.0, strip_lines=8, stream=True, repeat=4).encode(cube)


def flipped(data: bytes) -> Iterator[bytes]:
    """Every bit flipped, one after the other."""
    for place in range(len(data)):
        for bit in range(8):
            yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def cut(data: bytes) -> Iterator[bytes]:
    """The first bytes, of every number of them."""
    return (data[:length] for length in range(len(data)))


def without_packets(data: bytes, percent: int, chance: random.Random) -> bytes:
    """Packets dropped by chance; what follows moves up."""
    packets = (data[start : start + PACKET] for start in range(0, len(data), PACKET))
    return b"".join(packet for packet in packets if chance.random() * 100 >= percent)


def without_segments(data: bytes, percent: int, chance: random.Random) -> bytes:
    """Segments dropped by chance."""
    kept, position = [data[:PREAMBLE]], PREAMBLE
    for section in read_sections(data):
        if section.kind != Section.SEGMENT or chance.random() * 100 >= percent:
            kept.append(data[position : position + section.size])
        position += section.size
    return b"".join(kept)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, inserted or removed."""
    changed = bytearray(data or b"\0")
    for _ in range(chance.choice((1, 2, 4, 16))):
        at = chance.randrange(len(changed))
        action = chance.randrange(4)
        if action == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif action == 1:
            changed[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif action == 2:
            changed.insert(at, chance.randrange(256))
        elif len(changed) > 1:
            del changed[at]
    return bytes(changed)


def lying(data: bytes, chance: random.Random) -> bytes:
    """The payload of a section changed, its checksums made right again."""
    parts = [(section.kind, section.payload) for section in read_sections(data)]
    place = chance.randrange(len(parts))
    kind, payload = parts[place]
    parts[place] = (kind, mutated(payload, chance))
    return write_preamble() + b"".join(write_section(Section(kind), payload) for kind, payload in parts)


def campaign(mutations: int, tell: Callable[[str], None], only: str = "") -> list[Tally]:
    """Damage streams in every way.

    Parameters
    ----------
    mutations : int
        Mutated streams, half of them with checksums made right again.
    tell : callable
        Called with every row of the table.
    only : str
        Rows whose name holds this; the others are left out.

    Returns
    -------
    list of Tally
    """
    chance = random.Random(0)
    subjects = {name: Subject(data) for name, data in small_streams().items()}
    tallies: list[Tally] = []

    def tally(name: str, work: Callable[[Tally], None]) -> None:
        if only not in name:
            return
        tallies.append(Tally(name))
        work(tallies[-1])
        tell(tallies[-1].row())

    for name, subject in {**subjects, "trained model": Subject(model_stream())}.items():
        size = len(subject.data)

        def every(ways: Callable[[bytes], Iterator[bytes]], one: Tally, subject: Subject = subject) -> None:
            for damaged in ways(subject.data):
                subject.try_out(damaged, one)

        tally(f"{name}, {size} bytes: every bit flipped", lambda one, every=every: every(flipped, one))  # type: ignore[misc]
        tally(f"{name}: cut at every byte", lambda one, every=every: every(cut, one))  # type: ignore[misc]
    long = Subject(long_stream())
    for what, drop in (("packets", without_packets), ("segments", without_segments)):
        for percent in DROPPED:

            def dropping(one: Tally, drop: Any = drop, percent: int = percent) -> None:
                for _ in range(ROUNDS):
                    long.try_out(drop(long.data, percent, chance), one)

            tally(f"long stream, {len(long.data)} bytes: {percent} % of {what} dropped", dropping)

    def hostile(way: Callable[[bytes, random.Random], bytes], *, honest: bool) -> Callable[[Tally], None]:
        def work(one: Tally) -> None:
            for number in range(mutations // 2):
                subject = list(subjects.values())[number % len(subjects)]
                subject.try_out(way(subject.data, chance), one, honest=honest)

        return work

    tally("mutated", hostile(mutated, honest=True))
    tally("mutated, checksums made right", hostile(lying, honest=False))
    return tallies


@click.command()
@click.option("--mutations", type=click.IntRange(2), default=10_000, show_default=True)
@click.option("--only", default="", help="Rows whose name holds this text.  [default: all]")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write here.")
def main(mutations: int, only: str, json_path: Path | None) -> None:
    """Damage streams in every way, and see what decoders make of them."""
    click.echo(HEAD)
    before = peak_resident()
    tallies = campaign(mutations, click.echo, only)
    click.echo(f"\nPeak memory rose by {(peak_resident() - before) / _MEBI:.0f} MiB.")
    for tally in tallies:
        for crash in tally.crashes[:5]:
            click.echo(f"{tally.name}: {crash}")
    if json_path:
        try:
            json_path.write_text(json.dumps([asdict(tally) for tally in tallies]) + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{json_path} cannot be written: {error}") from error


if __name__ == "__main__":
    run(main)
