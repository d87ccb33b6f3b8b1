"""Encoding as a stream: from a file or from standard input, to a file or to standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from bandfold.common.errors import OutputError, SceneError, SettingsError

if TYPE_CHECKING:
    from bandfold.common.scene import SceneInfo
    from bandfold.formats.opening import FileSource
    from bandfold.onboard.downlink.resume import Begun

STANDARD = Path("-")
"""Standard input as a scene, standard output as a stream."""

PIECE_BYTES = 1 << 20
"""Bytes that are read from standard input at once, about."""

DTYPES = ("uint8", "int8", "uint16", "int16", "int32", "uint32", "float32", "float64")


def raw_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that describe raw lines, which `raw_info` takes."""
    bands = click.option("--bands", type=int, help="Bands of raw lines; with SCENE -.")
    samples = click.option("--samples", type=int, help="Samples of raw lines; with SCENE -.")
    dtype = click.option("--dtype", type=click.Choice(DTYPES), help="Type of raw samples; with SCENE -.")
    order = click.option(
        "--byte-order",
        type=click.Choice(["little", "big"]),
        help="Byte order of raw samples; with SCENE -.  [default: little]",
    )
    return bands(samples(dtype(order(command))))


def raw_info(
    bands: int | None,
    samples: int | None,
    dtype: str | None,
    byte_order: str | None,
    scale: str | None,
    offset: float | None,
    no_data: str | None,
) -> SceneInfo:
    """Describe raw lines.

    Parameters
    ----------
    bands, samples, dtype, byte_order
        Values of the options of `raw_options`.
    scale, offset, no_data
        Values of the options of `bandfold.cli.sceneoptions.scaling_options`.

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

    from bandfold.common.scene import Scaling, SceneInfo

    from .common import parse_no_data

    if bands is None or samples is None or dtype is None:
        raise SettingsError("raw lines need a description: give --bands, --samples and --dtype")
    if scale is None and offset is not None:
        raise SettingsError("--offset goes with --scale: add it, or remove --offset")
    scaling = None
    if scale is not None:
        try:
            scaling = Scaling(float(scale), offset or 0.0)
        except ValueError as error:
            raise SettingsError(
                f"--scale {scale!r} is not a number: of lines that are still to come, give one"
            ) from error
    absent = parse_no_data(no_data)
    return SceneInfo(
        bands,
        1,
        samples,
        np.dtype(dtype),
        interleave="bil",
        byte_order=byte_order or "little",
        scaling=scaling,
        no_data=absent if isinstance(absent, float) else None,
    )


def refuse_raw_options(**given: object) -> None:
    """Refuse options that describe raw lines where the scene is a file, which has a header."""
    named = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if named:
        raise SettingsError(
            f"{', '.join(named)}: a file has a header that says so; remove it, or give SCENE -"
        )


class Output:
    """Where a stream goes, and how much of it there is.

    Parameters
    ----------
    write : callable
    size : int
        Bytes that are there already.
    begun : Begun or None
        What is to be continued.
    """

    def __init__(self, write: Callable[[bytes], object], size: int = 0, begun: Begun | None = None) -> None:
        self._write = write
        self.size = size
        self.begun = begun

    def write(self, data: bytes) -> None:
        """Append a section."""
        self._write(data)
        self.size += len(data)


@contextmanager
def stream_output(path: Path, *, resume: bool) -> Iterator[Output]:
    """Open the output of a stream.

    Parameters
    ----------
    path : Path
        A file, which grows as ``PATH.part`` and gets its name in the end, or `STANDARD`.
    resume : bool
        Whether to go on behind what an earlier run has left of it.

    Yields
    ------
    Output

    Raises
    ------
    SettingsError
        If there is nothing to resume.
    StreamError
        If what is there cannot be continued.
    OutputError
        If the output cannot be written.
    """
    from bandfold.common.atomic_files import GrowingFile, output_errors, part_of
    from bandfold.onboard.downlink.resume import find_begun

    if path == STANDARD:
        if resume:
            raise SettingsError("--resume needs a file: name the output of the run that was cut off")
        pipe: BinaryIO = sys.stdout.buffer

        def write(data: bytes) -> None:
            with output_errors("standard output"):
                pipe.write(data)
                pipe.flush()

        yield Output(write)
        return
    begun = None
    if resume:
        part = part_of(path)
        try:
            begun = find_begun(part.read_bytes())
        except OSError as error:
            raise SettingsError(
                f"nothing to resume: {part} cannot be read ({error.strerror}); leave out --resume"
            ) from error
    with GrowingFile(path, begun.size if begun else 0) as file:
        yield Output(file.write, file.size, begun)


def encode_raw(
    info: SceneInfo, settings: dict[str, Any], output: Output, source: BinaryIO | None = None
) -> int:
    """Encode raw lines as they come.

    Parameters
    ----------
    info : SceneInfo
        Of the lines.
    settings : dict
        Of `bandfold.onboard.StreamEncoder`.
    output : Output
    source : binary file, optional
        Standard input if not given.

    Returns
    -------
    int
        Lines of the stream.

    Raises
    ------
    SceneError
        If the input ends inside a line: after all lines before it are coded and the stream is finished.
    """
    import numpy as np

    from bandfold.onboard import StreamEncoder

    pipe = sys.stdin.buffer if source is None else source
    encoder = StreamEncoder(info, output.write, **settings, begun=output.begun)
    stored = info.dtype.newbyteorder("<" if info.byte_order == "little" else ">")
    line = info.bands * info.samples * info.dtype.itemsize
    rest = b""
    while data := pipe.read(max(PIECE_BYTES // line, 1) * line):
        data = rest + data
        whole = len(data) // line * line
        rest = data[whole:]
        lines = np.frombuffer(data[:whole], dtype=stored).reshape(-1, info.bands, info.samples)
        encoder.push(lines.astype(info.dtype))
    encoder.flush()
    if rest:
        raise SceneError(
            f"input ends inside a line, after {len(rest)} of {line} bytes: the {encoder.lines} lines before "
            "it are coded; check --bands, --samples and --dtype"
        )
    return encoder.lines


def encode_file(source: FileSource, encoder: Any, output: Output) -> int:
    """Encode a file as a stream.

    Parameters
    ----------
    source : FileSource
    encoder : bandfold.onboard.Encoder
        With ``stream=True``.
    output : Output

    Returns
    -------
    int
        Lines of the stream.
    """
    if output.begun is not None and output.begun.lines > source.info.lines:
        raise OutputError(
            f"the stream that was begun has {output.begun.lines} lines, the scene {source.info.lines}: "
            "it is that of another scene"
        )
    lines: int = encoder.encode_in_parts(source, output.write, output.begun)
    return lines
