"""Samples as the codec sees them: integer counts without gaps, and which of them are absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import SceneError
from bandfold.common.scene import (
    BLOCK,
    CODED_DTYPES,
    MetadataValue,
    Scaling,
    SceneInfo,
    SceneSource,
    block_rows,
    native,
)

from .subsampled import SubsampledSource

if TYPE_CHECKING:
    from bandfold.bitstream.payloads.escape_code import Escapes

    from .count_plan import CountPlan
    from .scaling import EscapedSource

# A camera gives integers without gaps: what else there may be is imported where it comes.

PEAK = 65535.0
"""What PSNR refers to, in counts, of samples of 8 and 16 bits."""


class ArraySource:
    """A scene held in memory.

    Parameters
    ----------
    cube : array_like, shape (bands, lines, samples)
        Samples; any byte order. What a masked array masks is absent: it comes back as `no_data`.
    metadata : mapping, optional
        ENVI header fields to carry along, keys in lower case: texts, numbers or sequences of these.
    scaling : Scaling, optional
        Of 32-bit integers and floats; found from their values if not given.
    no_data : float, optional
        Value that marks absent data. Default: none, of masked floats NaN.

    Raises
    ------
    SceneError
        If the array is not three-dimensional, is empty, or has a type that cannot be coded, or something is
        masked in integers and no value is given for it.
    """

    def __init__(
        self,
        cube: NDArray[Any],
        *,
        metadata: Mapping[str, MetadataValue] | None = None,
        scaling: Scaling | None = None,
        no_data: float | None = None,
    ) -> None:
        from .array_input import array_of, header_field, no_data_number, without_mask

        no_data = None if no_data is None else no_data_number(no_data)
        if isinstance(cube, np.ma.MaskedArray):
            cube, no_data = without_mask(cube, no_data)
        cube = array_of(cube)
        if cube.ndim != 3:
            raise SceneError(f"array has {cube.ndim} dimensions: give (bands, lines, samples)")
        bands, lines, samples = cube.shape
        self._cube = cube
        self._info = SceneInfo(
            bands,
            lines,
            samples,
            native(cube.dtype),
            scaling=scaling,
            no_data=no_data,
            metadata={str(key): header_field(key, value) for key, value in (metadata or {}).items()},
        )

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block; see `SceneSource.read`."""
        return self._cube[bands, lines].astype(self._info.dtype, copy=False)


class HeldLines:
    """Lines of a scene that are held in memory, as a scene of their own.

    Parameters
    ----------
    lines : ndarray, shape (bands, lines, samples)
        Samples of type ``info.dtype``.
    info : SceneInfo
        Of the scene that they belong to; its number of lines is not used.
    first_line : int
        Number of the first of them in that scene, by which errors name them.
    """

    def __init__(self, lines: NDArray[Any], info: SceneInfo, first_line: int = 0) -> None:
        self._lines = lines
        self.first_line = first_line
        self._info = replace(info, lines=lines.shape[1])

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block; see `SceneSource.read`."""
        return self._lines[bands, lines]


class DescribedSource:
    """A scene with another description: its scaling and its no-data value are known by now.

    Parameters
    ----------
    source : SceneSource
        The scene.
    info : SceneInfo
        What it is.
    """

    def __init__(self, source: SceneSource, info: SceneInfo) -> None:
        self._source = source
        self._info = info

    @property
    def info(self) -> SceneInfo:
        """Geometry, type and metadata."""
        return self._info

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block; see `SceneSource.read`."""
        return self._source.read(bands, lines)


class Uncounted(NamedTuple):
    """Samples of a strip that no count stands for.

    Parameters
    ----------
    absent : ndarray of bool, shape (bands, lines, samples), or None
        Samples without data; None where the scene has no value that marks them.
    escapes : Escapes or None
        Samples that are kept exactly.
    shape : tuple of int
        Bands, lines and samples of the strip.
    """

    absent: NDArray[np.bool_] | None
    escapes: Escapes | None
    shape: tuple[int, int, int]

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """Both, as a mask; None if all samples have a count."""
        if self.escapes is None:
            return self.absent if self.absent is not None and self.absent.any() else None
        mask = np.zeros(self.shape, np.bool_) if self.absent is None else self.absent.copy()
        mask.reshape(-1)[self.escapes.places] = True
        return mask


