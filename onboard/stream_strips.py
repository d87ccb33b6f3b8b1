"""One strip of a stream after the other, as if nobody knew what comes next: plan, find the step, code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from bandfold.bitstream.container.header import COSINE, STEP_UNIT, CodingTools, Header, PackageReference
from bandfold.bitstream.container.sections import Section, write_section
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import Package
from bandfold.bitstream.refinement.tables import load_refinement_tables
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.common.errors import IntegrityError
from bandfold.common.exact import log2_of
from bandfold.common.scene import SCALED_DTYPES, SceneInfo, SceneSource
from bandfold.common.values.value_range import RARE
from bandfold.common.workers import Workers

from .coding.scene_coder import SceneCoder
from .coding.strip_coder import CodedStrip, FoldedStripCoder, StripCoder, TransformMethod
from .coding.verification import check_faults, check_left_out
from .downlink.resume import Begun
from .downlink.resume_check import check_header, check_limits, check_step
from .memory_scrubber import Scrubber
from .planning.partition import partition_ends
from .planning.plan import Planner, end_section, header_section, metadata_section, quantiser_of, stream_head
from .planning.stream_planner import StreamBasis, StreamPlanner
from .prediction.model_networks import streamed_model
from .prediction.predicted_planner import PredictedPlanner, PredictedStreamPlanner
from .quality import rounding_doubt
from .rate.base_trial import choose_base
from .rate.leaky_bucket import LeakyBucket
from .rate.order_trial import choose_order
from .rate.stream_control import (
    FirstStep,
    FixedQuality,
    FixedStep,
    LimitedRate,
    StreamControl,
    StripTask,
    weigh_latents,
)
from .refinement.strip_refiner import StripRefiner
from .samples.count_plan import AHEAD, CountPlan, doublings_for, plan_counts
from .samples.samples import DescribedSource, Samples
from .settings import BASE_BPS, EncoderSettings, find_package
from .target import step_code

FIRST_PLANS = 3
"""Plans made for the first strip at most: the step that a rate needs is not known before."""

FAR = 0.4
"""Octaves between the steps of the first plan and the first strip from which on it is planned again."""

END_BYTES = 16
"""Bytes of an end, at most."""


class StreamStrips:
    """Codes the strips of a stream.

    Parameters
    ----------
    info : SceneInfo
        What the strips are: bands, samples, type, metadata. The number of lines is not used.
    settings : EncoderSettings
        With ``stream``.
    begun : Begun or None
        A stream that was cut off and is to be continued.

    Raises
    ------
    SettingsError
        If settings are not those of the stream that was begun.
    ModelError
        If a package or the tables are unknown or cannot be used.

    Attributes
    ----------
    strips, lines : int
        Coded so far, those of the stream that was begun included.
    components : int
        Of the fold of most of them so far.
    suspect : list of slice
        Lines that were coded between the last look at memory that found nothing and one that found flipped
        bits.
    """

    def __init__(self, info: SceneInfo, settings: EncoderSettings, begun: Begun | None) -> None:
        self._info = replace(info, lines=1)
        self._settings = settings
        self._spectral = settings.spectral != "none"
        self._workers = Workers(settings.threads)
        self._tables = load_tables(settings.tables_path)
        sensor = None
        if settings.sensor is not None:
            sensor = SensorBasis.from_package(find_package(settings.sensor))
            sensor.check_scene(self._info)
        self._model = None if settings.model is None else streamed_model(settings)
        # Limits that do not fit the scene are refused before its first line.
        self._refiner()
        self._planner = self._make_planner(sensor, 0 if begun is None else begun.next_basis)
        self._scrubbed = 0
        self._scrubber = Scrubber(self._loaded(sensor))
        self.suspect: list[slice] = []
        self._header = Header(
            replace(self._info, metadata={}),
            settings.segment_lines,
            1,
            self._tools(),
            self._tables.identity,
            model=None if self._model is None else self._model.model,
            sensor=PackageReference(sensor.name, sensor.identity) if sensor else None,
            open=True,
        )
        self._since_repeated = 0
        self._bucket = None if settings.bps is None else LeakyBucket(float(settings.bps), settings.buffer)
        self.strips = self.lines = self.components = 0
        self._begun = begun
        self._plan: CountPlan | None = None
        self._doubts: tuple[str, ...] = ()
        # Escapes keep what a scaling cannot hold, unless the user has declared it.
        self._seek = info.dtype in SCALED_DTYPES and info.scaling is None
        self._control: StreamControl | None = None
        self._lacks_metadata = begun is None or not begun.metadata
        if begun is not None:
            self._continue(begun)

    def code(self, scene: SceneSource) -> list[bytes]:
        """Code the next strip.

        Parameters
        ----------
        scene : SceneSource
            Its lines.

        Returns
        -------
        list of bytes
            Sections; the preamble comes with the first header.

        Raises
        ------
        SceneError
            If the lines cannot be coded.
        BudgetError
            If the strip does not fit the rate.
        IntegrityError
            If bits in memory have flipped, and what was loaded cannot be loaded again.
        VerificationError
            If a strip was coded wrongly.
        """
        if self._settings.scrub_strips and self.strips - self._scrubbed >= self._settings.scrub_strips:
            self._look_at_memory()
        samples, doublings = self._counts(scene)
        refiner = self._refiner()
        control = self._control = self._control or self._make_control(samples)
        if self._bucket is not None:
            self._bucket.open(samples.info.count)
        known = self._planner.current
        if known is None:
            before, coded, basis = self._code_first(samples, doublings, control)
        else:
            step = control.next_step()
            basis = self._planner.follow(samples, _own_step(step, doublings)) or known
            before = self._before(basis, renewed=basis is not known)
            task = self._task(basis, samples, sum(map(len, before)), doublings)
            chosen, coded = control.code(task, step)
            if basis is not known:
                used = _own_step(max(step, chosen / STEP_UNIT), doublings)
                check_left_out(self._planner.mismatch.left_out, used)
        check_faults([coded.fault])
        self._since_repeated = 1 if before else self._since_repeated + 1
        self._lacks_metadata = False
        sections = [*before, write_section(Section.SEGMENT, coded.payload)]
        if self._bucket is not None:
            self._bucket.close(sum(map(len, sections)))
        if refiner is not None:
            lines = slice(0, samples.info.lines)
            sections.append(
                refiner.section(coded.payload, self._header, basis.basis, samples, lines, coded.segment)
            )
        self.strips += 1
        self.lines += samples.info.lines
        self.components = max(self.components, basis.basis.fold.components)
        return sections

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the samples; empty until the first strip is coded."""
        found = self._plan.notes(self._info) if self._plan is not None and self._seek else ()
        return found + self._doubts

    @property
    def header(self) -> Header:
        """What the last header told, with the lines that are coded so far."""
        return replace(self._header, info=replace(self._header.info, lines=max(self.lines, 1)))

    @property
    def engines(self) -> tuple[str, ...]:
        """What ran the network of the model so far; empty without one."""
        return () if self._model is None else self._model.engines

    def end(self) -> list[bytes]:
        """The sections behind the last strip.

        Raises
        ------
        IntegrityError
            As for `code`.
        """
        if self._settings.scrub_strips:
            self._look_at_memory()
        # Without a header nothing can be decoded, however few strips there are.
        repeated = [header_section(self._header)] if self._settings.repeat_strips else []
        return [*repeated, end_section(self.lines, self.strips)]

    def _refiner(self) -> StripRefiner | None:
        """What bounds the errors of strips, if they are to be."""
        codec = None if self._model is None else self._model.codec
        return StripRefiner.of(self._settings, self._info, self._tables, codec)

    def _best_base(self, planner: Planner, samples: Samples, first: int) -> int:
        """Code of the step with which a strip takes the fewest bytes, what bounds its errors among them."""
        refiner = self._refiner()
        if refiner is None:
            raise ValueError("there are no limits")
        method = self._model or TransformMethod(self._tables, self._workers, self._settings.spent.searches)
        height = self._settings.segment_lines
        coder = SceneCoder(samples, method, self._tables, height, lambda stage, done: None)
        return choose_base(coder, [planner], refiner, lambda _: first).code

    def _code_first(
        self, samples: Samples, doublings: int, control: StreamControl
    ) -> tuple[list[bytes], CodedStrip, StreamBasis]:
        """What goes before the segment of a strip for which there is no plan yet, the strip, its basis."""
        if self._model is not None:
            self._model.reserve(samples.info)
        sample = self._planner.look(samples)
        planner = self._planner.planner(sample)
        step = control.first_step(planner, samples)
        if self._model is not None and isinstance(planner, PredictedPlanner):
            # The planner knows all it needs of the blocks, which are large beside a strip.
            sample = replace(sample, blocks=sample.blocks[:, :1].copy())
            # What was begun without steps of bands goes on without.
            stepped = self._begun is None or self._header.tools.weighted
            choose_order(samples, self._model, planner, step_code(step), stepped=stepped)
            if self._begun is None:
                tools = replace(self._header.tools, weighted=bool(planner.hierarchy.steps))
                self._header = replace(self._header, tools=tools)
            elif stepped and not planner.hierarchy.steps:
                planner.hierarchy = planner.hierarchy.with_steps(samples.info.bands)
        if not self.strips:
            self._header = replace(self._header, step_code=step_code(step))
        for turn in range(FIRST_PLANS):
            basis = self._planner.renew(sample, _own_step(step, doublings), planner, again=turn > 0)
            before = self._before(basis, renewed=True)
            task = self._task(basis, samples, sum(map(len, before)), doublings)
            chosen, coded = control.code(task, step)
            if abs(log2_of(chosen) - log2_of(step * STEP_UNIT)) < FAR:
                break
            step = chosen / STEP_UNIT
        used = _own_step(chosen / STEP_UNIT, doublings)
        check_left_out(self._planner.mismatch.left_out, max(basis.step, used))
        return before, coded, basis

    def _before(self, basis: StreamBasis, *, renewed: bool) -> list[bytes]:
        """What goes before the segment of a strip."""
        repeat = self._settings.repeat_strips
        if not renewed and not (repeat and self._since_repeated >= repeat):
            return []
        refiner = self._refiner()
        limits = [] if refiner is None else [write_section(Section.LIMITS, refiner.told(self._info).pack())]
        first = not self.strips and self._begun is None
        head = stream_head(self._header) if first else header_section(self._header)
        metadata = metadata_section(self._info.metadata, self._tables) if self._lacks_metadata else b""
        return [head, *limits, *([metadata] if metadata else []), basis.sections]

    @property
    def awaits_values(self) -> bool:
        """Whether what counts are worth is still to be found, from values that vary."""
        return self._seek and self._plan is None and self._begun is None

    def plan_counts(self, scene: SceneSource) -> CountPlan:
        """Find what the counts of floats and 32-bit integers are worth, in all of the stream.

        Parameters
        ----------
        scene : SceneSource
            The first lines whose values vary.

        Returns
        -------
        CountPlan
        """
        scaling = self._info.scaling
        known = DescribedSource(scene, replace(scene.info, scaling=scaling, no_data=self._info.no_data))
        plan = plan_counts(known, seek_fills=self._settings.find_fill_values, headroom=AHEAD)
        if scaling is None:
            self._info = plan.describe(self._info)
            self._header = replace(self._header, info=replace(self._info, metadata={}))
        self._plan = plan
        return plan

    def _counts(self, scene: SceneSource) -> tuple[Samples, int]:
        """A strip as counts, and how many times twice the value its counts have."""
        if scene.info.dtype not in SCALED_DTYPES:
            return Samples.of(scene), 0
        plan = self._plan or self.plan_counts(scene)
        if not self._seek:
            return Samples.of(scene, plan), 0
        samples = Samples.of(scene, plan)
        escapes = samples.uncounted(slice(0, scene.info.lines)).escapes
        if self._settings.limits:
            # Coarser counts would not keep them: what has no count is kept exactly.
            return samples, 0
        if escapes is None or len(escapes.places) <= RARE * scene.info.count:
            return samples, 0
        doublings = doublings_for(scene, plan)
        if not doublings:
            return samples, 0
        coarse = replace(plan, scaling=plan.scaling.coarser(doublings), peak=plan.peak / 2.0**doublings)
        return Samples.of(scene, coarse), doublings

    def _task(self, current: StreamBasis, samples: Samples, overhead: int, doublings: int) -> StripTask:
        """The strip, analysed under a basis and ready to be coded at any step in counts of the header."""
        height = samples.info.lines
        coder, weigh = self._coder(current, samples)
        strip = coder.analyse(samples, slice(0, height))
        low = height if height < self._settings.segment_lines else None
        place = SegmentHeader(
            self.strips, current.basis.number, current.basis.rotation, lines=low, doublings=doublings
        )
        errors = self._control is not None and self._control.errors
        worth = float(1 << doublings)

        def code(header_code: int) -> CodedStrip:
            own = step_code(_own_step(header_code / STEP_UNIT, doublings))
            told = None if own == self._header.step_code else own
            coded = coder.code(strip, replace(place, step_code=told), own / STEP_UNIT, errors=errors)
            return replace(coded, error=coded.error * worth * worth)

        left_out = self._planner.mismatch.left_out * worth * worth
        return StripTask(
            lambda step: weigh(strip, _own_step(step, doublings)),
            code,
            left_out,
            overhead,
            samples.info.count,
        )

    def _coder(
        self, current: StreamBasis, samples: Samples
    ) -> tuple[StripCoder, Callable[[Any, float], float]]:
        """What codes strips, and what tells how much one weighs at a step."""
        if self._model is None:
            folded = FoldedStripCoder(
                current.basis, current.step, self._tables, self._workers, self._settings.spent.searches
            )
            return folded, weigh_latents
        # Looked at only where a rate is to be kept.
        planner = cache(lambda: PredictedPlanner(self._planner.look(samples)))
        return self._model.coder(current.basis, current.step), lambda _, step: planner().weigh(step)

    def _tools(self) -> CodingTools:
        if self._model is not None:
            return CodingTools(False, self._model.transform)
        return CodingTools(
            self._spectral,
            COSINE,
            quantiser_of(self._tables, spectral=self._spectral),
            self._settings.weights is not None,
        )

    def _loaded(self, sensor: SensorBasis | None) -> dict[str, object]:
        """What is compared with its hashes."""
        return {
            "tables": self._tables,
            "sensor": sensor,
            "refinement": load_refinement_tables() if self._settings.limits else None,
            "model": None if self._model is None else self._model.codec,
        }

    def _look_at_memory(self) -> None:
        """Compare what is loaded with its hashes, and load it again if it has changed."""
        lines = slice(self._scrubbed * self._settings.segment_lines, self.lines)
        self._scrubbed = self.strips
        changed = self._scrubber.changed()
        if not changed:
            return
        self.suspect.append(lines)
        # Not from the cache, which holds what has changed.
        tables = load_tables.__wrapped__(self._settings.tables_path)
        wanted, sensor = self._settings.sensor, None
        if wanted is not None and not isinstance(wanted, Package):
            sensor = SensorBasis.from_package(find_package(wanted))
        # A package that was handed over cannot be loaded again.
        handed = any(isinstance(one, Package) for one in (wanted, self._settings.model))
        if self._settings.model is not None and not handed:
            self._model = streamed_model(self._settings, tables)
        self._tables = tables
        load_refinement_tables.cache_clear()
        if handed or not self._scrubber.same(self._loaded(sensor)):
            raise IntegrityError(
                f"bits have flipped in memory ({changed[0]}), and what is loaded again is not the same: "
                f"lines {lines.start}:{lines.stop} are in doubt; restart"
            )
        load_tables.cache_clear()
        self._planner = self._make_planner(sensor, self._planner.next_number)
        self._scrubber = Scrubber(self._loaded(sensor))

    def _make_planner(self, sensor: SensorBasis | None, first: int) -> StreamPlanner | PredictedStreamPlanner:
        if self._model is not None:
            return PredictedStreamPlanner(self._tables, first)
        return StreamPlanner(
            self._tables,
            ends=partition_ends(self._settings.partition),
            sensor=sensor,
            spectral=self._spectral,
            first=first,
            workers=self._workers,
            weights=self._settings.weights,
            rotations=self._settings.spent.rotations,
        )

    def _continue(self, begun: Begun) -> None:
        """Take up a stream that was cut off."""
        if self._seek:
            # What was found in its first strip holds.
            told = begun.header.info
            no_data = self._info.no_data if self._info.no_data is not None else told.no_data
            self._info = replace(self._info, scaling=told.scaling, no_data=no_data)
            self._header = replace(self._header, info=replace(self._info, metadata={}))
        check_header(begun.header, self._header)
        refiner = self._refiner()
        check_limits(begun, None if refiner is None else refiner.told(self._info))
        if self._settings.target.step is not None:
            check_step(begun, step_code(self._settings.target.step))
        self._header = begun.header
        self.strips, self.lines = begun.strips, begun.lines
        if self._bucket is not None:
            self._bucket.resume(
                begun.lines * self._info.bands * self._info.samples, begun.size - begun.refined
            )

    def _make_control(self, samples: Samples) -> StreamControl:
        target, begun = self._settings.target, self._begun
        if target.step is not None:
            return FixedStep(target.step)
        mse = target.mse(samples.peak, samples.scale)
        if mse is not None:
            # A stream does not end over it: no line comes again.
            doubt = rounding_doubt(mse, samples.rounding, samples.peak, samples.scale)
            self._doubts = (doubt,) if doubt else ()
            return FixedQuality(mse if doubt else mse - samples.rounding)
        if self._settings.chooses_base:
            step = 0.0 if begun is None else begun.step_code / STEP_UNIT
            return FirstStep(BASE_BPS, self._best_base, step)
        if self._bucket is None:
            raise ValueError("the target is no rate")
        # What the stream ends with is paid for in advance.
        self._bucket.spend(len(header_section(self._header)) + END_BYTES)
        return LimitedRate(self._bucket, 0.0 if begun is None else begun.step_code / STEP_UNIT)


def _own_step(step: float, doublings: int) -> float:
    """A step in counts of the header, in counts of a strip that are worth ``2**doublings`` of them.

    Finer steps than half of what counts are rounded to gain nothing.
    """
    return max(step / 2.0**doublings, min(step, 0.5))
