"""The networks of a model of predicted bands, opened on this machine when they are first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.segments.band_codec import ANALYSIS, QUANTISED
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.common.errors import ModelError
from bandfold.common.scene import CHANNELS
from bandfold.common.workers import ObjectPool
from bandfold.onboard.networks.engine import IntegerNetwork
from bandfold.onboard.networks.engine_choice import AUTO, IntegerModel, check_choice, open_exact


class InnovationNetwork:
    """Turns what prediction leaves of a band into latents.

    Parameters
    ----------
    codec : PredictedCodec
        The model.
    engine : str
        One of `bandfold.onboard.networks.engine_choice.CHOICES`.

    Attributes
    ----------
    used : dict of str to None
        Names of the engines that run networks, in the order in which they were opened.
    notes : dict of str to None
        What the user should know of them.

    Raises
    ------
    SettingsError
        If there is no such engine.
    """

    def __init__(self, codec: PredictedCodec, engine: str = AUTO) -> None:
        check_choice(engine)
        self.codec = codec
        self.used: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self._wanted = engine
        self._pool = ObjectPool(partial(OpenNetworks, self._open))

    @contextmanager
    def lent(self) -> Iterator[OpenNetworks]:
        """Have networks in the body that code one strip: others are coded side by side."""
        with self._pool.lent() as networks:
            yield networks

    def _open(self, engine: int) -> IntegerNetwork:
        opened = open_exact(innovation_model(self.codec, engine), self._wanted)
        self.used[opened.engine] = None
        self.notes.update(dict.fromkeys(opened.notes))
        return opened.network


class OpenNetworks:
    """The networks of a model, opened when they are first needed; for one strip at a time.

    Parameters
    ----------
    opening : callable
        Opens the network of an engine.
    """

    def __init__(self, opening: Callable[[int], IntegerNetwork]) -> None:
        self._opening = opening
        self._opened: dict[int, IntegerNetwork] = {}

    def analyse(self, inputs: NDArray[np.int8], engine: int) -> NDArray[np.int8]:
        """Run a network.

        Parameters
        ----------
        inputs : ndarray of int8, shape (rows, columns, 64)
            From `bandfold.onboard.prediction.innovations.innovations`.
        engine : int
            Number of the network within the model.

        Returns
        -------
        ndarray of int8, shape (rows, columns, 64)

        Raises
        ------
        ModelError
            If it cannot be opened or run.
        """
        if engine not in self._opened:
            self._opened[engine] = self._opening(engine)
        latents: NDArray[np.int8] = self._opened[engine].run_last(inputs[None])[0]
        return latents


def innovation_model(codec: PredictedCodec, engine: int) -> IntegerModel:
    """The quantised analysis of an engine of a model.

    Parameters
    ----------
    codec : PredictedCodec
        The model.
    engine : int
        Number of the network within the model.

    Returns
    -------
    IntegerModel

    Raises
    ------
    ModelError
        If it does not turn the samples of blocks into as many latents.
    """
    name = ANALYSIS.format(engine)
    model = IntegerModel(
        f"{name} of package {codec.name!r}",
        codec.networks[name],
        codec.networks[QUANTISED.format(engine)],
        codec.golden[engine].tobytes(),
    )
    stack = model.stack
    if (stack.inputs, stack.outputs, stack.reduction, stack.zero) != (CHANNELS, CHANNELS, 1, 0):
        raise ModelError(f"{model.name} does not turn blocks into latents: make the package again")
    return model
