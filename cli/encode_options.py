"""The options of `bandfold encode`: how a scene is coded, as a whole or strip after strip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bandfold.common.errors import SettingsError

from .completion import PackageName
from .option_values import parse_max_error, parse_size, parse_weights
from .options import (
    PATH,
    engine_option,
    grouped,
    model_option,
    partition_option,
    read_by,
    strip_lines_option,
    threads_option,
)

ROI_GAIN = 12.0
"""By how many dB the step is finer in a region of interest, where nothing else is said: a quarter."""


@dataclass(frozen=True)
class CodingOptions:
    """How a scene is coded."""

    bps: float | None = grouped(
        "--bps",
        type=float,
        help="Rate to meet, in bits per sample of the whole file; with limits, of its base.",
    )
    nbytes: int | None = grouped("--bytes", "nbytes", type=int, help="Size of the file to meet.")
    psnr: float | None = grouped(
        "--psnr",
        type=float,
        help="Quality to meet, in dB (pooled, not restored; peak 65535, of floats and 32-bit integers the "
        "range of their values).",
    )
    rmse: float | None = grouped(
        "--rmse", type=float, help="Root of the mean squared error to meet, in the unit of the samples."
    )
    step: float | None = grouped("--step", type=float, help="Quantiser step, in counts.")
    model: str | None = grouped(
        option=model_option,
        help="Package of a trained encoder, which codes band by band.  [default: the built-in transform]",
    )
    engine: str = grouped(option=engine_option)
    threads: int = grouped(
        option=threads_option, help="Threads that code strips, or run the model; auto: one on each core."
    )
    sensor: str | None = grouped(
        "--sensor",
        metavar="NAME|FILE",
        type=PackageName("sensor"),
        help="Package of the sensor: the stream carries no vectors.  [default: the scene's own]",
    )
    spectral: str = grouped(
        "--spectral",
        type=click.Choice(["auto", "sensor", "none"]),
        default="auto",
        show_default=True,
        help="Fold the bands as is best, as the sensor's package says, or code each band on its own.",
    )
    partition: str | tuple[int, ...] = grouped(
        option=partition_option,
        help="Spectral intervals: found in the scene, the usual ones of AVIRIS, or of "
        "'bandfold partition -o'.",
    )
    quantiser: str | None = grouped(
        "--quantiser",
        type=click.Choice(["dependent", "dependent-32", "uniform"]),
        help="For folded bands two quantisers that take turns in a trellis of 32 states, as by default from "
        "effort 4 on, the same in one of 8 states: 0.6 % more bytes, or one: in three quarters of the time "
        "2 % more bytes.",
    )
    effort: int = grouped(
        "--effort",
        type=click.IntRange(1, 9),
        default=5,
        show_default=True,
        help="Time to spend on a smaller stream: 1 for cameras that outrun the board, 9 for archives.",
    )
    weights: str | tuple[float, ...] | None = grouped(
        "--weights",
        metavar="snr|FILE",
        callback=read_by(parse_weights),
        help="Code bands as finely as errors weigh in them: snr makes the noise of all bands the same, FILE "
        "lists a number for each band, of which the ratios count. With --bps, --bytes or --step.  "
        "[default: all alike]",
    )
    strip_lines: int | None = grouped(option=strip_lines_option)
    lossless: bool = grouped(
        "--lossless",
        is_flag=True,
        unset=False,
        help="Every sample comes back exactly: a base, and what it lacks.",
    )
    max_error: float | tuple[float, ...] | None = grouped(
        "--max-error",
        metavar="N|FILE",
        callback=read_by(parse_max_error),
        help="No sample is off by more than N, in the units of the samples; FILE lists a limit for each "
        "band.",
    )
    relative_error: float | None = grouped(
        "--relative-error",
        type=float,
        metavar="R",
        help="No sample is off by more than this share of its magnitude, or than --max-error if that is "
        "more.",
    )
    layers: str | None = grouped(
        "--layers",
        type=click.Choice(["interleaved", "base-first"]),
        help="With a limit of errors: refinements behind each strip, or behind the base of all "
        "strips.  [default: interleaved]",
    )

    roi: tuple[Path, ...] = grouped(
        "--roi",
        multiple=True,
        type=PATH,
        metavar="MASK",
        unset=(),
        help="Region of interest: a file of one band, of the lines and samples of the scene, that is not 0 "
        "in the region. May be given several times. With --bps, --bytes or --step.",
    )
    roi_gain: tuple[float, ...] = grouped(
        "--roi-gain",
        multiple=True,
        type=float,
        metavar="DB",
        unset=(),
        help="By how many dB the quantiser step is finer in the region, 6 dB being half the step; below 0 "
        "coarser, as for clouds. One for each --roi, or for all.  [default: 12]",
    )

    def settings(self) -> dict[str, Any]:
        """Settings of an encoder.

        Returns
        -------
        dict
            Fields of `bandfold.onboard.settings.EncoderSettings`.

        Raises
        ------
        SceneError, SettingsError
            If a mask cannot be read or has several bands, or there is another number of gains than of masks.
        """
        from .scene_input import read_mask

        gains = self.roi_gain or (ROI_GAIN,)
        if len(gains) not in (1, len(self.roi)) or (self.roi_gain and not self.roi):
            raise SettingsError(
                f"--roi-gain is given {len(gains)} times for {len(self.roi)} of --roi: give one, or one for "
                "each"
            )
        if len(gains) == 1:
            gains *= len(self.roi)
        fields = {name: value for name, value in vars(self).items() if name not in ("roi", "roi_gain")}
        masks = [(read_mask(path), gain) for path, gain in zip(self.roi, gains, strict=True)]
        return {**fields, "roi": masks}

    def __post_init__(self) -> None:
        targets = (
            ("--bps", self.bps),
            ("--bytes", self.nbytes),
            ("--psnr", self.psnr),
            ("--rmse", self.rmse),
            ("--step", self.step),
        )
        given = [name for name, value in targets if value is not None]
        if not given and (self.lossless or (self.max_error, self.relative_error) != (None, None)):
            return
        if len(given) != 1:
            said = f"{' and '.join(given)} are given" if given else "no rate is given"
            raise SettingsError(
                f"{said}: give exactly one of --bps, --bytes, --psnr, --rmse and --step, or a limit of "
                "errors (--lossless, --max-error, --relative-error)"
            )


@dataclass(frozen=True)
class StreamingOptions:
    """How a scene is coded strip after strip."""

    stream: bool = grouped(
        "--stream",
        is_flag=True,
        help="Code strip after strip, as if nobody knew what comes after it; always so with SCENE -.",
    )
    buffer: int | None = grouped(
        "--buffer",
        metavar="SIZE",
        callback=read_by(parse_size),
        help="Of a stream with --bps: the transmitter's buffer, which lets hard strips take what easy "
        "ones have left.  [default: four strips at the average rate]",
    )
    repeat: int | None = grouped(
        "--repeat",
        type=int,
        help="Strips of a stream after which header and fold are repeated, 0 for never.  [default: 8]",
    )
    resume: bool = grouped(
        "--resume", is_flag=True, help="Continue the stream that an earlier run has left as OUTPUT.part."
    )
    overwrite: bool = grouped(
        "--overwrite",
        is_flag=True,
        help="Begin anew where an earlier run has left OUTPUT.part, which is refused otherwise.",
    )
    from_line: int | None = grouped(
        "--from-line",
        metavar="N",
        type=click.IntRange(0),
        help="With --resume and SCENE -: the first line that standard input holds, to be compared with what "
        "the part file lacks; needed where a strip in it is damaged.",
    )

    def __post_init__(self) -> None:
        if self.resume and self.overwrite:
            raise SettingsError("--resume continues what is there, --overwrite does not: give one of them")
        if self.from_line is not None and not self.resume:
            raise SettingsError("--from-line goes with --resume: add it, or remove --from-line")
