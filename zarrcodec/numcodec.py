"""The codec for numcodecs, and so for arrays in the format of Zarr 2: entry point ``bandfold``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_bytes, ensure_ndarray, ndarray_copy

from bandfold.common.errors import SettingsError, StreamError

from .settings import ChunkSettings


class Bandfold(Codec):
    """Compress chunks of three axes, with a loss that the settings say, or none.

    Parameters
    ----------
    **settings
        Those of `bandfold.zarrcodec.settings.ChunkSettings`.

    Raises
    ------
    SettingsError
        If settings contradict each other or are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> chunk = np.arange(8 * 16 * 16, dtype=np.uint16).reshape(8, 16, 16)
    >>> codec = Bandfold(step=4)
    >>> int(abs(codec.decode(codec.encode(chunk)).astype(int) - chunk).max()) < 16
    True
    """

    codec_id = "bandfold"

    def __init__(self, **settings: Any) -> None:
        self._settings = ChunkSettings(**settings)

    def encode(self, buf: Any) -> bytes:
        """Encode a chunk.

        Parameters
        ----------
        buf : array_like of three axes
            In native byte order.

        Returns
        -------
        bytes
            A bandfold stream.
        """
        chunk = ensure_ndarray(buf)
        if not chunk.dtype.isnative:
            # What comes back is native, and Zarr would take it for what the array says.
            raise SettingsError(
                f"chunks of type {chunk.dtype.str} cannot be coded: use the native byte order"
            )
        return self._settings.encode(chunk)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decode a chunk.

        Parameters
        ----------
        buf : bytes_like
            What `encode` made of a chunk.
        out : array_like, optional
            Where to put it.

        Returns
        -------
        ndarray
            The chunk, or `out` where it is given.
        """
        if out is None:
            return self._settings.decode(ensure_bytes(buf))
        target = ensure_ndarray(out)
        # Zarr hands over a flat or a shaped buffer; bytes have no type that could differ.
        typed = target.dtype.kind in "iuf" and target.ndim == 3
        wanted = (target.shape, target.dtype) if typed else (None, None)
        found = self._settings.decode(ensure_bytes(buf), *wanted)
        if found.nbytes != target.nbytes:
            raise StreamError(
                f"a chunk has {found.nbytes} bytes, there is room for {target.nbytes}: it is of another array"
            )
        return ndarray_copy(np.ascontiguousarray(found), out)

    def get_config(self) -> dict[str, Any]:
        """Settings, from which the codec can be made again."""
        return {"id": self.codec_id, **self._settings.to_dict()}

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self._settings.to_dict().items())
        return f"{type(self).__name__}({given})"
