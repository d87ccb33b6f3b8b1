"""The encoder: a scene in, a stream out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import STEP_UNIT, UNIFORM
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import Package
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import SettingsError
from bandfold.common.geometry import BLOCK
from bandfold.common.scene import SceneSource
from bandfold.common.workers import Workers
from bandfold.onboard.coding.methods import Planner, cosine_method, network_method
from bandfold.onboard.downlink.resume import Begun
from bandfold.onboard.networks.band_planner import BandPlanner
from bandfold.onboard.planning.partition import partition_ends
from bandfold.onboard.planning.region_planner import zone_planner
from bandfold.onboard.planning.scene_planner import ScenePlanner
from bandfold.onboard.quantisation.choice import tables_path
from bandfold.onboard.quantisation.rdoq import RATE_WEIGHT
from bandfold.onboard.rate.region_trial import several_cost_less
from bandfold.onboard.rate.scene_control import Candidate, SceneCoder
from bandfold.onboard.rate.target import Target
from bandfold.onboard.samples.no_data import counts_without_gaps
from bandfold.onboard.samples.source import ArraySource
from bandfold.onboard.transform.cosine import CosineEngine

from .networks import AnalysisEngine, NetworkEngine
from .stream_encoder import REPEAT, STRIP_LINES, StreamEncoder

OWN_MARGIN = 1.02
"""A scene's own fold is tried beside its sensor's where it does not seem to cost so many times as much."""


class Encoder:
    """Encodes scenes.

    Parameters
    ----------
    bps : float, optional
        Bits per sample, every byte of the stream counted; never exceeded.
    nbytes : int, optional
        Bytes of the stream; never exceeded.
    psnr : float, optional
        PSNR in dB, peak 65535 counts, squared error pooled over the scene.
    step : float, optional
        Quantiser step in counts. Exactly one of the four is given.
    spectral : {"auto", "sensor", "none"}
        ``auto`` folds the bands unless coding them one by one is better; ``none`` codes them one by one.
        With a sensor, ``auto`` takes its fold unless the scene's own or none at all is better; ``sensor``
        takes it in any case.
    partition : "auto", "aviris-2022" or sequence of int
        Spectral partition: found, published, or the end of each interval.
    model : str, path_like or Package, optional
        Package of a trained encoder: its name, or its file. It codes band by band, in intervals of its own.
    engine : {"auto", "litert", "onnxruntime", "numpy"}
        What runs the networks of a model. ``auto`` takes the fastest that gives the same integers on every
        machine; see `bandfold.onboard.networks.engine_choice`.
    threads : int
        Processor threads: of that engine; without a model those that code strips side by side, or of a
        stream parts of a strip.
    sensor : str, path_like or Package, optional
        Package of the sensor, whose fold the scene need not carry: its name, or its file.
    strip_lines : int
        Lines of a segment, a multiple of 8.
    tables : path_like, optional
        Tables to use in place of the shipped ones; they tell the quantiser too.
    quantiser : {"dependent", "uniform"}, optional
        Two quantisers that take turns for the latents of a fold, as at first, or one: in two thirds of the
        time, for some 2 % more bytes at the same error.
    stream : bool
        Code strip after strip as if nobody knew what comes after it: the same bytes as
        `bandfold.onboard.StreamEncoder` writes. With `bps`, `psnr` or `step`, and without a model.
    buffer, repeat : int, optional
        Of a stream; see `bandfold.onboard.StreamEncoder`.
    progress : callable, optional
        Called with a stage and the fraction of it that is done.

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
        *,
        bps: float | None = None,
        nbytes: int | None = None,
        psnr: float | None = None,
        step: float | None = None,
        spectral: str = "auto",
        partition: str | Sequence[int] = "auto",
        model: str | os.PathLike[str] | Package | None = None,
        engine: str = "auto",
        threads: int = 1,
        sensor: str | os.PathLike[str] | Package | None = None,
        strip_lines: int = STRIP_LINES,
        tables: str | os.PathLike[str] | None = None,
        quantiser: str | None = None,
        stream: bool = False,
        buffer: int | None = None,
        repeat: int | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> None:
        self._target = Target(bps, nbytes, psnr, step)
        if spectral not in ("auto", "sensor", "none"):
            raise SettingsError(f"spectral {spectral!r} is unknown: use auto, sensor or none")
        if model is not None and (sensor is not None or spectral == "sensor" or partition != "auto"):
            raise SettingsError(
                "a model codes band by band, in intervals of its own: leave out sensor, partition and "
                "spectral, or the model"
            )
        if model is not None and quantiser is not None:
            raise SettingsError("a model has a quantiser of its own: leave out the quantiser, or the model")
        if sensor is None and spectral == "sensor":
            raise SettingsError("spectral 'sensor' needs a sensor package: name one, or use auto")
        if sensor is not None and partition != "auto":
            raise SettingsError("a sensor package has a partition of its own: leave one of both out")
        if strip_lines < BLOCK or strip_lines % BLOCK:
            raise SettingsError(f"strips of {strip_lines} lines are not possible: give a multiple of {BLOCK}")
        if stream and (model is not None or nbytes is not None):
            raise SettingsError(
                "a stream has no size that is known before its end, and no model: give bps, psnr or step, "
                "or leave out stream"
            )
        if not stream and (buffer is not None or repeat is not None):
            raise SettingsError("buffer and repeat are settings of streams: add stream, or leave them out")
        self._streaming: dict[str, Any] | None = None
        if stream:
            self._streaming = {
                "bps": bps,
                "psnr": psnr,
                "step": step,
                "buffer": buffer,
                "spectral": spectral,
                "partition": partition,
                "sensor": sensor,
                "strip_lines": strip_lines,
                "repeat": REPEAT if repeat is None else repeat,
                "tables": tables,
                "threads": threads,
                "quantiser": quantiser,
            }
        self._spectral = spectral
        self._sensor = None if sensor is None else SensorBasis.from_package(_package(sensor))
        self._ends = partition_ends(partition)
        self._strip_lines = strip_lines
        self._tables = load_tables(tables_path(UNIFORM if model and not tables else quantiser, tables))
        self._progress = progress or _silent
        self._engine: AnalysisEngine = CosineEngine()
        self._workers = Workers(threads)
        self._method = cosine_method(self._engine, self._tables, strip_lines, self._workers)
        self._networks = None
        if model is not None:
            self._networks = NetworkEngine(BandCodec.from_package(_package(model)), threads, engine)
        elif engine != "auto":
            raise SettingsError("an engine runs the networks of a model: name a model, or leave it out")

    @property
    def engines(self) -> tuple[str, ...]:
        """What ran the networks of the model so far; empty without one."""
        return () if self._networks is None else tuple(self._networks.used)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the engines that ran so far."""
        return () if self._networks is None else tuple(self._networks.notes)

    def encode(self, scene: NDArray[Any] | SceneSource) -> bytes:
        """Encode a scene.

        Parameters
        ----------
        scene : ndarray, shape (bands, lines, samples), or SceneSource
            Samples of 8 or 16 bit integers, or a source that declares a scaling.

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
        """
        original: SceneSource = ArraySource(scene) if isinstance(scene, np.ndarray) else scene
        if self._streaming is not None:
            sections: list[bytes] = []
            self._stream(original, sections.append)
            return b"".join(sections)
        source = counts_without_gaps(original)
        if self._networks is not None:
            return self._by_networks(source, original, self._networks)
        if self._sensor is not None:
            self._sensor.check_scene(original.info)
        planner = ScenePlanner(
            source,
            self._ends,
            self._engine,
            lambda done: self._progress("sample", done),
            self._sensor,
            workers=self._workers,
        )
        coder = self._coder(source, original, planner)
        if self._spectral == "none":
            return coder.code(self._target, spectral=False, errors=False).data
        step = coder.guess(self._target) / STEP_UNIT
        planners = [planner]
        if self._sensor is not None and self._spectral == "auto":
            own = ScenePlanner(planner.sample, self._ends, self._engine, workers=self._workers)
            if own.folded_cost(step) < OWN_MARGIN * planner.folded_cost(step):
                planners.append(own)
        zoned = [self._zoned(one, source, original, step) for one in planners]
        folding = [self._coder(source, original, one) for one in zoned]
        unfolded = self._spectral == "auto" and planner.seems_unfoldable(step)
        several = unfolded or len(folding) > 1
        candidates = [one.code(self._target, spectral=True, errors=several) for one in folding]
        if unfolded:
            candidates.append(coder.code(self._target, spectral=False, errors=True))
        return min(candidates, key=lambda one: self._merit(one, source.info.count)).data

    def encode_to(self, scene: NDArray[Any] | SceneSource, path: str | os.PathLike[str]) -> int:
        """Encode a scene to a file, which appears whole or not at all.

        Parameters
        ----------
        scene
            As in `encode`.
        path : path_like

        Returns
        -------
        int
            Bytes written.

        Raises
        ------
        OutputError
            If the file cannot be written; and what `encode` raises.
        """
        with atomic_output(path) as file:
            data = self.encode(scene)
            file.write(data)
        return len(data)

    def encode_in_parts(
        self, scene: SceneSource, write: Callable[[bytes], object], begun: Begun | None = None
    ) -> int:
        """Encode a scene as a stream, whose sections are handed out as they are finished.

        Parameters
        ----------
        scene : SceneSource
        write : callable
            See `bandfold.onboard.StreamEncoder`.
        begun : Begun, optional
            A stream of this scene that was cut off: only what it lacks is coded.

        Returns
        -------
        int
            Lines of the stream.

        Raises
        ------
        SettingsError
            If `stream` is not set; and what `bandfold.onboard.StreamEncoder` raises.
        """
        if self._streaming is None:
            raise SettingsError("only a stream comes in parts: set stream")
        return self._stream(scene, write, begun)

    def _stream(
        self, scene: SceneSource, write: Callable[[bytes], object], begun: Begun | None = None
    ) -> int:
        settings = self._streaming or {}
        encoder = StreamEncoder(scene.info, write, **settings, begun=begun)
        height = settings["strip_lines"]
        for start in range(encoder.lines, scene.info.lines, height):
            lines = slice(start, min(start + height, scene.info.lines))
            encoder.push(scene.read(slice(0, scene.info.bands), lines).transpose(1, 0, 2))
            self._progress("code", lines.stop / scene.info.lines)
        encoder.flush()
        return encoder.lines

    def _by_networks(self, source: SceneSource, original: SceneSource, networks: NetworkEngine) -> bytes:
        planner = BandPlanner(source, networks.codec, lambda done: self._progress("sample", done))
        method = network_method(networks, self._tables, self._strip_lines)
        coder = SceneCoder(source, original, planner, method, self._tables, self._strip_lines, self._progress)
        return coder.code(self._target, spectral=False, errors=False).data

    def _zoned(
        self, planner: ScenePlanner, source: SceneSource, original: SceneSource, step: float
    ) -> Planner:
        """Several folds in place of one, where the land changes so much that they pay."""
        zoned = zone_planner(
            planner, source, self._strip_lines, step, lambda done: self._progress("sample", done)
        )
        if zoned is None:
            return planner
        several, one = (kind.plan(step, spectral=True) for kind in (zoned, planner))
        pays = several_cost_less(source, original, several, one, self._method, self._tables)
        return zoned if pays else planner

    def _coder(self, source: SceneSource, original: SceneSource, planner: Planner) -> SceneCoder:
        return SceneCoder(
            source, original, planner, self._method, self._tables, self._strip_lines, self._progress
        )

    def _merit(self, candidate: Candidate, count: int) -> float:
        """What to minimise among codings that meet the target: the error, the bytes, or both at one step."""
        size = len(candidate.data)
        if self._target.psnr is not None or candidate.mse is None:
            return float(size)
        if self._target.step is not None:
            return candidate.mse + RATE_WEIGHT * candidate.step**2 * size * 8 / count
        return candidate.mse


def _package(wanted: str | os.PathLike[str] | Package) -> Package:
    return wanted if isinstance(wanted, Package) else Registry().find(wanted)


def _silent(stage: str, done: float) -> None:
    """Report to nobody."""
