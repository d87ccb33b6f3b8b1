"""An exported model of single bands (``RUN/export``) as a codec: real bytes, ONNX Runtime on both sides."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.entropy.ans import PRECISION, to_tokens
from bandfold.bitstream.payloads.payload import SIDE_UNIT, PayloadReader, PayloadWriter
from bandfold.bitstream.segments.planes import PlaneTables, plane_tables, read_planes, write_planes, zigzag
from bandfold.common.errors import ModelError, SettingsError
from bandfold.export.layout import find_engine

_BANDS_AT_ONCE = 16
"""Bands that go through a network together: bounds the memory."""

_MEAN = 16 * SIDE_UNIT
"""Expected difference between the means of neighbouring bands."""

HEADER_BYTES = 64
"""Counted for what a container tells besides: geometry, step, model."""


@dataclass(frozen=True)
class Coded:
    """Part of a scene, coded and decoded again.

    Parameters
    ----------
    nbytes : int
        Of its payload: latents and band means.
    squared_error : float
        Summed over its samples, in counts squared.
    samples : int
        How many there are.
    """

    nbytes: int
    squared_error: float
    samples: int


class BandModel:
    """Networks and tables of an export.

    Parameters
    ----------
    folder : Path
        As `bandfold.export.run.export_run` writes it.

    Raises
    ------
    ModelError
        If it is not such a folder.
    SettingsError
        If ONNX Runtime is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise SettingsError("this needs ONNX Runtime: pip install 'bandfold[onnx]'") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3

        def open_graph(name: str) -> Any:
            return onnxruntime.InferenceSession(folder / name, options, ["CPUExecutionProvider"])

        try:
            about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            self.name = str(about["name"])
            self.contrast: tuple[float, float] = tuple(about["contrast"])
            self.scenes = frozenset(about["training"]["scenes"])
            self._parts = [set(engine["parts"]) for engine in about["engines"]]
            self._analyses = [open_graph(engine["analysis"]) for engine in about["engines"]]
            self._syntheses = [open_graph(engine["synthesis"]) for engine in about["engines"]]
            self._reduction = int(about["reduction"])
            self._channels = int(about["channels"])
            with np.load(folder / "tables.npz", allow_pickle=False) as archive:
                frequencies = archive["frequencies"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{folder} is not an exported model: {error!r}") from error
        self._tables: PlaneTables = plane_tables(load_tables(), frequencies)
        self._weight = float(about["training"]["config"]["training"]["weight"])
        # Raw bits of large latents are left out: they only make a band dearer.
        self._bits = PRECISION - np.log2(frequencies.astype(np.float64))

    def engine(self, interval: int) -> int:
        """Find the network for an interval: its own, or that of the nearest interval below it.

        Parameters
        ----------
        interval : int
            Number of the spectral interval, from 1.

        Returns
        -------
        int
            Number of the engine, from 0.
        """
        return find_engine(self._parts, interval)

    def code(self, cube: NDArray[np.integer], interval: int, step: float) -> Coded:
        """Encode bands of an interval, decode the bytes, and compare.

        Parameters
        ----------
        cube : ndarray of integers, shape (bands, lines, samples)
            The bands.
        interval : int
            From 1.
        step : float
            Counts for each unit of the network's input.

        Returns
        -------
        Coded
            Bytes and error of the decoded samples, which are rounded and clipped to the type of
            the cube.
        """
        payload = self.encode(cube, interval, step)
        again = self.decode(payload, cube.shape, interval, step)
        limits = np.iinfo(cube.dtype)
        restored = np.clip(np.rint(again), limits.min, limits.max)
        error = float(((restored - cube) ** 2).sum())
        return Coded(len(payload), error, cube.size)

    def encode(self, cube: NDArray[np.integer], interval: int, step: float) -> bytes:
        """Encode bands of an interval.

        Parameters
        ----------
        cube, interval, step
            As for `code`.

        Returns
        -------
        bytes
            Band means and latents.
        """
        engine = self.engine(interval)
        means = np.rint(cube.mean(axis=(1, 2), dtype=np.float64))
        size = [(0, 0), *((0, -extent % self._reduction) for extent in cube.shape[1:])]
        quantised = []
        variances = cube.var(axis=(1, 2), dtype=np.float64) / step**2
        for start in range(0, len(cube), _BANDS_AT_ONCE):
            part = slice(start, start + _BANDS_AT_ONCE)
            planes = ((cube[part] - means[part, None, None]) / step).astype(np.float32)
            batch = np.pad(planes, size, mode="symmetric")[:, None]
            latents = self._analyses[engine].run(["output"], {"input": batch})[0].astype(np.int32)
            bits = self._cost(latents, engine) / cube[0].size
            # What coding a band can save at most is all its variance.
            latents[bits >= self._weight * variances[part]] = 0
            quantised.append(latents)
        payload = PayloadWriter(self._tables)
        payload.integers(np.diff(means.astype(np.int64), prepend=0).tolist(), _MEAN)
        write_planes(payload, np.concatenate(quantised), self._tables.first_plane_table(engine))
        return payload.data()

    def _cost(self, latents: NDArray[np.int32], engine: int) -> NDArray[np.float64]:
        """Bits of the latents of each band."""
        tokens = to_tokens(zigzag(latents).ravel())[0].reshape(latents.shape)
        channels = np.arange(latents.shape[1])[:, None, None]
        bits: NDArray[np.float64] = self._bits[engine][channels, tokens].sum(axis=(1, 2, 3))
        return bits

    def decode(
        self, payload: bytes, shape: tuple[int, ...], interval: int, step: float
    ) -> NDArray[np.float64]:
        """Decode what `encode` returned.

        Parameters
        ----------
        payload : bytes
            Band means and latents.
        shape : tuple of int
            Bands, lines and samples.
        interval, step
            As they were encoded with; see `code`.

        Returns
        -------
        ndarray of float64, shape (bands, lines, samples)
            In counts, not rounded. Bands without latents are flat.
        """
        bands, lines, samples = shape
        engine = self.engine(interval)
        reader = PayloadReader(self._tables, payload)
        means = np.cumsum(reader.integers(bands, _MEAN)).astype(np.float64)
        rows, columns = (math.ceil(extent / self._reduction) for extent in (lines, samples))
        grid = (bands, self._channels, rows, columns)
        quantised = read_planes(reader, grid, self._tables.first_plane_table(engine))
        reader.finish()
        cube = np.broadcast_to(means[:, None, None], shape).copy()
        live = np.flatnonzero(quantised.any(axis=(1, 2, 3)))
        for start in range(0, len(live), _BANDS_AT_ONCE):
            part = live[start : start + _BANDS_AT_ONCE]
            batch = quantised[part].astype(np.float32)
            planes = self._syntheses[engine].run(["output"], {"input": batch})[0]
            cube[part] += step * planes[:, 0, :lines, :samples].astype(np.float64)
        return cube


def code_scene(
    model: BandModel, cube: NDArray[np.integer], ends: tuple[int, ...], step: float
) -> dict[int, Coded]:
    """Code every interval of a scene.

    Parameters
    ----------
    model : BandModel
        An exported model.
    cube : ndarray of integers, shape (bands, lines, samples)
        The scene.
    ends : tuple of int
        From `bandfold.onboard.networks.intervals.interval_ends`.
    step : float
        One for the whole scene.

    Returns
    -------
    dict of int to Coded
        By number of the interval, from 1; empty intervals are left out.
    """
    return {
        number: model.code(cube[first:last], number, step)
        for number, (first, last) in enumerate(pairwise((0, *ends)), start=1)
        if last > first
    }
