"""The analysis of a trained network in 8-bit integers: calibrated, written in both formats, and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from bandfold.onboard.networks.engine_choice import IntegerModel, golden_digest, probe, require_exact
from bandfold.onboard.networks.numpy_network import NumpyNetwork
from bandfold.training.config import Config
from bandfold.training.recipes import find_recipe
from bandfold.training.training_scenes import TrainingScene

from .float_stack import FloatStack
from .qoperator import to_qoperator
from .quantise import LayerReport, quantise
from .tflite import to_tflite
from .widen import widen

METHOD = "headroom"
"""Way to choose ranges that costs little rate and cuts next to nothing (docs/int8.md)."""


@dataclass(frozen=True)
class Calibration:
    """What ranges of activations are taken from.

    Parameters
    ----------
    scenes : sequence of TrainingScene
        Crops are drawn from them.
    method : str
        Key of `bandfold.calibration.activations.METHODS`.
    batches : int
        How many are drawn, as in training, of the same contrasts.
    """

    scenes: Sequence[TrainingScene]
    method: str = METHOD
    batches: int = 60

    def description(self) -> dict[str, Any]:
        """Everything as plain values."""
        names = sorted(scene.name for scene in self.scenes)
        return {"method": self.method, "batches": self.batches, "scenes": names}


@dataclass(frozen=True)
class IntegerAnalysis:
    """A quantised analysis.

    Parameters
    ----------
    onnx, tflite : bytes
        The same network in both formats.
    golden : bytes
        SHA-256 of what it makes of the input that engines are checked on.
    report : list of LayerReport
        What quantisation did to the input and to each layer.
    """

    onnx: bytes
    tflite: bytes
    golden: bytes
    report: list[LayerReport]

    def description(self) -> dict[str, Any]:
        """Digest and report as plain values."""
        return {"golden": self.golden.hex(), "layers": [layer.as_dict() for layer in self.report]}


def quantise_analysis(
    graph: onnx.ModelProto, config: Config, part: tuple[int, ...], calibration: Calibration
) -> IntegerAnalysis:
    """Quantise the analysis of a part of a run.

    Parameters
    ----------
    graph : onnx.ModelProto
        In float32.
    config : Config
        Configuration that it was trained with: crops and contrasts.
    part : tuple of int
        Numbers of the spectral intervals that the network is for, from 1.
    calibration : Calibration
        What ranges are taken from.

    Returns
    -------
    IntegerAnalysis
        In both formats; all engines that are installed give the same integers.

    Raises
    ------
    ModelError
        If it holds more than convolutions and ReLU, or an engine does not give the integers of the others.
    """
    network = FloatStack.from_onnx(graph, f"the analysis of {config.network}")
    view = find_recipe(config).view(calibration.scenes, part, config.data)
    chance = np.random.default_rng(config.seed)
    batches = [view.draw(chance) for _ in range(calibration.batches)]
    quantised, report = quantise(network, batches, calibration.method)
    stack = widen(quantised)
    data = to_qoperator(stack).SerializeToString(deterministic=True)
    golden = golden_digest(NumpyNetwork(stack).run(probe(stack)))
    made = IntegerAnalysis(data, to_tflite(stack), golden, report)
    require_exact(IntegerModel(f"the analysis of {config.name}", made.onnx, made.tflite, golden))
    return made
