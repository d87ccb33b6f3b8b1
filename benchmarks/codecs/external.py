"""Any other codec as a contestant: two command lines, run without a shell."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.scenes.scene_file import read_whole, write_scene
from bandfold.common.errors import SettingsError, StreamError
from bandfold.formats.envi.reader import open_envi

from .codec import Decoded, Encoded

_ENCODER_FIELDS = frozenset(("{in}", "{out}", "{bps}"))
_DECODER_FIELDS = frozenset(("{in}", "{out}"))


class External:
    """A codec with a command line.

    Parameters
    ----------
    name : str
        How tables call it.
    encoder : sequence of str
        Words of the encoding command. ``{in}`` becomes the path of an ENVI header (band sequential, little
        endian, the samples beside it in a file that ends in .img), ``{out}`` the path of the file to write,
        ``{bps}`` the bits per sample to aim at.
    decoder : sequence of str
        Words of the decoding command: ``{in}`` is the compressed file, ``{out}`` the ENVI header to write.
    timeout : float
        Seconds that one command may take.

    Raises
    ------
    SettingsError
        If a command lacks a placeholder.
    """

    def __init__(self, name: str, encoder: list[str], decoder: list[str], timeout: float = 600.0) -> None:
        for words, fields, what in (
            (encoder, _ENCODER_FIELDS, "encoder"),
            (decoder, _DECODER_FIELDS, "decoder"),
        ):
            absent = sorted(field for field in fields if not any(field in word for word in words))
            if absent:
                raise SettingsError(f"{what} of external codec {name!r} does not use {', '.join(absent)}")
        self.name = name
        self._encoder = encoder
        self._decoder = decoder
        self._timeout = timeout

    @classmethod
    def parse(cls, template: str, timeout: float = 600.0) -> External:
        """Read a codec from one line: ``name=enc {in} {out} {bps} ; dec {in} {out}``.

        Parameters
        ----------
        template : str
            Words are split as a POSIX shell would, but no shell runs. The semicolon stands alone.
        timeout : float
            Seconds that one command may take.

        Returns
        -------
        External
            The codec.

        Raises
        ------
        SettingsError
            If the line is not of that form.
        """
        name, equals, commands = template.partition("=")
        form = "use 'name=enc {in} {out} {bps} ; dec {in} {out}'"
        if not equals or not name.strip():
            raise SettingsError(f"external codec {template!r} has no name: {form}")
        try:
            words = shlex.split(commands)
        except ValueError as error:
            raise SettingsError(f"external codec {template!r} cannot be split ({error}): {form}") from error
        if words.count(";") != 1:
            raise SettingsError(
                f"external codec {template!r} is not two commands with a lone ';' between: {form}"
            )
        middle = words.index(";")
        return cls(name.strip(), words[:middle], words[middle + 1 :], timeout)

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Codec.encode`."""
        with tempfile.TemporaryDirectory(prefix="bandfold-external-") as folder:
            header, target = Path(folder, "scene.hdr"), Path(folder, "scene.bin")
            write_scene(header, cube)
            seconds = self._run(
                self._encoder, {"{in}": str(header), "{out}": str(target), "{bps}": f"{bps:g}"}
            )
            if not target.is_file():
                raise StreamError(f"encoder of {self.name!r} ended well but wrote no file")
            return Encoded(target.read_bytes(), seconds)

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Codec.decode`."""
        with tempfile.TemporaryDirectory(prefix="bandfold-external-") as folder:
            source, header = Path(folder, "scene.bin"), Path(folder, "back.hdr")
            source.write_bytes(stream)
            seconds = self._run(self._decoder, {"{in}": str(source), "{out}": str(header)})
            if not header.is_file():
                raise StreamError(f"decoder of {self.name!r} ended well but wrote no ENVI header")
            # A copy: the file goes with its folder.
            return Decoded(np.array(read_whole(open_envi(header))), seconds)

    def _run(self, words: list[str], fields: dict[str, str]) -> float:
        command = words
        for field, value in fields.items():
            command = [word.replace(field, value) for word in command]
        start = time.perf_counter()
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=self._timeout, check=False
            )
        except FileNotFoundError as error:
            raise SettingsError(
                f"program {command[0]!r} of external codec {self.name!r} is not there"
            ) from error
        except OSError as error:
            raise SettingsError(
                f"{command[0]!r} of external codec {self.name!r} does not run: {error}"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise StreamError(
                f"{command[0]!r} took more than {self._timeout:g} seconds and was stopped"
            ) from error
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            last = said[-1] if said else "it said nothing"
            raise StreamError(f"{command[0]!r} ended with status {done.returncode}: {last}")
        return seconds
