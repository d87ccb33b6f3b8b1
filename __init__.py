"""bandfold: hyperspectral image compression on board a small satellite, decoded on the ground.

The names below are loaded when they are first used, so that a board which encodes imports neither the ground
decoder nor a network engine.

=================  ==========================================================================
`Encoder`          a scene in, a stream out
`StreamEncoder`    lines of an instrument in, sections of a stream out, in bounded memory
`EncoderSettings`  what both of them are told
`ArraySource`      an array with metadata, a scaling or a no-data value, as a scene
`Decoder`          a stream in, samples out
`open`             a stream or a file of any format that is read, to be read block by block
`BandfoldError`    the base of all errors that are raised on purpose
=================  ==========================================================================

Examples
--------
>>> import bandfold
>>> import numpy as np
>>> cube = np.arange(8 * 16 * 16, dtype=np.uint16).reshape(8, 16, 16)
>>> stream = bandfold.Encoder(bps=2.0).encode(cube)
>>> bandfold.Decoder(stream).decode().shape
(8, 16, 16)
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bandfold.common.errors import BandfoldError
    from bandfold.common.scene import SceneSource
    from bandfold.ground.decoder import Decoder
    from bandfold.ground.stream.byte_source import StreamPlace
    from bandfold.onboard.encoder import Encoder
    from bandfold.onboard.samples.samples import ArraySource
    from bandfold.onboard.settings import EncoderSettings
    from bandfold.onboard.stream_encoder import StreamEncoder

_HOMES = {
    "ArraySource": "bandfold.onboard.samples.samples",
    "BandfoldError": "bandfold.common.errors",
    "Decoder": "bandfold.ground.decoder",
    "Encoder": "bandfold.onboard.encoder",
    "EncoderSettings": "bandfold.onboard.settings",
    "StreamEncoder": "bandfold.onboard.stream_encoder",
}

__all__ = [
    "ArraySource",
    "BandfoldError",
    "Decoder",
    "Encoder",
    "EncoderSettings",
    "StreamEncoder",
    "__version__",
    "open",
]


def open(path: StreamPlace, **options: Any) -> SceneSource:  # noqa: A001 - as in rasterio
    """Open a scene, compressed or not, to be read block by block.

    Parameters
    ----------
    path : path_like, str, fsspec.core.OpenFile or binary file object
        A stream of bandfold, or a scene of any format that `bandfold encode` reads: ENVI, GeoTIFF, NetCDF,
        HDF5, Zarr, NumPy or MATLAB. Streams are known by their first bytes, the others by their suffix. An
        address such as ``s3://bucket/scene.bf`` or an open file is a stream.
    **options
        Of a stream those of `bandfold.ground.access.strip_reader.StripReader` (``restore``, ``models``, ...),
        else those of `bandfold.formats.scene_options.SceneOptions` (``variable``, ``no_data``, ``scaling``,
        ...).

    Returns
    -------
    SceneSource
        ``info`` tells geometry, type and metadata; ``read(bands, lines)`` gives an array of shape
        (bands, lines, samples).

    Raises
    ------
    BandfoldError
        If it cannot be read, or a library that its format needs is not installed.

    Examples
    --------
    >>> scene = bandfold.open("SCENE.bf")  # doctest: +SKIP
    >>> first_bands = scene.read(slice(0, 3), slice(0, scene.info.lines))  # doctest: +SKIP
    """
    from pathlib import Path

    from bandfold.bitstream.container.sections import SIGNATURE
    from bandfold.common.input_files import begins_with

    if not isinstance(path, (str, os.PathLike)) or "://" in os.fspath(path) or begins_with(path, SIGNATURE):
        from bandfold.ground.access.strip_reader import StripReader

        return StripReader(path, **options)
    from bandfold.formats.opening import open_scene
    from bandfold.formats.scene_options import SceneOptions

    return open_scene(Path(path), SceneOptions(**options))


def __getattr__(name: str) -> Any:
    """Load a name of the list above."""
    if name == "__version__":
        # Only here: it takes a tenth of the time in which the package is imported.
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("bandfold")
        except PackageNotFoundError:
            return "unknown"
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'bandfold' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names of the list above."""
    return sorted(__all__)
