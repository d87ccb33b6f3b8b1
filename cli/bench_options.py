"""The options of `bandfold bench`, several of them lists with commas between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .options import PATH, bands_option, grouped, lines_option, samples_option, strip_lines_option
from .thread_count import ThreadCount


def list_of(
    kind: click.ParamType[Any],
) -> Callable[[click.Context, click.Parameter, str | None], tuple[Any, ...]]:
    """Make the callback of an option that takes several values with commas between.

    Parameters
    ----------
    kind : click.ParamType
        What each value is.

    Returns
    -------
    callable
        For `click.option`; gives a tuple without doubles, empty if the option is not given.
    """

    def read(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[Any, ...]:
        if text is None:
            return ()
        items = [item.strip() for item in text.split(",") if item.strip()]
        if not items:
            raise click.BadParameter("it is empty: give a value, or several with commas between")
        return tuple(dict.fromkeys(kind.convert(item, parameter, context) for item in items))

    return read


def _list_option(name: str, kind: click.ParamType[Any], metavar: str, text: str) -> Any:
    return grouped(name, metavar=metavar, callback=list_of(kind), help=text)


@dataclass(frozen=True)
class BenchCodingOptions:
    """How the scene is coded while it is measured."""

    bps: Sequence[float] = _list_option(
        "--bps", click.FloatRange(0, 32, min_open=True), "R[,R...]", "Rates.  [default: 0.5]"
    )
    step: Sequence[float] = _list_option(
        "--step",
        click.FloatRange(0, min_open=True),
        "S[,S...]",
        "Quantiser steps: without a search for them.",
    )
    model: Sequence[str] = _list_option(
        "--model",
        click.STRING,
        "NAME|FILE|none[,...]",
        "Packages of trained encoders; none folds bands.  [default: none]",
    )
    engine: Sequence[str] = _list_option(
        "--engine",
        click.STRING,
        "auto|litert[:LIBRARY]|onnxruntime[:PROVIDER]|numpy[,...]",
        "What runs the networks of models, see bandfold encode.  [default: auto]",
    )
    threads: Sequence[int] = _list_option(
        "--threads",
        ThreadCount(),
        "N|auto[,...]",
        "Threads that code strips, or run the model.  [default: 1]",
    )
    quantiser: Sequence[str] = _list_option(
        "--quantiser",
        click.Choice(["dependent", "dependent-32", "uniform"]),
        "dependent|dependent-32|uniform[,...]",
        "Quantisers of a fold.  [default: of each effort]",
    )
    effort: Sequence[int] = _list_option(
        "--effort", click.IntRange(1, 9), "N[,N...]", "Efforts of a fold.  [default: 5]"
    )
    strip_lines: int | None = grouped(option=strip_lines_option)
    sweep: bool = grouped(
        "--sweep",
        is_flag=True,
        help="Measure all that makes sense here where no option says otherwise: bands folded and all models "
        "in int8, every engine that is exact, 1, 2, 4 ... threads, both quantisers.",
    )


@dataclass(frozen=True)
class MadeUpScene:
    """Geometry of a made-up scene."""

    lines: int = grouped(
        option=lines_option, type=click.IntRange(8), default=512, help="Lines of the made-up scene."
    )
    samples: int = grouped(
        option=samples_option, type=click.IntRange(8), default=680, help="Samples of its lines."
    )
    bands: int = grouped(option=bands_option, type=click.IntRange(1), help="Its bands.")


@dataclass(frozen=True)
class MeasuringOptions:
    """What is measured, how often and how long."""

    repeat: int = grouped(
        "--repeat",
        "--runs",
        type=click.IntRange(1),
        default=5,
        show_default=True,
        help="Loads that count; a confidence interval needs 2.",
    )
    seconds: float = grouped(
        "--seconds",
        type=click.FloatRange(0),
        default=5.0,
        show_default=True,
        help="Code the scene again and again in each load until so many seconds have passed.",
    )
    warm_up: int = grouped(
        "--warm-up",
        type=click.IntRange(0),
        default=1,
        show_default=True,
        help="Encodes before them, not counted.",
    )
    idle: float = grouped(
        "--idle",
        type=click.FloatRange(0.1),
        default=10.0,
        show_default=True,
        help="Seconds of rest before and after, for the power while nothing runs.",
    )
    decode: bool = grouped("--decode", is_flag=True, help="Measure decoding too.")
    restore: str = grouped(
        "--restore",
        metavar="off|auto|NAME|FILE",
        default="off",
        show_default=True,
        help="What restores folded scenes while --decode measures, as of bandfold decode.",
    )


@dataclass(frozen=True)
class MeterOptions:
    """Where power is read."""

    command: str | None = grouped(
        "--meter",
        "command",
        metavar="COMMAND",
        help="Read watts from a program that prints a line for each reading, not from sensors of the board.",
    )
    interval: float | None = grouped(
        "--meter-interval",
        "interval",
        type=click.FloatRange(0.01),
        metavar="S",
        help="Start that program every S seconds: it prints one reading and ends.",
    )
    root: Path = grouped("--root", type=PATH, default="/", hidden=True, help="Where the sensors are.")


@dataclass(frozen=True)
class BenchOutputOptions:
    """Files that figures are written to."""

    csv: Path | None = grouped(
        "--csv", type=PATH, metavar="FILE", help="Write a row for each combination, and keep it up to date."
    )
    plot: Path | None = grouped(
        "--plot", type=PATH, metavar="FILE", help="Draw the figures into this PNG file."
    )
