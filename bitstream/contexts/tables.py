"""The trained statistics of the format: context networks, static entropy tables and reconstruction points.

They are integers, shipped as package data and made by ``python -m bandfold.calibration.tables``. The stream
names them by a hash, because a decoder with other tables would read nonsense.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import FEW_STATES
from bandfold.bitstream.entropy.ans import PRECISION, TOKENS, AnsCoder, token_base
from bandfold.common import exact
from bandfold.common.errors import ModelError

from .context_network import ContextNetwork
from .trellis_states import TRELLISES

DATA = Path(__file__).parents[1] / "data"
"""Folder of what is shipped with the package."""

SHIPPED_TABLES = DATA / "tables.npz"
"""The tables that are used where none are named: one quantiser."""

DEPENDENT_TABLES = DATA / "dependent.npz"
"""Tables for trellis-coded quantisation, see `bandfold.bitstream.contexts.trellis_states`."""

IDENTITIES = {
    SHIPPED_TABLES: bytes.fromhex("591c432dd4a1606f"),
    DEPENDENT_TABLES: bytes.fromhex("110a7b70eaf9a029"),
}
"""Identities of these: what finds them out takes time and megabytes before every scene."""


class NamedTables(NamedTuple):
    """Tables that are shipped.

    Parameters
    ----------
    path : Path
        Their file.
    description : str
        One line about them.
    """

    path: Path
    description: str


NAMED_TABLES = {
    "tables-uniform": NamedTables(SHIPPED_TABLES, "contexts and entropy tables of --quantiser uniform"),
    "tables-dependent": NamedTables(DEPENDENT_TABLES, "contexts and entropy tables of --quantiser dependent"),
}
"""Tables that are written with, by the names under which users find them."""

OLDER = DATA / "older"
"""Tables of earlier releases, named by their identity: what was coded with them is still decoded."""

CLASSES = 48
"""Classes of a context network: each has a static entropy table for each quantiser."""

SIDE_CLASSES = 40
"""Static tables for side information, chosen by the running mean of what was coded before."""

POINTS = 3
"""Magnitudes 1, 2 and all above have a reconstruction point each."""

TOKEN_COST_UNIT = 256
"""Costs are in units of ``1 / TOKEN_COST_UNIT`` bit."""

MODES = ("folded", "banded")
"""Statistics of components of a fold and of single bands."""


@dataclass(frozen=True)
class Mode:
    """Statistics of one kind of component.

    Parameters
    ----------
    network : ContextNetwork
        What classifies latents by what is known around them.
    frequencies : ndarray of int64, shape (quantisers * CLASSES, TOKENS)
        Each row sums to 2**24, each entry is at least 1. The classes of a second quantiser are numbered
        behind those of the first one.
    points : ndarray of float64, shape (quantisers * CLASSES, POINTS)
        How far the reconstruction point of magnitudes 1, 2, 3... lies below them, in steps: about half a step
        more in the second quantiser.
    states : int
        Of the trellis, where there are two quantisers: no statistics, but a choice of the stream.
    """

    network: ContextNetwork
    frequencies: NDArray[np.int64]
    points: NDArray[np.float64]
    states: int = FEW_STATES

    @property
    def dependent(self) -> bool:
        """Whether there are two quantisers, see `bandfold.bitstream.contexts.trellis_states`."""
        return len(self.frequencies) > self.network.classes

    @property
    def trellis(self) -> NDArray[np.uint8]:
        """One of `bandfold.bitstream.contexts.trellis_states.TRELLISES`."""
        return TRELLISES[self.states]

    def reconstruction_points(
        self, magnitudes: NDArray[np.integer], classes: NDArray[np.uint8]
    ) -> NDArray[np.float64]:
        """Reconstruction points of magnitudes: the mean of what a quantiser rounds to each.

        Parameters
        ----------
        magnitudes : ndarray of integers
            Magnitudes of levels.
        classes : ndarray of uint8, same shape
            Class of the table that codes each.

        Returns
        -------
        ndarray of float64, same shape
            In steps, not negative.
        """
        below = self.points[classes, np.clip(magnitudes - 1, 0, POINTS - 1)]
        return np.where(magnitudes > 0, magnitudes - below, 0.0)

    @cached_property
    def costs(self) -> NDArray[np.int32]:
        """Cost of each token in each class, sign and raw bits included, in ``1 / TOKEN_COST_UNIT`` bit."""
        bits = PRECISION - exact.log2(self.frequencies.astype(np.float64))
        widths = token_base(np.arange(TOKENS, dtype=np.int32))[1]
        bits += widths + (np.arange(TOKENS) > 0)
        return np.rint(bits * TOKEN_COST_UNIT).astype(np.int32)


@dataclass(frozen=True)
class Tables:
    """All trained statistics.

    Parameters
    ----------
    modes : dict of str to Mode
        Keys are `MODES`.
    side : ndarray of int64, shape (SIDE_CLASSES, TOKENS)
        Tables for side information.
    identity : bytes
        First 8 bytes of the SHA-256 of the content.
    """

    modes: dict[str, Mode]
    side: NDArray[np.int64]
    identity: bytes

    def with_states(self, states: int) -> Tables:
        """The same for a trellis of so many states: those of a fold have one.

        Parameters
        ----------
        states : int
            8 or 32.

        Returns
        -------
        Tables
        """
        folded = self.modes["folded"]
        if folded.states == states:
            return self
        return replace(self, modes=self.modes | {"folded": replace(folded, states=states)})

    @cached_property
    def coder(self) -> AnsCoder:
        """The entropy coder over all tables: those of each mode, then those for side information."""
        return AnsCoder(np.concatenate([*(self.modes[name].frequencies for name in MODES), self.side]))

    def first_table(self, name: str) -> int:
        """Number of the first table of a mode, of ``"side"`` information or, behind all, of a ``"model"``."""
        return self._first_tables[name]

    @cached_property
    def _first_tables(self) -> dict[str, int]:
        sizes = [*(len(self.modes[mode].frequencies) for mode in MODES), len(self.side)]
        return dict(zip((*MODES, "side", "model"), accumulate(sizes, initial=0), strict=True))


@cache
def load_tables(path: str | Path | None = None) -> Tables:
    """Read tables from a file.

    Parameters
    ----------
    path : str or Path, optional
        The shipped tables if not given.

    Returns
    -------
    Tables

    Raises
    ------
    ModelError
        If the file cannot be read or does not hold tables.
    """
    file = SHIPPED_TABLES if path is None else Path(path)
    try:
        with open(file, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
            return tables_from_arrays(arrays, IDENTITIES.get(file))
    except (OSError, EOFError, BadZipFile, ValueError, KeyError, AttributeError) as error:
        raise ModelError(f"tables cannot be read from {file}: {error}") from error


def needed_tables(identity: bytes, named: Tables | None = None) -> Tables:
    """The tables that a stream needs.

    Parameters
    ----------
    identity : bytes
        As the header of the stream tells it.
    named : Tables, optional
        Those that the user names; without any, shipped ones.

    Returns
    -------
    Tables

    Raises
    ------
    ModelError
        If they are others.
    """
    tables = shipped_tables(identity) if named is None else named
    if tables.identity != identity:
        raise ModelError(
            f"stream needs the tables {identity.hex()}, these are {tables.identity.hex()}: "
            "use the release that wrote it, or name its tables"
        )
    return tables


def shipped_tables(identity: bytes) -> Tables:
    """The shipped tables that a stream names.

    Parameters
    ----------
    identity : bytes
        First 8 bytes of the SHA-256 of the content of the tables.

    Returns
    -------
    Tables
        `SHIPPED_TABLES` if there are none of this identity: `needed_tables` finds that out.
    """
    usual = load_tables()
    if usual.identity == identity:
        return usual
    dependent = load_tables(DEPENDENT_TABLES)
    if dependent.identity == identity:
        return dependent
    older = OLDER / f"{identity.hex()}.npz"
    return load_tables(older) if older.exists() else usual


def identity_of(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Identity of tables by the arrays of their file.

    Parameters
    ----------
    arrays : dict of str to ndarray
        All of them.

    Returns
    -------
    bytes
        First 8 bytes of a SHA-256.
    """
    import hashlib

    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()[:8]


