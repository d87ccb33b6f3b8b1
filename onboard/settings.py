"""What an encoder is told: one object, checked once, behind every way to encode."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from numpy.typing import NDArray

from bandfold.bitstream.container.header import QUANTISERS, UNIFORM, states_of
from bandfold.common.errors import SettingsError
from bandfold.common.scene import BLOCK

from .effort import DEFAULT_EFFORT, EFFORTS, Effort
from .target import Target

if TYPE_CHECKING:
    from bandfold.bitstream.packages.package import Package

STRIP_LINES = 64
"""Lines of a segment where nothing else is asked for."""

REPEAT = 8
"""Strips after which a stream repeats header, fold and rotations where nothing else is asked for."""

SCRUB = 16
"""Strips after which a stream looks at what is loaded in memory where nothing else is asked for."""

BASE_BPS = 0.25
"""Bits per sample of the base, about, where its rate is not told: near the best for most scenes."""

LAYERS = ("interleaved", "base-first")
"""Values of ``layers``."""

SNR_WEIGHTS = "snr"
"""Weights of bands that make their noise the same."""

SPECTRAL = ("auto", "sensor", "none")
"""Values of ``spectral``."""

PARTITIONS = ("auto", "aviris-2022")
"""Names of partitions."""

PackageName: TypeAlias = "str | os.PathLike[str] | Package"
"""A package: its name, its file, or itself."""


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """What an encoder is told, whichever way a scene reaches it.

    Parameters
    ----------
    bps : float, optional
        Bits per sample, every byte of the stream counted; never exceeded. Of a stream: on average, from the
        first strip on.
    nbytes : int, optional
        Bytes of the stream; never exceeded. Not for streams.
    psnr : float, optional
        PSNR in dB, squared error pooled over the scene; of a stream over each strip. The peak is 65535 counts
        or, of floats and 32-bit integers, the range of their ordinary values: in a stream, of those of its
        first strip.
    rmse : float, optional
        Root of the mean squared error in the unit of the samples, pooled likewise.
    step : float, optional
        Quantiser step in counts, 1/16 to 2**20. Exactly one of the five is given, or none with `lossless`,
        `max_error` or `relative_error`, where it is that of the base; without any the base has about
        `BASE_BPS`.
    spectral : {"auto", "sensor", "none"}
        ``auto`` folds the bands unless coding them one by one is better; ``none`` codes them one by one.
        With a sensor, ``auto`` takes its fold unless the scene's own or none at all is better; ``sensor``
        takes it in any case.
    partition : "auto", "aviris-2022" or sequence of int
        Spectral partition: found in the scene, the published one for AVIRIS, or the end of each interval
        (exclusive, counted from 0; the last one is the number of bands).
    model : str, path_like or Package, optional
        Package of a trained encoder: its name, or its file. It codes band by band, in intervals of its own.
        Not for streams.
    engine : {"auto", "litert", "onnxruntime", "numpy"}
        What runs the networks of a model. ``auto`` takes the fastest that gives the same integers on every
        machine; see `bandfold.onboard.networks.engine_choice`.
    threads : int
        Processor threads: of that engine; without a model those that code strips side by side, or share the
        work on a strip of a stream.
    sensor : str, path_like or Package, optional
        Package of the sensor, whose fold the scene need not carry: its name, or its file.
    strip_lines : int, optional
        Lines of a segment, a multiple of 8. If not given, `STRIP_LINES`, more where lines are short, fewer
        where they are long (`bandfold.onboard.strip_height`).
    effort : int
        Time to spend on a smaller stream, 1 to 9: 1 for cameras that outrun the board, 9 for archives,
        `DEFAULT_EFFORT` for most; what each does is in `bandfold.onboard.effort`. Models have none.
    tables : path_like, optional
        Entropy tables to use in place of the shipped ones; they tell the quantiser too.
    quantiser : {"dependent", "dependent-32", "uniform"}, optional
        ``dependent-32`` is trellis-coded quantisation in 32 states, the default for folded bands from effort
        4 on; ``dependent`` has a trellis of 8 states, in a little less time for 0.6 % more bytes;
        ``uniform`` is rate-distortion optimised rounding, in two thirds of the time, for some 2 % more bytes.
    find_fill_values : bool
        Whether to look, among floats and 32-bit integers without a declared scaling, for values that mark
        absent data although nobody declared them.
    stream : bool
        Code strip after strip as if nobody knew what comes after it.
    buffer : int, optional
        Of a stream with `bps`: bytes of the transmitter's buffer, which lets hard strips take what easy ones
        have left. Four strips at the average rate if not given.
    repeat : int, optional
        Of a stream: strips after which header, fold and rotations are repeated, so that losing them costs so
        many strips at most; 0 for never, `REPEAT` if not given.
    lossless : bool
        Whether every sample comes back exactly: a refinement follows the base.
    max_error : float or sequence of float, optional
        Largest absolute error that a sample may have, in the units of the samples: one for all bands, or one
        for each band. 0 is `lossless`.
    relative_error : float, optional
        Largest error of a sample as a share of its magnitude, above 0 and below 1. With `max_error`, which is
        one number then, the larger one of both holds.
    weights : "snr" or sequence of float, optional
        How much more an error weighs in each band than in others, which are then coded more coarsely:
        ``snr`` takes the reciprocal of the noise of each band, as the scene shows it, so that errors are even
        in units of noise; or one number above 0 for each band, of which the ratios count. A step is that of
        the band of the largest weight. With `bps`, `nbytes` or `step`, for scenes that are folded with a
        basis of their own. A stream takes the noise of its first strip.
    roi : sequence of (ndarray, float)
        Regions of interest: a mask of shape (lines, samples), true in the region, and by how many dB the
        quantiser step is finer there (6 dB are half the step); below 0, as for clouds, coarser. See
        `bandfold.onboard.transform.block_weights.block_codes`. A step is that of the best region. With `bps`,
        `nbytes` or `step`, for scenes without a model; not for streams.
    layers : {"interleaved", "base-first"}, optional
        Where refinements are: behind the segment of each strip, as by default, or behind all of them, so that
        a link that closes early leaves a base of the whole scene. The latter not for streams.
    scrub : int, optional
        Of a stream: strips after which tables and sensor package in memory are compared with their hashes,
        and loaded again if bits in them have flipped; 0 for never, `SCRUB` if not given.

    Raises
    ------
    SettingsError
        If settings contradict each other or are out of range.
    """

    bps: float | None = None
    nbytes: int | None = None
    psnr: float | None = None
    rmse: float | None = None
    step: float | None = None
    spectral: str = "auto"
    partition: str | Sequence[int] = "auto"
    model: PackageName | None = None
    engine: str = "auto"
    threads: int = 1
    sensor: PackageName | None = None
    strip_lines: int | None = None
    effort: int = DEFAULT_EFFORT
    tables: str | os.PathLike[str] | None = None
    quantiser: str | None = None
    find_fill_values: bool = True
    stream: bool = False
    buffer: int | None = None
    repeat: int | None = None
    scrub: int | None = None
    lossless: bool = False
    max_error: float | Sequence[float] | None = None
    relative_error: float | None = None
    layers: str | None = None
    weights: str | Sequence[float] | None = None
    roi: Sequence[tuple[NDArray[Any], float]] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        self._check_refinement()
        self._check_weights()
        self.target  # noqa: B018 - checks that there is one
        if self.spectral not in SPECTRAL:
            raise SettingsError(f"spectral {self.spectral!r} is unknown: use auto, sensor or none")
        if isinstance(self.partition, str) and self.partition not in PARTITIONS:
            raise SettingsError(
                f"partition {self.partition!r} is unknown: use auto, aviris-2022 or the ends of intervals"
            )
        if self.strip_lines is not None and (self.strip_lines < BLOCK or self.strip_lines % BLOCK):
            raise SettingsError(
                f"strips of {self.strip_lines} lines are not possible: give a multiple of {BLOCK}"
            )
        if self.threads < 1:
            raise SettingsError(f"{self.threads} threads are not possible: give 1 or more")
        self._check_packages()
        self._check_effort()
        self._check_quantiser()
        self._check_stream()

    @property
    def target(self) -> Target:
        """What the encoding aims at; with limits, what its base does."""
        bps = BASE_BPS if self.chooses_base else self.bps
        return Target(bps, self.nbytes, self.psnr, self.step, self.rmse)

    @property
    def limits(self) -> tuple[float, ...]:
        """Largest errors in the units of the samples: one for all bands, one for each, or none at all."""
        if self.max_error is None:
            return (0.0,) if self.lossless or self.relative_error is not None else ()
        if isinstance(self.max_error, Iterable):
            return tuple(map(float, self.max_error))
        return (float(self.max_error),)

    @property
    def chooses_base(self) -> bool:
        """Whether a base is needed and nothing is said of it."""
        given = (self.bps, self.nbytes, self.psnr, self.step, self.rmse)
        return bool(self.limits) and given == (None,) * len(given)

    @property
    def base_first(self) -> bool:
        """Whether refinements come behind all segments."""
        return self.layers == LAYERS[1]

    @property
    def tables_path(self) -> Path | None:
        """File of the entropy tables; None for `bandfold.bitstream.contexts.tables.SHIPPED_TABLES`."""
        if self.tables is not None:
            return Path(self.tables)
        wanted = self.quantiser or (self.spent.quantiser if self.model is None else UNIFORM)
        if wanted == UNIFORM:
            return None
        from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES

        return DEPENDENT_TABLES

    @property
    def trellis_states(self) -> int:
        """States of the trellis, where the tables are for two quantisers."""
        return states_of(self.quantiser or self.spent.quantiser)

    @property
    def spent(self) -> Effort:
        """What the effort stands for."""
        return EFFORTS[self.effort]

    @property
    def segment_lines(self) -> int:
        """Lines of a segment: those asked for, else the usual ones."""
        return STRIP_LINES if self.strip_lines is None else self.strip_lines

    @property
    def repeat_strips(self) -> int:
        """Strips after which a stream repeats header, fold and rotations; 0 for never."""
        return REPEAT if self.repeat is None else self.repeat

    @property
    def scrub_strips(self) -> int:
        """Strips after which a stream looks at what is loaded in memory; 0 for never."""
        return SCRUB if self.scrub is None else self.scrub

    def _check_refinement(self) -> None:
        if self.lossless and (self.max_error is not None or self.relative_error is not None):
            raise SettingsError("lossless is an error of 0: leave out lossless, or the other limits")
        if self.relative_error is not None and not 0 < self.relative_error < 1:
            raise SettingsError(
                f"relative_error {self.relative_error} is out of range: give a share above 0 and below 1"
            )
        if self.relative_error is not None and len(self.limits) > 1:
            raise SettingsError("relative_error goes with one max_error for all bands, or none")
        if self.max_error is not None and not self.limits:
            raise SettingsError("max_error lists no limits: give one, or one for each band")
        for limit in self.limits:
            if not (math.isfinite(limit) and limit >= 0):
                raise SettingsError(f"max_error {limit} is out of range: give a finite number, 0 or more")
        if self.layers is None:
            return
        if self.layers not in LAYERS:
            raise SettingsError(f"layers {self.layers!r} are unknown: use {' or '.join(LAYERS)}")
        if not self.limits:
            raise SettingsError(
                "layers are a base and its refinement: add lossless or a limit, or leave layers out"
            )
        if self.stream and self.base_first:
            raise SettingsError(
                "a stream cannot hold back refinements until its end: leave out layers, or stream"
            )

    def _check_weights(self) -> None:
        if self.roi:
            self._refuse_beside("regions of interest", stream=self.stream)
        if self.weights is None:
            return
        if isinstance(self.weights, str):
            if self.weights != SNR_WEIGHTS:
                raise SettingsError(
                    f"weights {self.weights!r} are unknown: use snr, or a number for each band"
                )
        elif not all(math.isfinite(weight) and weight > 0 for weight in self.weights):
            raise SettingsError("weights are finite and above 0: correct them, and leave out bands elsewhere")
        others = {"a sensor": self.sensor is not None, "spectral none": self.spectral == "none"}
        self._refuse_beside("weights", **others)

    def _refuse_beside(self, what: str, **others: bool) -> None:
        """Refuse what does not go with errors that weigh more in some places than in others."""
        errors = {
            "psnr": self.psnr is not None,
            "rmse": self.rmse is not None,
            "limits of errors": bool(self.limits),
            "a model": self.model is not None,
        }
        refused = [name for name, given in {**errors, **others}.items() if given]
        if refused:
            raise SettingsError(
                f"{what} do not go with {' and '.join(refused)}: leave out one of both, and give bps, nbytes "
                "or step"
            )

    def _check_packages(self) -> None:
        if self.model is not None and (
            self.sensor is not None or self.spectral == "sensor" or self.partition != "auto"
        ):
            raise SettingsError(
                "a model codes band by band, in intervals of its own: leave out sensor, partition and "
                "spectral, or the model"
            )
        if self.model is None and self.engine != "auto":
            raise SettingsError("an engine runs the networks of a model: name a model, or leave it out")
        if self.sensor is None and self.spectral == "sensor":
            raise SettingsError("spectral 'sensor' needs a sensor package: name one, or use auto")
        if self.sensor is not None and self.partition != "auto":
            raise SettingsError("a sensor package has a partition of its own: leave one of both out")

    def _check_effort(self) -> None:
        if self.effort not in EFFORTS:
            raise SettingsError(
                f"effort {self.effort!r} is out of range: give {min(EFFORTS)} (fastest) to "
                f"{max(EFFORTS)} (smallest streams)"
            )
        if self.model is not None and self.effort != DEFAULT_EFFORT:
            raise SettingsError("a model has no efforts: leave out the effort, or the model")

    def _check_quantiser(self) -> None:
        if self.quantiser is None:
            return
        if self.quantiser not in QUANTISERS:
            raise SettingsError(f"quantiser {self.quantiser!r} is unknown: use {' or '.join(QUANTISERS)}")
        if self.model is not None:
            raise SettingsError("a model has a quantiser of its own: leave out the quantiser, or the model")
        if self.tables is not None:
            raise SettingsError(
                "tables tell the quantiser themselves: leave out the quantiser, or the tables"
            )

    def _check_stream(self) -> None:
        if not self.stream:
            if (self.buffer, self.repeat, self.scrub) != (None, None, None):
                raise SettingsError(
                    "buffer, repeat and scrub are settings of streams: add stream, or leave them out"
                )
            return
        if self.nbytes is not None:
            raise SettingsError(
                "a stream has no size that is known before its end: give bps, psnr, rmse or step, or "
                "leave out stream"
            )
        if self.sensor is not None and self.spectral == "none":
            raise SettingsError("a sensor package has a fold of its own: leave out the sensor, or spectral")
        if self.buffer is not None and self.bps is None:
            raise SettingsError("a buffer goes with a rate: give bps, or leave out buffer")
        if self.buffer is not None and self.buffer < 1:
            raise SettingsError(f"buffer of {self.buffer} bytes is not possible: give at least 1")
        for name, strips in (("repeating", self.repeat), ("scrubbing", self.scrub)):
            if strips is not None and strips < 0:
                raise SettingsError(
                    f"{name} after {strips} strips is not possible: give 0 for never, or more"
                )


class SettingsFields(TypedDict, total=False):
    """The fields of `EncoderSettings`, as keywords of the encoders."""

    bps: float | None
    nbytes: int | None
    psnr: float | None
    rmse: float | None
    step: float | None
    spectral: str
    partition: str | Sequence[int]
    model: PackageName | None
    engine: str
    threads: int
    sensor: PackageName | None
    strip_lines: int | None
    effort: int
    tables: str | os.PathLike[str] | None
    quantiser: str | None
    find_fill_values: bool
    stream: bool
    buffer: int | None
    repeat: int | None
    scrub: int | None
    lossless: bool
    max_error: float | Sequence[float] | None
    relative_error: float | None
    layers: str | None
    weights: str | Sequence[float] | None
    roi: Sequence[tuple[NDArray[Any], float]]


def find_package(wanted: PackageName) -> Package:
    """Open a package.

    Parameters
    ----------
    wanted : str, path_like or Package
        Its name, its file, or the package itself.

    Returns
    -------
    Package

    Raises
    ------
    ModelError
        If there is none, or it is damaged.
    """
    from bandfold.bitstream.packages.package import Package
    from bandfold.bitstream.packages.registry import Registry

    return wanted if isinstance(wanted, Package) else Registry().find(wanted)


def settings_of(settings: EncoderSettings | None, fields: SettingsFields) -> EncoderSettings:
    """Settings, given as one object or field by field.

    Parameters
    ----------
    settings : EncoderSettings or None
        The object.
    fields : dict
        Fields of it.

    Returns
    -------
    EncoderSettings

    Raises
    ------
    SettingsError
        If both are given; and what `EncoderSettings` raises.
    """
    if settings is None:
        return EncoderSettings(**fields)
    if fields:
        raise SettingsError(f"{', '.join(fields)} given beside settings: put them into the settings")
    return settings
