"""Contexts: how large a sample is expected to be, from the magnitudes that are known around it.

A band is coded line by line, so that the lines above and the bands before are known. Magnitudes are
normalised to the means of their bands (`bandfold.bitstream.refinement.scales`). The features of a sample are,
in the order of their weights:

0. a constant, the mean;
1. the sample above;
2. the sum of those above on the left and on the right;
3. the sample two above;
4. the same sample one band before;
5. the sum over 3 x 3 samples around it one band before;
6. the same sample two bands before;
7. a running average down the lines, summed over 7 columns, in sixteenths;
8. the sum over 5 x 5 samples around it one band before.

Beyond the edges samples are those at the edge, and above the first line lies the band before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.common.kernels import compiled

from .scales import CLASSES, FIRST_CLASS, LARGEST, LOGARITHMS, MEAN, RATIOS, raw_bits, weight_group
from .tables import RefinementTables

ABSENT = 255
"""Stands for the class of a sample that is not coded."""

_WEIGHT_BITS = 12
_MEMORY = 3
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


class LineContexts:
    """Classes of the samples of a band, line by line.

    Parameters
    ----------
    tables : RefinementTables
        Weights of the features.
    scale : int
        Of the band.
    previous, before : ndarray of uint8, shape (lines, samples)
        Normalised magnitudes of the bands one and two before.
    """

    def __init__(
        self,
        tables: RefinementTables,
        scale: int,
        previous: NDArray[np.uint8],
        before: NDArray[np.uint8],
    ) -> None:
        self.shift = raw_bits(scale)
        self.scale = scale - 8 * self.shift
        self.inverse = int(tables.structure.arrays["inverse"][self.scale])
        self.weights = tables.weights[weight_group(self.scale)].tolist()
        last = previous.astype(np.int32)
        constant, _, _, _, same, near, older, _, far = self.weights
        self.fixed = constant * MEAN + same * last + near * box(last, 1) + far * box(last, 2)
        self.fixed += older * before.astype(np.int32)
        self.up = self.up2 = last[0]
        self.running = np.full(last.shape[1], MEAN << 4, dtype=np.int32)

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
        sides = np.pad(self.up, 1, mode="edge")
        around = np.pad(self.running, _WIDE, mode="edge")
        wide = sum(around[shift : shift + len(self.up)] for shift in range(2 * _WIDE + 1))
        _, above, beside, twice, _, _, _, running, _ = self.weights
        value = self.fixed[line] + above * self.up + beside * (sides[:-2] + sides[2:])
        value = (value + twice * self.up2 + running * wide) >> _WEIGHT_BITS
        scales = self.scale + LOGARITHMS[np.clip(value, 0, RATIOS - 1)]
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
        self.up2, self.up = self.up, found
        self.running = self.running + (((found << 4) - self.running) >> _MEMORY)
        return found.astype(np.uint8)


def band_classes(
    tables: RefinementTables,
    scale: int,
    numbers: NDArray[np.int32],
    absent: NDArray[np.uint8] | None,
    previous: NDArray[np.uint8],
    before: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Classes of a band that is known, as the encoder needs them.

    Parameters
    ----------
    tables : RefinementTables
        Weights of the features.
    scale : int
        Of the band; negative where nothing is coded of it.
    numbers : ndarray of int32, shape (lines, samples)
        What is coded.
    absent : ndarray of uint8, shape (lines, samples), or None
        Not 0 where a sample is not coded.
    previous, before : ndarray of uint8, shape (lines, samples)
        Normalised magnitudes of the bands one and two before.

    Returns
    -------
    own : ndarray of uint8, shape (lines, samples)
        Normalised magnitudes.
    classes : ndarray of uint8, shape (lines, samples)
        `ABSENT` where samples are not coded.
    """
    own, classes = np.full_like(previous, MEAN), np.full_like(previous, ABSENT)
    if scale >= 0:
        _band_classes(tables, scale, numbers, absent, previous, before, own, classes)
    return own, classes


@compiled(
    "bf_refinement_classes(tables: bf_refinement, scale: int32, numbers: int32[lines, samples],"
    " absent: uint8[lines, samples] | None, previous: uint8[lines, samples], before: uint8[lines, samples],"
    " lines: int32, samples: int32, own: out(uint8[lines, samples]), classes: out(uint8[lines, samples]),"
    " scratch: out(int32[5 * (samples + 16)]))"
)
def _band_classes(
    tables: RefinementTables,
    scale: int,
    numbers: NDArray[np.int32],
    absent: NDArray[np.uint8] | None,
    previous: NDArray[np.uint8],
    before: NDArray[np.uint8],
    own: NDArray[np.uint8],
    classes: NDArray[np.uint8],
) -> None:
    contexts = LineContexts(tables, scale, previous, before)
    for line in range(len(numbers)):
        gone = None if absent is None else absent[line] != 0
        classes[line] = contexts.classes(line)
        if gone is not None:
            classes[line][gone] = ABSENT
        own[line] = contexts.learn(np.abs(numbers[line].astype(np.int64) >> contexts.shift), gone)
