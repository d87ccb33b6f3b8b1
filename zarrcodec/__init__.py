"""Chunks of Zarr arrays as bandfold streams: a codec for numcodecs (Zarr 2) and one for Zarr 3.

A folder of its own because a codec encodes and decodes: it imports `onboard` and `ground`, which may not
import each other.
"""

from .settings import ChunkSettings

__all__ = ["ChunkSettings"]
