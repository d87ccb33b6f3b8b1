"""How a chunk of three axes becomes a stream, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SettingsError, StreamError
from bandfold.common.scene import SCALED_DTYPES, Scaling, native
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.effort import DEFAULT_EFFORT
from bandfold.onboard.settings import EncoderSettings

_ORDER = "memory order"
"""Header field of chunks whose first axis runs fastest."""


@dataclass(frozen=True)
class ChunkSettings:
    """What an array says of its chunks: one of step, bps, psnr and rmse, or a limit of errors, or both.

    Parameters
    ----------
    step : float, optional
        Quantiser step in counts: the quality is the same in all chunks of integers of 8 and 16 bits. A count
        of floats has another value in each chunk, unless `scale` is given: use `rmse`.
    bps : float, optional
        Bits per sample of each chunk, never exceeded.
    psnr : float, optional
        PSNR of each chunk in dB. The peak is 65535 counts or, of floats and 32-bit integers, the range of the
        ordinary values of the chunk.
    rmse : float, optional
        Root of the mean squared error of each chunk, in the unit of the samples.
    band_axis : int
        Axis of the bands, 0 to 2. The other two are lines and samples.
    scale : float or "auto", optional
        Value of one count, for 32-bit integers and floats. By default, or with ``auto``, it is found for each
        chunk from the range of its ordinary values; outliers, NaN and infinities are kept exactly.
    offset : float
        Value of count 0, where the scale is a number.
    no_data : float or "NaN", optional
        Value of absent samples, which come back exactly. The fill value of the array is a good choice where
        chunks reach beyond its edges.
    sensor : str, optional
        Package of the sensor, with which chunks carry no vectors: its name, or its file. Whoever reads the
        array needs it.
    effort : int
        Time to spend on smaller chunks, 1 (fastest) to 9 (smallest).
    quantiser : {"dependent", "dependent-32", "uniform"}, optional
        In place of that of the effort: trellis-coded quantisation, the same with more states for fewer bytes
        (the usual one), or rounding in two thirds of the time.
    lossless : bool
        Whether every sample comes back exactly.
    max_error : float or sequence of float, optional
        Largest absolute error of a sample, in the units of the samples: one for all bands, or one for each
        band of a chunk.
    relative_error : float, optional
        Largest error of a sample as a share of its magnitude, or `max_error` if that is more.

    Raises
    ------
    SettingsError
        If settings contradict each other or are out of range.
    """

    step: float | None = None
    bps: float | None = None
    psnr: float | None = None
    rmse: float | None = None
    band_axis: int = 0
    scale: float | str | None = None
    offset: float = 0.0
    no_data: float | str | None = None
    sensor: str | None = None
    effort: int = DEFAULT_EFFORT
    quantiser: str | None = None
    lossless: bool = False
    max_error: float | Sequence[float] | None = None
    relative_error: float | None = None

    def __post_init__(self) -> None:
        self.encoder  # noqa: B018 - checks what the encoder is told
        if self.band_axis not in (0, 1, 2):
            raise SettingsError(f"band_axis {self.band_axis!r} is unknown: use 0, 1 or 2")
        if isinstance(self.scale, str) and self.scale != "auto":
            raise SettingsError(f"scale {self.scale!r} is unknown: give a number, or auto")
        if self.no_data is not None:
            # A word where JSON has no number for it.
            value = float(self.no_data)
            object.__setattr__(self, "no_data", value if math.isfinite(value) else str(value))
        if self.max_error is not None:
            # As JSON has them, and as they can be compared.
            limits = self.encoder.limits
            object.__setattr__(self, "max_error", limits[0] if len(limits) == 1 else list(limits))

    @property
    def encoder(self) -> EncoderSettings:
        """What the encoder is told."""
        return EncoderSettings(
            bps=self.bps,
            psnr=self.psnr,
            rmse=self.rmse,
            step=self.step,
            sensor=self.sensor,
            effort=self.effort,
            quantiser=self.quantiser,
            lossless=self.lossless,
            max_error=self.max_error,
            relative_error=self.relative_error,
        )

    @property
    def no_data_value(self) -> float | None:
        """The no-data value as a number."""
        return None if self.no_data is None else float(self.no_data)

    def to_dict(self) -> dict[str, Any]:
        """Settings that are not as they are by default; ready for JSON."""
        usual = {one.name: one.default for one in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != usual[name]}

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Refuse types of samples that cannot be coded with these settings.

        Parameters
        ----------
        dtype : numpy.dtype
            Type of the samples of the array.

        Raises
        ------
        SceneError, SettingsError
            If it cannot.
        """
        ArraySource(np.zeros((1, 1, 1), dtype))

    def encode(self, chunk: NDArray[Any]) -> bytes:
        """Encode a chunk.

        Parameters
        ----------
        chunk : ndarray of three axes
            Samples; `band_axis` says which axis are the bands. Its memory order comes back too.

        Returns
        -------
        bytes
            A stream.

        Raises
        ------
        BandfoldError
            As `bandfold.onboard.encoder.Encoder.encode`.
        """
        if chunk.ndim != 3:
            raise SettingsError(f"a chunk has {chunk.ndim} axes: cut the array into chunks of three")
        fortran = chunk.flags.f_contiguous and not chunk.flags.c_contiguous
        metadata = {_ORDER: "F"} if fortran else {}
        cube = np.moveaxis(chunk, self.band_axis, 0)
        scaling = None
        if native(cube.dtype) in SCALED_DTYPES and self.scale not in (None, "auto"):
            scaling = Scaling(float(self.scale), self.offset)
        source = ArraySource(cube, metadata=metadata, scaling=scaling, no_data=self.no_data_value)
        return Encoder(self.encoder).encode(source)

    def decode(
        self, stream: bytes, shape: tuple[int, ...] | None = None, dtype: np.dtype[Any] | None = None
    ) -> NDArray[Any]:
        """Decode a chunk.

        Parameters
        ----------
        stream : bytes
            What `encode` made of a chunk.
        shape : tuple of int, optional
            Shape that the array has for its chunks.
        dtype : numpy.dtype, optional
            Type that the array has for its samples.

        Returns
        -------
        ndarray of three axes
            Contiguous in the order in which the chunk was.

        Raises
        ------
        StreamError
            If it is damaged, or not a chunk of that shape and type: means of bands in place of samples, or
            samples of another array, would not be noticed.
        """
        # Arrays must not depend on what is installed where they are read.
        decoder = Decoder(stream, restore="off")
        info = decoder.info
        sides = [info.lines, info.samples]
        sides.insert(self.band_axis, info.bands)
        if shape is not None and tuple(shape) != tuple(sides):
            raise StreamError(
                f"a chunk has the shape {tuple(sides)}, the array says {tuple(shape)}: it is of another array"
            )
        if dtype is not None and native(dtype) != info.dtype:
            raise StreamError(f"a chunk is of {info.dtype}, the array of {dtype}: it is of another array")
        cube = decoder.decode()
        if decoder.damage:
            raise StreamError(f"a chunk is damaged: {decoder.damage[0].reason}")
        chunk = np.moveaxis(cube, 0, self.band_axis)
        fortran = decoder.info.metadata.get(_ORDER) == "F"
        return np.asfortranarray(chunk) if fortran else np.ascontiguousarray(chunk)
