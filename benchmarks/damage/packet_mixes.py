"""Streams with one APID and number of the scene whose packets arrive together, with losses and cut off."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bandfold.bitstream.container.packet_layout import PacketHead
from bandfold.bitstream.container.sections import read_sections
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.downlink.packet_writer import PacketWriter
from bandfold.onboard.downlink.packets import PacketSettings, packetise
from bandfold.synthetic.scenes import SyntheticScene

from .packet_reports import Sent

_HEAD = 13
"""Bytes of a packet before its own header."""

_MOST_LOST = 0.3
"""Share of the packets of a stream that is lost, at most."""

SITUATIONS = (
    "two scenes of one number",
    "lost tail of a stream of lines",
    "restart with the same lines",
    "restart with other lines",
    "a number used again",
    "three streams of one number",
)
"""What the trials are of, one after the other."""

MIX_HEAD = (
    "| what arrives | trials | streams | complete | not told apart | mixed | called complete too early "
    "| not called complete | slowest s |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)
"""First two lines of the Markdown table whose rows are those of `MixTally.row`."""


@dataclass
class MixTally:
    """What became of streams whose packets arrived together.

    Attributes
    ----------
    name : str
        One of `SITUATIONS`.
    trials, streams, complete : int
        Trials, streams of which any packet arrived in them, and those of which everything arrived.
    untold : int
        Trials in which not exactly these streams were found.
    mixed : int
        Streams that were put together from other sections than those of it that arrived whole.
    early, late : int
        Streams that were called complete without being so, and the other way round.
    slowest : float
        Seconds that putting together took at most in one trial.
    """

    name: str
    trials: int = 0
    streams: int = 0
    complete: int = 0
    untold: int = 0
    mixed: int = 0
    early: int = 0
    late: int = 0
    slowest: float = 0.0

    def row(self) -> str:
        """Return a row of a Markdown table under `MIX_HEAD`."""
        return (
            f"| {self.name} | {self.trials} | {self.streams} | {self.complete} | {self.untold} "
            f"| {self.mixed} | {self.early} | {self.late} | {self.slowest:.2f} |"
        )


class _Stream:
    """A stream that was sent, and its sections."""

    def __init__(self, stream: bytes, packets: Sequence[bytes]) -> None:
        self.sent = Sent(stream, packets)
        self.sections = [section.payload for section in read_sections(stream)]
        head = PacketHead.unpack(packets[0], _HEAD)
        self.identity = None if head is None else head.identity


class PacketMixes:
    """Streams of three scenes with one header, APID and number, and trials with their packets.

    The second scene begins with the lines of the first one. Streams of lines have the random identities that
    an encoder gives them.

    Parameters
    ----------
    size : int
        Bytes of a packet, at most.
    """

    def __init__(self, size: int) -> None:
        settings = PacketSettings(1, size=size, scene=7, repeat=4)
        first, third = (
            SyntheticScene(64, 24, 12, seed=seed).read(slice(0, 12), slice(0, 64)) for seed in (2, 3)
        )
        second = np.concatenate([first[:, :24], third[:, 24:]], axis=1)
        self._lines: list[_Stream] = []
        for cube in (first, first, second, third):
            parts: list[bytes] = []
            packets: list[bytes] = []
            writer = PacketWriter(settings, packets.append)
            encoder = Encoder(step=30.0, strip_lines=8, stream=True, repeat=0)
            encoder.encode_in_parts(ArraySource(cube), parts.append)
            for part in parts:
                writer.write(part)
            self._lines.append(_Stream(b"".join(parts), packets))
        self._whole: list[_Stream] = []
        for cube in (first, third):
            stream = Encoder(step=30.0, strip_lines=8).encode(cube)
            self._whole.append(_Stream(stream, list(packetise(stream, settings))))

    def trial(self, tally: MixTally, chance: random.Random) -> None:
        """Let packets of some streams arrive, and compare what they give with what arrived.

        Parameters
        ----------
        tally : MixTally
            Takes the result; its name says what arrives.
        chance : random.Random
            Source of chance.
        """
        streams, cut = self._choose(tally.name, chance)
        arrived: list[tuple[_Stream, list[int]]] = []
        for index, stream in enumerate(streams):
            count = len(stream.sent.packets)
            end = chance.randrange(1, count) if index < cut else count
            share = chance.choice([0.0, chance.random() * _MOST_LOST])
            arrived.append((stream, [number for number in range(end) if chance.random() >= share]))
        packets = [stream.sent.packets[number] for stream, numbers in arrived for number in numbers]
        packets += chance.sample(packets, min(len(packets), chance.randrange(4)))
        if chance.random() < 0.5:
            chance.shuffle(packets)
        started = time.perf_counter()
        reassembly = Reassembly()
        reassembly.add(find_packets(b"".join(packets)).packets)
        there = {stream.identity for stream, numbers in arrived if numbers}
        tally.trials += 1
        tally.untold += {name.identity for name in reassembly.streams} != there
        for stream, numbers in arrived:
            if numbers and stream.identity is not None:
                self._judge(reassembly, stream, numbers, tally)
        tally.slowest = max(tally.slowest, time.perf_counter() - started)

    def _choose(self, name: str, chance: random.Random) -> tuple[list[_Stream], int]:
        """Streams of which packets arrive, and how many of them are cut off."""
        again, other = self._lines[1], chance.choice(self._lines[2:])
        if name == SITUATIONS[0]:
            return chance.sample([*self._lines[1:], *self._whole], 2), 0
        if name == SITUATIONS[1]:
            return [chance.choice(self._lines)], 1
        if name == SITUATIONS[2]:
            return [self._lines[0], again], 1
        if name == SITUATIONS[3]:
            return [self._lines[0], other], 1
        if name == SITUATIONS[4]:
            return chance.sample(self._whole, 2), 0
        return chance.sample([*self._lines, *self._whole], 3), chance.randrange(3)

    def _judge(self, reassembly: Reassembly, stream: _Stream, numbers: list[int], tally: MixTally) -> None:
        """Compare one stream that was put together with what arrived of it."""
        whole = stream.sent.arrived(numbers)
        complete = len(whole) == len(stream.sections)
        assembly = reassembly.assemble(identity=(stream.identity or b"").hex())
        intact = [section.payload for section in read_sections(assembly.stream) if section.intact]
        called = assembly.complete(assembly.lost_strips())
        tally.streams += 1
        tally.complete += complete
        tally.mixed += intact != [stream.sections[number] for number in sorted(whole)]
        tally.early += called and not complete
        tally.late += complete and not called
