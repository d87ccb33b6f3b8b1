"""What a data set says of its chunks: settings of the encoder, and the shape and type of its chunks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from h5py._hl.filters import FilterRefBase

from bandfold.common.errors import SettingsError
from bandfold.zarrcodec import ChunkSettings

FILTER_ID = 46606
"""Number of the filter in HDF5: of the range (32768-65535) that is free for use without registration."""

_WORD = np.dtype("<u4")

Shape = tuple[int, ...]


@dataclass(frozen=True)
class FilterOptions:
    """What the filter is told, as the file keeps it: 32-bit words.

    Parameters
    ----------
    settings : ChunkSettings
        How chunks are encoded.
    shape : tuple of int
        Of a chunk; empty before HDF5 has told it.
    dtype : str
        Type of the samples as NumPy writes it, byte order included; empty before HDF5 has told it.
    """

    settings: ChunkSettings = field(default_factory=lambda: ChunkSettings(lossless=True))
    shape: Shape = ()
    dtype: str = ""

    def words(self) -> tuple[int, ...]:
        """The options as HDF5 keeps them: bytes of a JSON text, and that text, four bytes to a word."""
        content = {**self.settings.to_dict(), "chunk_shape": list(self.shape), "chunk_dtype": self.dtype}
        text = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
        padded = text.ljust(-(-len(text) // _WORD.itemsize) * _WORD.itemsize)
        return (len(text), *np.frombuffer(padded, _WORD).tolist())

    @staticmethod
    def read(words: Sequence[int]) -> FilterOptions:
        """Read what `words` gives.

        Parameters
        ----------
        words : sequence of int
            As the file has them.

        Returns
        -------
        FilterOptions

        Raises
        ------
        SettingsError
            If they are something else.
        """
        try:
            text = np.array(words[1:], _WORD).tobytes()[: words[0]]
            content = json.loads(text)
            shape, dtype = content.pop("chunk_shape"), content.pop("chunk_dtype")
            return FilterOptions(ChunkSettings(**content), tuple(map(int, shape)), str(dtype))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise SettingsError(
                "what the file says of its bandfold filter is not understood: it is damaged, or of a later "
                "version"
            ) from error


class Bandfold(FilterRefBase):  # type: ignore[misc]  # h5py is not typed
    """Settings of the filter, for ``create_dataset``: chunks of three axes become streams.

    Parameters
    ----------
    **settings
        Those of `bandfold.zarrcodec.settings.ChunkSettings`; without any, chunks are lossless.

    Raises
    ------
    SettingsError
        If settings contradict each other or are out of range.

    Examples
    --------
    >>> import h5py, numpy, os, tempfile
    >>> from bandfold.hdf5filter import Bandfold
    >>> cube = numpy.arange(8 * 16 * 16, dtype="uint16").reshape(8, 16, 16)
    >>> path = os.path.join(tempfile.mkdtemp(), "a.h5")
    >>> with h5py.File(path, "w") as file:
    ...     stored = file.create_dataset("cube", data=cube, chunks=cube.shape, compression=Bandfold())
    ...     bool((stored[:] == cube).all())
    True
    """

    filter_id = FILTER_ID

    def __init__(self, **settings: Any) -> None:
        given = ChunkSettings(**settings) if settings else ChunkSettings(lossless=True)
        self.filter_options = FilterOptions(given).words()
