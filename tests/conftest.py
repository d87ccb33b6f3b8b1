"""What tests of several folders need: an export without a training, of the networks of the golden model."""

import json
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.packages.package import load_package

MODEL = Path(__file__).parent / "golden" / "golden-walsh.bfm"

ABOUT = {
    "format": 1,
    "name": "walsh-1",
    "network": "walsh",
    "kind": "factorised",
    "reduction": 16,
    "channels": 16,
    "engines": [
        {
            "parts": parts,
            "analysis": f"analysis-{number}.onnx",
            "synthesis": f"synthesis-{number}.onnx",
            "parameters": {"analysis": 4096, "synthesis": 4097},
        }
        for number, parts in enumerate(([1], [2, 4]))
    ],
    "intervals": {"bands": [40, 96, 155, 165, 224], "nanometres": [736.0, 1258.0, 1836.0, 1921.0]},
    "contrast": [0.5, 4.0],
    "multiplications_per_sample": {"analysis": 16.0, "synthesis": 16.0},
    "training": {"config": {"seed": 1}, "scenes": ["made-up"]},
}


@pytest.fixture
def write_export():
    """Write an exported folder; keywords replace fields of its description."""

    def write(folder, **changes):
        package = load_package(MODEL)
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps({**ABOUT, **changes}))
        np.savez(folder / "tables.npz", frequencies=package.arrays["frequencies"])
        for name, data in package.engines.items():
            (folder / name).write_bytes(data)
        return folder

    return write
