"""The index of options that several commands have, each declared once, and groups that come as one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.programs.options import names

from .completion import PackageName
from .option_values import (
    PACKETS_METAVAR,
    parse_no_data,
    parse_packet_settings,
    parse_partition,
    parse_size,
)
from .thread_count import ThreadCount

if TYPE_CHECKING:
    from bandfold.common.scene import NoData

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

PATH = click.Path(path_type=Path)


class _StreamPlace(click.ParamType[Path | str]):
    """A path; an address such as ``s3://bucket/scene.bf`` stays a text, which a path would change."""

    name = "file or address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        return value if isinstance(value, Path) or "://" in value else Path(value)


STREAM_PLACE = _StreamPlace()


def read_by(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Make the callback of an option whose text a function reads.

    Parameters
    ----------
    parse : callable
        Gives the value that the command gets for a text; see `bandfold.cli.option_values`.

    Returns
    -------
    callable
        For `click.option`; None stays None, for an option that is not given.
    """
    return lambda context, parameter, text: None if text is None else parse(text)


def grouped(
    *names: str, option: Callable[..., Decorator] = click.option, unset: Any = None, **settings: Any
) -> Any:
    """Declare an option as the field of a dataclass that `option_group` gives to commands.

    The help text of the option says what the field is.

    Parameters
    ----------
    *names : str
        Of the option, as for `click.option`; the longest is the name of the field.
    option : callable
        What makes the option: `click.option`, or one of those below.
    unset : object
        Value of the field for commands that do not have this option of the group.
    **settings
        Other settings of `click.option`.

    Returns
    -------
    dataclasses.Field
        Typed as anything, as `dataclasses.field` is.
    """
    return field(default=unset, metadata={"option": option(*names, **settings)})


def option_group(argument: str, group: type, *only: str) -> Decorator:
    """Give a command the options of a group, whose values come as one object.

    Parameters
    ----------
    argument : str
        Name of the command's argument for the object.
    group : type
        Dataclass whose fields are made with `grouped`.
    *only : str
        Fields whose options the command has; all if none is named.

    Returns
    -------
    callable
        The decorator.
    """
    chosen = [one for one in fields(group) if not only or one.name in only]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_group(*arguments: Any, **values: Any) -> Any:
            given = group(**{one.name: values.pop(one.name) for one in chosen})
            return command(*arguments, **{argument: given}, **values)

        decorated: Command = with_group
        for one in reversed(chosen):
            decorated = one.metadata["option"](decorated)
        return decorated

    return decorate


# Several commands have these, each with a help text of its own.
output_option = partial(click.option, "-o", "--output", type=PATH)
model_option = partial(click.option, "--model", metavar="NAME|FILE", type=PackageName("codec"))
"""Package of a trained encoder."""
models_option = partial(click.option, "--model", "models", multiple=True, type=PATH, metavar="FILE")
"""Packages that a stream may need."""
engine_option = partial(
    click.option,
    "--engine",
    default="auto",
    show_default=True,
    metavar="auto|litert[:LIBRARY]|onnxruntime[:PROVIDER]|numpy",
    help="What runs the networks of the model; auto: the fastest that is exact here (bandfold engines). "
    "Behind a colon a delegate of LiteRT or an execution provider of ONNX Runtime.",
)
threads_option = partial(
    click.option, "--threads", type=ThreadCount(), default=1, show_default=True, metavar="N|auto"
)
"""Of the processor; auto for one on each core."""
trusted_option = partial(
    click.option,
    "--trusted",
    is_flag=True,
    help="Decode what claims far more samples than its bytes make likely: next to nothing in a large scene.",
)
interleave_option = partial(click.option, "--interleave", type=click.Choice(["bsq", "bil", "bip"]))
byte_order_option = partial(click.option, "--byte-order", type=click.Choice(["little", "big"]))
no_data_option = partial(
    click.option,
    "--no-data",
    metavar="V|none",
    callback=lambda context, parameter, text: parse_no_data(text),
)
partition_option = partial(
    click.option,
    "--partition",
    default="auto",
    show_default=True,
    metavar="auto|aviris-2022|FILE",
    callback=read_by(parse_partition),
)
packets_option = partial(
    click.option, "--packets", metavar=PACKETS_METAVAR, callback=read_by(parse_packet_settings)
)
plot_option = partial(click.option, "--plot", type=PATH)
name_option = partial(click.option, "--name")
"""Name of a package that is written."""
description_option = partial(click.option, "--description", default="")
exclude_option = partial(click.option, "--exclude", default="", callback=names)
lines_option = partial(click.option, "--lines", show_default=True)
samples_option = partial(click.option, "--samples", show_default=True)
bands_option = partial(click.option, "--bands", default=224, show_default=True)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
seed_option = click.option(
    "--seed", type=int, default=0, show_default=True, help="Another seed, another scene."
)
strip_lines_option = partial(
    click.option,
    "--strip-lines",
    type=int,
    help="Lines of a segment.  [default: 64; more where lines are short: those of 1024 samples, or of 32768 "
    "with a model that predicts bands; fewer where they would have over 25 million samples, or 10 million]",
)
int8_models_option = click.option(
    "--model",
    "names",
    metavar="NAME|FILE",
    type=PackageName(),
    multiple=True,
    help="This package in int8; may be given several times.  [default: all that are at hand]",
)

MODELS_HELP = "Package file that the stream may need (.bfm); may be given several times."

NO_DATA_HELP = "Value that marks absent data.  [default: the data ignore value of the header]"

PACKETS_HELP = (
    "apid (0-2046); size: bytes of a packet at most [4096]; repeat: segments after which header and bases "
    "are sent again, 0 for never [8]; count: first sequence count [0]; scene: number of the scene; time: "
    "time code of all packets, like 2026-03-01T12:00:00Z [both: now]; identity: 16 hexadecimal digits that "
    "no other stream has [digest of the stream; random while it is made]."
)


@dataclass(frozen=True)
class ReadingOptions:
    """How a scene is read that is to be encoded, or looked at."""

    scale: str | None = grouped(
        "--scale",
        metavar="S|auto",
        help="Value of one count, for 32-bit integers and floats; auto finds it from the range of the "
        "ordinary values, and keeps outliers exactly.  [default: auto]",
    )
    offset: float | None = grouped(
        "--offset", type=float, help="Value of count 0; with --scale S.  [default: 0]"
    )
    no_data: float | NoData | None = grouped(option=no_data_option, help=NO_DATA_HELP)
    variable: str | None = grouped(
        "--variable",
        metavar="NAME",
        help="Array to take from a file of several (NetCDF, HDF5, Zarr, MATLAB, .npz).  "
        "[default: the only cube]",
    )
    band_axis: str | None = grouped(
        "--band-axis",
        metavar="N|NAME",
        help="Which axis of the array are the bands, from 0, or its name.  [default: found by its name "
        "or wavelengths; else the first one of .npy, the last one of MATLAB]",
    )


@dataclass(frozen=True)
class OtherOptions:
    """How a scene is read that is compared with a reference."""

    other_variable: str | None = grouped(
        "--other-variable", metavar="NAME", help="Array of OTHER, as --variable names that of REFERENCE."
    )
    other_band_axis: str | None = grouped(
        "--other-band-axis", metavar="N|NAME", help="Which axis of OTHER are the bands."
    )


@dataclass(frozen=True)
class DecodingOptions:
    """How a stream is decoded."""

    memory_limit: int = grouped(
        "--memory-limit",
        metavar="SIZE",
        callback=read_by(parse_size),
        default="4G",
        show_default=True,
        help="Refuse streams that take more memory than this.",
    )
    models: tuple[Path, ...] = grouped(option=models_option, help=MODELS_HELP, unset=())
    restore: str = grouped(
        "--restore",
        metavar="auto|off|NAME|FILE",
        type=PackageName("restoration", words=("auto", "off")),
        default="auto",
        show_default=True,
        help="Restore what rounding took, with the shipped network or another one.",
        unset="auto",
    )
    threads: int = grouped(option=threads_option, help="Strips decoded at a time.", unset=1)
    trusted: bool = grouped(option=trusted_option, unset=False)
    layers: str = grouped(
        "--layers",
        type=click.Choice(["all", "base"]),
        default="all",
        show_default=True,
        help="Of a stream with a limit of errors, all of it, or its base alone.",
        unset="all",
    )
