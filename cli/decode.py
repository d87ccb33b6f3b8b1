"""`bandfold decode`: a stream into a scene."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bandfold.common.errors import SettingsError
from bandfold.formats.compression import NAMES as COMPRESSIONS
from bandfold.formats.compression import Compression
from bandfold.formats.file_formats import WRITTEN, output_format

from .console import DAMAGED, tell, warn, warn_first
from .decode_archive import decode_archive
from .kept_inputs import keep_input
from .option_values import Range, parse_range
from .options import (
    STREAM_PLACE,
    DecodingOptions,
    byte_order_option,
    grouped,
    interleave_option,
    json_option,
    option_group,
    output_option,
    read_by,
)
from .standard_streams import STANDARD, standard_input, standard_output
from .verbosity import progress_shown

if TYPE_CHECKING:
    from bandfold.common.scene import SceneInfo
    from bandfold.ground.access.decode_to_file import FileLayout
    from bandfold.ground.access.scene_subset import ScenePart

EXAMPLE = """\b
Examples:
  bandfold decode scene.bf -o again.hdr
  bandfold decode scene.bf -o part.hdr --bands 10:40 --lines :128 --samples 100:200 --interleave bip
  bandfold decode https://host/scene.bf -o part.tif --lines 512:640
  receive | bandfold decode - -o - | display
  bandfold decode scene.bf -o scene.zarr
  bandfold decode scene.bf -o scene.tif --compress zstd
  bandfold decode archive/*.bf --to zarr -o decoded --workers 4
"""


@dataclass(frozen=True)
class ProductOptions:
    """What is decoded, and how it is laid out in the file."""

    kind: str | None = grouped(
        "--to",
        "kind",
        type=click.Choice(WRITTEN),
        help="Format of the output.  [default: by its suffix: .hdr, .tif, .nc, .zarr or .npy; several: zarr]",
    )
    bands: Range | None = grouped(
        "--bands",
        metavar="A:B",
        callback=read_by(parse_range),
        help="Only these bands; counted from 0, end excluded.",
    )
    lines: Range | None = grouped(
        "--lines",
        metavar="A:B",
        callback=read_by(parse_range),
        help="Only these lines; counted from 0, end excluded.",
    )
    samples: Range | None = grouped(
        "--samples",
        metavar="A:B",
        callback=read_by(parse_range),
        help="Only these samples of each line; counted from 0, end excluded.",
    )
    interleave: str | None = grouped(
        option=interleave_option, help="Layout of the file.  [default: as it was; bil on standard output]"
    )
    byte_order: str | None = grouped(
        option=byte_order_option,
        help="Byte order of the file.  [default: as it was; little on standard output]",
    )
    compress: str = grouped(
        "--compress",
        type=click.Choice(COMPRESSIONS),
        default="none",
        show_default=True,
        help="Lossless compression within the file: of a GeoTIFF deflate, zstd or lzw, of NetCDF deflate.",
    )
    compress_level: int | None = grouped(
        "--compress-level",
        type=int,
        metavar="N",
        help="How hard --compress tries: 1 to 9, zstd to 22.  [default: that of the format]",
    )

    def file_layout(self, kind: str) -> FileLayout:
        """How the samples lie in the file.

        Parameters
        ----------
        kind : str
            Its format.

        Returns
        -------
        FileLayout

        Raises
        ------
        SettingsError
            If the format has no such compression.
        """
        from bandfold.ground.access.decode_to_file import FileLayout

        compression = Compression(self.compress, self.compress_level)
        compression.check(kind)
        return FileLayout(kind, self.interleave, self.byte_order, compression)

    def part(self, info: SceneInfo) -> ScenePart:
        """What is to be decoded of a scene.

        Parameters
        ----------
        info : SceneInfo
            Its geometry.

        Returns
        -------
        ScenePart

        Raises
        ------
        SettingsError
            If a range is not inside the scene.
        """
        from bandfold.ground.access.scene_subset import part_of_scene

        return part_of_scene(info, self.bands, self.lines, self.samples)


@dataclass(frozen=True)
class ClusterOptions:
    """What decodes an archive."""

    workers: int | None = grouped(
        "--workers",
        type=click.IntRange(min=1),
        help="Decode an archive with so many processes.  [default: one for each processor core]",
    )
    scheduler: str | None = grouped(
        "--scheduler", metavar="ADDRESS", help="Decode an archive on a Dask cluster: tcp://host:8786."
    )


@click.command(epilog=EXAMPLE)
@click.argument("streams", metavar="STREAM...", nargs=-1, required=True, type=STREAM_PLACE)
@output_option(
    required=True,
    help="File to write, of an ENVI scene the header (.hdr), or - for standard output; of several streams "
    "the folder.",
)
@option_group("layout", ProductOptions)
@option_group("decoding", DecodingOptions)
@option_group("cluster", ClusterOptions)
@json_option
@click.pass_context
def decode(
    context: click.Context,
    streams: tuple[Path | str, ...],
    output: Path,
    layout: ProductOptions,
    decoding: DecodingOptions,
    cluster: ClusterOptions,
    as_json: bool,
) -> None:
    """Decode STREAM into a scene: ENVI, GeoTIFF, NetCDF, Zarr or NumPy.

    STREAM is a file, - for standard input, or an address (https://, s3://, ..., with the extra "remote").
    Of files and addresses no more is read than the --lines that are asked for need.

    OUTPUT is the header of an ENVI scene, whose raw file (.img) is written beside it, or the file (of Zarr,
    the folder) of another format. Wavelengths, no-data value, projection and geotransform go where the format
    has a place for them. With -o - raw lines without a header go to standard output, as encode takes them
    (BIL), or a file of the format that --to names; what else is said goes to standard error.

    Ranges are half-open and counted from 0: 10:40 are the thirty bands from the eleventh on, :40 the first
    forty, 10: all but the first ten. The header then describes the part.

    Where the stream is damaged, everything else is decoded, the damage reported on stderr, and the exit
    status is 9.

    Several streams, or --workers or --scheduler, make an archive: OUTPUT is a folder, which gets a scene for
    each stream. Those that are there already, and verified, are skipped; one that fails does not stop the
    others, is reported at the end, and the exit status is 10. The memory limit is that of each worker.
    """
    if cluster.workers is not None and cluster.scheduler is not None:
        raise SettingsError(
            "--workers are started on this machine, --scheduler is a cluster: give one of both"
        )
    if len(streams) > 1 or cluster.workers is not None or cluster.scheduler is not None:
        from bandfold.ground.archive.archive_decoding import Archive
        from bandfold.ground.archive.archive_settings import ArchiveSettings, DecoderOptions

        files = [stream for stream in streams if isinstance(stream, Path) and stream != STANDARD]
        if len(files) < len(streams) or output == STANDARD:
            raise SettingsError(
                "an archive is made of files, and goes into a folder: decode standard input and addresses "
                "one by one, and without --workers and --scheduler"
            )
        everything = (None, None)
        packages = tuple(str(model.absolute()) for model in decoding.models)
        settings = ArchiveSettings(
            layout.file_layout(layout.kind or "zarr"),
            layout.bands or everything,
            layout.lines or everything,
            layout.samples or everything,
            DecoderOptions(
                decoding.memory_limit,
                packages,
                decoding.restore,
                decoding.threads,
                decoding.trusted,
                decoding.layers,
            ),
        )
        archive = Archive(files, output, settings)
        decode_archive(context, archive, cluster.scheduler, cluster.workers, as_json=as_json)
        return
    (stream,) = streams
    from bandfold.formats.envi.writer import raw_path
    from bandfold.ground import Decoder
    from bandfold.ground.access.decode_to_file import decode_to_file
    from bandfold.ground.access.decode_to_output import decode_to_output
    from bandfold.ground.access.part_decoder import open_part
    from bandfold.ground.stream.strip_bound import bound_text, bounds_report

    started = time.perf_counter()
    to_stdout = output == STANDARD
    kind = layout.kind or "envi" if to_stdout else output_format(output, layout.kind)
    keep_input("the stream", [stream], [output, raw_path(output)] if kind == "envi" else [output])
    opened = open_part(
        standard_input("the stream") if stream == STANDARD else stream,
        layout.part,
        partial(Decoder, **vars(decoding)),
        whole=layout.lines is None,
    )
    decoder = opened.decoder
    file_layout = layout.file_layout(kind)
    with progress_shown() as progress:
        if to_stdout:
            written = decode_to_output(
                decoder, standard_output(), file_layout, opened.part, progress=progress
            )
        else:
            written = decode_to_file(decoder, output, file_layout, opened.part, progress=progress)
    seconds = time.perf_counter() - started
    part = written.info
    paths = written.paths or (STANDARD,)
    report = {
        "output": str(paths[0]),
        # What holds the samples.
        "raw": str(paths[-1] if kind == "envi" else paths[0]),
        "format": kind,
        **part.geometry,
        "dtype": str(written.file_dtype),
        # What is within limits is not restored.
        "restored": decoder.restoration if any(one.max_error is None for one in decoder.bounds) else None,
        "seconds": seconds,
        "stream_bytes": opened.stream_bytes,
        "bytes_read": opened.bytes_read,
        "bounds": bounds_report(decoder.bounds),
        "damage": [{**vars(item), "lines": item.bounds} for item in written.damage],
        "complete": decoder.complete,
    }
    geometry = f"{part.bands} bands, {part.lines} lines, {part.samples} samples"
    bound = bound_text(decoder.bounds)
    told = f", {bound}" if bound else ""
    if opened.bytes_read < opened.stream_bytes:
        told += f", {opened.bytes_read} of {opened.stream_bytes} bytes read"
    tell(report, f"{paths[0]}: {geometry}{told}, {seconds:.1f} s", as_json=as_json, err=to_stdout)
    if decoder.unrestored:
        warn("not restored, which would take long for so few bytes: give --trusted, or --restore restore")
    warn_first(map(str, written.damage))
    if not decoder.complete:
        warn("the stream has no end: it was cut off, or its end was lost; there may have been more lines")
    if written.damage or not decoder.complete:
        context.exit(DAMAGED)
