"""`bandfold info`: what a stream holds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from .console import print_json
from .options import MODELS_HELP, STREAM_PLACE, json_option, models_option, trusted_option
from .standard_streams import STANDARD, standard_input
from .tables import print_whole

EXAMPLE = """\b
Examples:
  bandfold info scene.bf
  bandfold info s3://bucket/scene.bf --header
"""


@click.command(epilog=EXAMPLE)
@click.argument("stream", type=STREAM_PLACE)
@click.option(
    "--header",
    is_flag=True,
    help="Read no segment: tell geometry and settings, and neither where the bytes go nor whether segments "
    "are intact.",
)
@models_option(help=MODELS_HELP)
@trusted_option()
@json_option
def info(stream: Path | str, header: bool, models: tuple[Path, ...], trusted: bool, as_json: bool) -> None:
    """Tell what STREAM holds.

    Geometry, settings, where the bytes go, and whether the segments are intact. STREAM is a file, - for
    standard input, or an address (https://, s3://, ..., with the extra "remote").
    """
    from bandfold.ground import Decoder
    from bandfold.ground.access.part_decoder import header_report

    place = standard_input("the stream") if stream == STANDARD else stream
    make = partial(Decoder, models=models, restore="off", trusted=trusted)
    report = header_report(place, make) if header else make(place).report()
    if as_json:
        print_json({"stream": str(stream), **report})
    else:
        _print(str(stream), report)


def _print(title: str, report: dict[str, Any]) -> None:
    """Print what is single in one table, and each group and list in a table of its own."""
    from rich.table import Table
    from rich.text import Text

    from bandfold.ground.stream.stream_report import value_text

    single = Table(title=Text(title), show_header=False)
    tables = [single]
    for key, value in report.items():
        name = key.replace("_", " ")
        if isinstance(value, dict) and value:
            table = Table(title=name, show_header=False)
            for part, content in value.items():
                table.add_row(str(part).replace("_", " "), Text(value_text(content)))
            tables.append(table)
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            table = Table(*(column.replace("_", " ") for column in value[0]), title=name)
            for item in value:
                table.add_row(*(Text(value_text(item.get(column))) for column in value[0]))
            tables.append(table)
        else:
            single.add_row(name, Text(value_text(value)))
    print_whole(*tables)
