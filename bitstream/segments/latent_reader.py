"""How the quantised latents of a segment are read: some components after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import FEW_STATES
from bandfold.bitstream.container.stream_budget import LATENT_WORK
from bandfold.bitstream.contexts.context_network import ContextNetwork
from bandfold.bitstream.contexts.features import DIAGONAL_SLICES, DIAGONALS, Surroundings, magnitudes_of
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.contexts.trellis_states import TRELLISES, Chains
from bandfold.bitstream.entropy.ans import AnsDecoder
from bandfold.bitstream.payloads.payload import PayloadReader, read_values
from bandfold.bitstream.payloads.raw_bits import BitReader
from bandfold.common.errors import StreamError
from bandfold.common.kernels import Structure, compiled, structure
from bandfold.common.scene import CHANNELS

from .latents import EXTENT_MEAN, last_two


@structure(
    "bf_latents(quantised: out(int32[64, components, rows, columns]),"
    " classes: out(uint8[64, components, rows, columns]), states: out(uint8[8, rows, columns]) | None,"
    " memory: out(uint8[bf_memory(rows, columns)]), components: int32, rows: int32, columns: int32,"
    " state_count: int32, done: int32)"
)
class _Strip(Structure):
    """Latents of a strip that are being read.

    Parameters
    ----------
    quantised : ndarray of int32, shape (64, components, rows, columns)
        Written to.
    classes : ndarray of uint8, same shape
        Written to.
    chains : Chains or None
        States of the trellises, where there are two quantisers.
    """

    done: int

    def __init__(
        self, quantised: NDArray[np.int32], classes: NDArray[np.uint8], chains: Chains | None
    ) -> None:
        self.chains = chains
        states = None if chains is None else chains.states
        count = 0 if chains is None else len(chains.trellis)
        super().__init__(quantised=quantised, classes=classes, states=states, state_count=count, done=0)


class LatentReader:
    """Reads what `bandfold.bitstream.segments.latents.write_latents` wrote.

    Parameters
    ----------
    shape : tuple of int
        Components, rows and columns of the segment.
    tables : Tables
        Those that it was written with.
    mode : str
        One of `bandfold.bitstream.contexts.tables.MODES`.
    states : int
        Of the trellis, where the tables are for two quantisers.

    Attributes
    ----------
    quantised : ndarray of int32, shape (64, components, rows, columns)
        Levels; zero where nothing was read.
    classes : ndarray of uint8, same shape
        Class of the table that each was coded with.
    """

    def __init__(
        self, shape: tuple[int, int, int], tables: Tables, mode: str, states: int = FEW_STATES
    ) -> None:
        self._network, self._first = tables.modes[mode].network, tables.first_table(mode)
        self.quantised = np.zeros((CHANNELS, *shape), dtype=np.int32)
        self.classes = np.zeros((CHANNELS, *shape), dtype=np.uint8)
        chains = Chains(TRELLISES[states], *shape[1:]) if tables.modes[mode].dependent else None
        self._strip = _Strip(self.quantised, self.classes, chains)
        self._extent = DIAGONALS

    def read(self, payload: PayloadReader, components: int) -> None:
        """Read the next components.

        Parameters
        ----------
        payload : PayloadReader
            Which goes on with them.
        components : int
            How many.

        Raises
        ------
        StreamError
            If there are not so many components, or the payload is corrupt.
        MemoryLimitError
            If they claim more work than the budget of the payload allows.
        """
        if components > self.quantised.shape[1] - self._strip.done:
            raise StreamError("a segment has more components than its fold: it is corrupt")
        changes = payload.numbers(components, EXTENT_MEAN)
        extents = self._extent + np.cumsum(changes)
        if components and (extents.min() < 0 or extents.max() > DIAGONALS):
            raise StreamError("a component has more diagonals than there are: the segment is corrupt")
        positions = int(np.prod(self.quantised.shape[2:]))
        # Diagonals have 64 / 15 channels each, on average.
        work = LATENT_WORK * CHANNELS * positions * int(extents.sum()) // DIAGONALS
        payload.budget.work(work, "latents")
        failed = _read(self._network, payload.symbols, payload.bits, self._strip, self._first, extents)
        if failed:
            raise StreamError(
                "raw bits end too early: the segment is corrupt"
                if failed == 1
                else "a latent is out of range: the segment is corrupt"
            )
        self._extent = int(extents[-1]) if components else self._extent


@compiled(
    "bf_read(network: bf_network, reader: out(bf_reader), raw: out(bf_bits), strip: out(bf_latents),"
    " first_table: int32, extents: int64[count], count: int32) -> int32",
    # What NumPy began has no memory for C to go on with.
    when=lambda strip, **_: strip.arrays["memory"].size > 0,
)
def _read(
    network: ContextNetwork,
    reader: AnsDecoder,
    raw: BitReader,
    strip: _Strip,
    first_table: int,
    extents: NDArray[np.int64],
) -> int:
    """Read components; returns 1 where raw bits end too early and 2 where a latent is out of range."""
    quantised, classes, chains = strip.arrays["quantised"], strip.arrays["classes"], strip.chains
    flags = None if chains is None else (classes >= network.classes).astype(np.uint8)
    last, before = last_two(quantised, network, strip.done, flags)
    for extent in extents.tolist():
        now = Surroundings(1, *quantised.shape[2:], extended=network.extended)
        for diagonal, channels in enumerate(DIAGONAL_SLICES):
            second = None if chains is None else chains.quantisers(diagonal)
            if diagonal < extent:
                found = network.classify(diagonal, now, last, before)[:, 0]
                if second is not None:
                    found += second * np.uint8(network.classes)
                values = read_values(reader, raw, found.ravel().astype(np.int16) + first_table, signed=True)
                if np.abs(values).max(initial=0) > np.iinfo(np.int32).max:
                    return 2
                quantised[channels, strip.done] = values.reshape(found.shape)
                classes[channels, strip.done] = found
            levels = quantised[channels, strip.done]
            if chains is not None:
                chains.move(diagonal, levels)
            now.learn(diagonal, magnitudes_of(levels, network.half_steps, second)[:, None])
        last, before = now.past(last), last
        strip.done += 1
    return 0
