"""One strip of a stream after the other, as if nobody knew what comes next: plan, find the step, code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from bandfold.bitstream.container.header import COSINE, STEP_UNIT, CodingTools, Header, PackageReference
from bandfold.bitstream.container.sections import Section, write_section
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.common.errors import IntegrityError
from bandfold.common.exact import exp2, log2_of
from bandfold.common.scene import SCALED_DTYPES, SceneInfo, SceneSource
from bandfold.common.workers import Workers

from .coding.scene_coder import SceneCoder
from .coding.strip_coder import CodedStrip, FoldedStripCoder, StripCoder, TransformMethod
from .coding.verification import check_faults, check_left_out
from .memory_scrubber import Scrubber
from .planning.partition import partition_ends
from .planning.plan import Planner, end_section, header_section, metadata_section, quantiser_of, stream_head
from .planning.stream_planner import StreamBasis, StreamPlanner
from .rate.leaky_bucket import LeakyBucket
from .rate.missed_quality import MissedQuality
from .rate.stream_control import (
    FirstStep,
    FixedQuality,
    FixedStep,
    LimitedRate,
    StreamControl,
    StripTask,
    weigh_latents,
)
from .samples.samples import Samples
from .samples.stream_counts import CountedStrip, StreamCounts
from .settings import BASE_BPS, EncoderSettings, find_package
from .target import step_code

if TYPE_CHECKING:
    from bandfold.bitstream.transforms.sensor_basis import SensorBasis

    from .downlink.resume import Begun
    from .prediction.predicted_coder import PredictedMethod
    from .prediction.predicted_planner import PredictedStreamPlanner
    from .refinement.strip_refiner import StripRefiner

# What few streams ask for, models, bounded errors and what was begun, is imported where they do.

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
        self._tables = load_tables(settings.tables_path).with_states(settings.trellis_states)
        sensor = None
        if settings.sensor is not None:
            from bandfold.bitstream.transforms.sensor_basis import SensorBasis

            sensor = SensorBasis.from_package(find_package(settings.sensor))
            sensor.check_scene(self._info)
        self._model = None
        if settings.model is not None:
            from .prediction.model_networks import streamed_model

            self._model = streamed_model(settings)
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
        # Escapes keep what a scaling cannot hold, unless the user has declared it.
        self._seek = info.dtype in SCALED_DTYPES and info.scaling is None
        self._control: StreamControl | None = None
        self._lacks_metadata = begun is None or not begun.metadata
        if begun is not None:
            self._continue(begun)
        self._counts = StreamCounts(self._info, settings, begun=begun is not None, seek=self._seek)

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
        strip = self._counted(scene)
        refiner = self._refiner()
        control = self._control = self._control or self._make_control()
        if self._bucket is not None:
            self._bucket.open(strip.samples.info.count)
        known = self._planner.current
        if known is None:
            before, task, coded, basis = self._code_first(strip, control)
        else:
            step = control.next_step()
            own = _own_step(step, strip)
            basis = self._planner.follow(strip.samples, own) or known
            before, task = self._under(basis, strip, renewed=basis is not known)
            chosen, coded = control.code(task, step)
            for _ in range(FIRST_PLANS):
                finer = self._finer_fold(control, task, coded)
                if not finer:
                    break
                # A fold that was made for this strip is not fine enough.
                made = basis is not known
                own *= exp2(-finer) if made else 1.0
                basis = self._planner.renew(self._planner.look(strip.samples), own, again=made)
                before, task = self._under(basis, strip, renewed=True)
                chosen, coded = control.code(task, step)
            if basis is not known:
                used = _own_step(max(step, chosen / STEP_UNIT), strip)
                check_left_out(self._planner.mismatch.left_out, max(basis.step, used))
        control.take(task, coded)
        samples = strip.samples
        check_faults([coded.fault])
        self._since_repeated = 1 if before else self._since_repeated + 1
        self._lacks_metadata = False
        sections = [*before, write_section(Section.SEGMENT, bytes(coded.payload))]
        if self._bucket is not None:
            self._bucket.close(sum(map(len, sections)))
        if refiner is not None:
            lines = slice(0, samples.info.lines)
            sections.append(
                refiner.section(
                    bytes(coded.payload), self._header, basis.basis, samples, lines, coded.segment
                )
            )
        self.strips += 1
        self.lines += samples.info.lines
        self.components = max(self.components, basis.basis.fold.components)
        return sections

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the samples; empty until the first strip is coded."""
        return self._counts.notes + (() if self._control is None else self._control.notes)

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
        if not self._settings.limits:
            return None
        from .refinement.strip_refiner import StripRefiner

        codec = None if self._model is None else self._model.codec
        return StripRefiner.of(self._settings, self._info, self._tables, codec)

    def _best_base(self, planner: Planner, strip: CountedStrip, first: int) -> int:
        """Code of the step with which a strip takes the fewest bytes, what bounds its errors among them."""
        from .rate.base_trial import choose_base

        refiner = self._refiner()
        if refiner is None:
            raise ValueError("there are no limits")
        method = self._model or TransformMethod(self._tables, self._workers, self._settings.spent.searches)
        height = self._settings.segment_lines
        coder = SceneCoder(strip.samples, method, self._tables, height, lambda stage, done: None)
        return choose_base(coder, [planner], refiner, lambda _: first).code

    def _finer_fold(self, control: StreamControl, task: StripTask, coded: CodedStrip) -> float:
        """Octaves by which a fold is to be finer; none with the package of a sensor, as in libbandfold."""
        return 0.0 if self._settings.sensor is not None else control.finer_fold(task, coded)

    def _code_first(
        self, strip: CountedStrip, control: StreamControl
    ) -> tuple[list[bytes], StripTask, CodedStrip, StreamBasis]:
        """What goes before the segment of a strip for which there is no plan yet, the strip, its basis."""
        samples = strip.samples
        if self._model is not None:
            self._model.reserve(samples.info)
        sample = self._planner.look(samples)
        planner = self._planner.planner(sample)
        step = control.first_step(planner, strip)
        if self._model is not None:
            # The planner knows all it needs of the blocks, which are large beside a strip.
            sample = replace(sample, blocks=sample.blocks[:, :1].copy())
            self._find_order(self._model, planner, samples, step_code(_own_step(step, strip)))
        if not self.strips:
            self._header = replace(self._header, step_code=step_code(step))
        finer = 0.0
        for turn in range(FIRST_PLANS):
            own = _own_step(step, strip) * exp2(-finer)
            basis = self._planner.renew(sample, own, planner, again=turn > 0)
            before, task = self._under(basis, strip, renewed=True)
            chosen, coded = control.code(task, step)
            octaves = self._finer_fold(control, task, coded)
            if not octaves and abs(log2_of(chosen) - log2_of(step * STEP_UNIT)) < FAR:
                break
            finer += octaves
            if not finer:
                step = chosen / STEP_UNIT
        used = _own_step(chosen / STEP_UNIT, strip)
        check_left_out(self._planner.mismatch.left_out, max(basis.step, used))
        return before, task, coded, basis

    def _find_order(self, model: PredictedMethod, planner: Planner, samples: Samples, first: int) -> None:
        """Find the order in which bands are predicted."""
        from .prediction.predicted_planner import PredictedPlanner
        from .rate.order_trial import choose_order

        if not isinstance(planner, PredictedPlanner):
            raise TypeError("a model is planned for by its own planner")
        # What was begun without steps of bands goes on without.
        stepped = self._begun is None or self._header.tools.weighted
        choose_order(samples, model, planner, first, stepped=stepped)
        if self._begun is None:
            tools = replace(self._header.tools, weighted=bool(planner.hierarchy.steps))
            self._header = replace(self._header, tools=tools)
        elif stepped and not planner.hierarchy.steps:
            planner.hierarchy = planner.hierarchy.with_steps(samples.info.bands)

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
        return self._counts.awaits_values

    def plan_counts(self, scene: SceneSource) -> None:
        """Find what the counts of floats and 32-bit integers are worth, in all of the stream.

        Parameters
        ----------
        scene : SceneSource
            The first lines whose values vary.
        """
        self._counts.find(scene)
        self._describe()

    def _counted(self, scene: SceneSource) -> CountedStrip:
        """A strip as counts."""
        strip = self._counts.of(scene)
        self._describe()
        return strip

    def _describe(self) -> None:
        """Tell in the header what was found of the counts."""
        if self._info is not self._counts.info:
            self._info = self._counts.info
            self._header = replace(self._header, info=replace(self._info, metadata={}))

    def _under(
        self, basis: StreamBasis, strip: CountedStrip, *, renewed: bool
    ) -> tuple[list[bytes], StripTask]:
        """What goes before the segment of a strip, and the strip under a basis."""
        before = self._before(basis, renewed=renewed)
        return before, self._task(basis, strip, sum(map(len, before)))

    def _task(self, current: StreamBasis, strip: CountedStrip, overhead: int) -> StripTask:
        """The strip, analysed under a basis and ready to be coded at any step in counts of the header."""
        samples, doublings = strip.samples, strip.doublings
        height = samples.info.lines
        coder, weigh = self._coder(current, samples)
        analysed = coder.analyse(samples, slice(0, height))
        low = height if height < self._settings.segment_lines else None
        place = SegmentHeader(
            self.strips, current.basis.number, current.basis.rotation, lines=low, doublings=doublings
        )
        errors = self._control is not None and self._control.errors

        def code(header_code: int) -> CodedStrip:
            own = step_code(_own_step(header_code / STEP_UNIT, strip))
            told = None if own == self._header.step_code else own
            return coder.code(analysed, replace(place, step_code=told), own / STEP_UNIT, errors=errors)

        return StripTask(
            strip,
            lambda step: weigh(analysed, _own_step(step, strip)),
            code,
            self._planner.mismatch.left_out,
            overhead,
            of_all=self._settings.sensor is not None,
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
        from .prediction.predicted_planner import PredictedPlanner

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
        refinement = None
        if self._settings.limits:
            from bandfold.bitstream.refinement.tables import load_refinement_tables

            refinement = load_refinement_tables()
        return {
            "tables": self._tables,
            "sensor": sensor,
            "refinement": refinement,
            "model": None if self._model is None else self._model.codec,
        }

    def _look_at_memory(self) -> None:
        """Compare what is loaded with its hashes, and load it again if it has changed."""
        lines = slice(self._scrubbed * self._settings.segment_lines, self.lines)
        self._scrubbed = self.strips
        changed = self._scrubber.changed()
        if not changed:
            return
        from bandfold.bitstream.packages.package import Package
        from bandfold.bitstream.refinement.tables import load_refinement_tables
        from bandfold.bitstream.transforms.sensor_basis import SensorBasis

        self.suspect.append(lines)
        # Not from the cache, which holds what has changed.
        tables = load_tables.__wrapped__(self._settings.tables_path)
        tables = tables.with_states(self._settings.trellis_states)
        wanted, sensor = self._settings.sensor, None
        if wanted is not None and not isinstance(wanted, Package):
            sensor = SensorBasis.from_package(find_package(wanted))
        # A package that was handed over cannot be loaded again.
        handed = any(isinstance(one, Package) for one in (wanted, self._settings.model))
        if self._settings.model is not None and not handed:
            from .prediction.model_networks import streamed_model

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
            from .prediction.predicted_planner import PredictedStreamPlanner

            return PredictedStreamPlanner(self._tables, first)
        planner = StreamPlanner(
            self._tables,
            ends=partition_ends(self._settings.partition),
            sensor=sensor,
            spectral=self._spectral,
            first=first,
            workers=self._workers,
            weights=self._settings.weights,
            effort=self._settings.spent,
        )
        # With packages of sensors as libbandfold does.
        planner.counted = self._settings.target.is_quality and sensor is None
        return planner

    def _continue(self, begun: Begun) -> None:
        """Take up a stream that was cut off."""
        from .downlink.resume_check import check_header, check_limits, check_step

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

    def _make_control(self) -> StreamControl:
        target, begun, counts = self._settings.target, self._begun, self._counts
        if target.step is not None:
            return FixedStep(target.step)
        mse = target.mse(counts.peak, counts.scale)
        if mse is not None:
            return FixedQuality(mse, MissedQuality(mse, counts.peak, counts.scale, self.lines))
        if self._settings.chooses_base:
            step = 0.0 if begun is None else begun.step_code / STEP_UNIT
            return FirstStep(BASE_BPS, self._best_base, step)
        if self._bucket is None:
            raise ValueError("the target is no rate")
        # What the stream ends with is paid for in advance.
        self._bucket.spend(len(header_section(self._header)) + END_BYTES)
        return LimitedRate(self._bucket, 0.0 if begun is None else begun.step_code / STEP_UNIT)


def _own_step(step: float, strip: CountedStrip) -> float:
    """A step in counts of the header, in counts of a strip.

    Steps finer than half of what samples were rounded to gain nothing, and under a third of whole numbers
    these come back exactly.
    """
    return max(step / strip.worth, min(step, 0.5 if strip.rounding else 1 / 3))
