"""`bandfold encode`: a scene into a stream."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.bitstream.errors import SettingsError

from .common import json_option, print_json, progress_bar, warn
from .packetoptions import PACKETS_HELP, PACKETS_METAVAR, read_packet_settings, write_packets
from .sceneoptions import array_options, open_source, read_partition, scaling_options

if TYPE_CHECKING:
    from bandfold.onboard.packets import PacketSettings

EXAMPLE = """\b
Examples:
  bandfold encode scene.hdr -o scene.bf --bps 0.25
  bandfold encode scene.hdr -o scene.ccsds --bps 0.25 --packets apid=100,size=1024
  bandfold encode float.hdr -o float.bf --psnr 60 --scale auto --no-data -9999
  bandfold encode granule.nc -o granule.bf --bps 0.25 --scale auto --variable reflectance
  bandfold encode scene.hdr -o scene.bf --bps 0.25 --sensor aviris-224
  bandfold encode scene.hdr -o scene.bf --bps 0.1 --model model.bfm --threads 2
"""


@click.command(epilog=EXAMPLE)
@click.argument("scene", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Stream to write.")
@click.option("--bps", type=float, help="Rate to meet, in bits per sample of the whole file.")
@click.option("--bytes", "nbytes", type=int, help="Size of the file to meet.")
@click.option("--psnr", type=float, help="Quality to meet, in dB (peak 65535, pooled over the scene).")
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
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads of the engine."
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
@scaling_options
@array_options
@click.option("--strip-lines", type=int, default=64, show_default=True, help="Lines of a segment.")
@click.option(
    "--packets",
    metavar=PACKETS_METAVAR,
    callback=read_packet_settings,
    help=f"Write CCSDS space packets instead of a stream: {PACKETS_HELP}",
)
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
    partition: str,
    scale: str | None,
    offset: float | None,
    no_data: str | None,
    variable: str | None,
    band_axis: str | None,
    strip_lines: int,
    packets: PacketSettings | None,
    as_json: bool,
) -> None:
    """Compress SCENE into a stream.

    SCENE is an ENVI header or its raw file, or a GeoTIFF (.tif), NetCDF (.nc), HDF5 (.h5, .he5), Zarr
    (.zarr), NumPy (.npy, .npz) or MATLAB (.mat) file. Give exactly one of --bps, --bytes, --psnr and --step.
    """
    given = [
        name
        for name, value in (("--bps", bps), ("--bytes", nbytes), ("--psnr", psnr), ("--step", step))
        if value is not None
    ]
    if len(given) != 1:
        said = f"{' and '.join(given)} are given" if given else "no rate is given"
        raise SettingsError(f"{said}: give exactly one of --bps, --bytes, --psnr and --step")
    source = open_source(scene, scale, offset, no_data, variable, band_axis)
    _refuse_overwriting(output, scene, source.path)

    from bandfold.onboard import Encoder

    started = time.perf_counter()
    with progress_bar() as progress:
        encoder = Encoder(
            bps=bps,
            nbytes=nbytes,
            psnr=psnr,
            step=step,
            spectral=spectral,
            partition=read_partition(partition),
            model=model,
            engine=engine,
            threads=threads,
            sensor=sensor,
            strip_lines=strip_lines,
            progress=progress,
        )
        written: dict[str, Any] | None = None
        if packets is None:
            size = encoder.encode_to(source, output)
        else:
            stream = encoder.encode(source)
            size = len(stream)
            written = write_packets(stream, packets, output)
    seconds = time.perf_counter() - started
    for note in encoder.notes:
        warn(note)
    info = source.info
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
        "engine": ", ".join(encoder.engines) or None,
    }
    if as_json:
        print_json(report)
    else:
        click.echo(
            f"{output}: {size} bytes, {report['bps']:.4f} bits per sample, "
            f"{report['ratio']:.1f} : 1, {seconds:.1f} s"
            + ("" if written is None else f"; {written['packets']} packets, {written['bytes']} bytes")
        )


def _refuse_overwriting(output: Path, *sources: Path) -> None:
    for source in sources:
        if output.exists() and output.samefile(source):
            raise SettingsError(f"output {output} is the scene itself: name another file")
