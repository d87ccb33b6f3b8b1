"""A part of a stream: enough to decode some strips, under the budget of the whole."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StreamPart:
    """A stream of which not all segments are given.

    Parameters
    ----------
    data : bytes
        What is given, from the signature on.
    whole : int
        Bytes of the whole stream, with which what decoding may cost grows.
    """

    data: bytes
    whole: int
