"""What ways to code cost that take other bytes and make other errors: held against a curve of both."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bandfold.common.exact import log2_of

STEEPEST = 3.0
"""By which factor slopes of error over bytes change at most where they are continued."""


@dataclass(frozen=True)
class CostCurve:
    """Squared error over bytes of one way to code, at steps around one: what others are compared with.

    Parameters
    ----------
    error, size : float
        Logarithms to base 2 at that step.
    slope, bend : float
        Octaves of squared error for an octave of bytes there, and what that changes by with each octave.
    """

    error: float
    size: float
    slope: float
    bend: float

    @staticmethod
    def through(
        middle: tuple[float, float], coarse: tuple[float, float], fine: tuple[float, float]
    ) -> CostCurve | None:
        """The curve through three points.

        Parameters
        ----------
        middle, coarse, fine : (float, float)
            Squared error and bytes at a step, at a coarser one and at a finer one.

        Returns
        -------
        CostCurve or None
            None where the error does not fall while bytes grow.
        """
        (error, size), *others = ((log2_of(one), log2_of(other)) for one, other in (middle, coarse, fine))
        (less, before), (more, behind) = ((other[1] - size, other[0] - error) for other in others)
        if not less < 0.0 < more or not before > 0.0 > behind:
            return None
        left, right = before / less, behind / more
        bend = 2.0 * (right - left) / (more - less)
        return CostCurve(error, size, left - bend * less / 2.0, bend)

    def beginning_at(self, error: float, size: float) -> CostCurve:
        """The same curve around another point: of a smaller part of a scene, for example.

        Parameters
        ----------
        error : float
            Squared error there, above 0.
        size : float
            Bytes.

        Returns
        -------
        CostCurve
        """
        return replace(self, error=log2_of(error), size=log2_of(size))

    def cost(self, error: float, size: float) -> float:
        """Octaves of squared error that a way to code makes more than this one in as many bytes.

        Parameters
        ----------
        error : float
            Squared error, above 0.
        size : float
            Bytes.

        Returns
        -------
        float
        """
        more = log2_of(size) - self.size
        mean = min(max(self.slope + self.bend * more / 2.0, STEEPEST * self.slope), self.slope / STEEPEST)
        return log2_of(error) - self.error - mean * more
