"""A finished run as a folder that a model package is packed from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from bandfold.common.atomic_files import atomic_output, output_errors
from bandfold.common.errors import ModelError
from bandfold.onboard.networks.intervals import AVIRIS_LIMITS
from bandfold.onboard.planning.partition import AVIRIS_2022
from bandfold.training.balle48 import REDUCTION
from bandfold.training.config import Config
from bandfold.training.recipes import EXPORTED, find_recipe
from bandfold.training.training_run import load_model, part_name, read_run

from .factorised import Engines, make_engines
from .half import to_half
from .integer_analysis import Calibration, quantise_analysis
from .layout import (
    ANALYSIS,
    DESCRIPTION,
    FOLDER,
    FORMAT,
    HALF,
    INTEGER_ONNX,
    INTEGER_TFLITE,
    SYNTHESIS,
    TABLES,
)
from .work import multiplications, parameters

Progress = Callable[[str, float], None]


def export_run(run: Path, progress: Progress | None = None, calibration: Calibration | None = None) -> Path:
    """Write ``RUN/export``: graphs, tables and a description.

    Parameters
    ----------
    run : Path
        Folder of a run whose parts are all trained to the end.
    progress : callable, optional
        Told the stage and the fraction of it that is done.
    calibration : Calibration, optional
        Quantises the analyses too.

    Returns
    -------
    Path
        The folder. ``model.json`` describes the rest; ``tables.npz`` holds ``frequencies``, int32 of shape
        (engines, channels, TOKENS); engine ``n`` has ``analysis-n.onnx`` and ``synthesis-n.onnx``, and
        ``analysis-n.fp16.onnx`` for GPUs. Quantised, it also has ``analysis-n.int8.onnx`` and ``.tflite``.

    Raises
    ------
    ModelError
        If there is no export for the network, a part is not finished, or its graphs do not give what PyTorch
        gives.
    OutputError
        If the folder cannot be written.
    """
    config, scenes = read_run(run)
    if config.network not in EXPORTED:
        raise ModelError(
            f"{run} is a run of {config.network}, which has no export: there are {', '.join(EXPORTED)}"
        )
    folder = run / FOLDER
    with output_errors(folder):
        folder.mkdir(exist_ok=True)
    engines = []
    reports: list[dict[str, Any]] = []
    for number, part in enumerate(config.data.parts):
        if progress is not None:
            progress(f"export {part_name(part)}", number / len(config.data.parts))
        network = find_recipe(config).build()
        load_model(network, run, part)
        made = make_engines(network)
        engines.append(made)
        files = {
            ANALYSIS: _bytes(made.analysis),
            SYNTHESIS: _bytes(made.synthesis),
            HALF: _bytes(to_half(made.full)),
        }
        if calibration is not None:
            integer = quantise_analysis(made.full, config, part, calibration)
            reports.append(integer.description())
            files |= {INTEGER_ONNX: integer.onnx, INTEGER_TFLITE: integer.tflite}
        for name, data in files.items():
            with atomic_output(folder / name.format(number)) as file:
                file.write(data)
    with atomic_output(folder / TABLES) as file:
        np.savez_compressed(
            file, allow_pickle=False, frequencies=np.stack([one.frequencies for one in engines])
        )
    about = _description(config, scenes, engines)
    if calibration is not None:
        about["quantised"] = {**calibration.description(), "engines": reports}
    with atomic_output(folder / DESCRIPTION) as file:
        file.write((json.dumps(about, indent=1) + "\n").encode())
    return folder


def _bytes(graph: onnx.ModelProto) -> bytes:
    return graph.SerializeToString(deterministic=True)


def _description(config: Config, scenes: list[str], engines: list[Engines]) -> dict[str, Any]:
    first = engines[0]
    samples = REDUCTION * REDUCTION
    return {
        "format": FORMAT,
        "name": config.name,
        "network": config.network,
        "kind": "factorised",
        "reduction": REDUCTION,
        "channels": int(first.frequencies.shape[0]),
        "engines": [
            {
                "parts": list(part),
                "analysis": ANALYSIS.format(number),
                "synthesis": SYNTHESIS.format(number),
                "parameters": {"analysis": parameters(one.analysis), "synthesis": parameters(one.synthesis)},
            }
            for number, (part, one) in enumerate(zip(config.data.parts, engines, strict=True))
        ],
        "intervals": {"bands": list(AVIRIS_2022), "nanometres": list(AVIRIS_LIMITS)},
        "contrast": list(config.data.contrast),
        "multiplications_per_sample": {
            "analysis": multiplications(first.analysis),
            "synthesis": multiplications(first.synthesis, samples),
        },
        "training": {"config": config.as_dict(), "scenes": scenes},
    }
