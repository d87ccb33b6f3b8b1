"""A trained restoration network as a package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package
from bandfold.common.errors import ModelError
from bandfold.ground.restoration.latent_gains import GainNetwork
from bandfold.ground.restoration.restoration_model import GRAPH, KIND, RestorationModel
from bandfold.training.restoration_network import FACTS, HIDDEN_UNITS, WINDOWS, Restoration
from bandfold.training.training_run import load_model, read_run

from .graphs import to_onnx
from .work import parameters

TRUST = (0.40, 0.85)
"""Agreement with hidden signs at which nothing, and everything, is applied: see docs/restoration.md."""

ARCHITECTURE = (
    f"gains for {len(WINDOWS)} averages over pixels that look alike, from {FACTS} facts of a latent; "
    f"1x1 layers of {HIDDEN_UNITS} and {HIDDEN_UNITS}"
)
"""For the card."""

_PROBE = (64, 5)
_CLOSE = 1e-4


def make_restoration(
    run: Path, *, name: str | None = None, description: str = "", release: str = ""
) -> Package:
    """Pack a finished run of a restoration network.

    Parameters
    ----------
    run : Path
        Folder of the run.
    name : str, optional
        Of the package; that of the configuration by default.
    description : str
        One line.
    release : str
        Version of bandfold that packs it.

    Returns
    -------
    Package
        Not yet written. Its network was tried: it gives what PyTorch gives.

    Raises
    ------
    ModelError
        If the run is not finished, or the graph gives something else.
    """
    config, scenes = read_run(run)
    network = Restoration()
    load_model(network, run, config.data.parts[0])
    network.eval()
    proto = to_onnx(network, torch.zeros(2, FACTS, *_PROBE))
    graph = proto.SerializeToString(deterministic=True)
    layers = [
        (one.weight.detach().numpy()[:, :, 0, 0], one.get_parameter("bias").detach().numpy())
        for one in network.layers
        if isinstance(one, nn.Conv2d)
    ]
    model = RestorationModel(
        str(name or config.name), WINDOWS, TRUST, graph, GainNetwork(layers, len(WINDOWS))
    )
    told = np.random.default_rng(0).normal(0, 1, (1, FACTS, *_PROBE)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(told)).numpy()
    if float(np.abs(model.network().run(told) - expected).max()) > _CLOSE:
        raise ModelError(f"the graph of {run} gives something else than PyTorch: update ONNX Runtime")
    card: dict[str, Any] = {
        "architecture": ARCHITECTURE,
        "parameters": parameters(proto),
        "training scenes": list(scenes),
        "training": config.as_dict(),
    }
    manifest = Manifest(
        model.name, KIND, description or "restoration on the ground, of folded scenes", release, card
    )
    return Package(manifest, model.arrays(), {GRAPH: graph})