def tables_from_arrays(arrays: dict[str, NDArray[Any]], identity: bytes | None = None) -> Tables:
    """Build tables from the arrays of their file.

    Parameters
    ----------
    arrays : dict of str to ndarray
        As written by ``bandfold.calibration.tables``.
    identity : bytes, optional
        Their identity, where it is known.

    Returns
    -------
    Tables

    Raises
    ------
    ValueError
        If a table does not sum to 2**24 or a network is not exact.
    """
    modes = {mode: mode_from_arrays(arrays, mode) for mode in MODES}
    if modes["banded"].dependent:
        raise ValueError("single bands have one quantiser")
    side = _checked(arrays["side_frequencies"])
    if len(side) != SIDE_CLASSES:
        raise ValueError(f"there are {len(side)} tables for side information, not {SIDE_CLASSES}")
    return Tables(modes, side, identity_of(arrays) if identity is None else identity)


def mode_from_arrays(arrays: dict[str, NDArray[Any]], mode: str) -> Mode:
    """Build the statistics of one kind of component.

    Parameters
    ----------
    arrays : dict of str to ndarray
        As written by ``bandfold.calibration.tables``; those of other kinds are not looked at.
    mode : str
        One of `MODES`.

    Returns
    -------
    Mode

    Raises
    ------
    ValueError
        If a table does not sum to 2**24 or the network is not exact.
    """
    deep = f"{mode}_middle" in arrays
    names = [("hidden", "bias"), *([("middle", "middle_bias")] if deep else []), ("output", "offset")]
    # What float32 has no room for is infinite, and refused as that.
    with np.errstate(over="ignore"):
        layers = tuple(
            (arrays[f"{mode}_{weights}"].astype(np.float32), arrays[f"{mode}_{bias}"].astype(np.float32))
            for weights, bias in names
        )
    points = arrays[f"{mode}_points"].astype(np.float64) / 256.0
    network = ContextNetwork(
        layers,
        shifts=tuple(arrays[f"{mode}_shifts"].tolist()),
        classes=CLASSES,
        half_steps=deep and len(points) > CLASSES,
    )
    found = Mode(network, _checked(arrays[f"{mode}_frequencies"]), points)
    if len(found.frequencies) not in (CLASSES, 2 * CLASSES):
        raise ValueError(f"there must be {CLASSES} {mode} classes, or twice as many for two quantisers")
    if points.shape != (len(found.frequencies), POINTS):
        raise ValueError(
            f"reconstruction points of {mode} classes have shape {points.shape}: each has {POINTS}"
        )
    return found


