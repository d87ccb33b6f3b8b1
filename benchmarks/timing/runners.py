"""Encoders that read a scene from a file, to be timed: bandfold and OpenJPEG."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bandfold.benchmarks.codecs.jpeg2000 import Jpeg2000
from bandfold.benchmarks.scenes.scene_file import read_whole
from bandfold.formats.envi.reader import open_envi
from bandfold.ground import Decoder
from bandfold.onboard import Encoder


class Runner(Protocol):
    """A codec that encodes from a file, reading included."""

    @property
    def name(self) -> str:
        """How tables call it."""

    def encode(self, path: Path) -> bytes:
        """Encode a scene.

        Parameters
        ----------
        path : Path
            ENVI header.

        Returns
        -------
        bytes
            The stream.
        """

    def decode(self, stream: bytes) -> object:
        """Decode a stream into memory.

        Parameters
        ----------
        stream : bytes
            The stream.

        Returns
        -------
        object
            The samples.
        """


class BandfoldRunner:
    """bandfold from a file.

    Parameters
    ----------
    bps : float
        Bits per sample.
    threads : int
        Threads that code strips side by side.
    stream : bool
        Whether strips are coded one after the other, as lines come.
    decodes : bool
        Whether there is anything to time in `decode`; without restoration, as in OpenJPEG.
    uniform : bool
        Whether it is the uniform scalar quantiser instead of the trellis-coded one.
    """

    def __init__(
        self,
        bps: float,
        *,
        threads: int = 1,
        stream: bool = False,
        decodes: bool = True,
        uniform: bool = False,
    ) -> None:
        self.name = (
            "bandfold" + ", stream" * stream + f", {threads} threads" * (threads > 1) + ", uniform" * uniform
        )
        self._encoder = Encoder(
            bps=bps, threads=threads, stream=stream, quantiser="uniform" if uniform else "dependent"
        )
        self._decodes = decodes

    def encode(self, path: Path) -> bytes:
        """Encode; see `Runner.encode`."""
        return self._encoder.encode(open_envi(path))

    def decode(self, stream: bytes) -> object:
        """Decode; see `Runner.decode`."""
        return Decoder(stream, restore="off").decode() if self._decodes else None


class OpenJpegRunner:
    """OpenJPEG, all bands in one codestream and none of them predicted.

    Parameters
    ----------
    bps : float
        Bits per sample.
    """

    name = "OpenJPEG"

    def __init__(self, bps: float) -> None:
        self._bps = bps
        self._codec = Jpeg2000()

    def encode(self, path: Path) -> bytes:
        """Encode; see `Runner.encode`."""
        return self._codec.encode(read_whole(open_envi(path)), self._bps).stream

    def decode(self, stream: bytes) -> object:
        """Decode; see `Runner.decode`."""
        return self._codec.decode(stream).cube
