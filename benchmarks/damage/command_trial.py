"""What all commands make of one hostile stream: errors that are no errors of bandfold, and what it costs."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bandfold.bitstream.container.truncation import truncate
from bandfold.common.errors import BandfoldError
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.ground.report.bit_counting_decoder import BitCountingDecoder
from bandfold.ground.report.report_contents import collect
from bandfold.onboard.downlink.packets import PacketSettings, packetise
from bandfold.onboard.downlink.requantise import requantise

SECONDS, MEBIBYTES = 2.0, 256.0
"""What an input of up to 100 kB may take; longer ones in proportion."""

SHOWN = 1 << 18
"""Samples that a report keeps."""


def decode(data: bytes) -> None:
    """Describe a stream, decode it and collect what a report shows, without restoration.

    `info` is the description alone, and `decode` goes over the strips that the report goes over. All begin by
    reading the stream in the same way, so one decoder stands for three.
    """
    decoder = BitCountingDecoder(data, restore="off")
    decoder.report()
    collect(decoder, None, SHOWN)


def depacketise(data: bytes) -> None:
    """Put a stream into packets, and together again."""
    reassembly = Reassembly()
    reassembly.add(find_packets(b"".join(packetise(data, PacketSettings(100, size=256)))).packets)
    assembly = reassembly.assemble()
    assembly.report(assembly.lost_strips())


COMMANDS: Mapping[str, Callable[[bytes], object]] = {
    "info, decode, report": decode,
    "truncate": lambda data: truncate(data, max(len(data) // 2, 1)),
    "requantise": lambda data: requantise(data, max(19 * len(data) // 20, 1)),
    "depacketise": depacketise,
}
"""What is done with each input, by the names of the commands."""


@dataclass
class CommandTally:
    """What became of hostile inputs.

    Attributes
    ----------
    tried, refused : int
        Commands that were run, and those that ended in an error of bandfold.
    untyped, costly : list of str
        Commands that ended in another error, and those that took too much.
    slowest, largest : float
        Processor seconds that a command took at most, and MiB by which memory rose.
    """

    tried: int = 0
    refused: int = 0
    untyped: list[str] = field(default_factory=list)
    costly: list[str] = field(default_factory=list)
    slowest: float = 0.0
    largest: float = 0.0

    def try_out(self, name: str, data: bytes) -> None:
        """Run all commands on an input.

        Parameters
        ----------
        name : str
            What the lists call the input.
        data : bytes
            A stream, or what looks like one.
        """
        parts = max(1.0, len(data) / 1e5)
        for command, run in COMMANDS.items():
            self.tried += 1
            memory, started = _peak(), time.process_time()
            try:
                run(data)
            except BandfoldError as error:
                self.refused += 1
                if "\n" in str(error):
                    self.untyped.append(f"{name} {command}: more than one line: {error!r}")
            except Exception as error:
                # Whatever it is, it is what the campaign is there to find.
                self.untyped.append(f"{name} {command}: {error!r}"[:300])
            seconds, rose = time.process_time() - started, _peak() - memory
            self.slowest, self.largest = max(self.slowest, seconds), max(self.largest, rose)
            if seconds > SECONDS * parts or rose > MEBIBYTES * parts:
                self.costly.append(f"{name} {command}: {seconds:.1f} s, {rose:.0f} MiB")


def _peak() -> float:
    """Peak resident memory of this process, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
