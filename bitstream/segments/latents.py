"""How the quantised latents of a segment are coded: component by component, diagonal by diagonal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.features import DIAGONAL_SLICES, DIAGONALS, Past, Surroundings, magnitudes_of
from bandfold.bitstream.contexts.tables import Mode, Tables
from bandfold.bitstream.contexts.trellis_states import Chains
from bandfold.bitstream.payloads.payload import SIDE_UNIT, PayloadReader, PayloadWriter
from bandfold.common.errors import StreamError
from bandfold.common.geometry import CHANNELS

from .census import Census

EXTENT_MEAN = SIDE_UNIT
"""Expected change of the number of coded diagonals from one component to the next."""


def classify(
    quantised: NDArray[np.integer], mode: Mode, past: Past, second: NDArray[np.uint8] | None = None
) -> tuple[NDArray[np.uint8], Past]:
    """Class of every latent of a run of components, given all the others.

    Parameters
    ----------
    quantised : ndarray, shape (64, components, rows, columns)
        At least one component.
    mode : Mode
    past : Past
        The two components before the first of these.
    second : ndarray of uint8, same shape, optional
        Which latents went through the second of two quantisers.

    Returns
    -------
    classes : ndarray of uint8, same shape
    past : Past
        These components.
    """
    count = quantised.shape[1]
    now = Surroundings(*quantised.shape[1:])
    magnitudes = magnitudes_of(quantised, mode.network.half_steps, second)
    for diagonal in range(DIAGONALS):
        now.learn(diagonal, magnitudes[DIAGONAL_SLICES[diagonal]])
    learnt = now.past()
    run = past.then(learnt)
    last, before = run.part(1, count + 1), run.part(0, count)
    classes = np.empty(quantised.shape, dtype=np.uint8)
    for diagonal in range(DIAGONALS):
        classes[DIAGONAL_SLICES[diagonal]] = mode.network.classify(diagonal, now, last, before)
    return classes, learnt


def write_latents(
    payload: PayloadWriter,
    quantised: NDArray[np.int32],
    classes: NDArray[np.uint8],
    mode: str,
    census: Census,
    before: int = DIAGONALS,
) -> None:
    """Append the latents of some components to a payload.

    Parameters
    ----------
    payload : PayloadWriter
    quantised : ndarray of int32, shape (64, components, rows, columns)
    classes : ndarray of uint8, same shape
        From `classify`.
    mode : str
        One of `bandfold.bitstream.contexts.tables.MODES`.
    census : Census
        Of these components.
    before : int
        Diagonals coded of the component before these; of the first one, all.
    """
    payload.integers(np.diff(census.extents, prepend=before).tolist(), EXTENT_MEAN)
    first = payload.tables.first_table(mode)
    if payload.compiled:
        payload.components(quantised, classes, census, first)
        return
    positions = quantised.shape[2] * quantised.shape[3]
    runs = [(part.stop - part.start) * positions for part in DIAGONAL_SLICES]
    for component, count in enumerate(census.extents.tolist()):
        if count:
            channels = slice(0, DIAGONAL_SLICES[count - 1].stop)
            values = quantised[channels, component].ravel().astype(np.int64)
            tables = classes[channels, component].ravel().astype(np.int16)
            tables += first
            payload.values(values, tables, runs[:count])


class LatentReader:
    """Reads what `write_latents` wrote, some components after the other.

    Parameters
    ----------
    shape : tuple of int
        Components, rows and columns.
    tables : Tables
    mode : str

    Attributes
    ----------
    quantised : ndarray of int32, shape (64, components, rows, columns)
        Zero where nothing was read.
    classes : ndarray of uint8, same shape
    """

    def __init__(self, shape: tuple[int, int, int], tables: Tables, mode: str) -> None:
        self._network, self._first = tables.modes[mode].network, tables.first_table(mode)
        self._chains = Chains(*shape[1:]) if tables.modes[mode].dependent else None
        self._memory: NDArray[np.uint8] | None = None
        self.quantised = np.zeros((CHANNELS, *shape), dtype=np.int32)
        self.classes = np.zeros((CHANNELS, *shape), dtype=np.uint8)
        self._done, self._extent = 0, DIAGONALS
        self._last = self._before = Past.empty(1, *shape[1:])

    def read(self, payload: PayloadReader, components: int) -> None:
        """Read the next components.

        Parameters
        ----------
        payload : PayloadReader
        components : int

        Raises
        ------
        StreamError
            If there are not so many components, or the payload is corrupt.
        """
        if components > self.quantised.shape[1] - self._done:
            raise StreamError("a segment has more components than its fold: it is corrupt")
        changes = payload.integers(components, EXTENT_MEAN)
        coded = self._extent + np.cumsum(np.array(changes, dtype=np.int64))
        if components and (coded.min() < 0 or coded.max() > DIAGONALS):
            raise StreamError("a component has more diagonals than there are: the segment is corrupt")
        if payload.kernels is None:
            for count in coded.tolist():
                self._component(payload, count)
            return
        if self._memory is None:
            self._memory = payload.kernels.memory(*self.quantised.shape[2:])
        payload.components(
            self._network.kernel,
            self._first,
            coded.astype(np.int32),
            self._done,
            self.quantised,
            self.classes,
            None if self._chains is None else self._chains.states,
            self._memory,
        )
        self._done += components
        self._extent = int(coded[-1]) if components else self._extent

    def _component(self, payload: PayloadReader, count: int) -> None:
        rows, columns = self.quantised.shape[2:]
        component, now = self._done, Surroundings(1, rows, columns)
        for diagonal in range(DIAGONALS):
            channels = DIAGONAL_SLICES[diagonal]
            if diagonal < count:
                found = self._network.classify(diagonal, now, self._last, self._before)
                if self._chains is not None:
                    found[:, 0] += self._chains.quantisers(diagonal) * np.uint8(self._network.classes)
                coded = payload.values(found.ravel().astype(np.int16) + self._first)
                if np.abs(coded).max(initial=0) > np.iinfo(np.int32).max:
                    raise StreamError("a latent is out of range: the segment is corrupt")
                self.quantised[channels, component] = coded.reshape(found.shape)[:, 0]
                self.classes[channels, component] = found[:, 0]
            values = self.quantised[channels, component]
            second = None
            if self._chains is not None:
                second = self._chains.quantisers(diagonal)
                self._chains.move(diagonal, values)
            now.learn(diagonal, magnitudes_of(values, self._network.half_steps, second)[:, None])
        self._last, self._before = now.past(), self._last
        self._done, self._extent = component + 1, count
