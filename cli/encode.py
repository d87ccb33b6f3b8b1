"""`bandfold encode`: a scene into a stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import SettingsError

from .common import json_option, print_json, progress_bar, size_option, warn
from .packetoptions import PACKETS_HELP, PACKETS_METAVAR, PacketOutput, read_packet_settings, write_packets
from .sceneoptions import array_options, open_source, read_partition, scaling_options
from .streaming import (
    STANDARD,
    Output,
    encode_file,
    encode_raw,
    raw_info,
    raw_options,
    refuse_raw_options,
    stream_output,
)

if TYPE_CHECKING:
    from bandfold.onboard.downlink.packets import PacketSettings

EXAMPLE = """\b
Examples:
  bandfold encode scene.hdr -o scene.bf --bps 0.25
  bandfold encode scene.hdr -o scene.ccsds --bps 0.25 --packets apid=100,size=1024
  bandfold encode float.hdr -o float.bf --psnr 60 --scale auto --no-data -9999
  bandfold encode granule.nc -o granule.bf --bps 0.25 --scale auto --variable reflectance
  bandfold encode scene.hdr -o scene.bf --bps 0.25 --sensor aviris-224
  bandfold encode scene.hdr -o scene.bf --bps 0.1 --model model.bfm --threads 2
  camera | bandfold encode - -o pass.bf --bps 0.5 --bands 224 --samples 680 --dtype uint16
  camera | bandfold encode - -o - --packets apid=100 --step 8 --bands 224 --samples 680 --dtype uint16 | radio
