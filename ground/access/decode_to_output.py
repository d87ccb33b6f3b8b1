"""Decodes a stream into an open file that cannot be sought, such as standard output."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import output_errors
from bandfold.common.errors import SettingsError
from bandfold.formats.envi.header_text import file_dtype
from bandfold.formats.file_formats import USUAL_SUFFIX
from bandfold.ground.decoder import Decoder

from .decode_to_file import DecodedFile, FileLayout, decode_to_file
from .scene_subset import ScenePart, subset_info

_NAME = "standard output"


def decode_to_output(
    decoder: Decoder,
    output: BinaryIO,
    layout: FileLayout,
    part: ScenePart,
    *,
    progress: Callable[[str, float], None] | None = None,
) -> DecodedFile:
    """Decode into a file that is written from its beginning to its end.

    ``envi`` gives raw samples without a header, line by line as they are decoded; with the interleave ``bsq``
    once all of them are. Other formats are made in a temporary file, and copied.

    Parameters
    ----------
    decoder : Decoder
        Of the stream.
    output : binary file object
        Open for writing.
    layout : FileLayout
        Format. Raw samples are ``bil`` and ``little`` where nothing else is said.
    part : ScenePart
        What is decoded.
    progress : callable, optional
        Called with a stage and the fraction done.

    Returns
    -------
    DecodedFile
        What was written; without paths.

    Raises
    ------
    SettingsError
        If the format is a folder, or what `decode_to_file` raises.
    OutputError
        If the output is closed, or cannot be written; and what `Decoder.strips` raises.
    """
    if layout.kind == "zarr":
        raise SettingsError("Zarr is a folder, which standard output cannot be: choose another format (--to)")
    if layout.kind != "envi" or layout.interleave == "bsq":
        return _through_file(decoder, output, layout, part, progress)
    layout.compression.check("envi")
    info = subset_info(decoder.info, part)
    stored = file_dtype(info.dtype).newbyteorder(">" if layout.byte_order == "big" else "<")
    done = 0
    for _, block in decoder.strips(bands=part.bands, lines=part.lines, samples=part.samples):
        with output_errors(_NAME):
            for line in range(block.shape[1]):
                output.write(_raw(block[:, line], stored, layout.interleave))
        done += block.shape[1]
        if progress is not None:
            progress("decoding", done / info.lines)
    with output_errors(_NAME):
        output.flush()
    return DecodedFile((), info, stored.newbyteorder("="), tuple(decoder.damage))


def _raw(line: NDArray[Any], stored: np.dtype[np.generic], interleave: str | None) -> bytes:
    """A line, bands by samples, as it lies in a raw file."""
    return (line.T if interleave == "bip" else line).astype(stored).tobytes()


def _through_file(
    decoder: Decoder,
    output: BinaryIO,
    layout: FileLayout,
    part: ScenePart,
    progress: Callable[[str, float], None] | None,
) -> DecodedFile:
    if layout.kind == "envi":
        layout = replace(layout, byte_order=layout.byte_order or "little")
    with tempfile.TemporaryDirectory(prefix="bandfold-decode-") as folder:
        path = Path(folder, f"scene{USUAL_SUFFIX[layout.kind]}")
        written = decode_to_file(decoder, path, layout, part, progress=progress)
        samples = written.paths[1] if layout.kind == "envi" else written.paths[0]
        with output_errors(_NAME), open(samples, "rb") as file:
            shutil.copyfileobj(file, output)
            output.flush()
    return DecodedFile((), written.info, written.file_dtype, written.damage)
