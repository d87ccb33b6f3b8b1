"""Contexts: how large a sample is expected to be, from the magnitudes that are known around it.

A band is coded line by line, so that the lines above and the bands before are known. Magnitudes are
normalised to the means of their bands (`bandfold.bitstream.refinement.scales`). The features of a sample are,
in the order of their weights:

0. a constant, the mean;
1. the sample above;
2. the sum of those above on the left and on the right;
3. the sum over 3 x 3 samples around it one band before;
4. the sum over 5 x 5 samples around it one band before;
5. a running average over the bands before, in sixteenths;
6. the sum of that over 3 x 3 samples;
7. a running average down the lines, summed over 7 columns, in sixteenths.

Beyond the edges samples are those at the edge, and above the first line lies the band before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import Structure, compiled, structure

from .scales import CLASSES, FIRST_CLASS, LARGEST, LOGARITHMS, MEAN, OCTAVE, RATIOS, raw_bits, weight_group
from .tables import RefinementTables

ABSENT = 255
"""Stands for the class of a sample that is not coded."""

AVERAGE_BITS = 4
"""Bits of running averages below those of what is averaged."""

MEMORY = 3
"""Running averages move by ``2**-MEMORY`` of the difference to what is new."""

_WEIGHT_BITS = 12
_WIDE = 3
_CAP = LARGEST + 1


def normalised(magnitudes: NDArray[np.int64], inverse: int) -> NDArray[np.int32]:
    """Magnitudes in units of a sixteenth of the mean of their band.

    Parameters
    ----------
    magnitudes : ndarray of int64
        Without the bits that are written raw.
    inverse : int
        Of the mean, see `bandfold.bitstream.refinement.scales.inverse_scales`.

    Returns
    -------
    ndarray of int32, same shape
        0 to `LARGEST`.
    """
    capped = np.minimum(magnitudes, (_CAP << 16) // inverse + 1)
    result: NDArray[np.int32] = np.minimum((capped * inverse) >> 16, LARGEST).astype(np.int32)
    return result


def box(plane: NDArray[np.int32], reach: int) -> NDArray[np.int32]:
    """Sum over the square of ``2 reach + 1`` samples a side around each, edges repeated."""
    lines, samples = plane.shape
    padded = np.pad(plane, reach, mode="edge")
    rows = np.zeros((lines, samples + 2 * reach), dtype=np.int32)
    result = np.zeros_like(plane)
    for shift in range(2 * reach + 1):
        rows += padded[shift : shift + lines]
    for shift in range(2 * reach + 1):
        result += rows[:, shift : shift + samples]
    return result


@structure(
    "bf_refinement_past(planes: out(uint8[2, lines, samples]), averages: out(uint16[lines, samples]),"
    " scratch: out(int32[6 * (samples + 16)]), lines: int32, samples: int32, current: int32)"
)
class Past(Structure):
    """What is known of the bands before one that is coded, at every pixel.

    Parameters
    ----------
    lines, width : int
        Size of the strip.
    """

    current: int

    def __init__(self, lines: int, width: int) -> None:
        super().__init__(
            planes=np.full((2, lines, width), MEAN, dtype=np.uint8),
            averages=np.full((lines, width), MEAN << AVERAGE_BITS, dtype=np.uint16),
            current=0,
        )

    @property
    def own(self) -> NDArray[np.uint8]:
        """Normalised magnitudes of the band that is coded, shape (lines, samples)."""
        plane: NDArray[np.uint8] = self.arrays["planes"][self.current]
        return plane

    @property
    def last(self) -> NDArray[np.uint8]:
        """Normalised magnitudes of the band before, shape (lines, samples)."""
        plane: NDArray[np.uint8] = self.arrays["planes"][1 - self.current]
        return plane

    @property
    def average(self) -> NDArray[np.uint16]:
        """Running average over all bands before, shape (lines, samples), in ``2**-AVERAGE_BITS``."""
        plane: NDArray[np.uint16] = self.arrays["averages"]
        return plane

    def average_in(self) -> None:
        """Add the band that is coded to the running average."""
        average = self.average.astype(np.int32)
        self.average[:] = average + (((self.own.astype(np.int32) << AVERAGE_BITS) - average) >> MEMORY)

    def swap(self) -> None:
        """Go on with the next band: that which was coded lies before it."""
        self.current = 1 - self.current


class LineContexts:
    """Classes of the samples of a band, line by line.

    Parameters
    ----------
    tables : RefinementTables
        Weights of the features.
    scale : int
        Of the band.
    past : Past
        What is known of the bands before.
    """

    def __init__(self, tables: RefinementTables, scale: int, past: Past) -> None:
        self.shift = raw_bits(scale)
        self.scale = scale - OCTAVE * self.shift
        self.inverse = int(tables.structure.arrays["inverse"][self.scale])
        self.weights = tables.weights[weight_group(self.scale)].tolist()
        last, depth = past.last.astype(np.int32), past.average.astype(np.int32)
        self._planes = box(last, 1), box(last, 2), depth, box(depth, 1)
        self._up = last[0]
        self._running = np.full(last.shape[1], MEAN << AVERAGE_BITS, dtype=np.int32)

    def features(self, line: int) -> list[int | NDArray[np.int32]]:
        """Features of a line, all lines above being known.

        Parameters
        ----------
        line : int
            Its number.

        Returns
        -------
        list of int or ndarray of int32, shape (samples,)
        """
        sides = np.pad(self._up, 1, mode="edge")
        around = np.pad(self._running, _WIDE, mode="edge")
        wide = np.zeros_like(self._up)
        for shift in range(2 * _WIDE + 1):
            wide += around[shift : shift + len(wide)]
        return [MEAN, self._up, sides[:-2] + sides[2:], *(plane[line] for plane in self._planes), wide]

    def classes(self, line: int) -> NDArray[np.uint8]:
        """Classes of a line, all lines above being known.

        Parameters
        ----------
        line : int
            Its number.

        Returns
        -------
        ndarray of uint8, shape (samples,)
        """
        value = np.zeros_like(self._up)
        for weight, feature in zip(self.weights, self.features(line), strict=True):
            value += weight * feature
        scales = self.scale + LOGARITHMS[np.clip(value >> _WEIGHT_BITS, 0, RATIOS - 1)]
        result: NDArray[np.uint8] = np.clip((scales - FIRST_CLASS) >> 1, 0, CLASSES - 1).astype(np.uint8)
        return result

    def learn(self, magnitudes: NDArray[np.int64], absent: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
        """Take in a line, and normalise its magnitudes.

        Parameters
        ----------
        magnitudes : ndarray of int64, shape (samples,)
            Without the bits that are written raw.
        absent : ndarray of bool, shape (samples,), or None
            Samples that are not coded; they count as the mean.

        Returns
        -------
        ndarray of uint8, shape (samples,)
        """
        found = normalised(magnitudes, self.inverse)
        if absent is not None:
            found[absent] = MEAN
        self._up = found
        self._running = self._running + (((found << AVERAGE_BITS) - self._running) >> MEMORY)
        return found.astype(np.uint8)


def band_classes(
    tables: RefinementTables,
    scale: int,
    numbers: NDArray[np.int32],
    absent: NDArray[np.uint8] | None,
    past: Past,
) -> NDArray[np.uint8]:
    """Classes of a band that is known, as the encoder needs them.

    Parameters
    ----------
    tables : RefinementTables
        Weights of the features.
    scale : int
        Of the band.
    numbers : ndarray of int32, shape (lines, samples)
        What is coded.
    absent : ndarray of uint8, shape (lines, samples), or None
        Not 0 where a sample is not coded.
    past : Past
        What is known of the bands before; the band is added.

    Returns
    -------
    ndarray of uint8, shape (lines, samples)
        `ABSENT` where samples are not coded.
    """
    classes = np.empty_like(past.last)
    _band_classes(tables, past, scale, numbers, absent, classes)
    past.swap()
    return classes


@compiled(
    "bf_refinement_classes(tables: bf_refinement, past: bf_refinement_past, scale: int32,"
    " numbers: int32[lines, samples], absent: uint8[lines, samples] | None, lines: int32, samples: int32,"
    " classes: out(uint8[lines, samples]))"
)
def _band_classes(
    tables: RefinementTables,
    past: Past,
    scale: int,
    numbers: NDArray[np.int32],
    absent: NDArray[np.uint8] | None,
    classes: NDArray[np.uint8],
) -> None:
    contexts = LineContexts(tables, scale, past)
    for line in range(len(numbers)):
        gone = None if absent is None else absent[line] != 0
        classes[line] = contexts.classes(line)
        if gone is not None:
            classes[line][gone] = ABSENT
        past.own[line] = contexts.learn(np.abs(numbers[line].astype(np.int64) >> contexts.shift), gone)
    past.average_in()
