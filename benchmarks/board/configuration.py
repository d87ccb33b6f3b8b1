"""Settings of the codec that are measured, one or all combinations of several."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.segments.predicted_codec import codec_of
from bandfold.common.errors import SettingsError
from bandfold.onboard.effort import DEFAULT_EFFORT, EFFORTS
from bandfold.onboard.networks.engine_choice import AUTO, ENGINES, check_engines, unfit
from bandfold.onboard.prediction.model_networks import integer_models
from bandfold.onboard.settings import EncoderSettings, find_package

FOLD = "none"
"""In place of a model: bands are folded."""

QUANTISERS = ("dependent", "uniform")
"""Of folded bands, the default first."""


@dataclass(frozen=True)
class Configuration:
    """Settings of the codec. One of `bps` and `step` is given.

    Parameters
    ----------
    bps : float, optional
        Bits per sample.
    step : float, optional
        Quantiser step in counts.
    model : str, optional
        Package of a trained encoder; bands are folded without one.
    engine : str
        What runs its networks.
    threads : int
        Threads of the processor.
    quantiser : str, optional
        Of folded bands.
    strip_lines : int, optional
        Lines of a segment; the usual ones if not given.
    effort : int
        Of folded bands.
    """

    bps: float | None = None
    step: float | None = None
    model: str | None = None
    engine: str = AUTO
    threads: int = 1
    quantiser: str | None = None
    strip_lines: int | None = None
    effort: int = DEFAULT_EFFORT

    def settings(self, *, stream: bool = False) -> EncoderSettings:
        """Give the settings of an encoder; raises `SettingsError` if they contradict each other."""
        return EncoderSettings(
            bps=self.bps,
            step=self.step,
            model=self.model,
            engine=self.engine,
            threads=self.threads,
            quantiser=self.quantiser,
            strip_lines=self.strip_lines,
            effort=self.effort,
            stream=stream,
        )

    @property
    def rate(self) -> str:
        """The rate in words."""
        return f"step {self.step:g}" if self.step is not None else f"{self.bps:g} bits per sample"

    def describe(self) -> dict[str, Any]:
        """Give the settings by name, ready for JSON; engine or quantiser is None where it has no meaning."""
        folded = self.model is None
        return {
            "model": self.model,
            "engine": None if folded else self.engine,
            "threads": self.threads,
            "quantiser": (self.quantiser or EFFORTS[self.effort].quantiser) if folded else None,
            "effort": self.effort if folded else None,
            "rate": self.rate,
            "bps": self.bps,
            "step": self.step,
            "strip_lines": self.settings().segment_lines,
        }


@dataclass(frozen=True)
class Choices:
    """Values of each setting that are combined; an empty one is left to what is usual.

    Parameters
    ----------
    bps, steps : sequence of float
        Rates in bits per sample, and quantiser steps in counts; at least one in all.
    models : sequence of str
        Packages, or ``none`` for folded bands.
    engines : sequence of str
        For models.
    threads : sequence of int
        Threads of the processor.
    quantisers : sequence of str
        For folded bands.
    strip_lines : int, optional
        Lines of a segment; the usual ones if not given.
    efforts : sequence of int
        For folded bands.
    """

    bps: Sequence[float] = ()
    steps: Sequence[float] = ()
    models: Sequence[str] = ()
    engines: Sequence[str] = ()
    threads: Sequence[int] = ()
    quantisers: Sequence[str] = ()
    strip_lines: int | None = None
    efforts: Sequence[int] = ()

    def combinations(self) -> list[Configuration]:
        """Combine what is chosen.

        Returns
        -------
        list of Configuration
            Engines go with models and quantisers with folded bands; doubles are dropped.

        Raises
        ------
        SettingsError
            If settings contradict each other, as an engine where there is no model.
        ModelError
            If a model is unknown.
        """
        models: list[str | None] = [None if name == FOLD else name for name in self.models] or [None]
        if self.engines and models == [None] and tuple(self.engines) != (AUTO,):
            raise SettingsError("an engine runs the networks of a model: give --model, or leave out --engine")
        if self.efforts and None not in models:
            raise SettingsError(f"a model has no efforts: leave out --effort, or add {FOLD} to --model")
        if self.quantisers and None not in models:
            raise SettingsError(
                f"a model has a quantiser of its own: leave out --quantiser, or add {FOLD} to --model"
            )
        found: dict[Configuration, None] = {}
        for model in models:
            engines = (self.engines or (AUTO,)) if model is not None else (AUTO,)
            quantisers: Sequence[str | None] = self.quantisers or (None,) if model is None else (None,)
            targets = [(bps, None) for bps in self.bps] + [(None, step) for step in self.steps]
            for engine, threads, quantiser, (bps, step) in product(
                engines, self.threads or (1,), quantisers, targets
            ):
                for effort in (self.efforts or (DEFAULT_EFFORT,)) if model is None else (DEFAULT_EFFORT,):
                    one = Configuration(
                        bps, step, model, engine, threads, quantiser, self.strip_lines, effort
                    )
                    one.settings()
                    found[one] = None
            if model is not None:
                find_package(model)
        return list(found)

    def sweep(self) -> list[Configuration]:
        """Combine what is chosen, and all that makes sense on this machine where nothing is.

        Returns
        -------
        list of Configuration
            Folded bands and each model in 8-bit integers that is at hand, with each engine that gives its
            golden latents here (NumPy only where no other does), 1, 2, 4 ... threads up to the number of
            cores, and both quantisers.
        """
        # Even where one is named: it says which settings there are for the others.
        models = self.models or (FOLD, *integer_packages())
        threads = self.threads or thread_counts(os.cpu_count() or 1)
        found = []
        for model in models:
            folded = model == FOLD
            one = Choices(
                self.bps,
                self.steps,
                (model,),
                () if folded else (self.engines or exact_engines(model)),
                threads,
                (self.quantisers or QUANTISERS) if folded else (),
                self.strip_lines,
                self.efforts if folded else (),
            )
            found += one.combinations()
        return found


def thread_counts(cores: int) -> tuple[int, ...]:
    """Powers of two up to the number of cores, and that number."""
    return tuple(sorted({1 << power for power in range(cores.bit_length()) if 1 << power <= cores} | {cores}))


def integer_packages() -> tuple[str, ...]:
    """Names of the models at hand whose networks are all in 8-bit integers."""
    packages = [one for one in Registry().packages() if one.manifest.kind == "codec"]
    return tuple(one.name for one in packages if codec_of(one).quantised)


def exact_engines(model: str) -> tuple[str, ...]:
    """Engines that give the golden latents of a model on this machine.

    Parameters
    ----------
    model : str
        Name or file of its package.

    Returns
    -------
    tuple of str
        Without NumPy, which is far slower, unless no other is exact; ``auto`` for a model that computes in
        floating point.
    """
    codec = codec_of(find_package(model))
    if not codec.quantised:
        return (AUTO,)
    exact = {name for name in ENGINES if not unfit(name)}
    for network in integer_models(codec):
        exact &= {name for name, reason in check_engines(network) if not reason}
    found = tuple(name for name in ENGINES if name in exact)
    return tuple(name for name in found if name != "numpy") or found or (AUTO,)
