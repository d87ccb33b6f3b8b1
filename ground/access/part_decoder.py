"""A decoder of some lines of a scene, for which no more of the stream is read than they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bandfold.common.errors import StreamError
from bandfold.common.scene import SceneInfo
from bandfold.ground.decoder import Decoder
from bandfold.ground.stream.byte_source import StreamPlace, open_bytes
from bandfold.ground.stream.stream_part import StreamPart

from .scene_subset import ScenePart
from .stream_file import StreamFile

_OF_SEGMENTS = ("bytes", "basis_share", "damaged_bytes", "rotations", "rotated_components", "segments")
"""Keys of `Decoder.report` that tell of segments."""


@dataclass(frozen=True)
class PartDecoder:
    """A decoder of some lines.

    Parameters
    ----------
    decoder : Decoder
        Has the strips of these lines, and takes others for damaged.
    part : ScenePart
        What was asked for.
    bytes_read : int
        Bytes that were read of the stream.
    stream_bytes : int
        Bytes of the whole stream.
    """

    decoder: Decoder
    part: ScenePart
    bytes_read: int
    stream_bytes: int


def open_part(
    place: StreamPlace,
    choose: Callable[[SceneInfo], ScenePart],
    make: Callable[[StreamPart], Decoder],
    *,
    whole: bool = False,
) -> PartDecoder:
    """Read what all strips need, then the strips of some lines.

    Parameters
    ----------
    place : path_like, str, fsspec.core.OpenFile or binary file object
        What holds the stream; see `bandfold.ground.stream.byte_source.open_bytes`.
    choose : callable
        Tells for the geometry of the scene what is to be decoded.
    make : callable
        Makes a decoder of a part of the stream.
    whole : bool
        Whether all lines will be chosen: then everything is read at once.

    Returns
    -------
    PartDecoder
        Of the whole stream too where something is damaged that is needed to find its parts.

    Raises
    ------
    BandfoldError
        If it cannot be read or decoded; and what `choose` raises.
    """
    if whole:
        data = open_bytes(place).read_all()
        decoder = make(StreamPart(data, len(data)))
        return PartDecoder(decoder, choose(decoder.info), len(data), len(data))
    file = StreamFile(place)
    decoder = _open(file, make)
    part = choose(decoder.info)
    if file.indexed:
        height = decoder.strip_lines
        strips = range(part.lines.start // height, -(-part.lines.stop // height))
        decoder = make(StreamPart(file.stream(strips), file.size))
    return PartDecoder(decoder, part, file.bytes_read, file.size)


def header_report(place: StreamPlace, make: Callable[[StreamPart], Decoder]) -> dict[str, Any]:
    """Describe a stream without reading its segments, so that nothing is known of these.

    Parameters
    ----------
    place : path_like, str, fsspec.core.OpenFile or binary file object
        What holds the stream.
    make : callable
        Makes a decoder of a part of the stream.

    Returns
    -------
    dict
        As `Decoder.report`, but for what needs segments, and with the bytes that were read.

    Raises
    ------
    BandfoldError
        If it cannot be read.
    """
    file = StreamFile(place)
    decoder = _open(file, make)
    report = {key: value for key, value in decoder.report().items() if key not in _OF_SEGMENTS}
    report["file_bytes"] = file.size
    report["bps"] = file.size * 8 / decoder.info.count
    return {**report, "bytes_read": file.bytes_read}


def _open(file: StreamFile, make: Callable[[StreamPart], Decoder]) -> Decoder:
    """A decoder that knows what all strips need."""
    try:
        return make(StreamPart(file.stream(()), file.size))
    except StreamError:
        # Segments may be needed to make sense of what all strips share.
        file.read_whole()
        return make(StreamPart(file.stream(()), file.size))
