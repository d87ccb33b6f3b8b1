"""bandfold as a contestant."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.ground import Decoder
from bandfold.onboard import Encoder

from .contestants import Decoded, Encoded


class Bandfold:
    """bandfold, through its public interface and with a real file between encoder and decoder.

    Parameters
    ----------
    spectral : str
        ``auto`` or ``none`` (band by band).
    tables : Path, optional
        Entropy tables in place of the shipped ones; both sides need the same.
    model : str, optional
        Package of a model, by name or file.
    restore : str
        As for `bandfold.ground.Decoder`.
    quantiser : str, optional
        As for `bandfold.onboard.Encoder`; tables tell it themselves.
    """

    name = "bandfold"

    def __init__(
        self,
        spectral: str = "auto",
        tables: Path | None = None,
        model: str | None = None,
        restore: str = "auto",
        quantiser: str | None = None,
    ) -> None:
        self._spectral = spectral
        self._tables = tables
        self._model = model
        self._restore = restore
        self._quantiser = quantiser

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Contestant.encode`."""
        encoder = Encoder(
            bps=bps,
            spectral=self._spectral,
            tables=self._tables,
            model=self._model,
            quantiser=self._quantiser,
        )
        start = time.perf_counter()
        stream = encoder.encode(cube)
        return Encoded(bytes(stream), time.perf_counter() - start)

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Contestant.decode`."""
        with tempfile.TemporaryDirectory(prefix="bandfold-") as folder:
            path = Path(folder, "scene.bf")
            path.write_bytes(stream)
            start = time.perf_counter()
            # By name it is found anyway.
            models = [Path(self._model)] if self._model and Path(self._model).is_file() else []
            decoder = Decoder(path, tables=self._tables, models=models, restore=self._restore)
            cube = np.asarray(decoder.decode())
            return Decoded(cube, time.perf_counter() - start, decoder.report())
