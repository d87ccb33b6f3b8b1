"""`bandfold decode`: a stream into a scene."""

from __future__ import annotations

import time
from pathlib import Path

import click

from .common import (
    DAMAGED,
    json_option,
    print_json,
    progress_bar,
    range_option,
    resolve_range,
    size_option,
    warn,
)

EXAMPLE = """\b
Examples:
  bandfold decode scene.bf -o again.hdr
  bandfold decode scene.bf -o part.hdr --bands 10:40 --lines :128 --interleave bip
"""


@click.command(epilog=EXAMPLE)
@click.argument("stream", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Header to write (.hdr)."
)
@click.option(
    "--bands", metavar="A:B", callback=range_option, help="Only these bands; counted from 0, end excluded."
)
@click.option(
    "--lines", metavar="A:B", callback=range_option, help="Only these lines; counted from 0, end excluded."
)
@click.option(
    "--interleave", type=click.Choice(["bsq", "bil", "bip"]), help="Layout of the file.  [default: as it was]"
)
@click.option(
    "--byte-order", type=click.Choice(["little", "big"]), help="Byte order of the file.  [default: as it was]"
)
@click.option(
    "--memory-limit",
    metavar="SIZE",
    callback=size_option,
    default="4G",
    show_default=True,
    help="Refuse streams that take more memory than this.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Package file that the stream may need (.bfm); may be given several times.",
)
@json_option
@click.pass_context
def decode(
    context: click.Context,
    stream: Path,
    output: Path,
    bands: tuple[int | None, int | None] | None,
    lines: tuple[int | None, int | None] | None,
    interleave: str | None,
    byte_order: str | None,
    memory_limit: int,
    models: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Decode STREAM into an ENVI scene.

    Writes the header OUTPUT and, beside it, the raw file (.img).

    Ranges are half-open and counted from 0: 10:40 are the thirty bands from the eleventh on, :40 the first
    forty, 10: all but the first ten. The header then describes the part.

    Where the stream is damaged, everything else is decoded, the damage reported on stderr, and the exit
    status is 9.
    """
    from bandfold.ground import Decoder
    from bandfold.ground.envi import EnviWriter
    from bandfold.ground.subset import subset_info

    started = time.perf_counter()
    decoder = Decoder(stream, memory_limit=memory_limit, models=models)
    info = decoder.info
    band_range = resolve_range(bands, info.bands, "bands")
    line_range = resolve_range(lines, info.lines, "lines")
    part = subset_info(info, band_range, line_range)
    writer = EnviWriter(output, part, interleave=interleave, byte_order=byte_order)
    with writer, progress_bar() as progress:
        for strip, block in decoder.strips(bands=band_range, lines=line_range):
            rows = slice(strip.start - line_range.start, strip.stop - line_range.start)
            writer.write(slice(0, part.bands), rows, block)
            if progress is not None:
                progress("decoding", rows.stop / part.lines)
    seconds = time.perf_counter() - started
    damage = list(decoder.damage)
    if as_json:
        print_json(
            {
                "output": str(writer.header_path),
                "raw": str(writer.raw_path),
                "bands": part.bands,
                "lines": part.lines,
                "samples": part.samples,
                "dtype": str(writer.file_dtype),
                "seconds": seconds,
                "damage": [
                    {
                        "lines": [item.lines.start, item.lines.stop],
                        "reason": item.reason,
                        "filled": item.filled,
                    }
                    for item in damage
                ],
                "complete": decoder.complete,
            }
        )
    else:
        geometry = f"{part.bands} bands, {part.lines} lines, {part.samples} samples"
        click.echo(f"{writer.header_path}: {geometry}, {seconds:.1f} s")
    for item in damage:
        warn(f"lines {item.lines.start}:{item.lines.stop} are damaged: {item.reason}")
    if not decoder.complete:
        warn("the stream has no end: it was cut off, or its end was lost; there may have been more lines")
    if damage or not decoder.complete:
        context.exit(DAMAGED)
