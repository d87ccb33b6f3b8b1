"""Lossless encoding and decoding as whole commands, by the clock on the wall, beside codecs of images.

`bandfold encode` and `decode` are processes of their own, from file to file, with all that a process takes to
start. JPEG-LS and HTJ2K run in this process, where Python has started: they read the scene, code each band as
an image, and write a file.
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bandfold.benchmarks.scenes.scene_file import read_whole, write_scene
from bandfold.common.errors import VerificationError
from bandfold.formats.envi.reader import open_envi

from .turns import Times, spread

CCSDS_123 = "CCSDS 123.0-B-2 in C++, recorded: 20 to 30 Msamples/s on one core; no library runs it here."
"""What is known of a codec that is not timed."""

_RUN = "from bandfold.cli.main import main; main()"
_LENGTH = 4


class FileCodec(Protocol):
    """A codec from file to file."""

    @property
    def name(self) -> str:
        """How tables call it."""

    def encode(self, scene: Path, coded: Path) -> None:
        """Encode an ENVI scene, named by its header."""

    def decode(self, coded: Path, scene: Path) -> None:
        """Decode to an ENVI scene, named by its header."""


class BandfoldCommands:
    """The commands of bandfold."""

    name = "bandfold --lossless"

    def encode(self, scene: Path, coded: Path) -> None:
        """Run ``bandfold encode``; see `FileCodec.encode`."""
        coded.unlink(missing_ok=True)
        _command("encode", scene, "-o", coded, "--lossless")

    def decode(self, coded: Path, scene: Path) -> None:
        """Run ``bandfold decode``; see `FileCodec.decode`."""
        for path in scene.parent.glob(f"{scene.stem}.*"):
            path.unlink()
        _command("decode", coded, "-o", scene)


@dataclass(frozen=True)
class BandImages:
    """A codec of images, which codes each band on its own.

    Parameters
    ----------
    name : str
        How tables call it.
    encode_band : callable
        From a band, shape (lines, samples), to bytes.
    decode_band : callable
        From these to the band.
    """

    name: str
    encode_band: Callable[[Any], bytes]
    decode_band: Callable[[bytes], Any]

    def encode(self, scene: Path, coded: Path) -> None:
        """Encode; see `FileCodec.encode`."""
        with open(coded, "wb") as file:
            for band in read_whole(open_envi(scene)):
                part = self.encode_band(np.ascontiguousarray(band))
                file.write(len(part).to_bytes(_LENGTH, "little") + part)

    def decode(self, coded: Path, scene: Path) -> None:
        """Decode; see `FileCodec.decode`."""
        data, position = memoryview(coded.read_bytes()), 0
        bands = []
        while position < len(data):
            size = int.from_bytes(data[position : position + _LENGTH], "little")
            position += _LENGTH + size
            bands.append(self.decode_band(bytes(data[position - size : position])))
        write_scene(scene, np.stack(bands))


def file_codecs() -> list[FileCodec]:
    """bandfold, and those codecs of images that are installed.

    Returns
    -------
    list of FileCodec
        bandfold alone where imagecodecs is not installed.
    """
    found: list[FileCodec] = [BandfoldCommands()]
    if importlib.util.find_spec("imagecodecs") is None:
        return found
    imagecodecs: Any = importlib.import_module("imagecodecs")
    if imagecodecs.JPEGLS.available:
        found.append(BandImages("JPEG-LS", imagecodecs.jpegls_encode, imagecodecs.jpegls_decode))
    if imagecodecs.HTJ2K.available:
        found.append(BandImages("HTJ2K", imagecodecs.htj2k_encode, imagecodecs.htj2k_decode))
    return found


def time_lossless(codecs: Sequence[FileCodec], scene: Path, folder: Path, runs: int) -> list[Times]:
    """Time codecs that take turns, and compare what comes back.

    Parameters
    ----------
    codecs : sequence of FileCodec
        The codecs.
    scene : Path
        ENVI header of a scene of unsigned integers.
    folder : Path
        For files meanwhile.
    runs : int
        Timed rounds, after one that is not.

    Returns
    -------
    list of Times
        Seconds by the clock on the wall, in the order of `codecs`.

    Raises
    ------
    VerificationError
        If a sample does not come back as it was.
    """
    times = [Times(codec.name) for codec in codecs]
    original = read_whole(open_envi(scene))
    for turn in range(runs + 1):
        for codec, entry in zip(codecs, times, strict=True):
            coded, back = folder / "coded", folder / "decoded.hdr"
            start = time.perf_counter()
            codec.encode(scene, coded)
            middle = time.perf_counter()
            codec.decode(coded, back)
            end = time.perf_counter()
            entry.size = coded.stat().st_size
            if turn:
                entry.encode.append(middle - start)
                entry.decode.append(end - middle)
            elif not np.array_equal(read_whole(open_envi(back)), original):
                raise VerificationError(f"{codec.name} does not give back the scene")
    return times


def lossless_text(times: Sequence[Times], count: int) -> str:
    """Describe the times as a Markdown table.

    Parameters
    ----------
    times : sequence of Times
        From `time_lossless`.
    count : int
        Samples in the scene.

    Returns
    -------
    str
        Lines of text, what is known of CCSDS 123 last.
    """
    rows = [
        "| lossless, whole commands | bps | encode s, median (range) | Msamples/s | decode s, median (range) "
        "| Msamples/s |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for entry in times:
        speeds = [count / statistics.median(seconds) / 1e6 for seconds in (entry.encode, entry.decode)]
        rows.append(
            f"| {entry.name} | {8 * entry.size / count:.3f} | {spread(entry.encode)} | {speeds[0]:.1f} "
            f"| {spread(entry.decode)} | {speeds[1]:.1f} |"
        )
    return "\n".join([*rows, "", CCSDS_123])


def _command(*arguments: object) -> None:
    subprocess.run([sys.executable, "-c", _RUN, *map(str, arguments)], check=True, capture_output=True)
