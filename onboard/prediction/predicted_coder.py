"""Predicted bands with a trained model: the network sees what prediction leaves of each band."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import PREDICTED, STEP_UNIT, PackageReference
from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.segments.packed_levels import PackedLevels
from bandfold.bitstream.segments.predicted_codec import LATENT_UNIT, PredictedCodec
from bandfold.bitstream.segments.segment import Segment, encode_segment
from bandfold.bitstream.transforms.band_prediction import SAMPLE_UNIT, Prediction
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.lapped_synthesis import POINT_UNIT
from bandfold.bitstream.transforms.predicted_bands import PredictedBands, slots_of
from bandfold.common.scene import BLOCK, CHANNELS, SceneInfo, block_rows
from bandfold.common.strip_memory import StripMemory
from bandfold.common.workers import ALONE, ObjectPool, Workers
from bandfold.onboard.coding.strip_coder import CodedStrip
from bandfold.onboard.coding.verification import band_fault
from bandfold.onboard.planning.plan import Basis, basis_sections
from bandfold.onboard.quantisation.rdoq import HELD, ComponentQuantiser
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER
from bandfold.onboard.samples.samples import Samples, Uncounted

from .band_importance import WatchedBand
from .innovation_network import InnovationNetwork, OpenNetworks
from .innovations import LARGEST_INPUT, network_scale, squared_error, without_error
from .predicted_planner import usual_hierarchy
from .prediction_loop import PredictionLoop
from .prediction_weights import told_shift

MOST_PASSES = 8
"""Times that a band goes through the network, at most: once, unless it leaves the range of 8 bits."""

OCTAVES_COARSER, OCTAVES_FINER = 3, 5
"""What the unit of the network grows by where latents are out of range, and falls by where none was."""


@dataclass(frozen=True)
class StripSamples:
    """A strip as it is coded.

    Parameters
    ----------
    counts : ndarray of integers, shape (bands, lines, samples)
        Without gaps.
    uncounted : Uncounted
        Samples without data, and those that are kept exactly.
    """

    counts: NDArray[Any]
    uncounted: Uncounted


@dataclass(frozen=True)
class StripTools:
    """What one strip at a time works with.

    Parameters
    ----------
    memory : StripMemory
        Large arrays.
    networks : OpenNetworks
        The networks of the model.
    """

    memory: StripMemory
    networks: OpenNetworks


class PredictedStripCoder:
    """Codes strips band by band, each predicted from bands before it.

    Parameters
    ----------
    fold : Fold
        Band means, intervals, their engines, and the order of coding.
    network : InnovationNetwork
        Networks, basis functions and contexts of the model.
    tables : Tables
        Entropy tables, with those of the model for single bands.
    memory : ObjectPool of StripMemory, optional
        Arrays that strips take one after the other; without, each strip has its own.

    Attributes
    ----------
    watch : callable or None
        If set, called for each band with its number in the order of coding, and with the band as it was
        coded; its arrays are overwritten later. What models are trained on, and what steps follow from.
    """

    def __init__(
        self,
        fold: Fold,
        network: InnovationNetwork,
        tables: Tables,
        memory: ObjectPool[StripMemory] | None = None,
    ) -> None:
        self._memory = memory or ObjectPool(StripMemory)
        self._fold = fold
        self._network = network
        self._codec = network.codec
        self._tables = tables
        self._mode = tables.modes["banded"]
        self._points = self._codec.points
        self.watch: Callable[[int, WatchedBand], None] | None = None

    @property
    def latents_per_pixel(self) -> float:
        """What is kept of a pixel: its samples, which take half as much as latents."""
        return 0.5 * self._fold.bands

    def analyse(self, samples: Samples, lines: slice, memory: StripMemory | None = None) -> StripSamples:
        """Read the strip: what is predicted from what depends on the step."""
        counts = samples.read(slice(0, self._fold.bands), lines)
        # Bands are looked at one by one: lines may lie apart, as they do in many files, but not samples.
        if counts.strides[-1] != counts.itemsize:
            counts = np.ascontiguousarray(counts)
        return StripSamples(counts, samples.uncounted(lines))

    def code(
        self,
        analysed: StripSamples,
        place: SegmentHeader,
        step: float,
        *,
        errors: bool,
        memory: StripMemory | None = None,
    ) -> CodedStrip:
        """Code one strip; see `StripCoder.code`. The error is always that of the decoded counts."""
        with self._memory.lent() as own, self._network.lent() as networks:
            return self._code(analysed, place, step, StripTools(own, networks))

    def _code(
        self,
        analysed: StripSamples,
        place: SegmentHeader,
        step: float,
        tools: StripTools,
    ) -> CodedStrip:
        bands, height, width = analysed.counts.shape
        positions = block_rows(height), block_rows(width)
        step_code = round(step * STEP_UNIT)
        memory = tools.memory
        strip = PredictedBands(
            self._fold, self._codec.kernels, self._points, step_code, positions, forget=True, memory=memory
        )
        quantiser = ComponentQuantiser(self._mode, positions, LAGRANGE_MULTIPLIER)
        packed = PackedLevels((bands, *positions), memory)
        shift = told_shift(min(map(strip.step_code, strip.order)) / STEP_UNIT)
        loop = PredictionLoop(strip, quantiser, self._codec, analysed.counts, shift)
        predictions, total, fault = [], 0, ""
        mask = analysed.uncounted.mask
        for number, one in enumerate(strip.order):
            prediction, error = self._code_band(loop, number, tools.networks)
            if number % HELD == HELD - 1 or number == bands - 1:
                some = slice(0, number % HELD + 1)
                packed.add(quantiser.levels[:, some], quantiser.classes[:, some])
            predictions.append(prediction)
            own_step = strip.step_code(one) / STEP_UNIT
            fault = fault or band_fault(error, height * width, own_step, one.band)
            if mask is not None and mask[one.band].any():
                plane, limits = loop.plane(number), loop.range_of_counts
                target = without_error(plane, loop.target, mask[one.band], *limits)
                error = squared_error(plane, target, height, width, *limits)
            total += error
        # Levels are all that is needed from here on.
        del loop, strip
        memory.give_back("planes")
        nothing = slice(0, 0)
        segment = Segment(
            quantiser.levels[:, nothing],
            quantiser.classes[:, nothing],
            absent=analysed.uncounted.absent,
            escapes=analysed.uncounted.escapes,
            shape=analysed.uncounted.shape,
            predictions=tuple(predictions),
            shift=shift,
        )
        payload = encode_segment(
            place,
            segment,
            self._tables,
            spectral=False,
            rotations=0,
            step_code=step_code,
            packed=packed,
        ).pack()
        counted = bands * height * width - (0 if mask is None else int(mask.sum()))
        return CodedStrip(payload, float(total), counted, final=True, fault=fault)

    def _code_band(self, loop: PredictionLoop, number: int, networks: OpenNetworks) -> tuple[Prediction, int]:
        """Code a band until all of it was within the range of 8 bits: its prediction, its squared error."""
        one = loop.strip.order[number]
        engine = loop.strip.engine(one)
        prediction, cut = loop.predict(number)
        plane, shift, error = loop.prediction, 0, 0
        for turn in range(MOST_PASSES):
            if turn:
                plane = loop.plane(number)
                loop.latents[:] = self._values(*loop.quantiser.component(number))
                cut = loop.show(number, plane, shift)
            if cut:
                shift = _shift(loop.target, plane, network_scale(loop.strip.step_code(one)))
                loop.show(number, plane, shift)
            saturated, error = loop.code(number, networks.analyse(loop.inputs, engine), shift)
            if not saturated and not shift:
                break
            # Coarser where latents are out of range, then finer again, until all is as fine as can be. After
            # `MOST_PASSES` of them the shift is 45 at most.
            shift = shift + OCTAVES_COARSER if saturated else max(shift - OCTAVES_FINER, 0)
        if self.watch is not None:
            unit = STEP_UNIT / (SAMPLE_UNIT * loop.strip.step_code(one))
            left = (loop.target * SAMPLE_UNIT - loop.prediction).astype(np.float64) * unit
            levels, classes = loop.quantiser.component(number)
            self.watch(number, WatchedBand(prediction, left, loop.latents, levels, classes))
        return prediction, error

    def _values(self, levels: NDArray[np.int32], classes: NDArray[np.uint8]) -> NDArray[np.int32]:
        """What levels stand for, as latents."""
        # Levels have up to 24 bits at the smallest step, and points 8 bits more.
        magnitudes = np.abs(levels.astype(np.int64))
        below = self._points[classes, np.clip(magnitudes - 1, 0, 2)]
        values = np.where(levels == 0, 0, np.sign(levels) * (magnitudes * POINT_UNIT - below))
        return (values // (POINT_UNIT // LATENT_UNIT)).astype(np.int32)


def _shift(target: NDArray[np.int32], plane: NDArray[np.int32], scale: float) -> int:
    """Octaves by which what is left exceeds the range of the network."""
    largest = float(np.abs(target * SAMPLE_UNIT - plane).max()) * scale
    return max(math.frexp(largest / (LARGEST_INPUT + 0.5))[1], 0)


class PredictedMethod:
    """Predicted bands through the networks of a model.

    Parameters
    ----------
    network : InnovationNetwork
        Networks, basis functions and contexts of the model.
    tables : Tables
        Entropy tables of the format.
    workers : Workers
        Threads that code strips side by side.
    """

    transform = PREDICTED
    trims = True
    saturates = False
    lines_together = BLOCK

    def __init__(self, network: InnovationNetwork, tables: Tables, workers: Workers = ALONE) -> None:
        self.workers = workers
        self.model = PackageReference(network.codec.name, network.codec.identity)
        self._network = network
        self._tables = network.codec.tables(tables)
        self._memory = ObjectPool(StripMemory)

    @property
    def codec(self) -> PredictedCodec:
        """The model."""
        return self._network.codec

    @property
    def engines(self) -> tuple[str, ...]:
        """What ran its network so far."""
        return tuple(self._network.used)

    def trial_height(self, lines: int, strip_lines: int) -> int:
        """As in the whole scene."""
        return strip_lines

    def reserve(self, info: SceneInfo) -> None:
        """Take memory that all strips use from now on; then trials of parts of one need none beside it.

        Parameters
        ----------
        info : SceneInfo
            Bands, lines and samples of the strip.
        """
        positions = block_rows(info.lines), block_rows(info.samples)
        planes = max(slots_of(usual_hierarchy(info.bands).bands(info.bands))) + 1
        with self._memory.lent() as memory:
            PackedLevels((info.bands, *positions), memory)
            memory.reserve("planes", (planes, positions[0] * positions[1] * CHANNELS), np.int32)

    def side_bytes(self, basis: Basis) -> int:
        """Bytes of the section that tells a basis."""
        return len(basis_sections((basis,), self._tables))

    def coder(self, basis: Basis, step: float) -> PredictedStripCoder:
        """See `bandfold.onboard.coding.strip_coder.Method.coder`."""
        return PredictedStripCoder(basis.fold, self._network, self._tables, self._memory)