"""


@click.command(epilog=EXAMPLE)
@click.argument("scene", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Stream to write.")
@click.option("--bps", type=float, help="Rate to meet, in bits per sample of the whole file.")
@click.option("--bytes", "nbytes", type=int, help="Size of the file to meet.")
@click.option("--psnr", type=float, help="Quality to meet, in dB (peak 65535, pooled, not restored).")
@click.option("--step", type=float, help="Quantiser step, in counts.")
@click.option(
    "--model",
    metavar="NAME|FILE",
    help="Package of a trained encoder, which codes band by band.  [default: the built-in transform]",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "litert", "onnxruntime", "numpy"]),
    default="auto",
    show_default=True,
    help="What runs the networks of the model; auto: the fastest that is exact here (bandfold engines).",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads that code strips, or run the model.",
)
@click.option(
    "--sensor",
    metavar="NAME|FILE",
    help="Package of the sensor: the stream carries no vectors.  [default: the scene's own]",
)
@click.option(
    "--spectral",
    type=click.Choice(["auto", "sensor", "none"]),
    default="auto",
    show_default=True,
    help="Fold the bands as is best, as the sensor's package says, or code each band on its own.",
)
@click.option(
    "--partition",
    default="auto",
    show_default=True,
    metavar="auto|aviris-2022|FILE",
    help="Spectral intervals: found in the scene, the usual ones of AVIRIS, or of 'bandfold partition -o'.",
)
@click.option(
    "--quantiser",
    type=click.Choice(["dependent", "uniform"]),
    help="For folded bands two quantisers that take turns, as by default, or one: in two thirds of the time "
    "2 % more bytes.",
)
@scaling_options
@array_options
@click.option("--strip-lines", type=int, default=64, show_default=True, help="Lines of a segment.")
@click.option(
    "--packets",
    metavar=PACKETS_METAVAR,
    callback=read_packet_settings,
    help=f"Write CCSDS space packets instead of a stream: {PACKETS_HELP}",
)
@click.option(
    "--stream",
    is_flag=True,
    help="Code strip after strip, as if nobody knew what comes after it; always so with SCENE -.",
)
@click.option(
    "--buffer",
    metavar="SIZE",
    callback=size_option,
    help="Of a stream with --bps: the transmitter's buffer, which lets hard strips take what easy ones have "
    "left.  [default: four strips at the average rate]",
)
@click.option(
    "--repeat",
    type=int,
    help="Strips of a stream after which header and fold are repeated, 0 for never.  [default: 8]",
)
@click.option(
    "--resume", is_flag=True, help="Continue the stream that an earlier run has left as OUTPUT.part."
)
@raw_options
@json_option
def encode(
    scene: Path,
    output: Path,
    bps: float | None,
    nbytes: int | None,
    psnr: float | None,
    step: float | None,
    model: str | None,
    engine: str,
    threads: int,
    sensor: str | None,
    spectral: str,
    quantiser: str | None,
    partition: str,
    scale: str | None,
    offset: float | None,
    no_data: str | None,
    variable: str | None,
    band_axis: str | None,
    strip_lines: int,
    packets: PacketSettings | None,
    stream: bool,
    buffer: int | None,
    repeat: int | None,
    resume: bool,
    bands: int | None,
    samples: int | None,
    dtype: str | None,
    byte_order: str | None,
    as_json: bool,
) -> None:
    """Compress SCENE into a stream.

    SCENE is an ENVI header or its raw file, or a GeoTIFF (.tif), NetCDF (.nc), HDF5 (.h5, .he5), Zarr
    (.zarr), NumPy (.npy, .npz) or MATLAB (.mat) file, or - for raw lines (BIL) from standard input, of which
    any number may come. Give exactly one of --bps, --bytes, --psnr and --step.

    With --stream, or from standard input, strips are written as they are coded, to OUTPUT.part, which becomes
    OUTPUT at the end, or to standard output (-o -). A part file that a crash has left can be decoded, and
    continued with --resume; lines from standard input then are those behind the ones that it has. With
    --packets the packets of a strip go out with it; they repeat header and fold, so that the stream does not,
    unless --repeat says so.
    """
    given = [
        name
        for name, value in (("--bps", bps), ("--bytes", nbytes), ("--psnr", psnr), ("--step", step))
        if value is not None
    ]
    if len(given) != 1:
        said = f"{' and '.join(given)} are given" if given else "no rate is given"
        raise SettingsError(f"{said}: give exactly one of --bps, --bytes, --psnr and --step")
    raw, stream = scene == STANDARD, stream or resume or scene == STANDARD
    if output == STANDARD and not stream:
        raise SettingsError("only a stream can go to standard output: add --stream, or name a file")
    if packets is not None and resume:
        raise SettingsError(
            "--resume continues a stream, not packets: leave out --packets, and resume what "
            "'bandfold depacketise' makes of them"
        )
    if packets is not None and stream and repeat is None and packets.repeat:
        # Packets have copies of their own.
        repeat = 0
    settings: dict[str, Any] = {
        "bps": bps,
        "psnr": psnr,
        "step": step,
        "spectral": spectral,
        "quantiser": quantiser,
        "partition": read_partition(partition),
        "sensor": sensor,
        "strip_lines": strip_lines,
        "threads": threads,
    }
    started = time.perf_counter()
    written: dict[str, Any] | None = None
    computed: tuple[str, ...] = ()
    if raw:
        if nbytes is not None or model is not None:
            raise SettingsError("lines of unknown number take --bps, --psnr or --step, and no --model")
        info = raw_info(bands, samples, dtype, byte_order, scale, offset, no_data)
        if repeat is not None:
            settings["repeat"] = repeat
        with _opened(output, packets, resume=resume) as (opened, sent):
            lines = encode_raw(info, {**settings, "buffer": buffer}, opened)
        size, written = opened.size, None if sent is None else sent.report()
    else:
        refuse_raw_options(bands=bands, samples=samples, dtype=dtype, byte_order=byte_order)
        source = open_source(scene, scale, offset, no_data, variable, band_axis)
        _refuse_overwriting(output, scene, source.path)

        from bandfold.onboard import Encoder

        with progress_bar() as progress:
            encoder = Encoder(
                **settings,
                nbytes=nbytes,
                model=model,
                engine=engine,
                stream=stream,
                buffer=buffer,
                repeat=repeat,
                progress=progress,
            )
            if stream:
                with _opened(output, packets, resume=resume) as (opened, sent):
                    encode_file(source, encoder, opened)
                size, written = opened.size, None if sent is None else sent.report()
            elif packets is None:
                size = encoder.encode_to(source, output)
            else:
                data = encoder.encode(source)
                size = len(data)
                written = write_packets(data, packets, output)
        for note in encoder.notes:
            warn(note)
        computed = tuple(encoder.engines)
        info, lines = source.info, source.info.lines
    seconds = time.perf_counter() - started
    info = replace(info, lines=lines)
    report = {
        "output": str(output),
        "bytes": size,
        "bps": size * 8 / info.count,
        "ratio": info.count * info.dtype.itemsize / size,
        "seconds": seconds,
        "bands": info.bands,
        "lines": info.lines,
        "samples": info.samples,
        "dtype": str(info.dtype),
        **({} if written is None else {"packets": written}),
        "engine": ", ".join(computed) or None,
    }
    to_stderr = output == STANDARD
    if as_json:
        print_json(report, err=to_stderr)
    else:
        click.echo(
            f"{output}: {size} bytes, {report['bps']:.4f} bits per sample, "
            f"{report['ratio']:.1f} : 1, {seconds:.1f} s"
            + ("" if written is None else f"; {written['packets']} packets, {written['bytes']} bytes"),
            err=to_stderr,
        )


@contextmanager
def _opened(
    path: Path, packets: PacketSettings | None, *, resume: bool
) -> Iterator[tuple[Output, PacketOutput | None]]:
    """Open the output of a stream, or that of its packets."""
    with stream_output(path, resume=resume) as output:
        if output.begun is not None:
            warn(f"{output.begun.lines} lines are there already: going on with line {output.begun.lines}")
        sent = None if packets is None else PacketOutput(packets, output.write)
        yield (output, None) if sent is None else (Output(sent.write), sent)


def _refuse_overwriting(output: Path, *sources: Path) -> None:
    for source in sources:
        if output.exists() and output.samefile(source):
            raise SettingsError(f"output {output} is the scene itself: name another file")
