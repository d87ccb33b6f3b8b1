"""What weights of bands and regions of interest bring: ``python -m bandfold.benchmarks.weights SCENE``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import SceneSource
from bandfold.formats.opening import open_scene
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.planning.noise_estimate import noise_variances
from bandfold.onboard.samples.samples import PEAK, Samples
from bandfold.programs.options import figures_option
from bandfold.programs.program import run, write_figures

GAINS = (0.0, 12.0, 20.0, -12.0)
"""Gains of the region of interest in dB."""


@dataclass(frozen=True)
class WeightFigure:
    """Errors of a scene of 8 or 16 bit samples, all bands alike or with the weights of their noise.

    Parameters
    ----------
    weights : str
        ``alike`` or ``snr``.
    bps : float
        Bits per sample that were asked for.
    bytes : int
        Of the stream.
    noise_units : float
        Root of the mean squared error of all bands, each in units of its noise.
    largest : float
        That of the band where it is largest.
    rmse : float
        In counts.
    """

    weights: str
    bps: float
    bytes: int
    noise_units: float
    largest: float
    rmse: float


@dataclass(frozen=True)
class RegionFigure:
    """Quality of a scene with a region of interest, a rectangle of about an eighth of it.

    Parameters
    ----------
    gain : float
        Of the step in the region, in dB.
    bps : float
        Bits per sample that were asked for.
    inside, outside : float
        PSNR in the region and elsewhere, in dB.
    """

    gain: float
    bps: float
    inside: float
    outside: float


def measure_weights(source: SceneSource, bps: float) -> list[WeightFigure]:
    """Code a scene with and without the weights of its noise.

    Parameters
    ----------
    source : SceneSource
        Of 8 or 16 bit integers.
    bps : float
        Bits per sample.

    Returns
    -------
    list of WeightFigure
    """
    noise = np.sqrt(noise_variances(sample_blocks(Samples.of(source)).few))
    figures = []
    for weights in (None, "snr"):
        stream = Encoder(bps=bps, weights=weights).encode(source)
        errors = np.sqrt(_squares(source, stream).mean(axis=(1, 2)))
        units = errors / noise
        pooled, rmse = (float(np.sqrt(np.mean(values**2))) for values in (units, errors))
        figures.append(WeightFigure(weights or "alike", bps, len(stream), pooled, float(units.max()), rmse))
    return figures


def measure_region(source: SceneSource, bps: float) -> list[RegionFigure]:
    """Code a scene with a region of interest at several gains.

    Parameters
    ----------
    source : SceneSource
        Of 8 or 16 bit integers.
    bps : float
        Bits per sample.

    Returns
    -------
    list of RegionFigure
    """
    lines, samples = source.info.lines, source.info.samples
    mask = np.zeros((lines, samples), np.bool_)
    mask[lines // 6 : lines // 2, samples // 4 : 5 * samples // 8] = True
    figures = []
    for gain in GAINS:
        squares = _squares(source, Encoder(bps=bps, roi=[(mask, gain)] if gain else ()).encode(source))
        inside, outside = (_psnr(squares[:, part]) for part in (mask, ~mask))
        figures.append(RegionFigure(gain, bps, inside, outside))
    return figures


def _squares(source: SceneSource, stream: bytes) -> NDArray[np.float64]:
    """Squared errors of what is decoded, not restored."""
    info = source.info
    error = Decoder(stream, restore="off").decode().astype(np.float64)
    error -= source.read(slice(0, info.bands), slice(0, info.lines))
    return np.asarray(error * error)


def _psnr(squares: NDArray[np.float64]) -> float:
    return float(10 * np.log10(PEAK * PEAK / squares.mean()))


@click.command()
@click.argument("scenes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--bps", "rates", multiple=True, type=float, default=(0.1, 0.5), show_default=True)
@figures_option("Write figures here.")
def main(scenes: tuple[Path, ...], rates: tuple[float, ...], json_path: Path | None) -> None:
    """Errors in units of noise with weights of bands, and quality in and beside a region of interest."""
    content = {}
    for path in scenes:
        source = open_scene(path)
        weights = [figure for bps in rates for figure in measure_weights(source, bps)]
        regions = [figure for bps in rates for figure in measure_region(source, bps)]
        click.echo(f"{path.stem}: {source.info.bands} x {source.info.lines} x {source.info.samples}")
        for one in weights:
            click.echo(
                f"  {one.bps:5g} bps {one.weights:5} {one.bytes:9} bytes: {one.noise_units:6.2f} times the "
                f"noise, at most {one.largest:6.2f}; rmse {one.rmse:.2f} counts"
            )
        for region in regions:
            click.echo(
                f"  {region.bps:5g} bps, gain {region.gain:4g} dB: {region.inside:6.2f} dB in the region, "
                f"{region.outside:6.2f} dB elsewhere"
            )
        content[path.stem] = {"weights": [*map(asdict, weights)], "regions": [*map(asdict, regions)]}
    if json_path:
        write_figures(json_path, content)


if __name__ == "__main__":
    run(main)
