"""The refinements of a stream by the number of their strip, and whether they belong to its segments."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from bandfold.bitstream.container.refinement_layout import ErrorLimits, Refinement, segment_checksum
from bandfold.bitstream.container.sections import RawSection
from bandfold.common.errors import StreamError


class StripRefinements:
    """Finds the refinement of each strip.

    Parameters
    ----------
    sections : iterable of RawSection
        Refinement sections in the order of the stream. Those that are not intact are left out.
    limits : ErrorLimits or None
        Limits that the stream says it was encoded with, if it says so.

    Attributes
    ----------
    limits : ErrorLimits or None
        Limits that were asked for when the stream was encoded; None if there were none, or they are lost.
    """

    def __init__(self, sections: Iterable[RawSection], limits: ErrorLimits | None) -> None:
        self.limits = limits
        self._found: dict[int, list[Refinement]] = {}
        self._damaged = False
        for section in sections:
            self._damaged |= not section.intact
            if section.intact:
                with suppress(StreamError):
                    refinement = Refinement.unpack(section.payload)
                    self._found.setdefault(refinement.index, []).append(refinement)

    def expected(self, strip: int) -> bool:
        """Whether a strip was refined when the stream was encoded, as far as that is known.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.

        Returns
        -------
        bool
            Where the limits are lost, what is left of any refinement says that there were some.
        """
        if self.limits is None:
            return self._damaged or bool(self._found)
        return not self.limits.strips or strip < self.limits.strips

    def find(self, strip: int, segment: bytes) -> Refinement | None:
        """The refinement of a strip.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0.
        segment : bytes
            Payload of the intact segment of the strip.

        Returns
        -------
        Refinement or None
            The first one that is intact and refines this very segment; None if there is none.
        """
        found = self._found.get(strip, ())
        checksum = segment_checksum(segment) if found else b""
        return next((one for one in found if one.segment == checksum), None)

    def fault(self, strip: int) -> str:
        """Say why a strip has no refinement that can be used.

        Parameters
        ----------
        strip : int
            Number of the strip, from 0, for which `find` found none.

        Returns
        -------
        str
            In words.
        """
        if strip in self._found:
            return "its refinement belongs to another segment"
        return "its refinement is missing or its checksum is wrong"
