"""One strip, from samples to a segment: fold, cosine transform, rotation, quantisation, entropy coding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import COSINE, STEP_UNIT, PackageReference
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.segments.segment import Segment, encode_segment, mode_name
from bandfold.common.scene import BLOCK
from bandfold.common.spool import Kept
from bandfold.common.strip_memory import StripMemory
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.planning.plan import Basis
from bandfold.onboard.quality import rounded_error
from bandfold.onboard.quantisation.rdoq import quantise
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER
from bandfold.onboard.samples.samples import Samples, Uncounted
from bandfold.onboard.transform.analysis import Analysis
from bandfold.onboard.transform.block_weights import weigh_blocks
from bandfold.onboard.transform.rotation import rotate

from .strip_error import CountedSamples
from .verification import blocks_checked, check_levels


@dataclass(frozen=True)
class CodedStrip:
    """A coded strip.

    Parameters
    ----------
    payload : bytes, Pieces or Spooled
        Of its segment section.
    error : float
        Sum of squared errors of what was coded, in counts squared; NaN if it was not measured. Samples
        without data and those that are kept exactly have none.
    counted : int
        Samples that it is the sum of.
    whole : int
        Samples of the strip, absent ones too.
    empty : int
        Those of lines that hold nothing: filled with one value, of which a fold leaves nothing out.
    gone : int
        Those of bands that hold nothing, likewise.
    final : bool
        Whether that is the error of the decoded counts, after they are rounded.
    fault : str
        Why the strip is worthless, if it is: trials of a step may come across such, streams must not.
    segment : Segment or None
        What decoding the payload gives, where that is at hand; it may lie in memory for strips.
    refinement : bytes or Spooled
        Section that bounds the errors of the strip, if there is one.
    """

    payload: Kept
    error: float
    counted: int = 0
    whole: int = 0
    empty: int = 0
    gone: int = 0
    final: bool = False
    fault: str = ""
    segment: Segment | None = None
    refinement: Kept = b""


def expected_mse(strips: Sequence[CodedStrip], left_out: float) -> float:
    """Mean squared error per sample of strips, once decoded.

    Parameters
    ----------
    strips : sequence of CodedStrip
        Whose errors were measured.
    left_out : float
        Mean squared error of what their folds leave out, in counts squared: per sample of the pixels that
        count, in all bands.

    Returns
    -------
    float
        In counts squared; 0 where no sample counts.
    """
    samples = sum(strip.counted for strip in strips)
    if not samples:
        return 0.0
    whole, gone = sum(strip.whole for strip in strips), sum(strip.gone for strip in strips)
    if gone:
        left_out *= whole / (whole - gone)
    mse = left_out + sum(strip.error for strip in strips) / samples
    return mse if all(strip.final for strip in strips) else rounded_error(mse)


class StripCoder(Protocol):
    """Codes strips: with a fold (`FoldedStripCoder`), or band by band with a model."""

    @property
    def latents_per_pixel(self) -> float:
        """Latents of a pixel that `analyse` makes: what keeping them between steps takes."""

    def analyse(self, samples: Samples, lines: slice, memory: StripMemory | None = None) -> Any:
        """Do what does not depend on the step; what comes out is for `code`.

        Parameters
        ----------
        samples : Samples
            Of the scene.
        lines : slice
            Lines of the strip.
        memory : StripMemory, optional
            Where large arrays may be taken from: then what comes out is lost with the next strip.
        """

    def code(
        self,
        analysed: Any,
        place: SegmentHeader,
        step: float,
        *,
        errors: bool,
        memory: StripMemory | None = None,
    ) -> CodedStrip:
        """Quantise and code a strip.

        Parameters
        ----------
        analysed
            From `analyse`.
        place : SegmentHeader
            Number of the strip, and of what it is coded with.
        step : float
            Quantiser step in counts.
        errors : bool
            Whether to measure the squared error too.
        memory : StripMemory, optional
            Where large arrays may be taken from: then the segment is lost with the next strip.
        """


class StripLatents(NamedTuple):
    """Latents of a strip, ready to be quantised at any step.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, rows, columns)
        Rotated, in units of ``1 / FRACTION`` of a count.
    rotation_map : ndarray of uint8, shape (rows, columns), or None
        Rotation of each block.
    uncounted : Uncounted
        Samples without data, and those that are kept exactly.
    block_codes : ndarray of uint8, shape (rows, columns), or None
        Codes of the weights that the latents were multiplied by.
    """

    latents: NDArray[np.int32]
    rotation_map: NDArray[np.uint8] | None
    uncounted: Uncounted
    block_codes: NDArray[np.uint8] | None = None


class FoldedStripCoder:
    """Codes strips with one basis.

    Parameters
    ----------
    basis : Basis
        Fold and rotations.
    step : float
        Quantiser step, in counts, for which blocks choose their rotations: that of the plan.
    tables : Tables
        Context networks and entropy tables.
    workers : Workers
        Threads that share the work on a strip.
    searches : int
        Searches for the best path of trellis-coded quantisation.
    bit_worth : float
        What a bit is worth, in parts of the usual Lagrange multiplier: less keeps more details of a coarser
        step.
    """

    def __init__(
        self,
        basis: Basis,
        step: float,
        tables: Tables,
        workers: Workers = ALONE,
        searches: int = 1,
        bit_worth: float = 1.0,
    ) -> None:
        self._searches = searches
        self._bit_worth = bit_worth
        self._basis = basis
        self._step = step
        self._tables = tables
        self._workers = workers
        self._analysis = Analysis(basis.fold, workers)
        self._mode = tables.modes[mode_name(spectral=basis.fold.spectral)]

    @property
    def latents_per_pixel(self) -> float:
        """One for each component."""
        return self._basis.fold.components

    def analyse(self, samples: Samples, lines: slice, memory: StripMemory | None = None) -> StripLatents:
        """Fold the bands, transform and weigh blocks of the components, and rotate the strongest of each.

        Parameters
        ----------
        samples : Samples
            Of the scene.
        lines : slice
            Lines of the strip.
        memory : StripMemory, optional
            See `StripCoder.analyse`.

        Returns
        -------
        StripLatents
        """
        latents = self._analysis.strip(samples, lines, memory)
        codes = samples.codes_of_blocks(lines)
        if codes is not None:
            weigh_blocks(latents, codes)
        rotations = self._basis.rotations
        rotation_map = rotate(latents, rotations, self._step, self._workers) if rotations else None
        return StripLatents(latents, rotation_map, samples.uncounted(lines), codes)

    def code(
        self,
        analysed: StripLatents,
        place: SegmentHeader,
        step: float,
        *,
        errors: bool,
        memory: StripMemory | None = None,
    ) -> CodedStrip:
        """Quantise latents and write their segment; see `StripCoder.code`."""
        latents, worth = analysed.latents, LAGRANGE_MULTIPLIER * self._bit_worth
        flat = (*latents.shape[:2], math.prod(latents.shape[2:]))
        blocks = blocks_checked(flat[2], place.index)
        checked = latents.reshape(flat)[..., blocks].copy()
        # What lies in memory for strips serves one: nobody asks for its latents again.
        once = memory is not None and not errors
        levels, classes = quantise(latents, step, self._mode, worth, self._searches, memory, in_place=once)
        found = levels.reshape(flat[1], flat[0], flat[2])[..., blocks]
        check_levels(checked, found, step, place.index)
        segment = Segment(
            levels,
            classes,
            analysed.rotation_map,
            analysed.uncounted.absent,
            analysed.uncounted.escapes,
            analysed.uncounted.shape,
            block_codes=analysed.block_codes,
        )
        payload = encode_segment(
            place,
            segment,
            self._tables,
            spectral=self._basis.fold.spectral,
            rotations=len(self._basis.rotations),
            step_code=round(step * STEP_UNIT),
            each=self._workers.map,
        ).pieces()
        if not errors:
            return CodedStrip(payload, math.nan, segment=segment)
        counted = CountedSamples(analysed.uncounted)
        error = counted.squared_error(latents, levels, classes, step, self._mode)
        return CodedStrip(
            payload, error, counted.count, counted.whole, counted.empty, counted.gone, segment=segment
        )


class Method(Protocol):
    """A way to code strips, and what rate control and the header need to know of it."""

    @property
    def transform(self) -> str:
        """Name of the transform, as the header tells it."""

    @property
    def model(self) -> PackageReference | None:
        """Package of the model, if there is one."""

    @property
    def workers(self) -> Workers:
        """Threads that code strips side by side."""

    @property
    def trims(self) -> bool:
        """Whether strips may have steps of their own, which move their sizes by small amounts."""

    @property
    def saturates(self) -> bool:
        """Whether finer steps make errors larger somewhere: networks were trained for some contrasts."""

    @property
    def lines_together(self) -> int:
        """Lines that stay together where a part of a scene stands for it."""

    def trial_height(self, lines: int, strip_lines: int) -> int:
        """Lines of the strips of such a part, which has so many lines."""

    def coder(self, basis: Basis, step: float) -> StripCoder:
        """What codes strips with a basis, planned for a step in counts."""


class TransformMethod:
    """Folds (or bands as they are) through the fixed cosine transform.

    Parameters
    ----------
    tables : Tables
        Context networks and entropy tables.
    workers : Workers
        Threads that code strips side by side.
    searches : int
        Searches for the best path of trellis-coded quantisation.
    bit_worth : float
        What a bit is worth in quantisation, in parts of the usual Lagrange multiplier.
    """

    transform = COSINE
    model = None
    trims = True
    saturates = False
    lines_together = BLOCK

    def __init__(
        self, tables: Tables, workers: Workers = ALONE, searches: int = 1, bit_worth: float = 1.0
    ) -> None:
        self._tables = tables
        self._searches = searches
        self._bit_worth = bit_worth
        self.workers = workers

    def trial_height(self, lines: int, strip_lines: int) -> int:
        """Of one height, so that threads are done at the same time."""
        return BLOCK * -(-(lines // BLOCK) // -(-lines // strip_lines))

    def coder(self, basis: Basis, step: float) -> StripCoder:
        """See `Method.coder`."""
        return FoldedStripCoder(basis, step, self._tables, self.workers, self._searches, self._bit_worth)
