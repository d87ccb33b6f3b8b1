"""Encoding lines as an instrument delivers them: a strip is held, coded, written and forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.chunks import Place
from bandfold.bitstream.container.header import COSINE, LARGEST_DIMENSION, STEP_UNIT, Header
from bandfold.bitstream.container.sections import Section, write_section
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import Package
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.common.errors import IntegrityError, SceneError, SettingsError
from bandfold.common.geometry import BLOCK
from bandfold.common.scene import SceneInfo, SceneSource
from bandfold.common.workers import Workers
from bandfold.onboard.coding.strip_coder import Coded, StripCoder
from bandfold.onboard.downlink.resume import Begun
from bandfold.onboard.planning.partition import partition_ends
from bandfold.onboard.planning.plan_sections import end_section, header_section, metadata_section, stream_head
from bandfold.onboard.planning.stream_planner import Basis, StripPlanner
from bandfold.onboard.quantisation.choice import quantiser_of, tables_path
from bandfold.onboard.rate.leaky_bucket import Bucket
from bandfold.onboard.rate.step_search import log2, step_code
from bandfold.onboard.rate.stream_control import Control, FixedQuality, FixedStep, LeakyBucket, Work
from bandfold.onboard.rate.target import Target
from bandfold.onboard.samples.no_data import counts_without_gaps
from bandfold.onboard.transform.cosine import CosineEngine

from .memory_scrubber import Scrubber
from .networks import AnalysisEngine

STRIP_LINES = 64
"""Lines of a segment where nothing else is asked for."""

REPEAT = 8
"""Strips after which header, fold and rotations are repeated where nothing else is asked for."""

SCRUB = 16
"""Strips after which memory is looked at where nothing else is asked for."""

FIRST_PLANS = 3
"""Plans made for the first strip at most: the step that a rate needs is not known before."""

FAR = 0.4
"""Octaves between the steps of the first plan and the first strip from which on it is planned again."""

END_BYTES = 16
"""Bytes of an end, at most."""


class StreamEncoder:
    """Encodes lines of which nobody knows yet how many will come.

    What comes out does not depend on how the lines are handed over, and is what `bandfold.onboard.Encoder`
    gives for the whole scene with ``stream=True`` and the same settings. Memory goes with the strip.

    Parameters
    ----------
    info : SceneInfo
        What the lines are: bands, samples, type, ... The number of lines is not used.
    write : callable
        Called with every section, as bytes, as soon as it is finished; the preamble comes with the header.
    bps : float, optional
        Bits per sample on average, every byte of the stream counted: the bytes never exceed it, from the
        first strip on.
    psnr : float, optional
        PSNR of every strip in dB, peak 65535 counts.
    step : float, optional
        Quantiser step in counts. Exactly one of the three is given.
    buffer : int, optional
        With `bps`: bytes of the transmitter's buffer, which lets hard strips take what easy ones have left.
        Four strips at the average rate if not given.
    spectral : {"auto", "sensor", "none"}
        Fold the bands (by the sensor's vectors, if there is a sensor), or code them one by one.
    partition, sensor, strip_lines, tables, quantiser
        As for `bandfold.onboard.Encoder`.
    repeat : int
        Strips after which header, fold and rotations are repeated, so that losing them costs so many strips
        at most; 0 for never.
    scrub : int
        Strips after which tables and sensor package in memory are compared with their hashes, and loaded
        again if bits in them have flipped; 0 for never.
    threads : int
        Processor threads that share the work on a strip.
    begun : Begun, optional
        A stream that was cut off and is to be continued: what is written goes behind it.

    Raises
    ------
    SettingsError
        If settings contradict each other or are out of range, or are not those of the stream that was begun.
    ModelError
        If a package or the tables are unknown or cannot be used.

    Attributes
    ----------
    suspect : list of slice
        Lines that were coded between the last look that found nothing and one that found flipped bits.

    Examples
    --------
    >>> import numpy as np
    >>> sections = []
    >>> info = SceneInfo(8, 1, 16, np.dtype("uint16"), interleave="bil")
    >>> encoder = StreamEncoder(info, sections.append, step=4.0)
    >>> for line in range(20):
    ...     encoder.push(np.full((1, 8, 16), line, dtype=np.uint16))
    >>> encoder.flush()
    >>> encoder.lines
    20
    """

    def __init__(
        self,
        info: SceneInfo,
        write: Callable[[bytes], object],
        *,
        bps: float | None = None,
        psnr: float | None = None,
        step: float | None = None,
        buffer: int | None = None,
        spectral: str = "auto",
        partition: str | Sequence[int] = "auto",
        sensor: str | os.PathLike[str] | Package | None = None,
        strip_lines: int = STRIP_LINES,
        repeat: int = REPEAT,
        tables: str | os.PathLike[str] | None = None,
        quantiser: str | None = None,
        scrub: int = SCRUB,
        threads: int = 1,
        begun: Begun | None = None,
    ) -> None:
        target = Target(bps, None, psnr, step)
        if buffer is not None and bps is None:
            raise SettingsError("a buffer goes with a rate: give bps, or leave out buffer")
        if spectral not in ("auto", "sensor", "none"):
            raise SettingsError(f"spectral {spectral!r} is unknown: use auto, sensor or none")
        if spectral == "sensor" and sensor is None:
            raise SettingsError("spectral 'sensor' needs a sensor package: name one, or use auto")
        if sensor is not None and (partition != "auto" or spectral == "none"):
            raise SettingsError(
                "a sensor package has a fold and a partition of its own: leave one of both out"
            )
        if strip_lines < BLOCK or strip_lines % BLOCK:
            raise SettingsError(f"strips of {strip_lines} lines are not possible: give a multiple of {BLOCK}")
        if repeat < 0:
            raise SettingsError(f"repeating after {repeat} strips is not possible: give 0 for never, or more")
        self._info = replace(info, lines=1)
        self._write = write
        self._tables_path = tables_path(quantiser, tables)
        self._tables = load_tables(self._tables_path)
        if scrub < 0:
            raise SettingsError(f"scrubbing after {scrub} strips is not possible: give 0 for never, or more")
        self._wanted, self._ends, self._spectral = sensor, partition_ends(partition), spectral != "none"
        basis = None if sensor is None else SensorBasis.from_package(_package(sensor))
        if basis is not None:
            basis.check_scene(self._info)
        self._engine: AnalysisEngine = CosineEngine()
        self._workers = Workers(threads)
        self._planner = self._make_planner(basis, 0 if begun is None else begun.next_basis)
        self._scrub, self._scrubbed = scrub, 0
        self._scrubber = Scrubber({"tables": self._tables, "sensor": basis})
        self.suspect: list[slice] = []
        self._header = Header(
            replace(self._info, metadata={}),
            strip_lines,
            1,
            spectral != "none",
            COSINE,
            self._tables.identity,
            sensor=basis.name if basis else "",
            sensor_hash=basis.identity if basis else b"",
            open=True,
            quantiser=quantiser_of(self._tables, spectral=spectral != "none"),
        )
        self._repeat = repeat
        self._since = 0
        self._bucket = None if bps is None else Bucket(bps, buffer)
        self._strips = self._lines = 0
        self._begun = begun is not None
        self._ended = self._last = False
        if begun is not None:
            self._continue(begun)
        self._control = self._make_control(target, begun)
        self._fill = 0
        self._strip: NDArray[Any] | None = None
        self._band = 0

    @property
    def lines(self) -> int:
        """Lines that were handed over, and lines of the stream that was begun."""
        return self._lines + self._fill

    def push(self, lines: NDArray[Any]) -> None:
        """Take lines in the order of a push-broom instrument.

        Parameters
        ----------
        lines : ndarray, shape (count, bands, samples)
            Any number of lines, band interleaved by line.

        Raises
        ------
        SceneError
            If they are no such lines, or cannot be coded.
        SettingsError
            If the stream is finished, or a frame is not.
        BudgetError
            If a strip does not fit the rate.
        """
        wanted = (len(lines) if lines.ndim else 0, self._info.bands, self._info.samples)
        if lines.shape != wanted:
            raise SceneError(
                f"lines of shape {lines.shape} do not fit: give (lines, bands, samples) {wanted}"
            )
        self._check_open()
        if self._band:
            raise SettingsError(
                f"a frame ends after {self._band} of {self._info.bands} bands: hand over the rest"
            )
        done = 0
        while done < len(lines):
            count = min(len(lines) - done, self._header.strip_lines - self._fill)
            self._take(slice(None), lines[done : done + count].transpose(1, 0, 2), self._fill)
            self._advance(count)
            done += count

    def push_band(self, plane: NDArray[Any]) -> None:
        """Take one band of a frame, in the order of a framing camera: all bands of some lines, one by one.

        Parameters
        ----------
        plane : ndarray, shape (lines, samples)
            The next band. All bands of a frame have as many lines, and those of a frame must fit into what is
            left of a strip.

        Raises
        ------
        SceneError, SettingsError, BudgetError
            As for `push`.
        """
        self._check_open()
        if plane.ndim != 2 or plane.shape[1] != self._info.samples or not len(plane):
            raise SceneError(f"band of shape {plane.shape} does not fit: give (lines, {self._info.samples})")
        if self._band == 0:
            self._frame = len(plane)
        if len(plane) != self._frame:
            raise SceneError(
                f"band {self._band} of a frame has {len(plane)} lines, those before have {self._frame}"
            )
        left = self._header.strip_lines - self._fill
        if self._frame > left:
            raise SettingsError(
                f"a frame of {self._frame} lines does not fit into the {left} that are left of a strip: "
                "make strips as high as frames, or a multiple"
            )
        self._take(slice(self._band, self._band + 1), plane[None], self._fill)
        self._band += 1
        if self._band == self._info.bands:
            self._band = 0
            self._advance(self._frame)

    def flush(self) -> None:
        """Code the lines that are left and finish the stream; nothing happens the second time.

        Raises
        ------
        IntegrityError
            If bits in memory have flipped, and what was loaded cannot be loaded again.
        SceneError
            If no line was handed over.
        SettingsError
            If a frame is not finished.
        BudgetError
            If the last strip does not fit the rate.
        """
        if self._ended:
            return
        if self._band:
            raise SettingsError(
                f"a frame ends after {self._band} of {self._info.bands} bands: hand over the rest"
            )
        if self._fill:
            self._code()
        if self._scrub:
            self._look_at_memory()
        if not self._lines:
            raise SceneError("there are no lines: a stream has at least one")
        if self._repeat:
            # Without a header nothing can be decoded, however few strips there are.
            self._write(header_section(self._header))
        self._write(end_section(self._lines, self._strips))
        self._ended = True
        self._strip = None

    def _check_open(self) -> None:
        if self._ended:
            raise SettingsError("the stream is finished: begin another one")
        if self._last:
            raise SettingsError(
                "the last strip of the stream that was begun is a low one: no lines can follow"
            )

    def _take(self, bands: slice, block: NDArray[Any], line: int) -> None:
        """Copy samples into the strip."""
        if block.dtype.newbyteorder("=") != self._info.dtype:
            raise SceneError(f"samples are {block.dtype}, the stream is of {self._info.dtype}")
        if self._lines + self._fill + block.shape[1] > LARGEST_DIMENSION:
            raise SceneError(f"a stream has {LARGEST_DIMENSION} lines at most: begin another one")
        if self._strip is None:
            shape = (self._info.bands, self._header.strip_lines, self._info.samples)
            self._strip = np.zeros(shape, dtype=self._info.dtype)
        self._strip[bands, line : line + block.shape[1]] = block

    def _advance(self, count: int) -> None:
        self._fill += count
        if self._fill == self._header.strip_lines:
            self._code()

    def _code(self) -> None:
        """Code the lines that are held, and write them."""
        if self._strip is None:
            raise ValueError("there is no strip")
        if self._scrub and self._strips - self._scrubbed >= self._scrub:
            self._look_at_memory()
        height = self._fill
        original = StripSource(self._strip[:, :height], self._info)
        written = self._code_strip(counts_without_gaps(original), original)
        for section in written:
            self._write(section)
        self._strips += 1
        self._lines += height
        self._fill = 0

    def _look_at_memory(self) -> None:
        """Compare what is loaded with its hashes, and load it again if it has changed."""
        lines = slice(self._scrubbed * self._header.strip_lines, self._lines)
        self._scrubbed = self._strips
        changed = self._scrubber.changed()
        if not changed:
            return
        self.suspect.append(lines)
        # Not from the cache, which holds what has changed.
        tables = load_tables.__wrapped__(self._tables_path)
        basis = None
        if self._wanted is not None and not isinstance(self._wanted, Package):
            basis = SensorBasis.from_package(_package(self._wanted))
        if not self._scrubber.same({"tables": tables, "sensor": basis}) or (
            basis is None and self._wanted is not None
        ):
            raise IntegrityError(
                f"bits have flipped in memory ({changed[0]}), and what is loaded again is not the same: "
                f"lines {lines.start}:{lines.stop} are in doubt; restart"
            )
        load_tables.cache_clear()
        self._tables = tables
        self._planner = self._make_planner(basis, self._planner.next_number)
        self._scrubber = Scrubber({"tables": tables, "sensor": basis})

    def _make_planner(self, basis: SensorBasis | None, first: int) -> StripPlanner:
        return StripPlanner(
            self._engine,
            self._tables,
            ends=self._ends,
            sensor=basis,
            spectral=self._spectral,
            first=first,
            workers=self._workers,
        )

    def _code_strip(self, source: SceneSource, original: SceneSource) -> list[bytes]:
        """The sections of a strip."""
        if self._bucket is not None:
            self._bucket.open(source.info.count)
        known = self._planner.basis
        if known is None:
            before, coded = self._code_first(source, original)
        else:
            step = self._control.guess()
            # The sample is gone when the strip is coded: both take memory.
            basis = self._planner.renewed(self._planner.look(source), step) or known
            before = self._before(basis, renewed=basis is not known)
            _, coded = self._control.settle(self._work(basis, source, original, sum(map(len, before))), step)
        self._since = 1 if before else self._since + 1
        sections = [*before, write_section(Section.SEGMENT, coded.payload)]
        if self._bucket is not None:
            self._bucket.close(sum(map(len, sections)))
        return sections

    def _code_first(self, source: SceneSource, original: SceneSource) -> tuple[list[bytes], Coded]:
        """What goes before the segment of a strip for which there is no plan yet, and the strip."""
        sample = self._planner.look(source)
        planner = self._planner.planner(sample)
        step = self._control.first_guess(planner)
        if not self._strips:
            self._header = replace(self._header, step_code=step_code(step))
        for turn in range(FIRST_PLANS):
            basis = self._planner.renew(sample, step, planner, again=turn > 0)
            before = self._before(basis, renewed=True)
            work = self._work(basis, source, original, sum(map(len, before)))
            chosen, coded = self._control.settle(work, step)
            if abs(log2(chosen) - log2(step * STEP_UNIT)) < FAR:
                break
            step = chosen / STEP_UNIT
        return before, coded

    def _before(self, basis: Basis, *, renewed: bool) -> list[bytes]:
        """What goes before the segment of a strip."""
        if not renewed and not (self._repeat and self._since >= self._repeat):
            return []
        if self._strips or self._begun:
            return [header_section(self._header), basis.sections]
        metadata = metadata_section(self._info.metadata, self._tables)
        return [stream_head(self._header), *([metadata] if metadata else []), basis.sections]

    def _work(self, basis: Basis, source: SceneSource, original: SceneSource, overhead: int) -> Work:
        """A strip under a plan."""
        height = source.info.lines
        coder = StripCoder(basis.plan, self._engine, self._tables, self._workers)
        strip = coder.analyse(source, original, slice(0, height))
        low = height if height < self._header.strip_lines else None
        place = Place(self._strips, basis.number, basis.rotation, lines=low)

        def code(step_code: int) -> Coded:
            told = None if step_code == self._header.step_code else step_code
            return coder.code(
                strip, replace(place, step_code=told), step_code / STEP_UNIT, errors=self._control.errors
            )

        return Work(strip, code, self._planner.drift.left_out, overhead, source.info.count)

    def _continue(self, begun: Begun) -> None:
        """Take up a stream that was cut off."""
        same = replace(self._header, step_code=begun.header.step_code)
        if same != begun.header:
            raise SettingsError(
                "the stream that was begun has other settings (or bands, samples, type): "
                "give the same, or begin anew"
            )
        self._header = begun.header
        self._strips, self._lines, self._last = begun.strips, begun.lines, begun.low
        if self._bucket is not None:
            self._bucket.resume(begun.lines * self._info.bands * self._info.samples, begun.size)

    def _make_control(self, target: Target, begun: Begun | None) -> Control:
        if target.step is not None:
            return FixedStep(target.step)
        if target.mse is not None:
            return FixedQuality(target.mse)
        if self._bucket is None:
            raise ValueError("the target is no rate")
        # What the stream ends with is paid for in advance.
        self._bucket.spend(len(header_section(self._header)) + END_BYTES)
        return LeakyBucket(self._bucket, 0.0 if begun is None else begun.step_code / STEP_UNIT)


class StripSource:
    """Lines that are held in memory, as a scene.

    Parameters
    ----------
    strip : ndarray, shape (bands, lines, samples)
    info : SceneInfo
        Of the stream; the number of lines is not used.
    """

    def __init__(self, strip: NDArray[Any], info: SceneInfo) -> None:
        self._strip = strip
        self._info = replace(info, lines=strip.shape[1])

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block; see `SceneSource.read`."""
        return self._strip[bands, lines]


def _package(wanted: str | os.PathLike[str] | Package) -> Package:
    return wanted if isinstance(wanted, Package) else Registry().find(wanted)
