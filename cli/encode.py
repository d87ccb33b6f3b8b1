"""`bandfold encode`: a scene into a stream."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bandfold.common.errors import SettingsError

from .console import tell, warn
from .encode_options import CodingOptions, StreamingOptions
from .options import (
    PACKETS_HELP,
    PATH,
    ReadingOptions,
    json_option,
    option_group,
    output_option,
    packets_option,
)
from .raw_lines import RawLines, encode_raw
from .scene_encoding import Destination, Encoded, encode_file
from .scene_input import open_source
from .standard_streams import STANDARD
from .verbosity import progress_shown

if TYPE_CHECKING:
    from bandfold.common.scene import SceneInfo
    from bandfold.onboard.downlink.packets import PacketSettings
    from bandfold.onboard.settings import EncoderSettings

EXAMPLE = """\b
Examples:
  bandfold encode scene.hdr -o scene.bf --bps 0.25
  bandfold encode scene.hdr -o scene.ccsds --bps 0.25 --packets apid=100,size=1024
  bandfold encode float.hdr -o float.bf --rmse 0.001
  bandfold encode granule.nc -o granule.bf --bps 0.25 --variable reflectance
  bandfold encode scene.hdr -o scene.bf --bps 0.25 --sensor aviris-224
  bandfold encode scene.hdr -o scene.bf --bps 0.25 --weights snr
  bandfold encode scene.hdr -o scene.bf --bps 0.25 --roi field.tif --roi-gain 12
  bandfold encode scene.hdr -o scene.bf --bps 0.25 --roi clouds.tif --roi-gain -20
  bandfold encode scene.hdr -o scene.bf --lossless
  bandfold encode flight/*.hdr -o streams --bps 0.5
  bandfold encode scene.hdr -o scene.bf --max-error 8 --bps 0.5 --layers base-first
  bandfold encode scene.hdr -o scene.bf --bps 0.1 --model model.bfm --threads 2
  camera | bandfold encode - -o pass.bf --bps 0.5 --bands 224 --samples 680 --dtype uint16
  camera | bandfold encode - -o - --packets apid=100 --step 8 --bands 224 --samples 680 --dtype uint16 | radio
"""


@click.command(epilog=EXAMPLE)
@click.argument("scenes", metavar="SCENE...", nargs=-1, required=True, type=PATH)
@output_option(required=True, help="Stream to write, or - for standard output; of several scenes the folder.")
@option_group("coding", CodingOptions)
@option_group("reading", ReadingOptions)
@packets_option(help=f"Write CCSDS space packets instead of a stream: {PACKETS_HELP}")
@option_group("streaming", StreamingOptions)
@option_group("raw", RawLines)
@json_option
def encode(
    scenes: tuple[Path, ...],
    output: Path,
    coding: CodingOptions,
    reading: ReadingOptions,
    packets: PacketSettings | None,
    streaming: StreamingOptions,
    raw: RawLines,
    as_json: bool,
) -> None:
    """Compress each SCENE into a stream.

    SCENE is an ENVI header or its raw file, or a GeoTIFF (.tif), NetCDF (.nc), HDF5 (.h5, .he5), Zarr
    (.zarr), NumPy (.npy, .npz) or MATLAB (.mat) file, a raw file without a header (.bip, .bil, .bsq), or -
    for raw lines (BIL) from standard input, of which any number may come. Give exactly one of --bps,
    --bytes, --psnr, --rmse and --step; or --lossless, --max-error or --relative-error, alone or with one of
    these for the base that the stream begins with.

    Of floats and 32-bit integers the range of the ordinary values is spread over 16-bit counts; outliers, NaN
    and infinities beyond it are kept exactly, and values that mark absent data are found if nobody declares
    them. What a count is worth is told.

    With --stream, or from standard input, strips are written as they are coded, to OUTPUT.part, which becomes
    OUTPUT at the end, or to standard output (-o -). A part file that a crash has left can be decoded, and
    continued with --resume; lines from standard input then are those behind the ones that it has. It is never
    overwritten unless --overwrite says so, and one run at a time writes it. With
    --packets the packets of a strip go out with it; they repeat header and fold, so that the stream does not,
    unless --repeat says so.

    Several scenes, or an OUTPUT that is a folder: each becomes a stream of its name in the folder, which is
    made where it is not there. Raw files whose headers are given too are not taken twice. A scene that fails
    does not stop the others, is told on a line of its own, and the exit status is 10.
    """
    from bandfold.onboard.settings import EncoderSettings

    several = len(scenes) > 1 or (output != STANDARD and output.is_dir())
    if several:
        from .encode_batch import Batch, encode_batch, refuse_in_batch

        refuse_in_batch(scenes, output, streaming)
    scene = scenes[0]
    stream = streaming.stream or streaming.resume or scene == STANDARD
    if output == STANDARD and not stream:
        raise SettingsError("only a stream can go to standard output: add --stream, or name a file")
    if streaming.from_line is not None and scene != STANDARD:
        raise SettingsError("--from-line is of standard input: remove it, the lines of a file are known")
    if packets is not None and streaming.resume:
        raise SettingsError(
            "--resume continues a stream, not packets: leave out --packets, and resume what "
            "'bandfold depacketise' makes of them"
        )
    if scene == STANDARD and coding.nbytes is not None:
        raise SettingsError("lines of unknown number take --bps, --psnr, --rmse or --step")
    # Packets have copies of their own.
    copied = stream and packets is not None and packets.repeat
    repeat = 0 if copied and streaming.repeat is None else streaming.repeat
    settings = EncoderSettings(
        **coding.settings(),
        # --no-data none says that all samples are data.
        find_fill_values=reading.no_data is not None,
        stream=stream,
        buffer=streaming.buffer,
        repeat=repeat,
    )
    if streaming.overwrite and not stream:
        raise SettingsError("--overwrite is of streams: add --stream, or remove it")
    if several:
        batch = Batch(output, ".bf" if packets is None else ".ccsds", settings, packets, streaming)
        encode_batch(
            batch, scenes, lambda path: open_source(path, reading, raw.layout(path)), as_json=as_json
        )
        return
    target = Destination(output, packets, streaming)
    started = time.perf_counter()
    if scene == STANDARD:
        encoded = _encode_lines(raw.info(reading), settings, target)
    else:
        source = open_source(scene, reading, raw.layout(scene))
        with progress_shown() as progress:
            encoded = encode_file(scene, source, settings, target, progress)
        for note in encoded.notes:
            warn(note)
    seconds = time.perf_counter() - started
    tell(
        encoded.report(output, seconds),
        encoded.text(output, seconds),
        as_json=as_json,
        err=output == STANDARD,
    )


def _encode_lines(info: SceneInfo, settings: EncoderSettings, target: Destination) -> Encoded:
    """Encode raw lines from standard input."""
    with target.opened(piped=True) as (output, sent):
        encoder = encode_raw(info, settings, output, warn)
    written = None if sent is None else sent.report()
    return Encoded(replace(info, lines=encoder.lines), output.size, written, encoder.engines, encoder.notes)
