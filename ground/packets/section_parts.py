"""What arrived of one section: data by their offset, also where packets contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product

from bandfold.bitstream.container.sections import SIGNATURE, read_sections

from .received_scene import Ranges

MOST_VERSIONS = 4
"""Different data of one place of a section that are kept; more are only noted."""

MOST_TRIALS = 16
"""Ways to put a section together that are tried, where its packets contradict each other."""


class SectionParts:
    """Data of one section of one kind and length, by their offset."""

    def __init__(self) -> None:
        self._pieces: dict[int, list[bytes]] = {}
        self._contradicted = False

    def add(self, offset: int, data: bytes) -> int:
        """Take what a packet holds.

        Parameters
        ----------
        offset : int
            Where in the section the data begin.
        data : bytes
            At least one byte.

        Returns
        -------
        int
            Bytes that were not there before.
        """
        versions = self._pieces.setdefault(offset, [])
        for index, known in enumerate(versions):
            shorter = min(len(known), len(data))
            if known[:shorter] == data[:shorter]:
                versions[index] = max(known, data, key=len)
                return len(versions[index]) - len(known)
        self._contradicted |= bool(versions)
        if len(versions) == MOST_VERSIONS:
            return 0
        versions.append(data)
        return len(data)

    def missing(self, length: int) -> Ranges:
        """Find the bytes that no packet brought.

        Parameters
        ----------
        length : int
            Bytes of the section.

        Returns
        -------
        list of tuple of int
            Half-open ranges, rising.
        """
        gaps, reached = [], 0
        for offset in sorted(self._pieces):
            if offset > reached:
                gaps.append((reached, offset))
            reached = max(reached, offset + max(map(len, self._pieces[offset])))
        return [*gaps, (reached, length)] if reached < length else gaps

    def joined(self, length: int) -> bytes:
        """All data that arrived first for their place, zeros where nothing did."""
        return next(self._joins(length))

    def intact(self, length: int, version: int) -> list[bytes]:
        """Find the bytes of the section that its own checksum proves.

        Parameters
        ----------
        length : int
            Bytes of the section, of which none are missing.
        version : int
            Version of the format of the stream.

        Returns
        -------
        list of bytes
            Mostly one or none; several if packets of different streams came under one name.
        """
        preamble = SIGNATURE + version.to_bytes(2, "little")
        found: list[bytes] = []
        for data in islice(self._joins(length), MOST_TRIALS):
            if data not in found and _intact(preamble + data):
                found.append(data)
        return found

    def contradicts(self, whole: bytes) -> bool:
        """Whether packets brought different bytes for one place, or others than those of the whole section.

        Parameters
        ----------
        whole : bytes
            The intact section; empty if it is not known.

        Returns
        -------
        bool
        """
        pieces = ((offset, data) for offset, versions in self._pieces.items() for data in versions)
        return self._contradicted or bool(
            whole and not all(whole.startswith(data, offset) for offset, data in pieces)
        )

    def _joins(self, length: int) -> Iterator[bytes]:
        """Every choice among data of one place; packets of another size may bring some of them twice."""
        for chosen in product(*self._pieces.values()):
            whole = bytearray(length)
            for offset, data in zip(self._pieces, chosen, strict=True):
                whole[offset : offset + len(data)] = data
            yield bytes(whole)


def _intact(data: bytes) -> bool:
    """Whether a stream of one section holds it whole."""
    sections = list(read_sections(data))
    return len(sections) == 1 and sections[0].intact
