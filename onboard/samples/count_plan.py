"""What counts of floats and 32-bit integers are worth, found from the values of a scene or a strip."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.scene import MOST_DOUBLINGS, BandScaling, Scaling, SceneInfo, SceneSource
from bandfold.common.values.band_fills import FoundFills
from bandfold.common.values.fill_values import FOUND_KEY, no_data_mask, same_value
from bandfold.common.values.value_range import ValueRange, sampled_lines, value_range

COUNTS = 65532
"""Counts that the range of a scene is spread over: a few are left, so that rounding exceeds no type."""

UNSEEN = 0.125
"""Share of the range that is added on either side for samples that were not looked at."""

AHEAD = 1.0
"""The same, where only the first lines of a stream are known."""

_LEAST_INTEGERS = 16
"""Whole numbers span so much at least before floats are taken for integers."""

_ROUNDED = 1 << 16
"""Samples whose rounding is measured, about."""

_TOLD = 8
"""Bands that a message names at most."""


@dataclass(frozen=True)
class CountPlan:
    """How the samples of a scene become counts.

    Parameters
    ----------
    scaling : Scaling
        What counts are worth.
    no_data : float or None
        Value that marks absent data: declared, or the most frequent one that was found.
    peak : float
        Range of the ordinary values, in counts: what PSNR refers to.
    rounding : float
        Mean squared error of the samples as counts, in counts squared: 1/12 of most, 0 of whole numbers.
    fills : FoundFills
        Fill values that were found and not declared.
    """

    scaling: Scaling
    no_data: float | None
    peak: float
    rounding: float = 0.0
    fills: FoundFills = field(default_factory=FoundFills)

    @property
    def whole_doublings(self) -> int:
        """Doublings of the scale after which counts are whole numbers; 0 where they never are, or are now."""
        fraction, exponent = math.frexp(self.scaling.scale)
        whole = fraction == 0.5 and exponent <= 0 and self.scaling.offset.is_integer()
        return 1 - exponent if whole and not self.scaling.bands else 0

    def coarser(self, doublings: int) -> CountPlan:
        """The plan of lines whose counts are worth ``2**doublings`` times as much."""
        return replace(self, scaling=self.scaling.coarser(doublings), peak=self.peak / 2.0**doublings)

    def rounding_of(self, source: SceneSource, doublings: int) -> float:
        """What rounding to counts does to some lines.

        Parameters
        ----------
        source : SceneSource
            The lines.
        doublings : int
            Their counts are worth ``2**doublings`` times as much.

        Returns
        -------
        float
            Mean squared error, in such counts squared.
        """
        block, _ = sampled_lines(source)
        present = ~no_data_mask(block, self.no_data) & ~self.fills.mask(block)
        return _rounding(block, present, self.scaling.coarser(doublings))

    def describe(self, info: SceneInfo) -> SceneInfo:
        """The scene with its scaling, its no-data value, and a header field that tells what was found.

        Parameters
        ----------
        info : SceneInfo
            As the file describes it.

        Returns
        -------
        SceneInfo
        """
        metadata = dict(info.metadata)
        texts = self.fills.texts()
        if texts:
            metadata[FOUND_KEY] = "; ".join(texts)
        return replace(info, scaling=self.scaling, no_data=self.no_data, metadata=metadata)

    def notes(self, info: SceneInfo) -> tuple[str, ...]:
        """What the user should know, in words.

        Parameters
        ----------
        info : SceneInfo
            Of the scene; its metadata may name the unit of the samples.

        Returns
        -------
        tuple of str
        """
        unit = info.metadata.get("data units")
        unit = f" {unit}" if isinstance(unit, str) and unit else ""
        notes = [
            f"precision {precision_text(self.scaling.scale)}{unit}: samples are rounded to multiples of it"
            + (", strips of whole numbers to whole numbers" if self.whole_doublings else "")
        ]
        for own in self.scaling.bands[:_TOLD]:
            worth = precision_text(self.scaling.scale * 2.0**own.doublings)
            notes.append(
                f"band {own.band} has values of another order than most bands: its precision is {worth}{unit}"
            )
        if len(self.scaling.bands) > _TOLD:
            notes.append(f"so have {len(self.scaling.bands) - _TOLD} other bands")
        for fill in self.fills.values:
            declared = same_value(fill.value, self.no_data)
            notes.append(
                f"fill value {fill}, which nobody declared: such samples are kept exactly"
                + (", as no data (--no-data none takes them for data)" if declared else "")
            )
        if self.fills.bands:
            notes.append(f"fill values of single bands: {self.fills.texts()[-1]}; they are kept exactly")
        return tuple(notes)


def precision_text(scale: float) -> str:
    """The value of a count with two digits, for people."""
    return f"{abs(scale):.2g}"


def plan_counts(source: SceneSource, *, seek_fills: bool = True, headroom: float | None = None) -> CountPlan:
    """Find how the samples of a scene become counts.

    One scale serves all bands, so that an error of a count is the same everywhere and bits go where the
    signal is; a band of another order of values has a scale of its own.

    Parameters
    ----------
    source : SceneSource
        The scene. Where it declares a scaling, that is kept, and no fill values are looked for.
    seek_fills : bool
        Whether to look for fill values that nobody declared.
    headroom : float, optional
        Share of the range that is added on either side for what was not seen. By default `UNSEEN` of a scene
        of which only a part was looked at, else nothing.

    Returns
    -------
    CountPlan
    """
    info = source.info
    block, complete = sampled_lines(source)
    present = ~no_data_mask(block, info.no_data)
    fills = FoundFills.of(block, present) if seek_fills and info.scaling is None else FoundFills()
    present &= ~fills.mask(block)
    found = value_range(block, present, complete=complete)
    bounds = found.bounds or (0.0, 0.0)
    if info.scaling is not None:
        rounding = _rounding(block, present, info.scaling)
        return CountPlan(info.scaling, info.no_data, _peak(bounds, info.scaling), rounding)
    room = headroom if headroom is not None else 0.0 if complete else UNSEEN
    whole = info.dtype.kind in "iu" or (found.integral and bounds[1] - bounds[0] >= _LEAST_INTEGERS)
    scale, offset = _scale(bounds, room, whole=whole, must=info.dtype.kind in "iu")
    if whole and headroom is not None and info.dtype.kind == "f":
        # Lines that are not known yet may have fractions.
        scale = min(scale, _power_of_two(max(bounds[1] - bounds[0], 1.0) * (1 + 2 * room) / COUNTS))
    scaling = Scaling(scale, offset, bands=_own_scalings(found, scale))
    declared = info.no_data
    no_data = fills.values[0].value if declared is None and fills.values else declared
    return CountPlan(scaling, no_data, _peak(bounds, scaling), _rounding(block, present, scaling), fills)


def doublings_for(source: SceneSource, plan: CountPlan) -> int:
    """How much coarser the counts of some lines must be for their ordinary values to have one.

    Parameters
    ----------
    source : SceneSource
        The lines.
    plan : CountPlan
        How the others become counts.

    Returns
    -------
    int
        Doublings of the scale; 0 where they have the range of the others.
    """
    block, _ = sampled_lines(source)
    present = ~no_data_mask(block, plan.no_data) & ~plan.fills.mask(block)
    # Some are only in lines behind the first ones.
    present &= ~FoundFills.of(block, present).mask(block)
    found = value_range(block, present)
    most = 0
    scaling = plan.scaling
    limit = np.iinfo(np.dtype(scaling.counts).name).max
    for band, (low, high) in enumerate(zip(found.low.tolist(), found.high.tolist(), strict=True)):
        # A band of one value is kept exactly for a few bytes.
        if found.wild[band] or math.isnan(low) or low == high:
            continue
        scale, offset = scaling.of_band(band)
        away = max(high / 2 - offset / 2, offset / 2 - low / 2) / (abs(scale) * limit / 2)
        most = max(most, _octaves(away))
    return most


def _scale(bounds: tuple[float, float], room: float, *, whole: bool, must: bool) -> tuple[float, float]:
    """Value of one count, and of count 0, for values between bounds."""
    low, high = bounds
    # Halves: the range of float64 may exceed float64.
    half = high / 2 - low / 2
    wide = half * (1 + 2 * room)
    middle = low / 2 + high / 2
    if whole and 2 * half <= COUNTS:
        return 1.0, float(math.floor(middle))
    scale = max(wide / (COUNTS / 2), 5e-324)
    if not math.isfinite(scale):
        scale = half / (COUNTS / 2)
    if must:
        return float(math.ceil(scale)), float(math.floor(middle))
    if half == 0:
        return 1.0, middle
    # Zero is a count, if it is within the range: masks and dark samples stay exact.
    steps = middle / scale
    return scale, float(np.rint(steps)) * scale if abs(steps) < 2**52 else middle


def _own_scalings(found: ValueRange, scale: float) -> tuple[BandScaling, ...]:
    """Scalings of wild bands: so coarse that they vary by no more counts than the others do."""
    own = []
    usual = float(np.nanmax(found.spread[~found.wild], initial=0.0))
    for band in np.flatnonzero(found.wild).tolist():
        low, high = float(found.low[band]), float(found.high[band])
        octaves = _octaves((high / 2 - low / 2) / (scale * (COUNTS / 2)))
        if usual > 0:
            octaves = max(octaves, _octaves(float(found.spread[band]) / usual))
        own.append(BandScaling(band, min(octaves, MOST_DOUBLINGS), low / 2 + high / 2))
    return tuple(own)


def _octaves(ratio: float) -> int:
    """The least power of two that is not below a ratio, 1 at least."""
    if not ratio > 1:
        return 0
    if not math.isfinite(ratio):
        return MOST_DOUBLINGS
    fraction, exponent = math.frexp(ratio)
    return min(exponent - (fraction == 0.5), MOST_DOUBLINGS)


def _power_of_two(least: float) -> float:
    """The least power of two that is not below a number."""
    fraction, exponent = math.frexp(least)
    return math.ldexp(1.0, exponent - (fraction == 0.5))


def _peak(bounds: tuple[float, float], scaling: Scaling) -> float:
    """Range of values in counts; 1 where there is none."""
    spread = (bounds[1] / 2 - bounds[0] / 2) / abs(scaling.scale) * 2
    return spread if 0 < spread < math.inf else 1.0


def _rounding(block: NDArray[Any], present: NDArray[np.bool_], scaling: Scaling) -> float:
    """Mean squared error of samples as counts, in counts squared; 0 where there are none."""
    limits = np.iinfo(np.dtype(scaling.counts).name)
    stride = max(block[0].size * len(block) // _ROUNDED, 1)
    squares: list[float] = []
    for band, (plane, mask) in enumerate(zip(block, present, strict=True)):
        scale, offset = scaling.of_band(band)
        values = plane[mask & np.isfinite(plane)][::stride].astype(np.float64)
        # Doubles far outside may be infinitely many counts away.
        with np.errstate(over="ignore"):
            counts = (values - offset) / scale
        counts = counts[(counts >= limits.min) & (counts <= limits.max)]
        error = counts - np.rint(counts)
        squares += (error * error).tolist()
    # Sums must not depend on their order.
    return math.fsum(squares) / len(squares) if squares else 0.0


def bounds_of(scaling: Scaling, first_band: int, count: int) -> NDArray[np.float64]:
    """Least and greatest value of each band that has a count.

    Parameters
    ----------
    scaling : Scaling
        What counts are worth.
    first_band, count : int
        Which bands.

    Returns
    -------
    ndarray of float64, shape (count, 4)
        Least and greatest value, scale and offset of each band.
    """
    limits = np.iinfo(np.dtype(scaling.counts).name)
    found = np.empty((count, 4))
    for number in range(count):
        scale, offset = scaling.of_band(first_band + number)
        ends = sorted((offset + limits.min * scale, offset + limits.max * scale))
        found[number] = *ends, scale, offset
    return found
