"""A whole scene with one step: its header, side information and segments become a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from bandfold.bitstream.container.header import STEP_UNIT, CodingTools, Header, PackageReference
from bandfold.bitstream.container.sections import Section, read_sections, section_bytes, section_frame
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.segments.segment import Segment
from bandfold.common.spool import Keep, Kept, held
from bandfold.common.workers import trim_heap
from bandfold.onboard.planning.plan import (
    Basis,
    Plan,
    Planner,
    basis_sections,
    metadata_section,
    quantiser_of,
    stream_head,
)
from bandfold.onboard.samples.samples import Samples

from .scene_strips import SceneStrips, scene_strips, trial_strips
from .strip_coder import CodedStrip, Method, expected_mse
from .verification import check_faults, check_left_out

LATENTS_TRIED = 1 << 21
"""Latents on which steps are tried, about; a larger scene is subsampled ..."""

PIXELS_TRIED = (1 << 15, 1 << 16)
"""... to so many pixels at least and at most: where few components are coded more of them are looked at."""

Refine = Callable[[bytes, Header, Basis, Samples, slice, Segment | None], bytes]
"""Bounds the errors of a strip, see `bandfold.onboard.refinement.strip_refiner.StripRefiner.section`."""

Progress = Callable[[str, float], None]
"""Called with the name of a stage and the fraction of it that is done."""


@dataclass(frozen=True)
class CodedScene:
    """A coded scene.

    Parameters
    ----------
    head : bytes
        Preamble and header.
    side : bytes
        Sections that all strips need: folds, rotations, metadata.
    strips : tuple of CodedStrip
        All strips.
    mse : float or None
        Expected mean squared error per sample, in counts squared; None if it was not measured.
    step : float
        Quantiser step in counts.
    plan : Plan
        What it was coded with.
    notes : tuple of str
        What was asked for and is not what came out.
    limits : bytes
        Section that tells the limits of errors, where refinements of the strips keep to them.
    base_first : bool
        Whether refinements come behind all segments; else each comes behind its own.
    """

    head: bytes
    side: bytes
    strips: tuple[CodedStrip, ...]
    mse: float | None
    step: float
    plan: Plan
    notes: tuple[str, ...] = ()
    limits: bytes = b""
    base_first: bool = False

    @property
    def header(self) -> Header:
        """Header of the stream."""
        return Header.unpack(next(read_sections(self.head)).payload)

    @property
    def size(self) -> int:
        """Bytes of the stream."""
        strips = sum(segment_bytes(strip.payload) + len(strip.refinement) for strip in self.strips)
        return len(self.head) + len(self.limits) + len(self.side) + strips

    @property
    def data(self) -> bytes:
        """The whole stream."""
        return b"".join(self.parts())

    def parts(self) -> Iterator[bytes]:
        """The stream part by part: what is kept in a file need not be in memory at once."""
        yield from (self.head, self.limits, self.side)
        for strip in self.strips:
            payload = bytes(strip.payload)
            yield from (section_frame(Section.SEGMENT, payload), payload)
            if not self.base_first:
                yield bytes(strip.refinement)
        if self.base_first:
            yield from (bytes(strip.refinement) for strip in self.strips)


def pixels_tried(plan: Plan) -> int:
    """On how many pixels of a scene, about, steps are tried under a plan.

    Parameters
    ----------
    plan : Plan
        For the scene.

    Returns
    -------
    int
    """
    least, most = PIXELS_TRIED
    components = max(basis.fold.components for basis in plan.bases)
    return min(max(LATENTS_TRIED // max(components, 1), least), most)


class SceneCoder:
    """Codes one scene by one method, at any step and under any plan.

    Parameters
    ----------
    samples : Samples
        Of the scene.
    method : Method
        With a fold, or with a model.
    tables : Tables
        Entropy tables of the format.
    strip_lines : int
        Lines of a strip.
    progress : callable
        Called with a stage and the fraction done.
    trial_share : float
        Pixels on which steps are tried, in parts of the usual number.
    keep : callable
        Keeps what strips of the whole scene became until the stream is put together.

    Attributes
    ----------
    strip_lines : int
        As given.
    """

    def __init__(
        self,
        samples: Samples,
        method: Method,
        tables: Tables,
        strip_lines: int,
        progress: Progress,
        trial_share: float = 1.0,
        keep: Keep = held,
    ) -> None:
        self._trial_share = trial_share
        self._keep = keep
        self.samples = samples
        self.method = method
        self.progress = progress
        self._tables = tables
        self.strip_lines = strip_lines

    def strips(self, plan: Plan, *, once: bool = False) -> SceneStrips:
        """All strips of the scene under a plan, to be coded at several steps or `once`."""
        return scene_strips(self.samples, plan, self.method, self.strip_lines, once=once)

    def some_strips(self, plan: Plan, pixels: int, *, once: bool = False) -> SceneStrips:
        """Strips of about so many pixels that stand for the scene under a plan."""
        taken = round(pixels * self._trial_share)
        return trial_strips(self.samples, plan, self.method, self.strip_lines, taken, once=once)

    def code_strips(
        self,
        strips: SceneStrips,
        code: int,
        some: range | None = None,
        *,
        errors: bool,
        header_code: int | None = None,
        then: Callable[[int, CodedStrip], CodedStrip] | None = None,
    ) -> list[CodedStrip]:
        """Code strips with the step of a code, several at a time where there are threads.

        Parameters
        ----------
        strips : SceneStrips
            Which strips.
        code : int
            Step in units of ``1 / STEP_UNIT`` of a count.
        some : range, optional
            Which of them, all by default. Threads that have nothing left to do begin with those behind them.
        errors : bool
            Whether to measure squared errors too.
        header_code : int, optional
            The step that the header tells, if it is another one: then their segments tell theirs.
        then : callable, optional
            Called with the number of each strip and what it became, with its segment; gives what is kept.

        Returns
        -------
        list of CodedStrip
        """
        coded: dict[int, CodedStrip] = {}
        step = code / STEP_UNIT
        told = None if header_code in (None, code) else code
        which = range(len(strips)) if some is None else some
        workers = self.method.workers
        # Those first that take longest, so that threads are done at the same time. A strip that another
        # thread has just begun with comes last: it is not waited for.
        order = sorted(which, key=strips.left_to_do, reverse=True)

        def one(index: int) -> CodedStrip:
            own = None if then is None else partial(then, index)
            strip = strips.code(index, step, errors=errors, told=told, then=own)
            return self.kept(strip) if strips.pixels == self.samples.pixels else strip

        def in_turn() -> Iterator[int]:
            yield from order
            # One less than there are threads: more would take more memory than strips that are coded.
            for index in range(which.stop, min(which.stop + workers.threads - 1, len(strips))):
                strips.begin(index, workers)

        for index, strip in zip(order, workers.map(one, in_turn()), strict=True):
            coded[index] = strip
            self.progress("code", (which.start + len(coded)) / len(strips))
        return [coded[index] for index in which]

    def kept(self, strip: CodedStrip) -> CodedStrip:
        """A strip of the whole scene, kept until the stream is put together."""
        return replace(strip, payload=self._keep(strip.payload), refinement=self._keep(strip.refinement))

    def at_step(
        self, planner: Planner, code: int, *, errors: bool, last: bool = False, refine: Refine | None = None
    ) -> CodedScene:
        """Plan and code the scene at a step.

        Parameters
        ----------
        planner : Planner
            Of the scene.
        code : int
            Step in units of ``1 / STEP_UNIT`` of a count.
        errors : bool
            Whether to measure the squared error too.
        last : bool
            Whether the planner serves nobody else.
        refine : callable, optional
            Makes sections that bound the errors of strips, each as soon as its strip is coded.

        Returns
        -------
        CodedScene
        """
        self.progress("plan", 0.0)
        plan = planner.plan(code / STEP_UNIT)
        make_room(planner, last=last)
        strips = self.strips(plan, once=True)
        then = None if refine is None else self._refining(refine, strips, self.header(plan, code))
        coded = self.code_strips(strips, code, errors=errors, then=then)
        mse = None
        if errors:
            mse = expected_mse(coded, plan.left_out)
        strips.forget()
        return self.assemble(plan, code, self.side_sections(plan), coded, mse)

    def _refining(
        self, refine: Refine, strips: SceneStrips, header: Header
    ) -> Callable[[int, CodedStrip], CodedStrip]:
        """What adds its refinement to a strip that was coded, from the segment at hand."""
        bases = {basis.number: basis for basis in strips.plan.bases}

        def then(index: int, strip: CodedStrip) -> CodedStrip:
            part = strips.part(index)
            basis = bases[part.place.fold]
            made = refine(bytes(strip.payload), header, basis, part.samples, part.lines, strip.segment)
            return replace(strip, refinement=made)

        return then

    def assemble(
        self, plan: Plan, code: int, side: bytes, coded: Sequence[CodedStrip], mse: float | None
    ) -> CodedScene:
        """Say what a stream consists of.

        Parameters
        ----------
        plan : Plan
            What the strips are coded with.
        code : int
            Step in units of ``1 / STEP_UNIT`` of a count.
        side : bytes
            From `side_sections`.
        coded : sequence of CodedStrip
            All strips.
        mse : float or None
            Mean squared error per sample, in counts squared, if it was measured.

        Returns
        -------
        CodedScene

        Raises
        ------
        VerificationError
            If the plan leaves out more than what is not worth its bits, or a strip is worthless.
        """
        check_left_out(plan.left_out, max(plan.step, code / STEP_UNIT))
        check_faults(strip.fault for strip in coded)
        return CodedScene(self.head(plan, code), side, tuple(coded), mse, code / STEP_UNIT, plan)

    def side_sections(self, plan: Plan) -> bytes:
        """Sections that all strips need, but the header: folds, rotations, metadata."""
        return self.basis_sections(plan.bases) + self._metadata

    @cached_property
    def _metadata(self) -> bytes:
        """Metadata of the scene as a section: the same under all plans."""
        return metadata_section(self.samples.scene.info.metadata, self._tables)

    def basis_sections(self, bases: Sequence[Basis]) -> bytes:
        """Folds and rotations as sections."""
        return basis_sections(bases, self._tables)

    def head(self, plan: Plan, code: int) -> bytes:
        """Preamble and header of the scene under a plan, at a step."""
        return stream_head(self.header(plan, code))

    def header(self, plan: Plan, code: int) -> Header:
        """Header of the scene under a plan, at a step."""
        selection, spectral = plan.fold.selection, plan.fold.spectral
        return Header(
            self.samples.scene.info,
            self.strip_lines,
            code,
            CodingTools(
                spectral,
                self.method.transform,
                quantiser_of(self._tables, spectral=spectral),
                plan.fold.weighted,
                self.samples.block_codes is not None,
            ),
            self._tables.identity,
            self.method.model,
            None if selection is None else PackageReference(selection.sensor.name, selection.sensor.identity),
        )


def make_room(planner: Planner, *, last: bool) -> None:
    """Give back memory that served plans, before the whole scene is coded.

    Parameters
    ----------
    planner : Planner
        Which made them.
    last : bool
        Whether it serves nobody else: then all of it.
    """
    if last:
        planner.finish()
    else:
        planner.forget()
    trim_heap()


def segment_bytes(payload: Kept) -> int:
    """Bytes of a segment in the stream, with its frame."""
    return section_bytes(len(payload))
