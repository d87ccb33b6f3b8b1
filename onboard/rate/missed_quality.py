"""Strips of a stream that miss their quality: they are told, since no line comes again."""

from __future__ import annotations

from bandfold.common.exact import exp2
from bandfold.onboard.quality import TOLD_MISS, quality_text
from bandfold.onboard.samples.count_plan import precision_text
from bandfold.onboard.samples.stream_counts import CountedStrip


class MissedQuality:
    """Counts strips whose squared error exceeds what was asked for, and keeps the worst one.

    Parameters
    ----------
    mse : float
        Asked for: per sample, in counts squared.
    peak : float
        What PSNR refers to, in counts.
    scale : float
        Value of one count.
    first_line : int
        Of the first strip that is looked at.
    """

    def __init__(self, mse: float, peak: float, scale: float, first_line: int = 0) -> None:
        self._mse = mse
        self._peak = peak
        self._scale = scale
        self._line = first_line
        self._strips = 0
        self._told_from = self._worst = mse * exp2(TOLD_MISS)
        self._text = ""

    def look(self, strip: CountedStrip, error: float) -> None:
        """Look at the next strip.

        Parameters
        ----------
        strip : CountedStrip
            As counts.
        error : float
            What coding adds to its squared error: per sample, in counts squared.
        """
        start, self._line = self._line, self._line + strip.samples.info.lines
        found = error + strip.rounding
        if found <= self._told_from:
            return
        self._strips += 1
        if found <= self._worst:
            return
        self._worst = found
        self._text = f"lines {start}:{self._line} have {self._told(found)}"
        if 2 * strip.rounding > found:
            worth = precision_text(self._scale * strip.worth)
            self._text += f", since samples are rounded to counts of {worth}"

    @property
    def notes(self) -> tuple[str, ...]:
        """One line, if any strip misses the quality."""
        if not self._strips:
            return ()
        many = "a strip" if self._strips == 1 else f"{self._strips} strips, of which the worst"
        return (
            f"quality of {self._told(self._mse)} is out of reach in {many}: {self._text}; "
            "ask for less, or for --max-error or --lossless",
        )

    def _told(self, mse: float) -> str:
        return quality_text(mse, self._peak, self._scale)