def mode_arrays(found: Mode, mode: str) -> dict[str, NDArray[np.int32]]:
    """Arrays of one kind of component, from which `mode_from_arrays` builds it again.

    Parameters
    ----------
    found : Mode
        Of a network with two hidden layers.
    mode : str
        One of `MODES`, by which the arrays are named.

    Returns
    -------
    dict of str to ndarray of int32
    """
    parts: dict[str, Any] = {
        "shifts": np.array(found.network.shifts),
        "frequencies": found.frequencies,
        "points": np.rint(found.points * 256.0),
    }
    for names, layer in zip(_LAYERS, found.network.layers, strict=True):
        parts.update(zip(names, layer, strict=True))
    return {f"{mode}_{part}": np.asarray(array).astype(np.int32) for part, array in parts.items()}


_LAYERS = (("hidden", "bias"), ("middle", "middle_bias"), ("output", "offset"))


def _checked(frequencies: NDArray[Any]) -> NDArray[np.int64]:
    result = frequencies.astype(np.int64)
    if result.ndim != 2 or result.shape[1] != TOKENS:
        raise ValueError(f"frequencies have shape {result.shape}: each table needs {TOKENS} of them")
    if (result < 1).any() or (result.sum(axis=1) != 1 << PRECISION).any():
        raise ValueError("frequencies must be positive, one per token, and sum to 2**24")
    return result
