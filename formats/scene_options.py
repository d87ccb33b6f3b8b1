"""What a user says of a scene beyond the name of its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from bandfold.common.scene import SCALED_DTYPES, MetadataValue, NoData, Scaling, SceneInfo, native


@dataclass(frozen=True)
class RawLayout:
    """Layout of a raw file that has no header.

    Parameters
    ----------
    bands, samples : int
        Of each line.
    dtype : numpy.dtype
        Type of the samples, in native byte order.
    byte_order : {"little", "big"}
        Byte order in the file.
    """

    bands: int
    samples: int
    dtype: np.dtype[Any]
    byte_order: str = "little"


@dataclass(frozen=True)
class SceneOptions:
    """What the user says of a scene beyond the name of its file.

    Parameters
    ----------
    variable : str or None
        Name of the array, in files that hold several. None takes the only one that can be a scene.
    band_axis : str or None
        Which axis of the array are the bands: its number, from 0, or its name. None finds it out.
    scaling : Scaling or None
        Map to 16-bit counts; required for 32-bit integers and floats, refused for other types.
    no_data : float, NoData or None
        Value that marks absent data; by default the one that the file gives.
    for_coding : bool
        False opens a scene to look at, before its scaling is known, as in
        `bandfold.formats.envi.reader.open_envi`.
    layout : RawLayout or None
        Of a raw file without a header.
    """

    variable: str | None = None
    band_axis: str | None = None
    scaling: Scaling | None = None
    no_data: float | NoData | None = NoData.HEADER
    for_coding: bool = True
    layout: RawLayout | None = None

    def scene_info(
        self,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        metadata: Mapping[str, MetadataValue],
        no_data: float | None,
        interleave: str = "bsq",
    ) -> SceneInfo:
        """Describe a scene as its file and the user say.

        Parameters
        ----------
        shape : tuple of int
            Bands, lines and samples.
        dtype : numpy.dtype
            Any byte order.
        metadata : mapping of str to str or tuple of str
            Header fields that tell what the file says, as in `SceneInfo`.
        no_data : float or None
            No-data value that the file gives.
        interleave : {"bsq", "bil", "bip"}
            Layout of the samples in the file.

        Returns
        -------
        SceneInfo
            Its scaling and no-data value are those of these options where they say something.

        Raises
        ------
        SceneError
            If the type of the samples cannot be coded, or needs a scaling that is not given.
        """
        scaling = self.scaling
        if scaling is None and not self.for_coding and native(dtype) in SCALED_DTYPES:
            scaling = Scaling(1.0)
        big = dtype.byteorder == ">" or (dtype.byteorder == "=" and not np.little_endian)
        return SceneInfo(
            *shape,
            native(dtype),
            interleave=interleave,
            byte_order="big" if big else "little",
            scaling=scaling,
            no_data=no_data if isinstance(self.no_data, NoData) else self.no_data,
            metadata=MappingProxyType(dict(metadata)),
        )
