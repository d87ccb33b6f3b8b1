"""`bandfold demo`: the whole way of a made-up scene, at several rates."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import IntegrityError

from .console import print_json, warn
from .options import bands_option, json_option, lines_option, output_option, samples_option, seed_option
from .tables import print_table
from .verbosity import progress_shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bandfold.common.scene import SceneInfo, SceneSource

RATES = (0.01, 0.02, 0.05, 0.1)
"""Bits per sample."""


MODEL = "innovations"
"""Trained encoder that is shown beside the fold."""

EXAMPLE = """\b
Example:
  bandfold demo -o /tmp/demo
"""


@click.command(epilog=EXAMPLE)
@output_option(
    default="bandfold-demo", show_default=True, help="Directory to fill; made where it is not there."
)
@lines_option(type=int, default=128, help="Number of lines.")
@samples_option(type=int, default=160, help="Number of samples of a line.")
@bands_option(type=int, help="Number of bands.")
@seed_option
@json_option
def demo(output: Path, lines: int, samples: int, bands: int, seed: int, as_json: bool) -> None:
    """Encode and decode a made-up scene.

    Makes up a scene, encodes it at several rates, decodes it and shows what was lost. At the last rate it
    is also coded band by band with a trained network in 8-bit integers, by every engine that is installed,
    and as JPEG 2000 where rasterio is installed.

    The directory then holds the scene, the streams, the decoded scenes and, where matplotlib is installed,
    demo.png: the scene beside what was decoded, and the quality over the rate.
    """
    from bandfold.common.atomic_files import output_errors
    from bandfold.formats.envi.reader import open_envi
    from bandfold.formats.envi.writer import write_envi
    from bandfold.ground.compare import compare_scenes
    from bandfold.synthetic.scenes import SyntheticScene

    scene = SyntheticScene(lines, samples, bands, seed)
    with output_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    header = output / "scene.hdr"
    rows = []
    decoded = []
    with progress_shown() as progress:
        cube = scene.read(slice(0, bands), slice(0, lines))
        write_envi(header, cube, scene.info, interleave="bil")
        for index, rate in enumerate(RATES):
            progress(f"{rate} bits per sample", index / len(RATES))
            row, result = _there_and_back(header, output, rate)
            # Compared as files: that is what a user gets.
            distance = compare_scenes(open_envi(header), open_envi(row["decoded"])).whole.to_dict()
            rows.append({**row, "psnr": distance["psnr"], "mean_sam": distance["mean_sam"]})
            decoded.append(result)
        progress("other codecs", 1.0)
        others = [
            _named("fold", rows[-1]),
            *_by_networks(header, output, RATES[-1]),
            *_jpeg2000(header, cube, RATES[-1]),
        ]
    picture = _draw(output / "demo.png", scene.info, [cube, *decoded], rows)
    if as_json:
        print_json({"scene": str(header), "rates": rows, "codecs": others, "picture": picture})
    else:
        _print(rows)
        click.echo()
        _print_codecs(others)
        click.echo(f"scene, streams and decoded scenes are in {output}")
        if picture is not None:
            click.echo(f"picture: {picture}")
    if picture is None:
        warn("no picture, because matplotlib is not installed: pip install 'bandfold[ground]'")


def _there_and_back(header: Path, output: Path, rate: float) -> tuple[dict[str, Any], NDArray[Any]]:
    """Encode and decode the scene; return the figures and what was decoded."""
    from bandfold.formats.envi.reader import open_envi
    from bandfold.formats.envi.writer import write_envi
    from bandfold.ground import Decoder
    from bandfold.onboard import Encoder

    stream, decoded = output / f"scene-{rate:g}.bf", output / f"decoded-{rate:g}.hdr"
    source = open_envi(header)
    started = time.perf_counter()
    size = Encoder(bps=rate).encode_to(source, stream)
    encoded = time.perf_counter()
    decoder = Decoder(stream)
    cube = decoder.decode()
    finished = time.perf_counter()
    write_envi(decoded, cube, decoder.info)
    figures = {
        "stream": str(stream),
        "decoded": str(decoded),
        "bytes": size,
        "bps": size * 8 / source.info.count,
        "encode_seconds": encoded - started,
        "decode_seconds": finished - encoded,
    }
    return figures, cube


def _named(codec: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"codec": codec, **{name: row[name] for name in ("bytes", "bps", "psnr", "encode_seconds")}}


def _by_networks(header: Path, output: Path, rate: float) -> list[dict[str, Any]]:
    """Encode and decode the scene with the trained model, by every engine; they must write the same file."""
    from bandfold.bitstream.packages.registry import Registry
    from bandfold.formats.envi.reader import open_envi
    from bandfold.ground import Decoder
    from bandfold.onboard import Encoder
    from bandfold.onboard.networks.engine_choice import ENGINES, unfit

    source = open_envi(header)
    package = Registry().find(MODEL)
    rows: list[dict[str, Any]] = []
    first = b""
    for engine in ENGINES:
        if unfit(engine):
            continue
        started = time.perf_counter()
        stream = Encoder(bps=rate, model=package, engine=engine).encode(source)
        seconds = time.perf_counter() - started
        if stream != (first or stream):
            raise IntegrityError(f"engine {engine} writes another file than the one before: use one of them")
        first = stream
        rows.append(
            {
                "codec": f"trained, int8, by {engine}",
                "bytes": len(stream),
                "bps": 8 * len(stream) / source.info.count,
                "psnr": _psnr(source, Decoder(stream).decode()),
                "encode_seconds": seconds,
            }
        )
    (output / f"scene-{rate:g}-{MODEL}.bf").write_bytes(first)
    return rows


def _jpeg2000(header: Path, cube: NDArray[Any], rate: float) -> list[dict[str, Any]]:
    """Band by band; nothing where there is no library for it."""
    if find_spec("rasterio") is None:
        return []
    from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000
    from bandfold.formats.envi.reader import open_envi

    codec = Jpeg2000()
    encoded = codec.encode(cube, rate)
    return [
        {
            "codec": "JPEG 2000, band by band",
            "bytes": len(encoded.stream),
            "bps": 8 * len(encoded.stream) / cube.size,
            "psnr": _psnr(open_envi(header), codec.decode(encoded.stream).cube),
            "encode_seconds": encoded.seconds,
        }
    ]


def _psnr(source: SceneSource, decoded: NDArray[Any]) -> float | None:
    from bandfold.ground.compare import compare_scenes
    from bandfold.onboard.samples.samples import ArraySource

    found: float | None = compare_scenes(source, ArraySource(decoded)).whole.to_dict()["psnr"]
    return found


def _print_codecs(rows: list[dict[str, Any]]) -> None:
    print_table(
        [
            {
                "codec": row["codec"],
                "bits per sample": f"{row['bps']:.4f}",
                "bytes": row["bytes"],
                "PSNR dB": "∞" if row["psnr"] is None else f"{row['psnr']:.2f}",
                "encode s": f"{row['encode_seconds']:.2f}",
            }
            for row in rows
        ]
    )


def _draw(path: Path, info: SceneInfo, cubes: list[NDArray[Any]], rows: list[dict[str, Any]]) -> str | None:
    """Draw the picture, if that is possible; return its path."""
    if find_spec("matplotlib") is None:
        return None
    from bandfold.ground.report.png_figures import plot_rates

    bands = [int(item) - 1 for item in info.metadata["default bands"]]
    colours = [cube[bands].transpose(1, 2, 0).astype("float64") for cube in cubes]
    pictures = _stretched(colours)
    titles = ["original", *(f"{row['bps']:.3f} bits per sample" for row in rows)]
    # A scene that comes back exactly has no PSNR.
    points = [(row["bps"], row["psnr"]) for row in rows if row["psnr"] is not None]
    plot_rates(list(zip(titles, pictures, strict=True)), points, path)
    return str(path)


def _stretched(colours: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Spread the colours of all pictures over 0 to 1, by the range of the first."""
    import numpy as np

    low, high = np.percentile(colours[0], (1, 98.5), axis=(0, 1))
    span = np.maximum(high - low, 1)
    return [np.clip((picture - low) / span, 0, 1) for picture in colours]


def _print(rows: list[dict[str, Any]]) -> None:
    print_table(
        [
            {
                "bits per sample": f"{row['bps']:.4f}",
                "bytes": row["bytes"],
                "PSNR dB": "∞" if row["psnr"] is None else f"{row['psnr']:.2f}",
                "mean SAM °": f"{row['mean_sam']:.3f}",
                "encode s": f"{row['encode_seconds']:.2f}",
                "decode s": f"{row['decode_seconds']:.2f}",
            }
            for row in rows
        ]
    )
