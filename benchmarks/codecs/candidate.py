"""bandfold itself, as one of the codecs that are compared."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.effort import DEFAULT_EFFORT

from .codec import Decoded, Encoded


@dataclass(frozen=True)
class CandidateSettings:
    """How the candidate codes, whatever the scene and rate.

    Attributes
    ----------
    spectral : str
        ``auto``, or ``none`` for band by band.
    model : str or None
        Package of a trained model that codes band by band, by name or file.
    restore : str
        What restores on the ground: ``auto``, ``off``, or a package by name or file, as for
        `bandfold.ground.Decoder`.
    quantiser : str or None
        ``dependent`` or ``uniform``, as for `bandfold.onboard.Encoder`; None for what suits the tables.
    effort : int
        As for `bandfold.onboard.Encoder`.
    """

    spectral: str = "auto"
    model: str | None = None
    restore: str = "auto"
    quantiser: str | None = None
    effort: int = DEFAULT_EFFORT


class Bandfold:
    """bandfold, through its public interface and with a real file between encoder and decoder.

    Parameters
    ----------
    settings : CandidateSettings, optional
        How it codes.
    tables : Path, optional
        Entropy tables in place of the shipped ones; both sides need the same.
    name : str
        How tables call it.
    """

    def __init__(
        self, settings: CandidateSettings | None = None, tables: Path | None = None, name: str = "bandfold"
    ) -> None:
        self.name = name
        self._settings = settings or CandidateSettings()
        self._tables = tables

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Codec.encode`."""
        encoder = Encoder(
            bps=bps,
            spectral=self._settings.spectral,
            tables=self._tables,
            model=self._settings.model,
            quantiser=self._settings.quantiser,
            effort=self._settings.effort,
        )
        start = time.perf_counter()
        stream = encoder.encode(cube)
        return Encoded(bytes(stream), time.perf_counter() - start)

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Codec.decode`."""
        with tempfile.TemporaryDirectory(prefix="bandfold-") as folder:
            path = Path(folder, "scene.bf")
            path.write_bytes(stream)
            start = time.perf_counter()
            # By name it is found anyway.
            model = self._settings.model
            models = [Path(model)] if model and Path(model).is_file() else []
            decoder = Decoder(path, tables=self._tables, models=models, restore=self._settings.restore)
            cube = np.asarray(decoder.decode())
            return Decoded(cube, time.perf_counter() - start, decoder.report())
