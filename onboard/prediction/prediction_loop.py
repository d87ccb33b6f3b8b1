"""The closed loop of predicted bands: what happens to a band before and behind the network, in one call each.

A band takes well under a millisecond. Were it made up of many short calls, threads that code strips side by
side would wait for each other at each of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.segments.predicted_codec import LATENT_UNIT, PredictedCodec
from bandfold.bitstream.transforms.band_order import MOST_REFERENCES
from bandfold.bitstream.transforms.band_prediction import Prediction
from bandfold.bitstream.transforms.predicted_bands import PredictedBands
from bandfold.common.kernels import Structure, compiled, structure
from bandfold.common.scene import BLOCK, CHANNELS, pad_to_blocks
from bandfold.onboard.quantisation.rdoq import ComponentQuantiser

from .innovations import add_latents, innovations, network_scale, squared_error
from .prediction_weights import best_prediction, told_cost

_WEIGHTS, _ERROR = slice(2, 2 + MOST_REFERENCES), 2 + MOST_REFERENCES
"""Where a loop tells weights and squared error of a band; before them are their number and the offset."""


@structure(
    "bf_prediction_loop(network: bf_network, thresholds: float64[*, 17], points: int32[*, 3],"
    " kernels: int32[engines, 64, 24, 24], units: int32[engines, 64],"
    " plane_of: int64[bands], references: int64[bands, 4], reference_counts: int32[bands],"
    " reference_means: int32[bands, 4], means: int32[bands], step_codes: int64[bands],"
    " engine_of: int32[bands],"
    " planes: out(int32[*, pixels]), levels: out(int32[64, 3, rows, columns]),"
    " classes: out(uint8[64, 3, rows, columns]), memory: out(uint8[*]), target: int32[pixels],"
    " prediction: out(int32[pixels]), inputs: out(int8[rows + 2, columns + 2, 64]),"
    " latents: out(int32[64, rows, columns]), sums: out(float64[8 * rows + 16, 8 * columns + 16]),"
    " looked_at: out(float64[101, 256]), found: out(int64[7]), pixels: int64, bands: int32, rows: int32,"
    " columns: int32, lines: int32, samples: int32, low: int32, high: int32, shift: int32, told: float64)"
)
class LoopStructure(Structure):
    """A `PredictionLoop` for C."""


class PredictionLoop:
    """Takes the bands of a strip through prediction, quantisation and reconstruction, in the order of coding.

    Parameters
    ----------
    strip : PredictedBands
        The reconstructed bands, none yet.
    quantiser : ComponentQuantiser
        Which quantises one band after the other.
    codec : PredictedCodec
        The model.
    counts : ndarray of integers, shape (bands, lines, samples)
        What is coded.
    shift : int
        Logarithm of the unit of the first weights, from
        `bandfold.onboard.prediction.prediction_weights.told_shift`.

    Attributes
    ----------
    strip, quantiser, codec, shift
        As given.
    extent : tuple of int
        Lines and samples of the strip.
    range_of_counts : tuple of int
        Least and largest count.
    target : ndarray of int32, shape (8 * rows, 8 * columns)
        Counts of the band that is coded.
    prediction : ndarray of int32, same shape
        In units of 1/16 count.
    inputs : ndarray of int8, shape (rows + 2, columns + 2, 64)
        For the network, see `bandfold.onboard.prediction.innovations.innovations`.
    latents : ndarray of int32, shape (64, rows, columns)
        In units of ``1 / LATENT_UNIT`` of a step.
    memory : ndarray of uint8
        What C knows of the bands before.
    structure : LoopStructure
        The same for C.
    """

    def __init__(
        self,
        strip: PredictedBands,
        quantiser: ComponentQuantiser,
        codec: PredictedCodec,
        counts: NDArray[np.integer],
        shift: int,
    ) -> None:
        self.strip, self.quantiser, self.codec, self.shift = strip, quantiser, codec, shift
        self.extent = counts.shape[1], counts.shape[2]
        limits = np.iinfo(counts.dtype)
        self.range_of_counts = int(limits.min), int(limits.max)
        self.memory = quantiser.memory
        self._counts = counts
        rows, columns = quantiser.levels.shape[2:]
        self.target, self.prediction = np.empty((2, rows * BLOCK, columns * BLOCK), np.int32)
        self.inputs = np.empty((rows + 2, columns + 2, CHANNELS), np.int8)
        self.latents = np.empty((CHANNELS, rows, columns), np.int32)
        self._looked_at = np.empty((101, 256))
        self._found = np.zeros(3 + MOST_REFERENCES, np.int64)
        self.structure = self._structure()

    def predict(self, number: int) -> tuple[Prediction, int]:
        """Take a band, choose how it is predicted, and see what that leaves.

        Parameters
        ----------
        number : int
            In the order of coding; all bands before it were coded.

        Returns
        -------
        prediction : Prediction
            Weights and offset of least cost.
        cut : int
            Samples of what is left that are out of the range of the network.
        """
        self.target[:] = pad_to_blocks(self._counts[self.strip.order[number].band])
        cut = _predict_next(self, number)
        used, offset, *weights = self._found[:_ERROR].tolist()
        return Prediction(tuple(weights[:used]), offset), cut

    def show(self, number: int, plane: NDArray[np.int32], shift: int) -> int:
        """See what a band lacks, in another unit or in a further pass.

        Parameters
        ----------
        number : int
            In the order of coding.
        plane : ndarray of int32, shape (8 * rows, 8 * columns)
            Its prediction, or what was reconstructed of it, in units of 1/16 count.
        shift : int
            Octaves by which the unit of the network is coarser than usual.

        Returns
        -------
        int
            Samples that are out of the range of the network.
        """
        scale = network_scale(self.strip.step_code(self.strip.order[number])) / (1 << shift)
        return innovations(self.target, plane, scale, self.inputs)

    def code(self, number: int, outputs: NDArray[np.int8], shift: int) -> tuple[int, int]:
        """Add what the network gave to the latents of a band, quantise them, and reconstruct the band.

        Parameters
        ----------
        number : int
            In the order of coding.
        outputs : ndarray of int8, shape (rows + 2, columns + 2, 64)
            Of the network.
        shift : int
            Octaves by which its unit is coarser than usual.

        Returns
        -------
        saturated : int
            Outputs at the end of their range.
        error : int
            Sum of squared errors of the band as it will be decoded, in counts squared.
        """
        saturated = _code_next(self, number, outputs, shift)
        return saturated, int(self._found[_ERROR])

    def plane(self, number: int) -> NDArray[np.int32]:
        """A band as it was reconstructed last, shape (8 * rows, 8 * columns), in units of 1/16 count."""
        return self.strip.plane(self.strip.order[number])

    def tell(self, prediction: Prediction) -> None:
        """Set what `predict` returns."""
        self._found[0], self._found[1] = len(prediction.weights), prediction.offset
        self._found[_WEIGHTS] = [*prediction.weights, *(0,) * (MOST_REFERENCES - len(prediction.weights))]

    def tell_error(self, error: int) -> None:
        """Set the error that `code` returns."""
        self._found[_ERROR] = error

    def _structure(self) -> LoopStructure:
        strip, quantiser = self.strip, self.quantiser
        count = len(strip.order)
        references = np.zeros((count, MOST_REFERENCES), np.int64)
        means = np.zeros((count, MOST_REFERENCES), np.int32)
        for number, one in enumerate(strip.order):
            references[number, : len(one.references)] = strip.references(one)
            means[number, : len(one.references)] = strip.means[list(one.references)]
        return LoopStructure(
            network=quantiser.network,
            thresholds=quantiser.thresholds,
            points=strip.points,
            kernels=self.codec.kernels,
            units=self.codec.units,
            plane_of=np.array([strip.place(one) for one in strip.order], np.int64),
            references=references,
            reference_counts=np.array([len(one.references) for one in strip.order], np.int32),
            reference_means=means,
            means=strip.means[[one.band for one in strip.order]],
            step_codes=np.array([strip.step_code(one) for one in strip.order], np.int64),
            engine_of=np.array([strip.engine(one) for one in strip.order], np.int32),
            planes=strip.known(),
            levels=quantiser.levels,
            classes=quantiser.classes,
            memory=self.memory,
            target=self.target.reshape(-1),
            prediction=self.prediction.reshape(-1),
            inputs=self.inputs,
            latents=self.latents,
            sums=strip.sums,
            looked_at=self._looked_at,
            found=self._found,
            lines=self.extent[0],
            samples=self.extent[1],
            low=self.range_of_counts[0],
            high=self.range_of_counts[1],
            shift=self.shift,
            told=told_cost(self.target.size),
        )


@compiled(
    "bf_predict_next(loop: out(bf_prediction_loop), number: int64) -> int64",
    when=lambda loop, **_: loop.memory.size > 0,
)
def _predict_next(loop: PredictionLoop, number: int) -> int:
    one = loop.strip.order[number]
    found = best_prediction(loop.strip, one, loop.target, loop.shift)
    loop.tell(found)
    loop.prediction[:] = loop.strip.predict(one, found)
    loop.latents[:] = 0
    scale = network_scale(loop.strip.step_code(one))
    return innovations(loop.target, loop.prediction, scale, loop.inputs)


@compiled(
    "bf_code_next(loop: out(bf_prediction_loop), number: int64, outputs: int8[*, *, 64], shift: int32)"
    " -> int64",
    when=lambda loop, **_: loop.memory.size > 0,
)
def _code_next(loop: PredictionLoop, number: int, outputs: NDArray[np.int8], shift: int) -> int:
    one = loop.strip.order[number]
    saturated = add_latents(outputs, loop.codec.units[loop.strip.engine(one)], shift, loop.latents)
    loop.quantiser.quantise(number, loop.latents, LATENT_UNIT)
    levels, classes = loop.quantiser.component(number)
    plane = loop.strip.add(one, loop.prediction, levels, classes)
    loop.tell_error(squared_error(plane, loop.target, *loop.extent, *loop.range_of_counts))
    return saturated
