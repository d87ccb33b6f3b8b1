"""`bandfold engines` and `bandfold selftest`: what runs networks here, and whether it is exact."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from bandfold.common.errors import ModelError

from .console import print_json
from .context_networks import context_checks
from .options import int8_models_option, json_option, threads_option
from .tables import print_table

if TYPE_CHECKING:
    from bandfold.onboard.networks.engine_choice import IntegerModel
    from bandfold.onboard.prediction.model_networks import Codec

ENGINES_EXAMPLE = """\b
Examples:
  bandfold engines
  bandfold engines --model model.bfm --threads 2 --json
"""

SELFTEST_EXAMPLE = """\b
Examples:
  bandfold selftest                    every model in int8 that is at hand
  bandfold selftest --model model.bfm
"""

TESTED_THREADS = (1, 2)

_LINES, _SAMPLES = 256, 1024
"""Of the plane that speed is measured on."""

_RUNS = 5


@click.command(epilog=ENGINES_EXAMPLE)
@int8_models_option
@threads_option(help="Threads of engines.")
@json_option
def engines(names: tuple[str, ...], threads: int, as_json: bool) -> None:
    """List what can run the networks of models, how fast it is here, and what auto picks.

    An engine is exact if it gives the golden latents of the package. Models that compute in floating point
    are run by ONNX Runtime, on a GPU if it has one, and are exact nowhere.
    """
    from bandfold.common.onnx_session import fastest_providers
    from bandfold.onboard.networks.engine_choice import ENGINES, check_engines, unfit
    from bandfold.onboard.prediction.model_networks import integer_models

    codecs = _quantised(names)
    model = integer_models(codecs[0])[0] if codecs else None
    checked = dict(check_engines(model, threads)) if model else {}
    rows, picked = [], ""
    for name, kind in ENGINES.items():
        reason = unfit(name) or checked.get(name, "" if model else "no model in int8 to check it with")
        if not reason and not picked:
            picked = name
            said = "picked: the fastest that is exact"
        else:
            said = reason or f"exact, slower than {picked} on most machines"
        rows.append(
            {
                "engine": name,
                "from": kind.installed() or None,
                "exact": checked[name] == "" if name in checked else None,
                "Msamples/s": _speed(model, name, threads) if model and checked.get(name) == "" else None,
                "auto": said,
            }
        )
    report = {
        "model": codecs[0].name if codecs else None,
        "threads": threads,
        "engines": rows,
        "floating point": list(fastest_providers()),
    }
    if as_json:
        print_json(report)
        return
    print_table(
        [
            {**row, "Msamples/s": "-" if row["Msamples/s"] is None else f"{row['Msamples/s']:.1f}"}
            for row in rows
        ]
    )
    click.echo(
        f"Speed: analysis of {report['model'] or 'nothing'} in a plane of {_LINES} x {_SAMPLES}, {threads} "
        f"thread(s). Models in floating point: {', '.join(fastest_providers())}"
    )


@click.command(epilog=SELFTEST_EXAMPLE)
@int8_models_option
@json_option
def selftest(names: tuple[str, ...], as_json: bool) -> None:
    """Check that this machine writes a known stream, and gives the golden latents of every model in int8.

    Context networks as graphs in ONNX and TFLite are compared with those of the codec, where the libraries
    that write such graphs are installed (pip install 'bandfold[export]'). Takes seconds. Exit status 5 if the
    stream is another one, or an engine that 'auto' could pick is not exact.
    """
    from bandfold.onboard.networks.engine_choice import check_engines, unfit
    from bandfold.onboard.prediction.model_networks import integer_models
    from bandfold.onboard.self_check import runs_by, writes_the_known_stream

    codecs = _quantised(names)
    if not codecs:
        raise ModelError("no model in int8 is at hand: give one with --model")
    encoder = {"runs by": runs_by(), "exact": writes_the_known_stream()}
    rows: list[dict[str, Any]] = []
    for codec in codecs:
        models = integer_models(codec)
        for threads in TESTED_THREADS:
            reasons: dict[str, str] = {}
            for model in models:
                for name, reason in check_engines(model, threads):
                    reasons[name] = reasons.get(name) or reason
            rows += [
                {
                    "model": codec.name,
                    "networks": len(models),
                    "engine": name,
                    "threads": threads,
                    "exact": not reason,
                    "reason": reason or unfit(name) or None,
                }
                for name, reason in reasons.items()
            ]
    contexts, unchecked = context_checks(names, TESTED_THREADS)
    if as_json:
        report = {"encoder": encoder, "checks": rows, "contexts": contexts}
        print_json({**report, "contexts not checked": unchecked or None})
    else:
        click.echo(f"Encoder: {encoder['runs by']}, {'exact' if encoder['exact'] else 'NOT EXACT'}\n")
        _print_checks(rows)
        if contexts:
            click.echo("\nClasses of context networks, as graphs against the codec:\n")
            _print_checks(contexts)
        elif unchecked:
            click.echo(f"\nContext networks as graphs: not checked, {unchecked}")
    if not encoder["exact"]:
        raise ModelError(
            f"the encoder ({encoder['runs by']}) does not write the known stream: its streams may not decode "
            "elsewhere; try BANDFOLD_KERNELS=off, and install bandfold again"
        )
    rows += contexts
    failed = [row for row in rows if not row["exact"] and not unfit(row["engine"])]
    if failed:
        raise ModelError(
            f"{len(failed)} of {len(rows)} checks are not exact, first of engine {failed[0]['engine']} with "
            f"{failed[0]['model']}: use another engine here (--engine)"
        )


def _print_checks(rows: Sequence[dict[str, Any]]) -> None:
    print_table([{**row, "exact": "exact" if row["exact"] else "NOT EXACT"} for row in rows])


def _quantised(names: Sequence[str]) -> list[Codec]:
    """Models in int8: those that are named, or all that are at hand."""
    from bandfold.bitstream.packages.registry import Registry
    from bandfold.bitstream.segments.predicted_codec import codec_of

    registry = Registry()
    packages = [registry.find(name) for name in names] if names else list(registry.packages())
    codecs = [codec_of(one) for one in packages if names or one.manifest.kind == "codec"]
    for codec in codecs:
        if names and not codec.quantised:
            raise ModelError(f"package {codec.name!r} computes in floating point: it is exact nowhere")
    return [codec for codec in codecs if codec.quantised]


def _speed(model: IntegerModel, name: str, threads: int) -> float:
    """Millions of samples that an engine analyses in a second, the best of a few runs."""
    import numpy as np

    from bandfold.onboard.networks.engine_choice import ENGINES

    network = ENGINES[name].open(model, threads, "")
    inputs = model.stack.inputs
    # The samples of a block may be channels of one position.
    shape = (1, inputs, _LINES // math.isqrt(inputs), _SAMPLES // math.isqrt(inputs))
    plane = np.random.default_rng(0).integers(-20, 20, shape).astype(np.int8)

    def runs() -> Iterator[float]:
        for _ in range(_RUNS):
            started = time.perf_counter()
            network.run(plane)
            yield time.perf_counter() - started

    return plane.size / min(runs()) / 1e6
