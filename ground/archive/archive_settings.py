"""How the scenes of an archive are decoded, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bandfold.formats.compression import UNCOMPRESSED
from bandfold.ground.access.decode_to_file import FileLayout
from bandfold.ground.decoder import ALL, DEFAULT_MEMORY_LIMIT
from bandfold.ground.restoration.restoration_model import AUTO


@dataclass(frozen=True)
class DecoderOptions:
    """How a stream is decoded, whatever file it is decoded into.

    Parameters
    ----------
    memory_limit : int
        Bytes that decoding a scene may take.
    models : tuple of str
        Package files that streams may need; workers read them under the same path.
    restore : str
        ``auto``, ``off``, or a restoration package by name or file; see `bandfold.ground.decoder.Decoder`.
    threads : int
        Strips that are decoded at a time.
    trusted : bool
        Whether streams may claim far more samples than their bytes make likely.
    layers : {"all", "base"}
        Whether errors are bounded where the stream holds what that takes, or its base is decoded alone.
    """

    memory_limit: int = DEFAULT_MEMORY_LIMIT
    models: tuple[str, ...] = ()
    restore: str = AUTO
    threads: int = 1
    trusted: bool = False
    layers: str = ALL


@dataclass(frozen=True)
class ArchiveSettings:
    """How the scenes of an archive are decoded.

    Parameters
    ----------
    layout : FileLayout
        Format of the files.
    bands, lines, samples : tuple of int or None
        Start and stop of a range, None where open.
    options : DecoderOptions
        How streams are decoded.
    """

    layout: FileLayout = field(default_factory=FileLayout)
    bands: tuple[int | None, int | None] = (None, None)
    lines: tuple[int | None, int | None] = (None, None)
    samples: tuple[int | None, int | None] = (None, None)
    options: DecoderOptions = field(default_factory=DecoderOptions)

    def reproducible(self) -> dict[str, Any]:
        """What makes a difference in the output, ready for JSON."""
        packed = self.layout.compression
        return {
            "bandfold": version("bandfold"),
            "kind": self.layout.kind,
            "bands": list(self.bands),
            "lines": list(self.lines),
            **({} if self.samples == (None, None) else {"samples": list(self.samples)}),
            "interleave": self.layout.interleave,
            "byte_order": self.layout.byte_order,
            "restore": self.options.restore,
            **({} if packed == UNCOMPRESSED else {"compression": [packed.method, packed.level]}),
            **({} if self.options.layers == ALL else {"layers": self.options.layers}),
        }


@dataclass(frozen=True)
class SceneOutcome:
    """What became of one stream of an archive.

    Parameters
    ----------
    stream, output : Path
        File of the stream, and what it is decoded into.
    state : str
        ``done``; ``skipped``: it was there already, and verified; ``failed``.
    damage : tuple of str
        Lines that are damaged, and why.
    reason : str
        Why it failed.
    seconds, processor : float
        Time that the worker took, and processor time of it.
    """

    stream: Path
    output: Path
    state: str
    damage: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    processor: float = 0.0
