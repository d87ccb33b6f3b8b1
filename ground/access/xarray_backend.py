"""xarray opens streams: ``xarray.open_dataset("scene.bf")``, decoded when and where values are needed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from numpy.typing import NDArray
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from bandfold.bitstream.container.sections import SIGNATURE
from bandfold.common.errors import BandfoldError, SettingsError
from bandfold.formats.containers.cf_conventions import DIMS, cf_dataset, variable_name
from bandfold.ground.stream.byte_source import StreamPlace, is_address, open_bytes

from .strip_reader import ReaderOptions, StripReader

SUFFIX = ".bf"

READER_OPTIONS = tuple(one.name for one in fields(ReaderOptions))
"""Keywords of `StripReader`."""


class BandfoldBackend(BackendEntrypoint):
    """Entry point ``bandfold`` of ``xarray.backends``.

    Examples
    --------
    >>> import xarray
    >>> scene = xarray.open_dataset("scene.bf", chunks={})  # doctest: +SKIP
    >>> scene.cube.sel(wavelength=860, method="nearest").plot()  # doctest: +SKIP
    """

    open_dataset_parameters = (
        "filename_or_obj",
        "drop_variables",
        "mask_and_scale",
        "storage_options",
        *READER_OPTIONS,
    )
    description = "Open bandfold streams (.bf), decoded lazily by strip and interval of bands"

    def open_dataset(  # type: ignore[override]
        self,
        filename_or_obj: StreamPlace,
        *,
        drop_variables: str | list[str] | None = None,
        mask_and_scale: bool = True,
        storage_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> xarray.Dataset:
        """Open a stream.

        Parameters
        ----------
        filename_or_obj : path_like, str, fsspec.core.OpenFile or binary file object
            A stream (.bf): a file, an address such as ``s3://bucket/scene.bf``, or an open file.
        drop_variables : str or list of str, optional
            Variables to leave out.
        mask_and_scale : bool
            Turn absent samples into NaN, and apply the scale and offset that the scene came with.
        storage_options : mapping, optional
            Of an address, what ``fsspec.open`` is to be told: credentials, for example.
        **options
            ``memory_limit``, ``models``, ``restore``, ``cache``, ``damage`` and ``layers``, as for
            `bandfold.ground.access.strip_reader.StripReader`. ``restore="off"`` decodes three times as fast,
            ``layers="base"`` leaves alone what bounds errors. ``cache`` is that of each process that reads.

        Returns
        -------
        xarray.Dataset
            See `bandfold.formats.containers.cf_conventions.cf_dataset`. ``wavelength`` is an index too where
            it is strictly rising or falling, so that ``sel(wavelength=860, method="nearest")`` works.
            Preferred chunks are the intervals of bands and the strips of lines.

        Raises
        ------
        BandfoldError
            If the stream cannot be read or decoded; see `bandfold.ground.decoder.Decoder`.
        """
        place: Any = filename_or_obj
        if storage_options:
            if not is_address(place):
                raise SettingsError(
                    "storage_options are for addresses (s3://, https://, ...): leave them out"
                )
            import fsspec

            place = fsspec.open(place, "rb", **storage_options)
        elif isinstance(place, (str, os.PathLike)) and not is_address(place):
            place = Path(place).absolute()
        reader = StripReader(place, **options)
        dataset = reader_dataset(reader, mask_and_scale=mask_and_scale, drop_variables=drop_variables)
        dataset.encoding["source"] = reader.name
        return dataset

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether the name is that of a stream.

        Parameters
        ----------
        filename_or_obj : object
            What was given to ``xarray.open_dataset``.

        Returns
        -------
        bool
            Whether it is a path or an address that ends in .bf, or an open file that begins as streams do.
        """
        if is_address(filename_or_obj):
            # Behind it there may be a signature, as of links that expire.
            filename_or_obj = re.split("[?#]", filename_or_obj)[0]
        if isinstance(filename_or_obj, (str, os.PathLike)):
            return Path(filename_or_obj).suffix.lower() == SUFFIX
        with suppress(BandfoldError):
            return open_bytes(filename_or_obj).read(0, len(SIGNATURE)) == SIGNATURE
        return False


def reader_dataset(
    reader: StripReader, *, mask_and_scale: bool = True, drop_variables: str | list[str] | None = None
) -> xarray.Dataset:
    """Make the data set of a stream.

    Parameters
    ----------
    reader : StripReader
        Decodes what is needed of it.
    mask_and_scale : bool
        Turn absent samples into NaN, and apply the scale and offset that the scene came with.
    drop_variables : str or list of str, optional
        Variables to leave out.

    Returns
    -------
    xarray.Dataset
        Whose cube is decoded where it is indexed.
    """
    info = reader.info
    dataset = cf_dataset(info, indexing.LazilyIndexedArray(LazyCube(reader)))
    cube = dataset[variable_name(info)]
    cube.encoding["preferred_chunks"] = dict(zip(DIMS, preferred_chunks(reader), strict=True))
    cube.attrs["comment"] = f"decoded from a bandfold stream, quantiser step {reader.step:g} counts"
    # Units of samples and wavelengths may read like times, and never are.
    dataset = xarray.decode_cf(
        dataset,
        mask_and_scale=mask_and_scale,
        decode_times=False,
        decode_timedelta=False,
        drop_variables=drop_variables,
    )
    if "wavelength" in dataset and _monotonic(dataset["wavelength"].values):
        dataset = dataset.set_xindex("wavelength")
    return dataset


class LazyCube(BackendArray):
    """The samples of a stream, decoded where they are indexed.

    Parameters
    ----------
    reader : StripReader
        Decodes blocks.
    """

    def __init__(self, reader: StripReader) -> None:
        self._reader = reader
        self.shape = reader.info.shape
        self.dtype = reader.info.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._decode
        )

    def _decode(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Decode the smallest block that holds what is asked for, and take that out of it."""
        ranges = [_covering(one, length) for one, length in zip(key[:2], self.shape[:2], strict=True)]
        block = self._reader.read(*(covering for covering, _ in ranges))
        return np.asarray(block[(*(inside for _, inside in ranges), key[2])])


def preferred_chunks(reader: StripReader) -> tuple[tuple[int, ...], int, int]:
    """Chunks of which each is decoded at once.

    Parameters
    ----------
    reader : StripReader
        The stream.

    Returns
    -------
    (tuple of int, int, int)
        Bands of each interval, lines of a strip, samples of a line.
    """
    intervals = np.diff(reader.ends, prepend=0)
    return tuple(intervals.tolist()), reader.strip_lines, reader.info.samples


def _covering(key: int | slice, length: int) -> tuple[slice, int | slice]:
    """The range from the first to the last index, and the key within it."""
    if not isinstance(key, slice):
        index = int(key) % length
        return slice(index, index + 1), 0
    numbers = range(length)[key]
    if not numbers:
        return slice(0, 0), slice(0, 0)
    low, high = min(numbers[0], numbers[-1]), max(numbers[0], numbers[-1]) + 1
    step = numbers.step
    return slice(low, high), slice(None, None, step)


def _monotonic(values: NDArray[Any]) -> bool:
    steps = np.diff(values)
    return bool((steps > 0).all() or (steps < 0).all())
