"""A trained encoder of single bands as a package holds it: networks and tables for each interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.entropy.ans import TOKENS
from bandfold.bitstream.packages.package import Package, reading_content, require
from bandfold.bitstream.payloads.payload import TABLES_LIMIT
from bandfold.common.onnx_session import PROCESSOR, Network

from .planes import FIRST_PLANE_TABLE, PlaneTables, plane_tables

REDUCTION = 16
"""Lines and samples of a latent: of the transform, not of a model."""

ANALYSIS, SYNTHESIS = "analysis-{}.onnx", "synthesis-{}.onnx"
"""Names of the networks of an engine."""

QUANTISED = "analysis-{}.tflite"
"""Name of the analysis for LiteRT, which quantised models have too."""

_GOLDEN = "analysis-golden"
_DIGEST = 32
_NO_GOLDEN = np.zeros((0, _DIGEST), np.uint8)

LARGEST_LATENT = float(1 << 30)
"""Latents stay below this."""


@dataclass(frozen=True)
class BandCodec:
    """Networks and tables of a model that codes single bands.

    Parameters
    ----------
    name : str
        Of its package.
    identity : bytes
        First 8 bytes of the digest of the package.
    frequencies : ndarray of int32, shape (engines, channels, TOKENS)
        Table of each channel; rows sum to 2**24.
    networks : mapping of str to bytes
        ONNX graphs by name.
    ends : tuple of int
        Ends of the intervals of the sensor that it was trained for, exclusive; the last one is its bands.
    limits : tuple of float
        The same in nanometres, without the last one.
    engine_of : tuple of int
        Engine of each interval.
    golden : ndarray of uint8, shape (engines, 32)
        Of a quantised model: SHA-256 of what each analysis makes of the input that engines are checked on
        (`bandfold.onboard.networks.engine_choice`). Of one that computes in floating point: shape (0, 32).
    """

    name: str
    identity: bytes
    frequencies: NDArray[np.int32]
    networks: Mapping[str, bytes]
    ends: tuple[int, ...]
    limits: tuple[float, ...]
    engine_of: tuple[int, ...]
    golden: NDArray[np.uint8] = field(default_factory=lambda: _NO_GOLDEN)

    @property
    def quantised(self) -> bool:
        """Whether its analyses compute in 8-bit integers, from int8 to int8."""
        return len(self.golden) > 0

    @property
    def engines(self) -> int:
        """Number of engines."""
        return int(self.frequencies.shape[0])

    @property
    def channels(self) -> int:
        """Latents of 16 x 16 samples of a band."""
        return int(self.frequencies.shape[1])

    def tables(self, tables: Tables) -> PlaneTables:
        """The tables of the format and, behind them, those of the model."""
        return plane_tables(tables, self.frequencies)

    def analysis(self, engine: int, threads: int = 1, providers: Sequence[str] = (PROCESSOR,)) -> Network:
        """Open the network that makes latents, of a model that is not quantised.

        Parameters
        ----------
        engine : int
            Number of the engine.
        threads : int
            Processor threads.
        providers : sequence of str
            Execution providers of ONNX Runtime, those that are tried first in front.

        Returns
        -------
        Network
            From planes (n, 1, 16 rows, 16 columns) in steps to integers (n, channels, rows, columns).

        Raises
        ------
        ModelError
            If it cannot be opened.
        """
        return self._open(ANALYSIS.format(engine), threads, providers)

    def synthesis(self, engine: int, threads: int = 1) -> Network:
        """Open the network that makes planes of latents again; see `analysis`."""
        return self._open(SYNTHESIS.format(engine), threads)

    def _open(self, name: str, threads: int, providers: Sequence[str] = (PROCESSOR,)) -> Network:
        return Network(self.networks[name], f"{name} of package {self.name!r}", threads, providers)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of a package, from which `from_package` reads them again.

        Returns
        -------
        dict of str to ndarray
        """
        golden = {_GOLDEN: self.golden} if self.quantised else {}
        return golden | {
            "frequencies": self.frequencies.astype(np.int32),
            "interval-ends": np.array(self.ends, dtype=np.int32),
            "interval-nanometres": np.array(self.limits, dtype=np.float64),
            "interval-engines": np.array(self.engine_of, dtype=np.int32),
        }

    @staticmethod
    def from_package(package: Package) -> BandCodec:
        """Take the model out of a package.

        Parameters
        ----------
        package : Package
            Of kind ``codec``.

        Returns
        -------
        BandCodec
            Its networks are not opened.

        Raises
        ------
        ModelError
            If the package is of another kind, or its arrays and networks do not make up a model.
        """
        with reading_content(package, "codec", "a model", "model", "bandfold export"):
            return _from_package(package)


def _from_package(package: Package) -> BandCodec:
    arrays = package.arrays
    frequencies = arrays["frequencies"]
    ends, limits = arrays["interval-ends"], arrays["interval-nanometres"]
    engine_of = arrays["interval-engines"]
    require(frequencies.dtype.kind in "iu" and frequencies.ndim == 3, "frequencies")
    engines, channels, tokens = frequencies.shape
    require(engines > 0 and channels > 0 and tokens == TOKENS, "frequencies")
    require(FIRST_PLANE_TABLE + engines * channels <= TABLES_LIMIT, "too many tables")
    require(ends.dtype.kind in "iu" and ends.ndim == 1 and ends.size > 0, "intervals")
    require(bool((np.diff(ends, prepend=0) > 0).all()), "intervals")
    require(limits.dtype.kind == "f" and limits.shape == (ends.size - 1,), "intervals")
    require(bool(np.isfinite(limits).all() and (np.diff(limits) > 0).all()), "intervals")
    require(engine_of.dtype.kind in "iu" and engine_of.shape == ends.shape, "engines of intervals")
    require(bool(((engine_of >= 0) & (engine_of < engines)).all()), "engines of intervals")
    golden = arrays.get(_GOLDEN, _NO_GOLDEN)
    quantised = _GOLDEN in arrays
    require(golden.dtype == np.uint8, "golden latents")
    require(golden.shape == (engines if quantised else 0, _DIGEST), "golden latents")
    needed = (ANALYSIS, QUANTISED, SYNTHESIS) if quantised else (ANALYSIS, SYNTHESIS)
    for name in (name.format(engine) for engine in range(engines) for name in needed):
        require(name in package.engines, f"no {name}")
    return BandCodec(
        package.name,
        package.identity,
        frequencies.astype(np.int32),
        dict(package.engines),
        tuple(ends.tolist()),
        tuple(limits.tolist()),
        tuple(engine_of.tolist()),
        golden,
    )


def latent_rows(length: int) -> int:
    """Latents that cover `length` lines or samples."""
    return -(-length // REDUCTION)
