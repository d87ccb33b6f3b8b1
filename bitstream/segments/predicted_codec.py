"""A trained encoder of predicted bands as a package holds it: networks, basis functions and contexts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import CLASSES, Mode, Tables, mode_from_arrays
from bandfold.bitstream.packages.package import Package, reading_content, require
from bandfold.bitstream.transforms.lapped_synthesis import POINT_UNIT, SUPPORT, is_symmetric
from bandfold.common.scene import CHANNELS

from .band_codec import ANALYSIS, QUANTISED, BandCodec

MARK = "basis-functions"
"""Array that only packages of this kind have."""

_GOLDEN = "analysis-golden"
_UNITS = "latent-units"
_DIGEST = 32

LATENT_UNIT = 64
"""Latents come out of the network in multiples of ``1 / LATENT_UNIT`` of a step."""

LARGEST_ENTRY = 1 << 14
"""Entries of orthonormal basis functions stay below this."""


@dataclass(frozen=True)
class PredictedCodec:
    """Networks, basis functions and contexts of a model that codes what prediction leaves of bands.

    Parameters
    ----------
    name : str
        Of its package.
    identity : bytes
        First 8 bytes of the digest of the package.
    networks : mapping of str to bytes
        Graphs by name, ONNX and TFLite.
    golden : ndarray of uint8, shape (engines, 32)
        SHA-256 of what each analysis makes of the input that engines are checked on.
    units : ndarray of int32, shape (engines, 64)
        Unit of the integers that each channel of the analysis gives, in ``1 / LATENT_UNIT`` of a step.
    kernels : ndarray of int32, shape (engines, 64, 24, 24)
        Basis functions, see `bandfold.bitstream.transforms.lapped_synthesis`.
    mode : Mode
        Context network and entropy tables of the latents.
    """

    name: str
    identity: bytes
    networks: Mapping[str, bytes]
    golden: NDArray[np.uint8]
    units: NDArray[np.int32]
    kernels: NDArray[np.int32]
    mode: Mode

    @property
    def engines(self) -> int:
        """Number of engines."""
        return len(self.kernels)

    @property
    def quantised(self) -> bool:
        """Whether its analyses compute in 8-bit integers: all do."""
        return True

    @property
    def points(self) -> NDArray[np.int32]:
        """Reconstruction points by class, as `bandfold.bitstream.transforms.lapped_synthesis` takes them."""
        return np.rint(self.mode.points * POINT_UNIT).astype(np.int32)

    def tables(self, tables: Tables) -> Tables:
        """The tables of the format, with those of the model for single bands."""
        return replace(tables, modes={**tables.modes, "banded": self.mode})

    @staticmethod
    def from_package(package: Package) -> PredictedCodec:
        """Take the model out of a package.

        Parameters
        ----------
        package : Package
            Of kind ``codec``.

        Returns
        -------
        PredictedCodec
            Its networks are not opened.

        Raises
        ------
        ModelError
            If the package is of another kind, or its arrays and networks do not make up a model.
        """
        with reading_content(package, "codec", "a model", "model", "bandfold export"):
            return _from_package(package)


def codec_of(package: Package) -> BandCodec | PredictedCodec:
    """The model that a package holds, of either kind.

    Parameters
    ----------
    package : Package
        Of kind ``codec``.

    Returns
    -------
    BandCodec or PredictedCodec

    Raises
    ------
    ModelError
        If the package is of another kind, or its arrays and networks do not make up a model.
    """
    return (PredictedCodec if MARK in package.arrays else BandCodec).from_package(package)


def codec_arrays(
    kernels: NDArray[np.int16],
    units: NDArray[np.int32],
    golden: NDArray[np.uint8],
    contexts: Mapping[str, NDArray[Any]],
) -> dict[str, NDArray[Any]]:
    """Arrays of a package, from which `PredictedCodec.from_package` reads them again.

    Parameters
    ----------
    kernels : ndarray of int16, shape (engines, 64, 24, 24)
        Basis functions.
    units : ndarray of int32, shape (engines, 64)
        Units of the channels of the analysis.
    golden : ndarray of uint8, shape (engines, 32)
        Digests of golden latents.
    contexts : mapping of str to ndarray
        Context network and tables, named as those of single bands in a file of tables.

    Returns
    -------
    dict of str to ndarray
    """
    own = {name: array for name, array in contexts.items() if name.startswith("banded_")}
    return {MARK: kernels, _UNITS: units, _GOLDEN: golden, **own}


def _from_package(package: Package) -> PredictedCodec:
    arrays = package.arrays
    kernels, units, golden = arrays[MARK], arrays[_UNITS], arrays[_GOLDEN]
    require(kernels.dtype == np.int16 and kernels.ndim == 4, "basis functions")
    require(len(kernels) > 0 and kernels.shape[1:] == (CHANNELS, SUPPORT, SUPPORT), "basis functions")
    require(int(np.abs(kernels.astype(np.int32)).max()) < LARGEST_ENTRY, "basis functions")
    require(all(is_symmetric(one) for one in kernels), "basis functions are not symmetric")
    require(units.dtype == np.int32 and units.shape == (len(kernels), CHANNELS), "units of latents")
    require(bool(((units > 0) & (units <= LATENT_UNIT)).all()), "units of latents")
    require(golden.dtype == np.uint8 and golden.shape == (len(kernels), _DIGEST), "golden latents")
    for name in (one.format(engine) for engine in range(len(kernels)) for one in (ANALYSIS, QUANTISED)):
        require(name in package.engines, f"no {name}")
    mode = mode_from_arrays(dict(arrays), "banded")
    require(not mode.dependent and len(mode.frequencies) == CLASSES, "contexts")
    return PredictedCodec(
        package.name,
        package.identity,
        dict(package.engines),
        golden,
        units,
        kernels.astype(np.int32),
        mode,
    )
