"""Blocks in, the bits of a segment out (sections 4.3 to 4.5 of CCSDS 122.0-B-2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bits import Bits, to_bits
from .blocks import CHILDREN, FAMILIES, GRANDCHILDREN, PARENTS
from .depths import bit_lengths, dc_depth, dc_quantiser
from .differences import GAGGLE, code_differences
from .header import Limits
from .words import CODES, FAMILIES_WORD, FOURS_WORD, LENGTHS, OPTION_BITS, OPTIONS, PLAIN, RAW, SIZES

_Depths = NDArray[np.int64]
"""Bits of magnitudes: a coefficient, or a set of them, is first significant in the plane below."""


@dataclass(frozen=True)
class _Words:
    """Words of some blocks in one stage, in the order of writing: arrays of shape (blocks, words).

    A word that is not there has no bits.
    """

    values: NDArray[np.int64]
    sizes: NDArray[np.int64]
    kinds: tuple[int, ...]


class SegmentEncoder:
    """Codes the blocks of one segment.

    Parameters
    ----------
    blocks : ndarray of int64, shape (blocks, 64)
        Coefficients with their weights.
    shifts : ndarray of int64, shape (64,)
        Weights, as `bandfold.benchmarks.ccsds122.blocks.column_shifts` finds them.

    Attributes
    ----------
    dc_depth, ac_depth : int
        What the header tells.
    """

    def __init__(self, blocks: NDArray[np.int64], shifts: NDArray[np.int64]) -> None:
        self._dc = blocks[:, 0]
        self._negative = blocks[:, 1:] < 0
        self._magnitudes = np.abs(blocks[:, 1:])
        self._shift, self._shifts = int(shifts[0]), shifts[1:]
        self._depths = bit_lengths(self._magnitudes)
        self._block_depths = self._depths.max(axis=1)
        self.dc_depth, self.ac_depth = dc_depth(self._dc), int(self._block_depths.max())
        self._quantiser = dc_quantiser(self.dc_depth, self.ac_depth, self._shift)
        # Of sets: all descendants by family, grandchildren by family, fours of grandchildren.
        fours = _columns(self._depths, GRANDCHILDREN).reshape(-1, FAMILIES, 4, 4).max(axis=3)
        children = _columns(self._depths, CHILDREN).reshape(-1, FAMILIES, 4).max(axis=2)
        self._fours, self._grandchildren = fours, fours.max(axis=2)
        self._descendants = np.maximum(children, self._grandchildren)

    def parts(self, limits: Limits) -> Iterator[Bits]:
        """Code the segment, part after part, so that a caller can stop when the rate is met.

        Parameters
        ----------
        limits : Limits
            Where it ends; that of its bytes is left to the caller.

        Yields
        ------
        ndarray of uint8
            Bits: of DC coefficients, of bit depths, of each stage of each bit plane.
        """
        yield self._first_dc_bits()
        for plane in range(self._quantiser - 1, max(self.ac_depth, self._shift) - 1, -1):
            yield self._dc_bits(plane)
        if limits.dc_only:
            return
        yield self._block_depth_bits()
        for plane in range(self.ac_depth - 1, limits.plane - 1, -1):
            if self._shift <= plane < self._quantiser:
                yield self._dc_bits(plane)
            last = limits.stage if plane == limits.plane else 4
            yield from self._coded_stages(plane)[:last]
            if last == 4:
                yield self._refinement(plane)

    def _first_dc_bits(self) -> Bits:
        values = self._dc >> self._quantiser
        width = max(self.dc_depth - self._quantiser, 1)
        if width == 1:
            return to_bits(values, np.ones(len(values), np.int64))
        return code_differences(values, width, signed=True)

    def _dc_bits(self, plane: int) -> Bits:
        return ((self._dc >> plane) & 1).astype(np.uint8)

    def _block_depth_bits(self) -> Bits:
        width = self.ac_depth.bit_length()
        if width < 2:
            return to_bits(self._block_depths, np.full(len(self._block_depths), width))
        return code_differences(self._block_depths, width, signed=False)

    def _coded_stages(self, plane: int) -> list[Bits]:
        """Parents, children and grandchildren that become significant: stages 1 to 3.

        All stages of a gaggle use the same codes, so they are made together.
        """
        live = np.flatnonzero(self._block_depths > plane)
        stages = [
            self._parents(plane, live),
            self._children(plane, live),
            self._grandchildren_words(plane, live),
        ]
        values = np.concatenate([words.values.ravel() for words in stages])
        sizes = np.concatenate([words.sizes.ravel() for words in stages])
        kinds = np.concatenate([np.tile(words.kinds, len(live)) for words in stages])
        gaggles = np.concatenate([np.repeat(live // GAGGLE, words.values.shape[1]) for words in stages])
        ends = np.cumsum([words.values.size for words in stages])
        stage = np.searchsorted(ends, np.arange(len(values)), side="right")
        there = np.flatnonzero(sizes)
        values, sizes, kinds, gaggles, stage = (
            array[there] for array in (values, sizes, kinds, gaggles, stage)
        )
        options = np.zeros(len(values), np.int64)
        places, names, widths = [], [], []
        for size in SIZES:
            chosen = np.flatnonzero((sizes == size) & (kinds != RAW))
            if not len(chosen):
                continue
            own, first = np.unique(gaggles[chosen], return_index=True)
            count = int(own[-1]) + 1
            costs = [
                np.bincount(gaggles[chosen], LENGTHS[size, kinds[chosen], option, values[chosen]], count)
                for option in OPTIONS[size]
            ]
            best = np.array(OPTIONS[size])[np.argmin(costs, axis=0)]
            options[chosen] = best[gaggles[chosen]]
            # The name of the code stands before the first word of the gaggle that uses it.
            places.append(chosen[first])
            names.append(best[own])
            widths.append(np.full(len(own), OPTION_BITS[size]))
        codes = CODES[sizes, kinds, options, values]
        lengths = LENGTHS[sizes, kinds, options, values]
        if places:
            where = np.concatenate(places)
            codes = np.insert(codes, where, np.concatenate(names))
            lengths = np.insert(lengths, where, np.concatenate(widths))
            stage = np.insert(stage, where, stage[where])
        return [to_bits(codes[stage == number], lengths[stage == number]) for number in range(len(stages))]

    def _types(self, plane: int, live: NDArray[np.int64], columns: slice) -> tuple[NDArray[np.bool_], ...]:
        """Which coefficients may become significant in a plane, which do, and which are negative."""
        own = slice(columns.start - 1, columns.stop - 1)
        depths = self._depths[live, own]
        waiting = (depths <= plane + 1) & (self._shifts[own] <= plane)
        return waiting, depths == plane + 1, self._negative[live, own]

    def _parents(self, plane: int, live: NDArray[np.int64]) -> _Words:
        waiting, new, negative = self._types(plane, live, PARENTS)
        words = [_word(waiting, new), _word(waiting & new, negative)]
        return _words(words, (PLAIN, RAW))

    def _children(self, plane: int, live: NDArray[np.int64]) -> _Words:
        waiting, new, negative = self._types(plane, live, CHILDREN)
        seen = self._seen_sets(plane)
        block, descendants = self._descendants[live].max(axis=1), self._descendants[live]
        words = [_word((seen.any() & (block <= plane + 1))[:, None], (block > plane)[:, None])]
        significant = (block > plane)[:, None]
        words.append(_word(significant & (descendants <= plane + 1) & seen, descendants > plane))
        for family in range(FAMILIES):
            own = slice(4 * family, 4 * family + 4)
            asked = waiting[:, own] & (descendants[:, family] > plane)[:, None]
            words += [_word(asked, new[:, own]), _word(asked & new[:, own], negative[:, own])]
        return _words(words, (RAW, FAMILIES_WORD, *(PLAIN, RAW) * FAMILIES))

    def _grandchildren_words(self, plane: int, live: NDArray[np.int64]) -> _Words:
        waiting, new, negative = self._types(plane, live, GRANDCHILDREN)
        seen = self._shifts[GRANDCHILDREN.start - 1 :: 16] <= plane
        descendants, whole, fours = self._descendants[live], self._grandchildren[live], self._fours[live]
        words = [_word((descendants > plane) & (whole <= plane + 1) & seen, whole > plane)]
        for family in range(FAMILIES):
            asked = (whole[:, family, None] > plane) & (fours[:, family] <= plane + 1) & seen[family]
            words.append(_word(asked, fours[:, family] > plane))
        for number in range(4 * FAMILIES):
            own = slice(4 * number, 4 * number + 4)
            asked = waiting[:, own] & (fours.reshape(-1, 4 * FAMILIES)[:, number] > plane)[:, None]
            words += [_word(asked, new[:, own]), _word(asked & new[:, own], negative[:, own])]
        return _words(words, (PLAIN, *(FOURS_WORD,) * FAMILIES, *(FOURS_WORD, RAW) * 4 * FAMILIES))

    def _seen_sets(self, plane: int) -> NDArray[np.bool_]:
        """Families with a descendant whose subband reaches down to a plane."""
        return family_shifts(self._shifts) <= plane

    def _refinement(self, plane: int) -> Bits:
        """Bits of coefficients that are significant already: stage 4."""
        chosen = (self._depths > plane + 1) & (self._shifts <= plane)
        return ((self._magnitudes[chosen] >> plane) & 1).astype(np.uint8)


def family_shifts(shifts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the least weight among the descendants of each family.

    Parameters
    ----------
    shifts : ndarray of int64, shape (63,)
        Of the columns of a block but the first one.

    Returns
    -------
    ndarray of int64, shape (3,)
        Powers of two.
    """
    children = shifts[CHILDREN.start - 1 : CHILDREN.stop - 1 : 4]
    grandchildren = shifts[GRANDCHILDREN.start - 1 :: 16]
    return np.minimum(children, grandchildren)


def _columns(values: NDArray[np.int64], columns: slice) -> NDArray[np.int64]:
    """Columns of an array that lacks the first one."""
    return values[:, columns.start - 1 : columns.stop - 1]


def _word(asked: NDArray[np.bool_], bits: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Put the bits that are asked for side by side: the word, and how many they are."""
    word = np.zeros(len(asked), np.int64)
    for one, bit in zip(asked.T, bits.T, strict=True):
        word = np.where(one, 2 * word + bit, word)
    return word, asked.sum(axis=1)


def _words(words: list[tuple[NDArray[np.int64], NDArray[np.int64]]], kinds: tuple[int, ...]) -> _Words:
    values, sizes = (np.stack(arrays, axis=1) for arrays in zip(*words, strict=True))
    return _Words(values, sizes, kinds)
