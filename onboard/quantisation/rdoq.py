"""Rate-distortion optimised quantisation (RDOQ): each latent is rounded to the level of least cost.

A latent is rounded towards zero where that saves more rate than it costs distortion. The encoder walks
through the latents as the decoder will, diagonal by diagonal: each decision is made at the cost of the table
that will code it. What a decision does to the contexts of later latents is left out of account.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.context_network import ContextNetwork, context_memory
from bandfold.bitstream.contexts.features import DIAGONAL_SLICES, DIAGONALS, Past, Surroundings, magnitudes_of
from bandfold.bitstream.contexts.tables import TOKEN_COST_UNIT, Mode
from bandfold.bitstream.entropy.ans import DIRECT
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.common.kernels import compiled
from bandfold.common.scene import CHANNELS
from bandfold.common.strip_memory import StripMemory
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER

HELD = 3
"""Components that are held where one is quantised after the other: it and the two that are its contexts."""

FINE_IN_FLOAT32 = 1 << 14
"""Below so many steps float32 is good to ``2**-10`` of a step."""


def quantise(
    latents: NDArray[np.int32],
    step: float,
    mode: Mode,
    multiplier: float = LAGRANGE_MULTIPLIER,
    searches: int = 1,
    memory: StripMemory | None = None,
    *,
    in_place: bool = False,
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Quantise the latents of a segment.

    Parameters
    ----------
    latents : ndarray of int32, shape (components, 64, rows, columns)
        In units of ``1 / FRACTION`` of a count.
    step : float
        In counts.
    mode : Mode
        Context network and entropy tables. Tables for two quantisers ask for trellis-coded quantisation.
    multiplier : float
        Lagrange multiplier, in squared steps per bit.
    searches : int
        Searches for the best path of trellis-coded quantisation; see `best_path`.
    memory : StripMemory, optional
        Where arrays are taken from: what comes out is lost with the next strip.
    in_place : bool
        Whether levels take the place of the latents, which are lost: that halves the memory. After several
        searches they have memory of their own all the same.

    Returns
    -------
    quantised : ndarray of int32, shape (64, components, rows, columns)
        Levels; channels and components may lie apart in memory.
    classes : ndarray of uint8, same shape
        Contexts of the result; where there are two quantisers, they tell which one each latent went through.
    """
    memory = memory or StripMemory()
    components, _, rows, columns = latents.shape
    shape = (CHANNELS, components, rows, columns)
    classes = memory.array("classes", shape, np.uint8)
    in_place = in_place and (searches == 1 or not mode.dependent)
    levels = latents.swapaxes(0, 1) if in_place else memory.array("levels", shape, np.int32)
    scale = 1.0 / (step * FRACTION)
    if not mode.dependent:
        _decide(mode.network, latents, scale, _thresholds(mode, multiplier), levels, classes)
        return levels, classes
    from .trellis_search import TRELLIS_RATIO, best_path

    multiplier *= TRELLIS_RATIO
    # The scalar quantiser gives the first contexts.
    _scalar_classes(mode.network, latents, scale, _thresholds(mode, multiplier), classes)
    best_path(latents, step, mode, multiplier, levels, classes, searches)
    return levels, classes


def _thresholds(mode: Mode, multiplier: float) -> NDArray[np.float64]:
    """Thresholds of the first quantiser."""
    return decision_thresholds(mode, multiplier)[: mode.network.classes]


@compiled(
    "bf_scalar_classes(network: bf_network, latents: int32[components, 64, rows, columns], components: int32,"
    " rows: int32, columns: int32, scale: float64, thresholds: float64[network.classes, 17],"
    " classes: out(uint8[64, components, rows, columns]), memory: out(uint8[bf_memory(rows, columns)]))"
)
def _scalar_classes(
    network: ContextNetwork,
    latents: NDArray[np.int32],
    scale: float,
    thresholds: NDArray[np.float64],
    classes: NDArray[np.uint8],
) -> None:
    """Classes alone of what `_decide` decides."""
    levels = np.empty(classes.shape, dtype=np.int32)
    _decide(network, latents, scale, thresholds, levels, classes)


@compiled(
    "bf_quantise(network: bf_network, latents: int32[components, 64, rows, columns], components: int32,"
    " rows: int32, columns: int32, scale: float64, thresholds: float64[network.classes, 17],"
    " quantised: out(int32[64:channel_stride, components:component_stride, rows, columns]),"
    " channel_stride: int64, component_stride: int64,"
    " classes: out(uint8[64, components, rows, columns]), memory: out(uint8[bf_memory(rows, columns)]))"
)
def _decide(
    network: ContextNetwork,
    latents: NDArray[np.int32],
    scale: float,
    thresholds: NDArray[np.float64],
    quantised: NDArray[np.int32],
    classes: NDArray[np.uint8],
) -> None:
    """Decide for the levels of a segment, diagonal by diagonal in the classes of what was decided before."""
    last = before = Past.empty(1, *latents.shape[2:], extended=network.extended)
    for component, plane in enumerate(latents):
        now = _decide_component(
            network, plane, scale, thresholds, (last, before), quantised[:, component], classes[:, component]
        )
        last, before = now, last


def _decide_component(
    network: ContextNetwork,
    plane: NDArray[np.int32],
    scale: float,
    thresholds: NDArray[np.float64],
    known: tuple[Past, Past],
    levels: NDArray[np.int32],
    classes: NDArray[np.uint8],
) -> Past:
    """Decide for the levels of a component, shape (64, rows, columns), after the two before it."""
    scaled = _in_steps(plane, scale)
    nearest = (scaled + np.float32(0.5)).astype(np.int32)
    now = Surroundings(1, *plane.shape[1:], extended=network.extended)
    for diagonal in range(DIAGONALS):
        channels = DIAGONAL_SLICES[diagonal]
        kind = network.classify(diagonal, now, *known)[:, 0]
        lower_where_cheaper(nearest[channels], scaled[channels], kind, thresholds)
        now.learn(diagonal, magnitudes_of(nearest[channels, None], network.half_steps))
        classes[channels] = kind
    levels[:] = np.where(plane < 0, -nearest, nearest)
    return now.past(known[0])


