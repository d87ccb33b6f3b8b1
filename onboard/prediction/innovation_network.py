"""The networks of a model of predicted bands, opened on this machine when they are first needed."""

from __future__ import annotations

from threading import local

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.segments.band_codec import ANALYSIS, QUANTISED
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.common.errors import ModelError
from bandfold.common.scene import CHANNELS
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
        # Strips are coded side by side, and an open network runs one of them at a time.
        self._opened = local()

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
        networks: dict[str, IntegerNetwork] = self._opened.__dict__
        name = str(engine)
        if name not in networks:
            networks[name] = self._open(engine)
        latents: NDArray[np.int8] = networks[name].run_last(inputs[None])[0]
        return latents

    def _open(self, engine: int) -> IntegerNetwork:
        opened = open_exact(innovation_model(self.codec, engine), self._wanted)
        self.used[opened.engine] = None
        self.notes.update(dict.fromkeys(opened.notes))
        return opened.network


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
