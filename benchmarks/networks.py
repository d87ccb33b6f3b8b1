"""Speed of the analysis of models, engine by engine: ``python -m bandfold.benchmarks.networks MODEL...``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import click
import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.segments.band_codec import REDUCTION, BandCodec
from bandfold.calibration.program import run
from bandfold.onboard.networks.engine_choice import ENGINES
from bandfold.onboard.networks.integer_network import to_channels, to_integers
from bandfold.onboard.networks.network_engine import integer_model

ROUNDS = 15


@dataclass
class Entry:
    """A network in an engine.

    Parameters
    ----------
    model : str
    engine : str
    threads : int
    once : callable
        Analyses the plane.
    seconds : list of float
        What it took, round by round.
    """

    model: str
    engine: str
    threads: int
    once: Callable[[], object]
    seconds: list[float] = field(default_factory=list)


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--lines", type=click.IntRange(16), default=512, show_default=True)
@click.option("--samples", type=click.IntRange(16), default=512, show_default=True)
@click.option("--threads", type=click.IntRange(1), multiple=True, default=(1, 2), show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=ROUNDS, show_default=True)
def main(models: tuple[str, ...], lines: int, samples: int, threads: tuple[int, ...], rounds: int) -> None:
    """Measure how fast the first network of each package analyses a plane.

    Rounds go through all entries in turn, so that other work on the machine slows all of them; the best round
    counts. Ratios are to the first entry.
    """
    registry = Registry()
    size = (lines // 16 * 16, samples // 16 * 16)
    plane = np.cumsum(np.random.default_rng(0).normal(0, 0.1, size), axis=1)
    entries = [
        entry
        for name in models
        for entry in _entries(BandCodec.from_package(registry.find(name)), plane, threads)
    ]
    for number in range(rounds + 1):
        for entry in entries:
            started = time.perf_counter()
            entry.once()
            # The first round opens and warms up.
            if number:
                entry.seconds.append(time.perf_counter() - started)
    _print(entries, plane.size)


def _entries(codec: BandCodec, plane: NDArray[np.float64], threads: Sequence[int]) -> list[Entry]:
    batch = plane.astype(np.float32)[None, None]
    entries = []
    for count in threads:
        if codec.quantised:
            model = integer_model(codec, 0)
            block = REDUCTION // model.stack.reduction
            integers = to_channels(to_integers(plane, model.stack.scale, model.stack.zero), block)[None]
            for name, kind in ENGINES.items():
                if kind.installed():
                    network = kind.open(model, count)
                    entries.append(Entry(codec.name, name, count, partial(network.run, integers)))
        else:
            floating = codec.analysis(0, count)
            entries.append(Entry(codec.name, "onnxruntime, float", count, partial(floating.run, batch)))
    return entries


def _print(entries: Sequence[Entry], samples: int) -> None:
    click.echo(f"{'model':<28}{'engine':<22}{'threads':>7}{'Msamples/s':>12}{'ratio':>8}")
    first = min(entries[0].seconds)
    for entry in entries:
        best = min(entry.seconds)
        click.echo(
            f"{entry.model:<28}{entry.engine:<22}{entry.threads:>7}{samples / best / 1e6:>12.1f}"
            f"{first / best:>8.2f}"
        )


if __name__ == "__main__":
    run(main)
