"""The codec for arrays in the format of Zarr 3: entry point ``bandfold`` of ``zarr.codecs``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from zarr.abc.codec import ArrayBytesCodec

from .settings import ChunkSettings

if TYPE_CHECKING:
    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer, NDBuffer


@dataclass(frozen=True, init=False)
class BandfoldCodec(ArrayBytesCodec):
    """Store chunks of three axes as streams, with a loss that the settings say, or none.

    It takes the place of the serialiser: ``zarr.create_array(..., serializer=BandfoldCodec(step=4),
    compressors=None)``.

    Parameters
    ----------
    **settings
        Those of `bandfold.zarrcodec.settings.ChunkSettings`.

    Raises
    ------
    SettingsError
        If settings contradict each other or are out of range.
    """

    settings: ChunkSettings

    is_fixed_size = False

    def __init__(self, **settings: Any) -> None:
        object.__setattr__(self, "settings", ChunkSettings(**settings))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> BandfoldCodec:
        """Make the codec that the metadata of an array describe."""
        return cls(**data.get("configuration", {}))

    def to_dict(self) -> dict[str, Any]:
        """Describe the codec for the metadata of an array."""
        return {"name": "bandfold", "configuration": self.settings.to_dict()}

    def validate(self, *, shape: tuple[int, ...], dtype: Any, chunk_grid: Any) -> None:
        """Refuse types of samples that cannot be coded."""
        self.settings.check_dtype(_numpy_dtype(dtype))

    def compute_encoded_size(self, input_byte_length: int, _chunk_spec: ArraySpec) -> int:
        """Sizes are not known before."""
        raise NotImplementedError

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        wanted = chunk_spec.shape, _numpy_dtype(chunk_spec.dtype)
        found = await asyncio.to_thread(self.settings.decode, chunk_data.to_bytes(), *wanted)
        chunk: Any = found.astype(wanted[1], copy=False)
        return chunk_spec.prototype.nd_buffer.from_ndarray_like(chunk)

    async def _encode_single(self, chunk_data: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        chunk = np.ascontiguousarray(chunk_data.as_numpy_array())
        stream = await asyncio.to_thread(self.settings.encode, chunk)
        return chunk_spec.prototype.buffer.from_bytes(stream)


def _numpy_dtype(dtype: Any) -> np.dtype[Any]:
    """Type as NumPy has it; Zarr 3.1 wraps it."""
    unwrap = getattr(dtype, "to_native_dtype", None)
    native: np.dtype[Any] = np.dtype(dtype if unwrap is None else unwrap())
    return native