class ComponentQuantiser:
    """Quantises the components of a strip one after the other, where one must be known before the next.

    Parameters
    ----------
    mode : Mode
        Context network and entropy tables, for one quantiser.
    extent : tuple of int
        Rows and columns.
    multiplier : float
        Lagrange multiplier, in squared steps per bit.

    Attributes
    ----------
    levels : ndarray of int32, shape (64, `HELD`, rows, columns)
        Of the last components, each at the remainder of its number.
    classes : ndarray of uint8, same shape
        Contexts of the levels.
    network : ContextNetwork
        Which finds them.
    thresholds : ndarray of float64, shape (classes, 17)
        From `decision_thresholds`.
    memory : ndarray of uint8
        What C remembers of the components before; empty without C.
    """

    def __init__(
        self,
        mode: Mode,
        extent: tuple[int, int],
        multiplier: float = LAGRANGE_MULTIPLIER,
    ) -> None:
        self.levels = np.empty((CHANNELS, HELD, *extent), np.int32)
        self.classes = np.empty((CHANNELS, HELD, *extent), np.uint8)
        self.network = mode.network
        self.thresholds = decision_thresholds(mode, multiplier)[: mode.network.classes]
        self.memory = np.zeros(context_memory(*extent), dtype=np.uint8)
        self._past = [Past.empty(1, *extent, extended=self.network.extended)] * HELD

    def quantise(self, number: int, latents: NDArray[np.int32], step: float) -> None:
        """Quantise a component as C does it within its loops; it may be done again before the next one.

        Parameters
        ----------
        number : int
            Of the component, from 0 on.
        latents : ndarray of int32, shape (64, rows, columns)
            In any unit.
        step : float
            In the same unit.
        """
        known = self._past[(number - 1) % HELD], self._past[(number - 2) % HELD]
        levels, classes = self.component(number)
        self._past[number % HELD] = _decide_component(
            self.network, latents, 1.0 / step, self.thresholds, known, levels, classes
        )

    def component(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Levels and classes of one of the last components, both of shape (64, rows, columns).

        Parameters
        ----------
        number : int
            Of the component, from 0 on.

        Returns
        -------
        levels : ndarray of int32
        classes : ndarray of uint8
            Both are overwritten by the component of number ``number + HELD``.
        """
        return self.levels[:, number % HELD], self.classes[:, number % HELD]


def _in_steps(plane: NDArray[np.int32], scale: float) -> NDArray[np.floating]:
    """Magnitudes in steps: in float32 where that tells a fraction of a step, which is the rule."""
    magnitudes = np.abs(plane)
    fine = int(magnitudes.max(initial=0)) * scale < FINE_IN_FLOAT32
    kind = np.float32 if fine else np.float64
    return np.multiply(magnitudes, kind(scale), dtype=kind)


def lower_where_cheaper(
    nearest: NDArray[np.int32],
    scaled: NDArray[np.floating],
    classes: NDArray[np.uint8],
    thresholds: NDArray[np.float64],
) -> None:
    """Replace magnitudes by those below them where that costs less, in place.

    Parameters
    ----------
    nearest : ndarray of int32
        Magnitudes rounded to the nearest; contiguous.
    scaled : ndarray of float32 or float64, same shape
        Magnitudes before rounding, in steps.
    classes : ndarray of uint8, same shape
        Contexts of the latents.
    thresholds : ndarray of float64
        From `decision_thresholds`.
    """
    # Most magnitudes are zero and stay it.
    live = np.flatnonzero(nearest)
    magnitudes = nearest.ravel()[live]
    place = np.minimum(magnitudes, DIRECT)
    place += classes.ravel()[live].astype(np.int32) * thresholds.shape[1]
    magnitudes -= scaled.ravel()[live] < magnitudes + thresholds.ravel()[place]
    nearest.ravel()[live] = magnitudes


def decision_thresholds(mode: Mode, multiplier: float) -> NDArray[np.float64]:
    """Where a magnitude costs as much as the one below it.

    With the reconstruction points ``u`` and ``l`` of both and their difference ``b`` in bits, the costs
    ``(x - u)**2 + w b`` and ``(x - l)**2`` are equal at ``x = (u + l) / 2 + w b / (2 (u - l))``.

    Parameters
    ----------
    mode : Mode
        Entropy tables, whose costs and reconstruction points are used.
    multiplier : float
        Lagrange multiplier, in squared steps per bit; called ``w`` above.

    Returns
    -------
    ndarray of float64, shape (classes, 17)
        By class and magnitude, less the magnitude; the last column serves all magnitudes from 16 on, whose
        neighbours cost the same. Zero stays zero.
    """
    classes = np.arange(mode.costs.shape[0], dtype=np.uint8)[:, None]
    upper = np.arange(1, DIRECT + 1, dtype=np.int32)[None, :]
    high, low = mode.reconstruction_points(upper, classes), mode.reconstruction_points(upper - 1, classes)
    bits = np.diff(mode.costs[:, : DIRECT + 1].astype(np.float64), axis=1) / TOKEN_COST_UNIT
    bits[:, -1] = 0.0
    middle = (high + low) / 2 + multiplier * bits / (2 * (high - low)) - upper
    never = np.full((len(middle), 1), -np.inf)
    return np.concatenate([never, middle], axis=1)
