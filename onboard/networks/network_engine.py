"""Networks of a model on board: a plane of a band in, integers out, and back where the error is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.segments.band_codec import ANALYSIS, LARGEST_LATENT, QUANTISED, REDUCTION, BandCodec
from bandfold.common.errors import ModelError, SettingsError
from bandfold.common.onnx_session import PROCESSOR, Network, fastest_providers
from bandfold.common.scene import pad_to_blocks

from .engine_choice import AUTO, IntegerModel, check_choice, open_exact
from .integer_network import to_channels, to_integers

Analysis = Callable[[NDArray[np.float64]], NDArray[Any]]
"""From a plane, in steps, to latents of any type, shape (channels, rows, columns)."""


class NetworkEngine:
    """The networks of a model; each is opened when it is first needed.

    Parameters
    ----------
    codec : BandCodec
        The model: its networks and its tables.
    threads : int
        Processor threads.
    engine : str
        One of `bandfold.onboard.networks.engine_choice.CHOICES`.

    Attributes
    ----------
    used : dict of str to None
        Names of the engines that run analyses, in the order in which they were opened.
    notes : dict of str to None
        What the user should know of them.

    Raises
    ------
    SettingsError
        If there is no such engine.
    ModelError
        If it cannot run this kind of model.
    """

    def __init__(self, codec: BandCodec, threads: int = 1, engine: str = AUTO) -> None:
        check_choice(engine)
        if threads < 1:
            raise SettingsError(f"{threads} threads are not possible: give 1 or more")
        if not codec.quantised and engine not in (AUTO, "onnxruntime"):
            raise ModelError(
                f"package {codec.name!r} computes in floating point, which engine {engine} does not run: "
                "use onnxruntime, or a model in int8"
            )
        self.codec = codec
        self.used: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self._wanted, self._threads = engine, threads
        # Of this engine, so that what is open goes with it.
        self._analysis = cache(self._open_quantised if codec.quantised else self._open_float)
        self._synthesis = cache(lambda engine: codec.synthesis(engine, threads))

    def _open_quantised(self, engine: int) -> Analysis:
        model = integer_model(self.codec, engine)
        opened = open_exact(model, self._wanted, self._threads)
        self.used[opened.engine] = None
        self.notes.update(dict.fromkeys(opened.notes))
        stack, network = model.stack, opened.network
        block = REDUCTION // stack.reduction
        return lambda plane: network.run(
            to_channels(to_integers(plane, stack.scale, stack.zero), block)[None]
        )[0]

    def _open_float(self, engine: int) -> Analysis:
        providers = fastest_providers()
        network = self.codec.analysis(engine, self._threads, providers)
        self.used["onnxruntime"] = None
        where = "" if providers[0] == PROCESSOR else f" (here by {providers[0]})"
        self.notes[
            f"package {self.codec.name!r} computes in floating point{where}: another machine may write "
            "another file, which decodes as well"
        ] = None
        return lambda plane: network.run(plane.astype(np.float32)[None, None])[0]

    def analyse(self, plane: NDArray[np.float64], engine: int) -> NDArray[np.int32]:
        """Make the latents of a plane.

        Parameters
        ----------
        plane : ndarray, shape (lines, samples)
            A band less its mean, in steps; extended to whole latents by mirroring.
        engine : int
            Number of the network within the model.

        Returns
        -------
        ndarray of int32, shape (channels, rows, columns)

        Raises
        ------
        ModelError
            If the network cannot be opened or gives something else.
        """
        whole = pad_to_blocks(plane, REDUCTION)
        found = self._analysis(engine)(whole)
        expected = (self.codec.channels, *(length // REDUCTION for length in whole.shape))
        if found.shape != expected or not np.isfinite(found).all():
            raise ModelError(
                f"analysis {engine} of package {self.codec.name!r} gives no latents for a plane of "
                f"{whole.shape[0]} x {whole.shape[1]}: make the package again"
            )
        if found.dtype.kind == "i":
            return found.astype(np.int32)
        latents: NDArray[np.int32] = np.clip(np.rint(found), -LARGEST_LATENT, LARGEST_LATENT).astype(np.int32)
        return latents

    def synthesise(
        self, latents: NDArray[np.int32], engine: int, lines: int, samples: int
    ) -> NDArray[np.float64]:
        """Make a plane of latents, as the decoder will.

        Parameters
        ----------
        latents : ndarray of int32, shape (channels, rows, columns)
            As `analyse` gives them.
        engine : int
            Number of the network within the model.
        lines, samples : int
            Extent of the plane; what the last latents hold beyond it is dropped.

        Returns
        -------
        ndarray, shape (lines, samples)
            In steps.

        Raises
        ------
        ModelError
            If the network cannot be opened or run.
        """
        network: Network = self._synthesis(engine)
        plane: NDArray[np.float64] = network.run(latents[None].astype(np.float32))[0, 0].astype(np.float64)
        return plane[:lines, :samples]


def integer_model(codec: BandCodec, engine: int) -> IntegerModel:
    """The quantised analysis of an engine of a model.

    Parameters
    ----------
    codec : BandCodec
        Quantised.
    engine : int
        Number of the network within the model.

    Returns
    -------
    IntegerModel

    Raises
    ------
    ModelError
        If it does not take one plane and give latents in units of 1.
    """
    name = ANALYSIS.format(engine)
    model = IntegerModel(
        f"{name} of package {codec.name!r}",
        codec.networks[name],
        codec.networks[QUANTISED.format(engine)],
        codec.golden[engine].tobytes(),
    )
    stack, last = model.stack, model.stack.layers[-1]
    # The samples of a block may come as channels, but all of them must.
    if (stack.inputs * stack.reduction**2, float(last.scale), last.zero) != (REDUCTION**2, 1.0, 0):
        raise ModelError(f"{model.name} does not turn one plane into latents: make the package again")
    return model
