"""Records of what was decoded from what, so that decoding an archive goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bandfold.common.atomic_files import atomic_output

_PIECE = 1 << 20


@dataclass(frozen=True)
class DecodeRecord:
    """What a decoded scene was made of, kept as a JSON file.

    Parameters
    ----------
    stream : str
        SHA-256 of the stream.
    settings : dict
        How it was decoded, and by which version; of what JSON knows.
    files : tuple of str
        Names of what was written.
    output : str
        SHA-256 of what was written; see `digest`.
    damage : tuple of str
        What was wrong with the stream.
    """

    stream: str
    settings: dict[str, Any]
    files: tuple[str, ...]
    output: str
    damage: tuple[str, ...] = ()

    def save(self, path: Path) -> None:
        """Write the record.

        Parameters
        ----------
        path : Path
            JSON file.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with atomic_output(path) as file:
            file.write(json.dumps(asdict(self), indent=1).encode() + b"\n")

    @classmethod
    def load(cls, path: Path) -> DecodeRecord | None:
        """Read a record.

        Parameters
        ----------
        path : Path
            JSON file.

        Returns
        -------
        DecodeRecord or None
            None if there is none, or none that can be read.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            lists = {key: tuple(content[key]) for key in ("files", "damage")}
            return cls(**{**content, **lists})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def verifies(self, stream: str, settings: dict[str, Any], folder: Path) -> bool:
        """Whether the same stream was decoded in the same way, and its files are there, unchanged.

        Parameters
        ----------
        stream : str
            SHA-256 of the stream.
        settings : dict
            How it would be decoded now; of what JSON knows.
        folder : Path
            Where the files are.

        Returns
        -------
        bool
            Whether nothing is left to do.
        """
        if (self.stream, self.settings) != (stream, json.loads(json.dumps(settings))):
            return False
        try:
            return self.output == digest(folder / name for name in self.files)
        except OSError:
            return False


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 of files and folders: names, sizes and contents.

    Parameters
    ----------
    paths : iterable of Path
        What is hashed, in this order; of a folder all files in it, sorted.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If one is not there or cannot be read.
    """
    total = hashlib.sha256()
    for path in paths:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in files:
            total.update(f"{file.relative_to(path.parent)}\n{file.stat().st_size}\n".encode())
            with open(file, "rb") as opened:
                while piece := opened.read(_PIECE):
                    total.update(piece)
    return total.hexdigest()
