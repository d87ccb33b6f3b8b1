"""Raw lines from standard input: what they are, and their encoding as they come."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bandfold.common.errors import SceneError, SettingsError

from .options import byte_order_option, grouped

if TYPE_CHECKING:
    from pathlib import Path

    from bandfold.common.scene import SceneInfo
    from bandfold.formats.scene_options import RawLayout
    from bandfold.onboard import StreamEncoder
    from bandfold.onboard.settings import EncoderSettings

    from .options import ReadingOptions
    from .stream_output import Output

PIECE_BYTES = 1 << 20
"""Bytes that are read from standard input at once, about."""

DTYPES = ("uint8", "int8", "uint16", "int16", "int32", "uint32", "float32", "float64")


@dataclass(frozen=True)
class RawLines:
    """What raw lines are (BIL), or a raw file without a header; all None where the scene has one."""

    bands: int | None = grouped(
        "--bands", type=int, help="Bands of raw lines; with SCENE - or a raw file that has no header."
    )
    samples: int | None = grouped(
        "--samples", type=int, help="Samples of raw lines; with SCENE - or a raw file that has no header."
    )
    dtype: str | None = grouped("--dtype", type=click.Choice(DTYPES), help="Type of raw samples; likewise.")
    byte_order: str | None = grouped(
        option=byte_order_option, help="Byte order of raw samples; likewise.  [default: little]"
    )

    def info(self, reading: ReadingOptions) -> SceneInfo:
        """Describe a line.

        Parameters
        ----------
        reading : ReadingOptions
            Scaling and no-data value.

        Returns
        -------
        SceneInfo
            Of one line.

        Raises
        ------
        SettingsError
            If something is missing or makes no sense.
        SceneError
            If such lines cannot be coded.
        """
        import numpy as np

        from bandfold.bitstream.container.header import LARGEST_DIMENSION, MOST_BANDS
        from bandfold.common.scene import Scaling, SceneInfo

        if self.bands is None or self.samples is None or self.dtype is None:
            raise SettingsError("raw lines need a description: give --bands, --samples and --dtype")
        if self.bands > MOST_BANDS or self.samples > LARGEST_DIMENSION:
            raise SettingsError(
                f"lines of {self.bands} bands and {self.samples} samples are not possible: at most "
                f"{MOST_BANDS} and {LARGEST_DIMENSION}; check --bands and --samples"
            )
        scaling = None
        if reading.scale in (None, "auto") and reading.offset is not None:
            raise SettingsError("--offset goes with a number as --scale: add it, or remove --offset")
        if reading.scale is not None and reading.scale != "auto":
            try:
                scaling = Scaling(float(reading.scale), reading.offset or 0.0)
            except ValueError as error:
                raise SettingsError(
                    f"--scale {reading.scale!r} is not a number: give one, or auto"
                ) from error
        return SceneInfo(
            self.bands,
            1,
            self.samples,
            np.dtype(self.dtype),
            interleave="bil",
            byte_order=self.byte_order or "little",
            scaling=scaling,
            no_data=reading.no_data if isinstance(reading.no_data, float) else None,
        )

    def layout(self, scene: Path) -> RawLayout | None:
        """Describe a raw file without a header.

        Parameters
        ----------
        scene : Path
            The file.

        Returns
        -------
        RawLayout or None
            None if nothing is described.

        Raises
        ------
        SettingsError
            If the file has a header, or something is missing.
        """
        from bandfold.formats.envi.headerless import SUFFIXES
        from bandfold.formats.envi.reader import header_beside

        if scene.suffix.lower() not in SUFFIXES or header_beside(scene) is not None:
            self._refuse()
        if all(value is None for value in vars(self).values()):
            return None
        if self.bands is None or self.samples is None or self.dtype is None:
            raise SettingsError("a raw file needs a description: give --bands, --samples and --dtype")
        import numpy as np

        from bandfold.formats.scene_options import RawLayout

        if min(self.bands, self.samples) < 1:
            raise SettingsError("--bands and --samples of a raw file are at least 1")
        return RawLayout(self.bands, self.samples, np.dtype(self.dtype), self.byte_order or "little")

    def _refuse(self) -> None:
        """Refuse a description where the scene is a file, which has a header."""
        named = [f"--{name.replace('_', '-')}" for name, value in vars(self).items() if value is not None]
        if named:
            raise SettingsError(
                f"{', '.join(named)}: a file has a header that says so; remove it, or give SCENE -"
            )


def encode_raw(
    info: SceneInfo, settings: EncoderSettings, output: Output, tell: Callable[[str], object]
) -> StreamEncoder:
    """Encode raw lines from standard input as they come.

    Parameters
    ----------
    info : SceneInfo
        What a line is.
    settings : EncoderSettings
        Of a stream.
    output : Output
        Where the sections of the stream go.
    tell : callable
        Called with what the user should know of the samples.

    Returns
    -------
    StreamEncoder
        What has encoded them: it knows lines, notes and engines.

    Raises
    ------
    SceneError
        If the input ends inside a line: after all lines before it are coded and the stream is finished.
    """
    import numpy as np

    from bandfold.onboard import StreamEncoder

    if sys.stdin is None:
        raise SceneError("standard input is closed: pipe lines into it, or name a scene")
    encoder = StreamEncoder(info, output.write, settings, begun=output.begun)
    output.announce()
    stored = info.dtype.newbyteorder("<" if info.byte_order == "little" else ">")
    line = info.bands * info.samples * info.dtype.itemsize
    rest = b""
    while data := sys.stdin.buffer.read(max(PIECE_BYTES // line, 1) * line):
        data = rest + data
        whole = len(data) // line * line
        rest = data[whole:]
        lines = np.frombuffer(data[:whole], dtype=stored).reshape(-1, info.bands, info.samples)
        encoder.push(lines.astype(info.dtype))
    encoder.flush()
    for note in encoder.notes:
        tell(note)
    if rest:
        raise SceneError(
            f"input ends inside a line, after {len(rest)} of {line} bytes: the {encoder.lines} lines before "
            "it are coded; check --bands, --samples and --dtype"
        )
    return encoder
