"""The header section: what must be known before anything else can be read."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bandfold.common.errors import SceneError, StreamError
from bandfold.common.scene import (
    BLOCK,
    BYTE_ORDERS,
    CODED_DTYPES,
    INTERLEAVES,
    SCALED_DTYPES,
    BandScaling,
    Scaling,
    SceneInfo,
)

from .sections import read_varint, write_varint

DTYPES = CODED_DTYPES + SCALED_DTYPES
"""Codes of sample types are positions in this list."""

STEP_UNIT = 256
"""Steps are in units of ``1 / STEP_UNIT`` of a count."""

COSINE, PLANES, PREDICTED = "dct8", "planes16", "predicted8"
"""The 8 x 8 cosine transform; networks of a model that make latents of 16 x 16 samples of a band; and
networks that make 64 latents of 8 x 8 samples of what prediction from other bands leaves."""

TRANSFORMS = (COSINE, PLANES, PREDICTED)
"""Codes of spatial transforms are positions in this list."""

UNIFORM = "uniform"
"""One step for all latents of a segment."""

DEPENDENT = "dependent"
"""Two quantisers that take turns, see `bitstream.contexts.trellis_states`; one step for a segment."""

DEPENDENT_32 = "dependent-32"
"""The same with 32 states in place of eight."""

QUANTISERS = (UNIFORM, DEPENDENT, DEPENDENT_32)
"""Codes of quantisers are positions in this list."""

FEW_STATES, MANY_STATES = 8, 32
"""States of the trellis of `DEPENDENT` and of `DEPENDENT_32`."""

LARGEST_DIMENSION = 1 << 24
"""Lines and samples at most."""

MOST_BANDS = 1 << 16
"""Bands at most."""

_SPECTRAL, _REGIONAL, _SCALED, _SCALED_UNSIGNED, _NO_DATA, _SENSOR, _SCALED_BANDS, _WEIGHTED = (
    1 << bit for bit in range(8)
)


class PackageReference(NamedTuple):
    """A package that a stream needs.

    Parameters
    ----------
    name : str
        Its name; not empty.
    hash : bytes
        First 8 bytes of its SHA-256.
    """

    name: str
    hash: bytes

    def pack(self) -> bytes:
        """Bytes in the header."""
        data = self.name.encode()
        return write_varint(len(data)) + data + self.hash


def states_of(quantiser: str) -> int:
    """States of the trellis of one of `QUANTISERS`; of one without, those of the first that has."""
    return MANY_STATES if quantiser == DEPENDENT_32 else FEW_STATES


@dataclass(frozen=True)
class CodingTools:
    """Transforms and quantiser of a stream.

    Parameters
    ----------
    spectral : bool
        Whether there is a spectral transform.
    transform : str
        One of `TRANSFORMS`; all but the first need a model and go without a spectral transform.
    quantiser : str
        One of `QUANTISERS`.
    weighted : bool
        Whether bands have weights, which their folds tell, with a spectral transform of the scene's own; or
        steps of their own, where bands are predicted.
    regional : bool
        Whether blocks have weights, which their segments tell; without a model.
    """

    spectral: bool
    transform: str
    quantiser: str = UNIFORM
    weighted: bool = False
    regional: bool = False


@dataclass(frozen=True)
class Header:
    """Everything that governs decoding.

    Parameters
    ----------
    info : SceneInfo
        Without metadata, which has a section of its own. Of an open stream it is not known how many lines
        there are until its end: `unpack` says 1.
    strip_lines : int
        Lines of a segment, a multiple of 8.
    step_code : int
        Quantiser step of segments that tell none, in units of ``1 / 256`` of a count, at least 1.
    tools : CodingTools
        Transforms and quantiser.
    tables : bytes
        Identity of the tables, 8 bytes.
    model : PackageReference or None
        Package of the networks that make latents, if there are any.
    sensor : PackageReference or None
        Package that the fold comes from, if it comes from one.
    open : bool
        Whether the number of lines was not known when the stream was begun: its end tells it.
    """

    info: SceneInfo
    strip_lines: int
    step_code: int
    tools: CodingTools
    tables: bytes
    model: PackageReference | None = None
    sensor: PackageReference | None = None
    open: bool = False

    @property
    def spectral(self) -> bool:
        """Whether there is a spectral transform."""
        return self.tools.spectral

    @property
    def transform(self) -> str:
        """One of `TRANSFORMS`."""
        return self.tools.transform

    @property
    def quantiser(self) -> str:
        """One of `QUANTISERS`."""
        return self.tools.quantiser

    @property
    def trellis_states(self) -> int:
        """States of the trellis, where there are two quantisers."""
        return states_of(self.quantiser)

    @property
    def step(self) -> float:
        """Quantiser step in counts."""
        return self.step_code / STEP_UNIT

    @property
    def strip_count(self) -> int:
        """Number of strips, and of segments."""
        return -(-self.info.lines // self.strip_lines)

    def strip(self, index: int) -> slice:
        """Lines of a strip."""
        return slice(index * self.strip_lines, min((index + 1) * self.strip_lines, self.info.lines))

    def pack(self) -> bytes:
        """Payload of the header section."""
        info = self.info
        flags = _SPECTRAL * self.spectral
        if info.scaling is not None:
            flags |= _SCALED | _SCALED_UNSIGNED * (info.scaling.counts == np.dtype("uint16"))
            flags |= _SCALED_BANDS * bool(info.scaling.bands)
        if info.no_data is not None:
            flags |= _NO_DATA
        if self.sensor is not None:
            flags |= _SENSOR
        flags |= _REGIONAL * self.tools.regional
        if self.tools.weighted:
            flags |= _WEIGHTED
        layout = INTERLEAVES.index(info.interleave) | BYTE_ORDERS.index(info.byte_order) << 2
        out = bytes([flags, DTYPES.index(info.dtype), layout, TRANSFORMS.index(self.transform)])
        out += bytes([QUANTISERS.index(self.quantiser)])
        lines = 0 if self.open else info.lines
        for value in (info.bands, lines, info.samples, self.strip_lines // BLOCK, self.step_code):
            out += write_varint(value)
        out += self.tables
        if info.scaling is not None:
            out += struct.pack("<dd", info.scaling.scale, info.scaling.offset)
            out += _pack_bands(info.scaling.bands)
        if info.no_data is not None:
            out += struct.pack("<d", info.no_data)
        out += write_varint(0) if self.model is None else self.model.pack()
        return out + (b"" if self.sensor is None else self.sensor.pack())

    @staticmethod
    def unpack(payload: bytes) -> Header:
        """Read the payload of a header section.

        Parameters
        ----------
        payload : bytes
            As `pack` made it.

        Returns
        -------
        Header

        Raises
        ------
        StreamError
            If a field is out of range, a reserved bit is set or the length is wrong.
        """
        try:
            return _unpack(payload)
        except (struct.error, IndexError, ValueError, SceneError) as error:
            raise StreamError(f"header of the stream is corrupt: {error}") from error


def _unpack(payload: bytes) -> Header:
    flags, dtype, layout, transform, quantiser = payload[:5]
    if layout & ~7:
        raise StreamError("header of the stream has reserved bits set: it is corrupt or of a later version")
    position = 5
    fields = []
    for _ in range(5):
        value, position = read_varint(payload, position)
        fields.append(value)
    bands, lines, samples, strip_blocks, step_code = fields
    too_large = bands > MOST_BANDS or max(lines, samples, strip_blocks) > LARGEST_DIMENSION
    if too_large or min(strip_blocks, step_code) < 1:
        raise StreamError(f"header of the stream claims {bands} x {lines} x {samples} samples: it is corrupt")
    tables = payload[position : position + 8]
    position += 8
    scaling = no_data = None
    if flags & _SCALED:
        scale, offset = struct.unpack_from("<dd", payload, position)
        position += 16
        own: tuple[BandScaling, ...] = ()
        if flags & _SCALED_BANDS:
            own, position = _unpack_bands(payload, position, bands)
        scaling = Scaling(scale, offset, np.dtype("uint16" if flags & _SCALED_UNSIGNED else "int16"), own)
    elif flags & _SCALED_BANDS or DTYPES[dtype] in SCALED_DTYPES:
        raise StreamError("header of the stream has samples that do not fit its scaling: it is corrupt")
    if flags & _NO_DATA:
        (no_data,) = struct.unpack_from("<d", payload, position)
        position += 8
    model, position = _unpack_reference(payload, position)
    sensor = None
    if flags & _SENSOR:
        sensor, position = _unpack_reference(payload, position)
        if sensor is None or not flags & _SPECTRAL:
            raise StreamError("header of the stream names a package for no fold: it is corrupt")
    if (TRANSFORMS[transform] != COSINE) != (model is not None) or (model is not None and flags & _SPECTRAL):
        raise StreamError("header of the stream has a transform that does not fit its model: it is corrupt")
    if flags & _REGIONAL and model is not None:
        raise StreamError("header of the stream has weights of blocks beside a model: it is corrupt")
    own_bands = flags & _SPECTRAL or TRANSFORMS[transform] == PREDICTED
    if flags & _WEIGHTED and (sensor is not None or not own_bands):
        raise StreamError("header of the stream has weights of bands for no fold of its own: it is corrupt")
    if QUANTISERS[quantiser] != UNIFORM and not flags & _SPECTRAL:
        raise StreamError("header of the stream has a quantiser for a fold, but none: it is corrupt")
    if position != len(payload) or len(tables) != 8:
        raise StreamError("header of the stream has a wrong length: it is corrupt")
    info = SceneInfo(
        bands,
        lines or 1,
        samples,
        DTYPES[dtype],
        interleave=INTERLEAVES[layout & 3],
        byte_order=BYTE_ORDERS[layout >> 2],
        scaling=scaling,
        no_data=no_data,
    )
    return Header(
        info,
        strip_blocks * BLOCK,
        step_code,
        CodingTools(
            bool(flags & _SPECTRAL),
            TRANSFORMS[transform],
            QUANTISERS[quantiser],
            bool(flags & _WEIGHTED),
            bool(flags & _REGIONAL),
        ),
        tables,
        model,
        sensor,
        not lines,
    )


def _pack_bands(own: tuple[BandScaling, ...]) -> bytes:
    """Bands with a scaling of their own: their number, then gap, doublings and offset of each."""
    if not own:
        return b""
    out, following = write_varint(len(own)), 0
    for one in own:
        out += write_varint(one.band - following) + bytes([one.doublings]) + struct.pack("<d", one.offset)
        following = one.band + 1
    return out


def _unpack_bands(payload: bytes, position: int, bands: int) -> tuple[tuple[BandScaling, ...], int]:
    """Bands with a scaling of their own, and the position behind them."""
    count, position = read_varint(payload, position)
    if not 1 <= count <= min(bands, len(payload)):
        raise StreamError(f"header of the stream has scalings of {count} bands: it is corrupt")
    own: list[BandScaling] = []
    following = 0
    for _ in range(count):
        gap, position = read_varint(payload, position)
        if gap >= bands - following:
            raise StreamError("header of the stream has a scaling of a band that is not there: it is corrupt")
        doublings = payload[position]
        (offset,) = struct.unpack_from("<d", payload, position + 1)
        own.append(BandScaling(following + gap, doublings, offset))
        following, position = following + gap + 1, position + 9
    return tuple(own), position


def _unpack_reference(payload: bytes, position: int) -> tuple[PackageReference | None, int]:
    """Reference to a package, None where the name is empty, and the position behind it."""
    length, position = read_varint(payload, position)
    if length > len(payload) - position:
        raise StreamError("header of the stream ends inside the name of a package: it is corrupt")
    name = payload[position : position + length].decode()
    position += length
    if not name:
        return None, position
    identity = payload[position : position + 8]
    if len(identity) < 8:
        raise StreamError("header of the stream ends inside the hash of a package: it is corrupt")
    return PackageReference(name, identity), position + len(identity)
