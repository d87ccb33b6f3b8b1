"""A restoration network as a package holds it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.packages.package import Package, reading_content, require
from bandfold.bitstream.packages.registry import Registry
from bandfold.common.onnx_session import PROCESSOR, Network

from .bilateral_filter import FilterKernel
from .latent_gains import GainNetwork

AUTO, OFF = "auto", "off"
"""Restore where that can be done, or never."""

SHIPPED = "restore"
"""Name of the package that ``auto`` takes."""

KIND = "restoration"
"""Of packages that hold one."""

GRAPH = "restore.onnx"
"""Name of the network."""

MOST_KERNELS = 32
"""Averages that a network weighs at most."""


@dataclass(frozen=True)
class RestorationModel:
    """A network that restores latents, and what it needs.

    Parameters
    ----------
    name : str
        Name of its package.
    kernels : tuple of FilterKernel
        Averages that the network weighs.
    trust : (float, float)
        Agreement with held-out signs below which nothing is restored, and from which on all of it is.
    graph : bytes
        ONNX graph, from features (1, features, n, m), see
        `bandfold.ground.restoration.latent_features.feature_count`, to gains (1, kernels + 1, n, m): one for
        each candidate correction, and one for the sign of the latent.
    layers : GainNetwork or None
        The same network, if it consists of three layers and the package tells their weights: it is run
        without ONNX Runtime.
    """

    name: str
    kernels: tuple[FilterKernel, ...]
    trust: tuple[float, float]
    graph: bytes
    layers: GainNetwork | None = None

    def network(self, threads: int = 1, providers: Sequence[str] = (PROCESSOR,)) -> Network:
        """Open the network.

        Parameters
        ----------
        threads : int
            Processor threads of the network.
        providers : sequence of str
            Execution providers of ONNX Runtime, those that are tried first in front.

        Returns
        -------
        Network
            From features to gains.

        Raises
        ------
        ModelError
            If it cannot be opened, or ONNX Runtime is not installed.
        """
        return Network(self.graph, f"{GRAPH} of package {self.name!r}", threads, providers)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of a package, from which `from_package` reads them again.

        Returns
        -------
        dict of str to ndarray
            By the names of the package format.
        """
        return {
            "windows": np.array([(one.bandwidth, one.sigma) for one in self.kernels], dtype=np.float64),
            "trust": np.array(self.trust, dtype=np.float64),
            **({} if self.layers is None else self.layers.as_arrays()),
        }

    @staticmethod
    def from_package(package: Package) -> RestorationModel:
        """Take the model out of a package.

        Parameters
        ----------
        package : Package
            Read from its file.

        Returns
        -------
        RestorationModel
            Its network is not opened.

        Raises
        ------
        ModelError
            If the package is of another kind, or does not hold one.
        """
        with reading_content(package, KIND, "restoration", "network", "bandfold export"):
            windows, trust = package.arrays["windows"], package.arrays["trust"]
            require(windows.dtype.kind == "f" and windows.ndim == 2 and windows.shape[1] == 2, "windows")
            require(0 < len(windows) <= MOST_KERNELS, "windows")
            require(bool((np.isfinite(windows) & (windows >= 0)).all()), "windows")
            require(trust.dtype.kind == "f" and trust.shape == (2,), "trust")
            require(bool(np.isfinite(trust).all() and trust[0] < trust[1]), "trust")
            return RestorationModel(
                package.name,
                tuple(FilterKernel(float(bandwidth), float(sigma)) for bandwidth, sigma in windows),
                (float(trust[0]), float(trust[1])),
                package.engines[GRAPH],
                GainNetwork.from_arrays(package.arrays, len(windows)),
            )


def find_restoration(wanted: str | os.PathLike[str], registry: Registry) -> RestorationModel | None:
    """Find the network that restores.

    Parameters
    ----------
    wanted : str or path_like
        `AUTO`, `OFF`, or a package by name or file.
    registry : Registry
        Where packages are looked for.

    Returns
    -------
    RestorationModel or None
        None with `OFF`, and with `AUTO` where the package is not there, or neither its layers nor ONNX
        Runtime.

    Raises
    ------
    ModelError
        If the package is unknown or of another kind.
    """
    if wanted == OFF:
        return None
    if wanted != AUTO:
        return RestorationModel.from_package(registry.find(wanted))
    for package in registry.packages():
        if package.name == SHIPPED and package.manifest.kind == KIND:
            model = RestorationModel.from_package(package)
            return model if model.layers is not None or find_spec("onnxruntime") is not None else None
    return None
