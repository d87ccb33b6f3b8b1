"""The leaky bucket: how many bytes a strip may take so that a buffer of known size never overflows."""

from __future__ import annotations

from bandfold.common.errors import BudgetError

BUFFER_STRIPS = 4.0
"""Size of the buffer where none is given: so many strips at the average rate."""

PULL = 0.25
"""Share of what the savings differ from their aim that a strip puts right."""

LEAST_SHARE = 0.9
"""What a strip aims at is at least this share of its fill, so that saving never starves it."""

AIM = 0.5
"""Share of the buffer that is kept as savings for harder strips."""


class LeakyBucket:
    """Savings of a stream whose rate is limited.

    Each strip adds what its samples may take on average, and what strips do not take is saved, up to the size
    of the buffer. No strip takes more than what is there. So the bytes so far never exceed the average
    rate, and a transmitter that sends at that rate never holds more than the buffer.

    Parameters
    ----------
    bps : float
        Average, in bits per sample.
    buffer : int or None
        Size in bytes; None for `BUFFER_STRIPS` strips of the first strip's height.

    Attributes
    ----------
    saved : float
        Bytes; below zero while what the stream begins with is not paid for.
    lost : float
        Bytes that could not be saved because the buffer was full.
    """

    def __init__(self, bps: float, buffer: int | None = None) -> None:
        self._bps = bps
        self.buffer = buffer
        self.saved = 0.0
        self.lost = 0.0
        self._fill = 0.0

    def open(self, samples: int) -> None:
        """Add what a strip may take on average.

        Parameters
        ----------
        samples : int
            Samples of the strip.
        """
        self._fill = self._bps * samples / 8
        if self.buffer is None:
            self.buffer = max(int(BUFFER_STRIPS * self._fill), 1)

    @property
    def most(self) -> float:
        """Bytes that the strip may take at most."""
        return self._fill + self.saved

    @property
    def aim(self) -> float:
        """Bytes that the strip should take."""
        size = float(self.buffer or 0)
        wanted = self._fill + PULL * (self.saved - AIM * size)
        return min(max(wanted, LEAST_SHARE * self._fill), self.most)

    def close(self, nbytes: int) -> None:
        """Take what the strip has taken.

        Parameters
        ----------
        nbytes : int
            Bytes of its segment and of the sections before it.

        Raises
        ------
        BudgetError
            If it is more than there is.
        """
        left = self.most - nbytes
        if left < 0:
            raise BudgetError(
                f"{self._bps:g} bits per sample are too few: a strip takes {nbytes} bytes at least, "
                f"{self.most:.0f} are left; raise the rate"
            )
        kept = min(left, float(self.buffer or 0))
        self.lost += left - kept
        self.saved = kept
        self._fill = 0.0

    def spend(self, nbytes: int) -> None:
        """Take bytes that belong to no strip.

        Parameters
        ----------
        nbytes : int
            For what the stream ends with, taken before its beginning.
        """
        self.saved -= nbytes

    def resume(self, samples: int, nbytes: int) -> None:
        """Take up a stream of which some is written.

        Parameters
        ----------
        samples : int
            Samples that are coded.
        nbytes : int
            Bytes that they took.
        """
        left = self._bps * samples / 8 - nbytes
        self.saved = left if self.buffer is None else min(left, float(self.buffer))
