"""The encoder: a scene in, a stream out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from numpy.typing import ArrayLike, NDArray

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import BudgetError, SettingsError
from bandfold.common.exact import log2_of
from bandfold.common.scene import SceneInfo, SceneSource
from bandfold.common.spool import Keep, Spool, held
from bandfold.common.workers import Workers, one_blas_thread

from .planning.block_sample import BlockSample, sample_blocks
from .samples.samples import ArraySource, Samples
from .settings import EncoderSettings, SettingsFields, find_package, settings_of
from .strip_height import strip_height
from .target import step_code

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bandfold.bitstream.contexts.tables import Tables
    from bandfold.bitstream.transforms.sensor_basis import SensorBasis

    from .coding.scene_coder import CodedScene, SceneCoder
    from .coding.strip_coder import Method
    from .downlink.resume import Begun
    from .planning.plan import Candidate, Planner
    from .planning.scene_planner import ScenePlanner
    from .prediction.model_networks import Networks
    from .rate.order_trial import Aim
    from .refinement.strip_refiner import StripRefiner

# What few scenes ask for is imported where they do: a board imports this before every scene. What plans and
# codes is imported beside the moments of a sample, where there are threads for that.

WANTED_LATER = (".coding.scene_coder", ".planning.scene_planner", ".rate.scene_control")
WANTED_OF_REGIONS = (".planning.region_planner", ".rate.region_trial")
"""What is wanted once a scene is sampled, and what is wanted where several folds are looked for."""

UNIFORM_STEP = 0.8
"""Step of one quantiser in parts of that of two at the same rate, about."""

LINES_PUSHED = 4
"""Lines of a file that are handed over at once: a whole strip would be held twice."""

NEAR_TARGET = 0.3
"""Octaves between the size of a trial and that asked for, within which the trial is believed."""

MOST_MOVES = 3
"""How often a trial is repeated at a step moved by an octave or less, until it is near."""

OWN_MARGIN = 1.02
"""A scene's own fold is tried beside its sensor's where it does not seem to cost so many times as much."""

SAVED_OF_BASE = 0.03
"""Where every bit is kept, share of the bits of the base that several folds must save by moments to be tried:
the base is a tenth of such a stream or less, and moments foresee several times what is saved in the end."""


class Encoder:
    """Encodes scenes.

    A scene is sampled and planned, then each strip goes through `bandfold.onboard.coding.strip_coder`: fold,
    cosine transform, rotation, quantisation, entropy coding.

    Parameters
    ----------
    settings : EncoderSettings, optional
        What to aim at, and how.
    progress : callable, optional
        Called with the name of a stage and the fraction of it that is done.
    **fields
        The fields of `EncoderSettings` one by one, in place of `settings`.

    Raises
    ------
    SettingsError
        If settings contradict each other or are out of range.
    ModelError
        If a package or the tables are unknown or cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> stream = Encoder(bps=1.0).encode(np.arange(8 * 16 * 16, dtype=np.uint16).reshape(8, 16, 16))
    >>> len(stream) <= 8 * 16 * 16 / 8
    True
    """

    def __init__(
        self,
        settings: EncoderSettings | None = None,
        *,
        progress: Callable[[str, float], None] | None = None,
        **fields: Unpack[SettingsFields],
    ) -> None:
        self.settings = settings = settings_of(settings, fields)
        self._progress = progress or _silent
        self._target = settings.target
        self._step_code = None if settings.step is None else step_code(float(settings.step))
        self._ends: tuple[int, ...] | None = None
        if not (isinstance(settings.partition, str) and settings.partition == "auto"):
            from .planning.partition import partition_ends

            self._ends = partition_ends(settings.partition)
        if settings.tables is not None:
            # What somebody names may not be there, which is told at once.
            _ = self._tables
        self._workers = Workers(settings.threads)
        self._effort = settings.spent
        self._sensor: SensorBasis | None = None
        self._networks: Networks | None = None
        self._missed: tuple[str, ...] = ()
        self._engines: dict[str, None] = {}
        self._engine_notes: dict[str, None] = {}
        self._notes: tuple[str, ...] = ()
        if settings.sensor is not None:
            from bandfold.bitstream.transforms.sensor_basis import SensorBasis

            self._sensor = SensorBasis.from_package(find_package(settings.sensor))
        if settings.model is not None:
            from bandfold.bitstream.segments.predicted_codec import codec_of

            from .prediction.model_networks import networks_of

            codec = codec_of(find_package(settings.model))
            if settings.limits:
                from .refinement.strip_refiner import refinable

                refinable(codec)
            networks = networks_of(codec, settings)
            self._engines, self._engine_notes = networks.used, networks.notes
            # A stream has networks of its own, and no memory for them twice.
            self._networks = None if settings.stream else networks

    @cached_property
    def _tables(self) -> Tables:
        """Context networks and entropy tables."""
        from bandfold.bitstream.contexts.tables import load_tables

        return load_tables(self.settings.tables_path).with_states(self.settings.trellis_states)

    @property
    def engines(self) -> tuple[str, ...]:
        """What ran the networks of the model so far; empty without one."""
        return tuple(self._engines)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know: of the last scene, of the engines that ran, and of a missed target."""
        return self._notes + tuple(self._engine_notes) + self._missed

    @one_blas_thread()
    def encode(self, scene: ArrayLike | SceneSource) -> bytes:
        """Encode a scene.

        Parameters
        ----------
        scene : array_like, shape (bands, lines, samples), or SceneSource
            Integers of 8, 16 or 32 bits, or floats; masked arrays as `ArraySource` takes them. Where a source
            of floats or 32-bit integers declares no scaling, the range of its ordinary values is spread over
            16-bit counts, and what lies outside is kept exactly; see `notes`.

        Returns
        -------
        bytes
            The stream.

        Raises
        ------
        SceneError
            If the scene cannot be coded.
        BudgetError
            If the budget is too small for it.
        SettingsError
            If the partition does not fit it.
        ModelError
            If the networks of the model cannot be run.
        VerificationError
            If what was coded is not what was to be coded.
        """
        source = _source_of(scene)
        if self.settings.stream:
            sections: list[bytes] = []
            self.encode_in_parts(source, sections.append)
            return b"".join(sections)
        return self._encoded(source, held).data

    def _encoded(self, source: SceneSource, keep: Keep) -> CodedScene:
        """A scene as a whole, see `encode`; what its strips become is kept until it is put together."""
        with self._workers.kept():
            return self._refined(source, keep)

    def _refined(self, source: SceneSource, keep: Keep) -> CodedScene:
        """The scene, with what bounds its errors, if they are to be."""
        samples = Samples.of(source, seek_fills=self.settings.find_fill_values)
        self._notes = ()
        if samples.plan is not None and source.info.scaling is None:
            self._notes = samples.plan.notes(source.info)
        if self.settings.roi:
            from .transform.block_weights import block_codes

            info = samples.info
            samples = replace(samples, block_codes=block_codes(self.settings.roi, info.lines, info.samples))
        refiner = self._refiner(samples.scene.info)
        coded = self._coded(samples, refiner, keep)
        self._missed = coded.notes
        if refiner is not None:
            from .refinement.scene_refiner import refine_scene

            coded = refine_scene(
                coded,
                samples,
                refiner,
                base_first=self.settings.base_first,
                workers=self._workers,
                progress=self._progress,
                keep=keep,
            )
        from .decoding_cost import decoding_notes

        components = max(basis.fold.components for basis in coded.plan.bases)
        self._notes += decoding_notes(coded.size, coded.header, components, bounded=refiner is not None)
        return coded

    @one_blas_thread()
    def encode_to(self, scene: ArrayLike | SceneSource, path: str | os.PathLike[str]) -> int:
        """Encode a scene to a file, which appears whole or not at all.

        Parameters
        ----------
        scene : ndarray, shape (bands, lines, samples), or SceneSource
            As in `encode`.
        path : path_like
            Of the file.

        Returns
        -------
        int
            Bytes written.

        Raises
        ------
        OutputError
            If the file cannot be written; and what `encode` raises.
        """
        source = _source_of(scene)
        with atomic_output(path) as file:
            if self.settings.stream:
                self.encode_in_parts(source, file.write)
            else:
                with Spool(path) as spool:
                    for part in self._encoded(source, spool.keep).parts():
                        file.write(part)
            return file.tell()

    def encode_in_parts(
        self, scene: SceneSource, write: Callable[[bytes], object], begun: Begun | None = None
    ) -> int:
        """Encode a scene as a stream, whose sections are handed out as they are finished.

        Parameters
        ----------
        scene : SceneSource
            As in `encode`.
        write : callable
            Called with every section; see `bandfold.onboard.StreamEncoder`.
        begun : Begun, optional
            A stream of this scene that was cut off: only what it lacks is coded. Its first strip is coded
            anew and compared, before anything is written.

        Returns
        -------
        int
            Lines of the stream.

        Raises
        ------
        SettingsError
            If `stream` is not set, or the stream that was begun is of another scene or has other settings;
            and what `bandfold.onboard.StreamEncoder` raises.
        """
        if not self.settings.stream:
            raise SettingsError("only a stream comes in parts: set stream")
        from .stream_encoder import StreamEncoder

        encoder = StreamEncoder(scene.info, write, self.settings, begun=begun)
        if begun is not None:
            from .downlink.resume_check import check_first_strip

            check_first_strip(begun, self._first_strip(scene, begun.header.strip_lines))
        for start in range(encoder.lines, scene.info.lines, LINES_PUSHED):
            lines = slice(start, min(start + LINES_PUSHED, scene.info.lines))
            encoder.push(scene.read(slice(0, scene.info.bands), lines).transpose(1, 0, 2))
            self._progress("code", lines.stop / scene.info.lines)
        encoder.flush()
        self._notes = encoder.notes
        self._engines.update(dict.fromkeys(encoder.engines))
        return encoder.lines

    def _first_strip(self, scene: SceneSource, height: int) -> bytes:
        """What a stream of a scene begins with, up to the end of its first segment."""
        from .stream_encoder import StreamEncoder

        sections: list[bytes] = []
        encoder = StreamEncoder(scene.info, sections.append, replace(self.settings, strip_lines=height))
        # Strips of one value are held back until others come.
        while not sections and encoder.lines < scene.info.lines:
            lines = slice(encoder.lines, min(encoder.lines + height, scene.info.lines))
            encoder.push(scene.read(slice(0, scene.info.bands), lines).transpose(1, 0, 2))
        if not sections:
            encoder.flush()
        return b"".join(sections)

    def _coded(self, samples: Samples, refiner: StripRefiner | None, keep: Keep) -> CodedScene:
        """The scene without what bounds its errors."""
        if self._networks is not None:
            return self._coded_by_networks(samples, self._networks, refiner, keep)
        if self._sensor is not None:
            self._sensor.check_scene(samples.scene.info)
        sample = self._sample(samples)
        from .coding.strip_coder import TransformMethod

        # Without a target that can be met in several ways only the step is left.
        worths = self._effort.bit_worths if self._step_code is None else (1.0,)
        coders = [
            self._coder(
                samples, TransformMethod(self._tables, self._workers, self._effort.searches, worth), keep
            )
            for worth in worths
        ]
        coder = coders[0]
        candidates = self._candidates(coder, sample)
        # Planners give it back once they have made their last plan.
        del sample
        if refiner is not None and self.settings.chooses_base:
            return self._best_base(coder, [one.planner for one in candidates], refiner)
        ways = [(one, candidate) for candidate in candidates for one in coders]
        if len(ways) == 1:
            return self._code(coder, candidates[0], errors=False, last=True)
        coded = (self._code(one, candidate, errors=True) for one, candidate in ways)
        return min(coded, key=lambda one: self._merit(one, samples.info.count))

    def _refiner(self, info: SceneInfo) -> StripRefiner | None:
        """What bounds the errors of a scene, if they are to be."""
        if not self.settings.limits:
            return None
        from .prediction.innovation_network import InnovationNetwork
        from .refinement.strip_refiner import StripRefiner

        codec = self._networks.codec if isinstance(self._networks, InnovationNetwork) else None
        return StripRefiner.of(self.settings, info, self._tables, codec)

    def _best_base(self, coder: SceneCoder, planners: Sequence[Planner], refiner: StripRefiner) -> CodedScene:
        """The scene, coded so that it takes the fewest bytes with what bounds its errors."""
        from .rate.base_trial import choose_base

        base = choose_base(coder, planners, refiner, lambda planner: self._first_code(planner, coder))
        last = len(planners) == 1
        return coder.at_step(base.planner, base.code, errors=False, last=last, refine=refiner.section)

    def _coded_by_networks(
        self, samples: Samples, networks: Networks, refiner: StripRefiner | None, keep: Keep
    ) -> CodedScene:
        from .planning.plan import Candidate
        from .prediction.innovation_network import InnovationNetwork
        from .rate.ladder import is_small

        if isinstance(networks, InnovationNetwork):
            from .prediction.predicted_coder import PredictedMethod
            from .prediction.predicted_planner import PredictedPlanner
            from .rate.order_trial import choose_order

            predicted = PredictedPlanner(sample_blocks(samples, self._sampled))
            method = PredictedMethod(networks, self._tables, self._workers)
            coder = self._coder(samples, method, keep, predicted=True)
            if is_small(samples.info) and self._step_code is None and not self.settings.chooses_base:
                from .rate.octave_orders import OctaveOrders

                orders = OctaveOrders(samples, method, predicted)
                return self._code(coder, Candidate(orders), errors=False)
            code = self._first_code(predicted, coder)
            code = choose_order(samples, method, predicted, code, aim=self._aim(samples))
            if refiner is not None and self.settings.chooses_base:
                return self._best_base(coder, [predicted], refiner)
            return self._code(coder, Candidate(predicted), errors=False, first_code=code)
        from .networks.band_coder import NetworkMethod
        from .networks.band_planner import BandPlanner

        planner = BandPlanner(samples, networks.codec, self._sampled)
        coder = self._coder(samples, NetworkMethod(networks, self._tables), keep)
        return self._code(coder, Candidate(planner), errors=False)

    def _coder(self, samples: Samples, method: Method, keep: Keep, *, predicted: bool = False) -> SceneCoder:
        from .coding.scene_coder import SceneCoder

        height = strip_height(samples.info, self.settings.strip_lines, predicted=predicted)
        share = self._effort.trial_share
        return SceneCoder(samples, method, self._tables, height, self._progress, share, keep)

    def _candidates(self, coder: SceneCoder, sample: BlockSample) -> list[Candidate]:
        """The ways to plan the scene that are worth a try: mostly one."""
        from .planning.plan import Candidate

        if sample.weights is not None:
            # Strips are merged into regions, and bands coded on their own, as if all weighed the same.
            return [Candidate(self._folded(sample, self._ends, None))]
        folded = self._folded(sample, self._ends, self._sensor)
        if self.settings.spectral == "none":
            return [Candidate(folded.unfolded())]
        step = self._first_code(folded, coder) / STEP_UNIT
        if self._sensor is None and self._ends is None and len(self._effort.interval_shares) > 1:
            # The first guess of a step is good enough to compare partitions.
            folded = min(self._partitioned(folded), key=lambda planner: planner.folded_cost(step))
        planners = [folded]
        if self._sensor is not None and self.settings.spectral == "auto":
            own = self._folded(sample, self._ends, None)
            if own.folded_cost(step) < OWN_MARGIN * folded.folded_cost(step):
                planners.append(own)
        if self._effort.regions:
            found = [self._with_regions(planner, coder, step) for planner in planners]
        else:
            found = [Candidate(planner) for planner in planners]
        if self.settings.spectral == "auto" and folded.seems_unfoldable(step):
            found.append(Candidate(folded.unfolded()))
        return found

    def _sample(self, samples: Samples) -> BlockSample:
        """Blocks of the scene, and their moments."""
        effort = self._effort
        # Imports need Python's lock, which sums of products need least of all. They begin beside these, or at
        # once where a scene is sampled and summed in less time than they take.
        if not effort.rare_blocks:
            self._workers.later(self._make_ready)
        sample = sample_blocks(
            samples,
            self._sampled,
            enough=effort.blocks,
            most=effort.thinning,
            counted=self._target.is_quality,
            workers=self._workers,
        )
        if effort.rare_blocks:
            from .planning.rare_blocks import add_rare_blocks

            sample = add_rare_blocks(sample, samples, [slice(0, samples.info.lines)])
        weights = self.settings.weights
        if weights is not None:
            from .planning.weight_codes import weight_codes

            sample = replace(sample, weights=weight_codes(weights, sample, samples.scene.info))
        if effort.rare_blocks:
            self._workers.later(self._make_ready)
        _ = sample.moments
        return sample

    def _make_ready(self) -> None:
        """Import and load what is wanted once a scene is sampled."""
        for name in WANTED_LATER + WANTED_OF_REGIONS * self._effort.regions:
            import_module(name, __package__)
        _ = self._tables

    def _folded(
        self, sample: BlockSample, ends: tuple[int, ...] | None, sensor: SensorBasis | None
    ) -> ScenePlanner:
        """Plans of one fold in given intervals, or in those that are found."""
        from .planning.scene_planner import ScenePlanner

        return ScenePlanner(sample, ends, sensor, self._effort, self._workers)

    def _partitioned(self, usual: ScenePlanner) -> list[ScenePlanner]:
        """Plans in the usual intervals, and in as many more or fewer as the effort compares."""
        from .planning.partition import default_intervals, fits, partition_bands

        sample = usual.sample
        bands = len(sample.blocks)
        counts = {max(1, round(share * default_intervals(bands))) for share in self._effort.interval_shares}
        found = [usual]
        for count in sorted(counts - {default_intervals(bands)}):
            ends = partition_bands(sample.moments[1], count)
            if fits(ends):
                found.append(self._folded(sample, ends, None))
        return found

    def _with_regions(self, planner: ScenePlanner, coder: SceneCoder, step: float) -> Candidate:
        """Several folds in place of one, where the land changes so much that they pay."""
        from .planning.plan import Candidate
        from .planning.region_planner import LEAST_SAVED, find_regions
        from .rate.region_trial import try_regions
        from .rate.step_search import moved_step

        settings = self.settings
        least = SAVED_OF_BASE if settings.lossless and settings.chooses_base else LEAST_SAVED
        several = find_regions(planner, coder.samples, coder.strip_lines, step, self._sampled, least)
        if several is None:
            return Candidate(planner)
        tried = try_regions(coder, several.plan(step), planner.plan(step))
        size = tried.size
        for _ in range(MOST_MOVES):
            octaves = self._octaves_off(tried.size, coder.samples.info.count)
            if abs(octaves) <= NEAR_TARGET:
                break
            # Coarse steps see little but the means of the land: the step to come decides.
            step = moved_step(step_code(step), -octaves, -1.0) / STEP_UNIT
            tried = try_regions(coder, several.plan(step), planner.plan(step))
        return Candidate(several if tried.several_cost_less else planner, size)

    def _octaves_off(self, size: float, count: int) -> float:
        """Binary logarithm of a size over that asked for; 0 where none is."""
        if self._step_code is not None or self._target.is_quality:
            return 0.0
        return log2_of(size / self._target.budget(count))

    def _first_code(self, planner: Planner, coder: SceneCoder) -> int:
        """Code of the step with which the search for a target begins: the target's own step if it has one."""
        target, samples = self._target, coder.samples
        if self._step_code is not None:
            return self._step_code
        mse = self._coding_error(samples)
        if mse is not None:
            return step_code(planner.step_for_error(mse))
        step = planner.step_for_bits(8.0 * target.budget(coder.samples.info.count))
        from .coding.strip_coder import TransformMethod

        uniform = isinstance(coder.method, TransformMethod) and not self._tables.modes["folded"].dependent
        return step_code(step * (UNIFORM_STEP if uniform else 1.0))

    def _coding_error(self, samples: Samples) -> float | None:
        """Mean squared error that coding may add to that of counts; None if the target is no quality."""
        wanted = self._target.mse(samples.peak, samples.scale)
        if wanted is None:
            return None
        from .quality import rounding_doubt

        doubt = rounding_doubt(wanted, samples.rounding, samples.peak, samples.scale)
        if doubt:
            raise BudgetError(doubt)
        return wanted - samples.rounding

    def _aim(self, samples: Samples) -> Aim:
        """What the step of predicted bands is for."""
        from .rate.order_trial import GIVEN_STEP, Aim

        if self._step_code is not None or self.settings.chooses_base:
            return GIVEN_STEP
        mse = self._coding_error(samples)
        return Aim(mse=mse) if mse is not None else Aim(size=self._target.budget(samples.info.count))

    def _code(
        self,
        coder: SceneCoder,
        candidate: Candidate,
        *,
        errors: bool,
        last: bool = False,
        first_code: int | None = None,
    ) -> CodedScene:
        """Code the scene to the target under one planner's plans; the `last` one serves nobody else."""
        planner = candidate.planner
        from .rate.scene_control import SceneControl

        target, code = self._target, first_code or self._first_code(planner, coder)
        if target.step is not None:
            return coder.at_step(planner, code, errors=errors, last=last)
        mse = self._coding_error(coder.samples)
        if mse is not None:
            control = SceneControl(coder, planner, last=last)
            return replace(control.at_quality(mse, code), notes=tuple(control.notes))
        control = SceneControl(coder, planner, one_trial=self._effort.one_trial, last=last)
        budget = target.budget(coder.samples.info.count)
        coded = control.within(budget, code, errors=errors, first_size=candidate.size)
        return replace(coded, notes=tuple(control.notes))

    def _merit(self, coded: CodedScene, count: int) -> float:
        """What to minimise among codings that meet the target: the error, the bytes, or both at one step."""
        size = coded.size
        if self._target.is_quality or coded.mse is None:
            return float(size)
        if self._target.step is not None:
            from .rate_model import LAGRANGE_MULTIPLIER

            return coded.mse + LAGRANGE_MULTIPLIER * coded.step**2 * size * 8 / count
        return coded.mse

    def _sampled(self, done: float) -> None:
        self._progress("sample", done)


def _source_of(scene: ArrayLike | SceneSource) -> SceneSource:
    """What was handed over as a source of samples."""
    described = hasattr(scene, "info") and hasattr(scene, "read")
    return cast("SceneSource", scene) if described else ArraySource(cast("NDArray[Any]", scene))


def _silent(stage: str, done: float) -> None:
    """Report to nobody."""
