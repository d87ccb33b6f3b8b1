"""`bandfold decode`: a stream into a scene."""

from __future__ import annotations

import time
from pathlib import Path

import click

from bandfold.formats.kinds import WRITTEN, output_format

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
  bandfold decode scene.bf -o scene.zarr
"""


@click.command(epilog=EXAMPLE)
@click.argument("stream", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write; of an ENVI scene the header (.hdr).",
)
@click.option(
    "--to",
    "kind",
    type=click.Choice(WRITTEN),
    help="Format of the output.  [default: by its suffix: .hdr, .tif, .nc, .zarr or .npy]",
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
    kind: str | None,
    bands: tuple[int | None, int | None] | None,
    lines: tuple[int | None, int | None] | None,
    interleave: str | None,
    byte_order: str | None,
    memory_limit: int,
    models: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Decode STREAM into a scene: ENVI, GeoTIFF, NetCDF, Zarr or NumPy.

    OUTPUT is the header of an ENVI scene, whose raw file (.img) is written beside it, or the file (of Zarr,
    the folder) of another format. Wavelengths, no-data value, projection and geotransform go where the format
    has a place for them.

    Ranges are half-open and counted from 0: 10:40 are the thirty bands from the eleventh on, :40 the first
    forty, 10: all but the first ten. The header then describes the part.

    Where the stream is damaged, everything else is decoded, the damage reported on stderr, and the exit
    status is 9.
    """
    from bandfold.ground import Decoder
    from bandfold.ground.product import write_product

    started = time.perf_counter()
    kind = output_format(output, kind)
    decoder = Decoder(stream, memory_limit=memory_limit, models=models)
    info = decoder.info
    with progress_bar() as progress:
        product = write_product(
            decoder,
            output,
            kind,
            resolve_range(bands, info.bands, "bands"),
            resolve_range(lines, info.lines, "lines"),
            interleave=interleave,
            byte_order=byte_order,
            progress=progress,
        )
    seconds = time.perf_counter() - started
    part = product.info
    if as_json:
        print_json(
            {
                "output": str(product.paths[0]),
                # What holds the samples.
                "raw": str(product.paths[1] if kind == "envi" else product.paths[0]),
                "format": kind,
                "bands": part.bands,
                "lines": part.lines,
                "samples": part.samples,
                "dtype": str(product.file_dtype),
                "seconds": seconds,
                "damage": [
                    {"lines": [item.lines.start, item.lines.stop], "reason": item.reason}
                    for item in product.damage
                ],
            }
        )
    else:
        geometry = f"{part.bands} bands, {part.lines} lines, {part.samples} samples"
        click.echo(f"{product.paths[0]}: {geometry}, {seconds:.1f} s")
    for item in product.damage:
        warn(f"lines {item.lines.start}:{item.lines.stop} are damaged: {item.reason}")
    if product.damage:
        context.exit(DAMAGED)