@dataclass(frozen=True)
class Samples:
    """The samples of a scene as they are coded, and which of them are absent: a `SceneSource` of counts.

    Parameters
    ----------
    scene : SceneSource
        The scene as given; if its scaling was found, with that.
    counts : SceneSource
        The same as integers of 8 or 16 bits, absent samples filled with their neighbours' values.
    plan : CountPlan or None
        Of floats and 32-bit integers: what was found of their values.
    block_codes : ndarray of uint8, shape (rows, columns) of blocks, or None
        Codes of the weights of the blocks, see `bandfold.bitstream.transforms.coding_weights`; None where all
        weigh the same.
    """

    scene: SceneSource
    counts: SceneSource
    plan: CountPlan | None = None
    block_codes: NDArray[np.uint8] | None = None

    @staticmethod
    def of(scene: SceneSource, plan: CountPlan | None = None, *, seek_fills: bool = True) -> Samples:
        """Take a scene as it is coded: as integer counts, and without gaps.

        Parameters
        ----------
        scene : SceneSource
            Samples of any type. Floats and 32-bit integers without a declared scaling get one, found from
            their values.
        plan : CountPlan, optional
            How they become counts, where that is decided.
        seek_fills : bool
            Whether to look for values that mark absent data although nobody declared them.

        Returns
        -------
        Samples
        """
        info = scene.info
        if info.dtype in CODED_DTYPES:
            return Samples(scene, scene if info.no_data is None else _filled(scene, scene))
        from .count_plan import plan_counts
        from .scaling import EscapedSource, ScaledSource

        if plan is None:
            plan = plan_counts(scene, seek_fills=seek_fills)
        if info.scaling is None:
            described = DescribedSource(scene, plan.describe(info))
            return Samples(described, EscapedSource(described, plan.fills), plan)
        counts = ScaledSource(scene)
        return Samples(scene, counts if info.no_data is None else _filled(counts, scene), plan)

    @property
    def info(self) -> SceneInfo:
        """Geometry and type of the counts."""
        return self.counts.info

    @property
    def pixels(self) -> int:
        """Pixels of a band."""
        return self.info.lines * self.info.samples

    @property
    def peak(self) -> float:
        """What PSNR refers to, in counts: 65535, of floats and 32-bit integers the range of their values."""
        return PEAK if self.plan is None else self.plan.peak

    @property
    def rounding(self) -> float:
        """Mean squared error of the samples as counts, in counts squared: no coding makes it smaller."""
        return 0.0 if self.plan is None else self.plan.rounding

    @property
    def scale(self) -> float:
        """Value of one count."""
        scaling = self.scene.info.scaling
        return 1.0 if scaling is None else abs(scaling.scale)

    def read(self, bands: slice, lines: slice) -> NDArray[Any]:
        """Read a block of counts; see `SceneSource.read`."""
        return self.counts.read(bands, lines)

    def uncounted(self, lines: slice) -> Uncounted:
        """Which samples of some lines have no count.

        Parameters
        ----------
        lines : slice
            Half-open range inside the scene.

        Returns
        -------
        Uncounted
        """
        info = self.scene.info
        shape = (info.bands, lines.stop - lines.start, info.samples)
        robust = self._escaped
        if info.no_data is None and robust is None:
            return Uncounted(None, None, shape)
        from bandfold.bitstream.payloads.escape_code import Escapes
        from bandfold.common.values.fill_values import no_data_mask

        block = self.scene.read(slice(0, info.bands), lines)
        if robust is None:
            return Uncounted(no_data_mask(block, info.no_data), None, shape)
        missing = robust.uncounted(block)
        absent = None if info.no_data is None else np.zeros(shape, np.bool_)
        if missing is None:
            return Uncounted(absent, None, shape)
        marked = no_data_mask(block, info.no_data)
        # Whole bands without data are many runs pixel by pixel, and few among escapes.
        if absent is not None and not _cheaper_as_escapes(marked):
            absent = marked
            missing &= ~marked
        return Uncounted(absent, Escapes.of(block, missing), shape)

    def rows(self, rows: Sequence[int], height: int) -> Samples:
        """Some rows of lines, one below the other.

        Parameters
        ----------
        rows : sequence of int
            Numbers of the rows that are kept.
        height : int
            Lines of a row.

        Returns
        -------
        Samples
        """
        scene = SubsampledSource(self.scene, rows, height)
        escaped = self._escaped
        counts: SceneSource = SubsampledSource(self.counts, rows, height)
        if escaped is not None:
            counts = type(escaped)(scene, escaped.fills)
        codes = self.block_codes
        if codes is not None:
            codes = np.concatenate(
                [codes[row * height // BLOCK : (row + 1) * height // BLOCK] for row in rows]
            )
        return Samples(scene, counts, self.plan, codes)

    @property
    def _escaped(self) -> EscapedSource | None:
        """The counts, if some samples have none."""
        if self.plan is None:
            return None
        from .scaling import EscapedSource

        return self.counts if isinstance(self.counts, EscapedSource) else None

    def codes_of_blocks(self, lines: slice) -> NDArray[np.uint8] | None:
        """Codes of the weights of the blocks of some lines.

        Parameters
        ----------
        lines : slice
            Half-open range inside the scene, from a row of blocks on.

        Returns
        -------
        ndarray of uint8, shape (rows, columns), or None
        """
        codes = self.block_codes
        return None if codes is None else codes[lines.start // BLOCK : block_rows(lines.stop)]


def _filled(counts: SceneSource, scene: SceneSource) -> SceneSource:
    """Counts of a scene with a value for absent data."""
    from .no_data import FilledSource

    return FilledSource(counts, scene)


def _cheaper_as_escapes(absent: NDArray[np.bool_]) -> bool:
    """Whether absent samples are fewer runs band by band than pixel by pixel."""
    by_band = np.count_nonzero(np.diff(absent.reshape(-1)))
    by_pixel = np.count_nonzero(absent[1:] != absent[:-1])
    # A run of a band is told with its value, one of a pixel without.
    return bool(by_band * 2 < by_pixel)
