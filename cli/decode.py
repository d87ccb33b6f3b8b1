"""`bandfold decode`: a stream into a scene."""

from __future__ import annotations

import time
from pathlib import Path

import click

from bandfold.common.errors import SettingsError
from bandfold.formats.file_formats import WRITTEN, output_format

from .archive import decode_archive
from .common import (
    DAMAGED,
    json_option,
    memory_limit_option,
    models_option,
    print_json,
    progress_bar,
    range_option,
    resolve_range,
    warn,
)

EXAMPLE = """\b
Examples:
  bandfold decode scene.bf -o again.hdr
  bandfold decode scene.bf -o part.hdr --bands 10:40 --lines :128 --interleave bip
  bandfold decode scene.bf -o scene.zarr
  bandfold decode archive/*.bf --to zarr -o decoded --workers 4
"""


@click.command(epilog=EXAMPLE)
@click.argument("streams", metavar="STREAM...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write, of an ENVI scene the header (.hdr); of several streams the folder.",
)
@click.option(
    "--to",
    "kind",
    type=click.Choice(WRITTEN),
    help="Format of the output.  [default: by its suffix: .hdr, .tif, .nc, .zarr or .npy; several: zarr]",
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
@memory_limit_option
@models_option
@click.option(
    "--restore",
    metavar="auto|off|NAME|FILE",
    default="auto",
    show_default=True,
    help="Restore what rounding took, with the shipped network (needs ONNX Runtime) or another one.",
)
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Strips decoded at a time."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Decode an archive with so many processes.  [default: one for each processor core]",
)
@click.option("--scheduler", metavar="ADDRESS", help="Decode an archive on a Dask cluster: tcp://host:8786.")
@json_option
@click.pass_context
def decode(
    context: click.Context,
    streams: tuple[Path, ...],
    output: Path,
    kind: str | None,
    bands: tuple[int | None, int | None] | None,
    lines: tuple[int | None, int | None] | None,
    interleave: str | None,
    byte_order: str | None,
    memory_limit: int,
    models: tuple[Path, ...],
    restore: str,
    threads: int,
    workers: int | None,
    scheduler: str | None,
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

    Several streams, or --workers or --scheduler, make an archive: OUTPUT is a folder, which gets a scene for
    each stream. Those that are there already, and verified, are skipped; one that fails does not stop the
    others, is reported at the end, and the exit status is 10. The memory limit is that of each worker.
    """
    if workers is not None and scheduler is not None:
        raise SettingsError(
            "--workers are started on this machine, --scheduler is a cluster: give one of both"
        )
    if len(streams) > 1 or workers is not None or scheduler is not None:
        from bandfold.ground.archive.archive import Archive, Settings

        everything = (None, None)
        settings = Settings(
            kind or "zarr",
            bands or everything,
            lines or everything,
            interleave,
            byte_order,
            memory_limit,
            tuple(str(model.absolute()) for model in models),
            restore,
            threads,
        )
        decode_archive(context, Archive(streams, output, settings), scheduler, workers, as_json=as_json)
        return
    (stream,) = streams
    from bandfold.ground import Decoder
    from bandfold.ground.archive.product import write_product

    started = time.perf_counter()
    kind = output_format(output, kind)
    decoder = Decoder(stream, memory_limit=memory_limit, models=models, restore=restore, threads=threads)
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
                "restored": decoder.restoration,
                "seconds": seconds,
                "damage": [
                    {
                        "lines": [item.lines.start, item.lines.stop],
                        "reason": item.reason,
                        "filled": item.filled,
                    }
                    for item in product.damage
                ],
                "complete": decoder.complete,
            }
        )
    else:
        geometry = f"{part.bands} bands, {part.lines} lines, {part.samples} samples"
        click.echo(f"{product.paths[0]}: {geometry}, {seconds:.1f} s")
    for item in product.damage:
        warn(f"lines {item.lines.start}:{item.lines.stop} are damaged: {item.reason}")
    if not decoder.complete:
        warn("the stream has no end: it was cut off, or its end was lost; there may have been more lines")
    if product.damage or not decoder.complete:
        context.exit(DAMAGED)
