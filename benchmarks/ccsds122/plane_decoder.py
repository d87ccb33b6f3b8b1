"""Stages 1 to 3 of bit planes, read word by word: which coefficients become significant, and their signs."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import StreamError

from .bits import BitReader, EndOfBitsError
from .blocks import CHILDREN, FAMILIES, GRANDCHILDREN, PARENTS
from .differences import GAGGLE
from .segment_encoder import family_shifts
from .words import FAMILIES_WORD, FOURS_WORD, OPTION_BITS, OPTIONS, PLAIN, READING

_COUNT = [mask.bit_count() for mask in range(16)]
"""Members of a set of up to four, the first one being the highest bit of three or four."""


def _spread() -> list[list[int]]:
    """Members of a set that the bits of a word choose, by set and word."""
    table = [[0] * 16 for _ in range(16)]
    for mask, word in product(range(16), range(16)):
        members = [1 << place for place in (3, 2, 1, 0) if mask >> place & 1]
        bits = range(len(members))[::-1]
        table[mask][word] = sum(member for member, bit in zip(members, bits, strict=True) if word >> bit & 1)
    return table


_SPREAD = _spread()


class PlaneDecoder:
    """Knows which coefficients, and which sets of them, are significant already.

    Parameters
    ----------
    reader : BitReader
        Stands at the first bit plane.
    depths : ndarray of int64, shape (blocks,)
        Bits of the largest magnitude of each block.
    shifts : ndarray of int64, shape (63,)
        Weights of all columns of a block but the first one.
    """

    def __init__(self, reader: BitReader, depths: NDArray[np.int64], shifts: NDArray[np.int64]) -> None:
        count = len(depths)
        self._reader = reader
        self._depths = depths
        self._shifts = shifts
        self._family_shifts = family_shifts(shifts)
        # Sets of what is not significant yet: the members of each group of coefficients, and the groups.
        self._parents = [7] * count
        self._children = [[15] * FAMILIES for _ in range(count)]
        self._grandchildren = [[15] * (4 * FAMILIES) for _ in range(count)]
        self._quiet = [True] * count
        self._families = [7] * count
        self._wholes = [7] * count
        self._fours = [[15] * FAMILIES for _ in range(count)]
        self._options: list[int] = []

    def read(self, plane: int, stages: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Read a bit plane, as far as the bits go.

        Parameters
        ----------
        plane : int
            Number of the plane.
        stages : int
            How many of the three stages are there.

        Returns
        -------
        new, negative : ndarray of bool, shape (blocks, 63)
            Coefficients that become significant, and those of them that are negative.
        """
        live = np.flatnonzero(self._depths > plane).tolist()
        gaggles = -(-len(self._depths) // GAGGLE)
        # What a gaggle uses for words of two, three and four bits: not told yet.
        self._options = [-1] * (5 * gaggles)
        self._found: list[tuple[int, int, int, int]] = []
        seen = self._shifts <= plane
        try:
            for stage in (self._read_parents, self._read_children, self._read_grandchildren)[:stages]:
                stage(live, seen, plane)
        except EndOfBitsError:
            pass
        return self._gathered()

    def _gathered(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        new, negative = np.zeros((2, len(self._depths), 64), np.bool_)
        if self._found:
            block, column, chosen, signs = np.array(self._found).T
            for place in range(4):
                for target, masks in ((new, chosen), (negative, signs)):
                    hit = (masks >> (3 - place)) & 1 == 1
                    target[block[hit], column[hit] + place] = True
        return new[:, :63], negative[:, :63]

    def _word(self, size: int, kind: int, block: int) -> int:
        """Read a word."""
        reader = self._reader
        if size == 1:
            return reader.read(1)
        place = 5 * (block // GAGGLE) + size
        option = self._options[place]
        if option < 0:
            option = self._options[place] = reader.read(OPTION_BITS[size])
            if option not in OPTIONS[size]:
                raise StreamError(
                    f"CCSDS 122 data is damaged: there is no code {option} for words of {size} bits"
                )
        position = reader.position
        word, length = READING[size, kind, option][reader.windows[position]]
        position += length
        if position > reader.count:
            reader.end()
        reader.position = position
        return word

    def _types(self, waiting: int, kind: int, block: int, column: int) -> int:
        """Read which members of a group become significant, and their signs; return those members."""
        new = _SPREAD[waiting][self._word(_COUNT[waiting], kind, block)]
        if new:
            signs = _SPREAD[new][self._reader.read(_COUNT[new])]
            self._found.append((block, column, new, signs))
        return new

    def _read_parents(self, live: list[int], seen: NDArray[np.bool_], _: int) -> None:
        visible = _mask(seen[PARENTS.start - 1 : PARENTS.stop - 1])
        for block in live:
            waiting = self._parents[block] & visible
            if waiting:
                # Three parents: a group of four whose first member is not there.
                self._parents[block] ^= self._types(waiting, PLAIN, block, PARENTS.start - 2)

    def _read_children(self, live: list[int], seen: NDArray[np.bool_], plane: int) -> None:
        families = _mask(self._family_shifts <= plane)
        visible = _groups(seen, CHILDREN)
        first = CHILDREN.start - 1
        for block in live:
            if self._quiet[block]:
                if not families or not self._reader.read(1):
                    continue
                self._quiet[block] = False
            waiting = self._families[block] & families
            if waiting:
                self._families[block] ^= _SPREAD[waiting][self._word(_COUNT[waiting], FAMILIES_WORD, block)]
            loud = ~self._families[block]
            children = self._children[block]
            for family in range(FAMILIES):
                if loud >> (2 - family) & 1:
                    waiting = children[family] & visible[family]
                    if waiting:
                        children[family] ^= self._types(waiting, PLAIN, block, first + 4 * family)

    def _read_grandchildren(self, live: list[int], seen: NDArray[np.bool_], plane: int) -> None:
        visible = _groups(seen, GRANDCHILDREN)
        wholes = _mask(seen[GRANDCHILDREN.start - 1 :: 16])
        first = GRANDCHILDREN.start - 1
        for block in live:
            if self._quiet[block]:
                continue
            waiting = self._wholes[block] & ~self._families[block] & wholes
            if waiting:
                self._wholes[block] ^= _SPREAD[waiting][self._word(_COUNT[waiting], PLAIN, block)]
            loud = ~self._wholes[block] & 7
            if not loud:
                continue
            fours, grandchildren = self._fours[block], self._grandchildren[block]
            for family in range(FAMILIES):
                waiting = fours[family]
                if waiting and loud & wholes & 4 >> family:
                    fours[family] ^= _SPREAD[waiting][self._word(_COUNT[waiting], FOURS_WORD, block)]
            for group in range(4 * FAMILIES):
                if not fours[group // 4] >> (3 - group % 4) & 1:
                    waiting = grandchildren[group] & visible[group]
                    if waiting:
                        grandchildren[group] ^= self._types(waiting, FOURS_WORD, block, first + 4 * group)


def _mask(members: NDArray[np.bool_]) -> int:
    """A set as a number, its first member the highest bit."""
    mask = 0
    for member in members.tolist():
        mask = 2 * mask + member
    return mask


def _groups(seen: NDArray[np.bool_], columns: slice) -> list[int]:
    """Sets of four."""
    return [_mask(seen[start - 1 : start + 3]) for start in range(columns.start, columns.stop, 4)]
