"""Which error the samples of a strip have at most, and how that is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.refinement_layout import SHARE_UNIT
from bandfold.bitstream.refinement.side_information import ErrorBound
from bandfold.bitstream.transforms.scaling import BandUnits


@dataclass(frozen=True)
class StripBound:
    """What a stream guarantees of the samples of a strip.

    Parameters
    ----------
    lines : slice
        Half-open range of lines of the scene.
    errors : ndarray of float64, shape (bands,), or None
        Largest absolute error of each decoded band in the units of the samples, 0 where samples are as they
        were. None where nothing is guaranteed.
    relative_error : float or None
        Share of a sample that its error may be, if that is more; None without.
    """

    lines: slice
    errors: NDArray[np.float64] | None = None
    relative_error: float | None = None

    @staticmethod
    def of(lines: slice, bound: ErrorBound, units: BandUnits | None, *, exact: bool) -> StripBound:
        """Take a bound in counts.

        Parameters
        ----------
        lines : slice
            Half-open range of lines of the scene.
        bound : ErrorBound
            Of the decoded bands, in counts.
        units : BandUnits or None
            What counts of these bands are worth; None where they are the samples.
        exact : bool
            Whether samples without an error in counts are as they were: else a count may be half a count off.

        Returns
        -------
        StripBound
        """
        errors = bound.limits.astype(np.float64)
        if units is not None:
            rounded = np.where((errors == 0) & exact, 0.0, 0.5)
            errors = (errors + rounded) * np.abs(units.scales)
        share = None if bound.relative is None else bound.relative[0] / SHARE_UNIT
        return StripBound(lines, errors, share)

    @property
    def max_error(self) -> float | None:
        """The largest one of all bands, or the floor of a relative one; None without any."""
        return None if self.errors is None else float(self.errors.max())


def bound_text(bounds: Sequence[StripBound]) -> str:
    """Say which error all samples have at most.

    Parameters
    ----------
    bounds : sequence of StripBound
        Of all strips that were decoded.

    Returns
    -------
    str
        In words, in the units of the samples; empty if nothing is guaranteed of a strip.
    """
    errors = [one.max_error for one in bounds]
    known = [error for error in errors if error is not None]
    if not known or len(known) < len(errors):
        return ""
    largest = max(known)
    share = max((one.relative_error or 0.0 for one in bounds), default=0.0)
    if share:
        return f"no error above {share:.4g} of a sample or {largest:.6g}"
    return f"no error above {largest:.6g}" if largest else "lossless"


def bounds_report(bounds: Sequence[StripBound]) -> list[dict[str, Any]]:
    """Bounds of strips, neighbours of the same bound together.

    Parameters
    ----------
    bounds : sequence of StripBound
        Of strips one below the other.

    Returns
    -------
    list of dict
        Ready for JSON: ``lines``, half-open, ``max_error`` in the units of the samples, and
        ``relative_error``, a share; None where nothing is guaranteed.
    """
    report: list[dict[str, Any]] = []
    for one in bounds:
        told = {"max_error": one.max_error, "relative_error": one.relative_error}
        last = report[-1] if report else {}
        if last and {key: last[key] for key in told} == told:
            last["lines"] = [last["lines"][0], one.lines.stop]
        else:
            report.append({"lines": [one.lines.start, one.lines.stop], **told})
    return report
