"""Damaged copies of a stream, decoded and compared with the intact one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import BandfoldError
from bandfold.ground import Decoder

MEMORY_LIMIT = 1 << 26
"""Bytes that decoders of damaged streams are allowed."""

DAMAGE_HEAD = (
    "| damage | streams | refused | decoded, damage reported | decoded as if intact | silently wrong "
    "| crashed | slowest s |\n|---|---:|---:|---:|---:|---:|---:|---:|"
)
"""First two lines of the Markdown table whose rows are those of `DamageTally.row`."""


@dataclass
class DamageTally:
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
        Streams that ended in an error that is no `BandfoldError`.
    slowest : float
        Seconds that one took at most.
    crashes : list of str
        The errors of those that crashed.
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
        """Return a row of a Markdown table under `DAMAGE_HEAD`."""
        return (
            f"| {self.name} | {self.tried} | {self.refused} | {self.reported} | {self.whole} "
            f"| {self.wrong} | {self.crashed} | {self.slowest:.2f} |"
        )


class Subject:
    """A stream to be damaged.

    Parameters
    ----------
    data : bytes
        The intact stream.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.intact: NDArray[Any] = Decoder(data).decode()

    def try_out(self, damaged: bytes, tally: DamageTally, *, honest: bool = True) -> None:
        """Decode a damaged copy.

        Parameters
        ----------
        damaged : bytes
            The copy.
        tally : DamageTally
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
