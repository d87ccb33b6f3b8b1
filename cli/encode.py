"""`bandfold encode`: a scene into a stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bandfold.common.errors import OutputError, SettingsError
from bandfold.programs.progress import shown

from .console import tell, warn
from .encode_options import CodingOptions, StreamingOptions
from .options import (
    PACKETS_HELP,
    ReadingOptions,
    json_option,
    option_group,
    output_option,
    packets_option,
)
from .packet_output import PacketOutput, write_packets
from .raw_lines import RawLines, encode_raw
from .scene_input import open_source
from .standard_streams import STANDARD
from .stream_output import Output, stream_output

if TYPE_CHECKING:
    from bandfold.common.scene import SceneInfo
    from bandfold.formats.block_source import BlockSource
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
  bandfold encode scene.hdr -o scene.bf --max-error 8 --bps 0.5 --layers base-first
  bandfold encode scene.hdr -o scene.bf --bps 0.1 --model model.bfm --threads 2
  camera | bandfold encode - -o pass.bf --bps 0.5 --bands 224 --samples 680 --dtype uint16
  camera | bandfold encode - -o - --packets apid=100 --step 8 --bands 224 --samples 680 --dtype uint16 | radio
"""


@dataclass(frozen=True)
class Encoded:
    """What was written.

    Parameters
    ----------
    info : SceneInfo
        What was encoded.
    size : int
        Bytes of the stream.
    packets : dict or None
        What was written of its packets, if it was sent as packets.
    engines : tuple of str
        What ran the networks of a model.
    notes : tuple of str
        What the user should know, as of a target that was not met.
    """

    info: SceneInfo
    size: int
    packets: dict[str, Any] | None
    engines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@click.command(epilog=EXAMPLE)
@click.argument("scene", type=click.Path(path_type=Path))
@output_option(required=True, help="Stream to write.")
@option_group("coding", CodingOptions)
@option_group("reading", ReadingOptions)
@packets_option(help=f"Write CCSDS space packets instead of a stream: {PACKETS_HELP}")
@option_group("streaming", StreamingOptions)
@option_group("raw", RawLines)
@json_option
def encode(
    scene: Path,
    output: Path,
    coding: CodingOptions,
    reading: ReadingOptions,
    packets: PacketSettings | None,
    streaming: StreamingOptions,
    raw: RawLines,
    as_json: bool,
) -> None:
    """Compress SCENE into a stream.

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
    """
    from bandfold.onboard.settings import EncoderSettings

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
    layout = None
    if scene != STANDARD:
        layout = raw.layout(scene)
    elif coding.nbytes is not None:
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
    target = _Destination(output, packets, streaming)
    started = time.perf_counter()
    if scene == STANDARD:
        encoded = _encode_lines(raw.info(reading), settings, target)
    else:
        encoded = _encode_file(scene, open_source(scene, reading, layout), settings, target)
    _report(encoded, output, time.perf_counter() - started, as_json=as_json)


class _Destination(NamedTuple):
    """Where a stream goes, and how."""

    path: Path
    packets: PacketSettings | None
    streaming: StreamingOptions

    @contextmanager
    def opened(self, *, piped: bool) -> Iterator[tuple[Output, PacketOutput | None]]:
        """Open the output of a stream, or that of its packets."""
        with stream_output(self.path, self.streaming, piped=piped) as output:
            sent = None if self.packets is None else PacketOutput(self.packets, output.write)
            yield (output, None) if sent is None else (Output(sent.write), sent)


def _encode_lines(info: SceneInfo, settings: EncoderSettings, target: _Destination) -> Encoded:
    """Encode raw lines from standard input."""
    with target.opened(piped=True) as (output, sent):
        lines = encode_raw(info, settings, output, warn)
    return Encoded(replace(info, lines=lines), output.size, None if sent is None else sent.report())


def _encode_file(
    scene: Path, source: BlockSource, settings: EncoderSettings, target: _Destination
) -> Encoded:
    """Encode a scene in a file, as a whole or as a stream."""
    for path in (scene, source.path):
        if target.path.exists() and target.path.samefile(path):
            raise SettingsError(f"output {target.path} is the scene itself: name another file")

    from bandfold.onboard import Encoder

    written = None
    with shown() as progress:
        encoder = Encoder(settings, progress=progress)
        if settings.stream:
            with target.opened(piped=False) as (output, sent):
                _check_begun(output, source)
                encoder.encode_in_parts(source, output.write, output.begun)
            size, written = output.size, None if sent is None else sent.report()
        elif target.packets is None:
            size = encoder.encode_to(source, target.path)
        else:
            data = encoder.encode(source)
            size, written = len(data), write_packets(data, target.packets, target.path)
    notes = (*source.notes, *encoder.notes)
    for note in notes:
        warn(note)
    return Encoded(source.info, size, written, tuple(encoder.engines), notes)


def _check_begun(output: Output, source: BlockSource) -> None:
    """Refuse to continue a stream that has more lines than the scene."""
    if output.begun is not None and output.begun.lines > source.info.lines:
        raise OutputError(
            f"the stream that was begun has {output.begun.lines} lines, the scene {source.info.lines}: "
            "it is that of another scene"
        )


def _report(encoded: Encoded, output: Path, seconds: float, *, as_json: bool) -> None:
    info, size, packets = encoded.info, encoded.size, encoded.packets
    bps, ratio = size * 8 / info.count, info.count * info.dtype.itemsize / size
    report = {
        "output": str(output),
        "bytes": size,
        "bps": bps,
        "ratio": ratio,
        "seconds": seconds,
        **info.geometry,
        **({} if packets is None else {"packets": packets}),
        "notes": list(encoded.notes),
        "engine": ", ".join(encoded.engines) or None,
    }
    text = f"{output}: {size} bytes, {bps:.4f} bits per sample, {ratio:.1f} : 1, {seconds:.1f} s"
    if packets is not None:
        text += f"; {packets['packets']} packets, {packets['bytes']} bytes"
    tell(report, text, as_json=as_json, err=output == STANDARD)
