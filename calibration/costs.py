"""What latents cost with the tables of a mode: bits, and the error that is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bandfold.bitstream.contexts.tables import Mode

from .corpus import Latents
from .recount import Tally, quantise_strips, tally


@dataclass(frozen=True)
class Cost:
    """What latents cost, and what error is left.

    Parameters
    ----------
    latents : int
        How many there are.
    bits : float
        Per latent.
    error : float
        Squared, per latent, in steps squared.
    """

    latents: int
    bits: float
    error: float


def cost(tallies: Iterable[Tally], mode: Mode) -> Cost:
    """Add up what tallies cost with the tables of a mode.

    Parameters
    ----------
    tallies : iterable of Tally
        Made with these tables.
    mode : Mode
        Whose tables code them.

    Returns
    -------
    Cost
        Of all tallies together.
    """
    count, bits, error = 0, 0.0, 0.0
    for one in tallies:
        count += one.count
        bits += one.bits(mode)
        error += one.error
    return Cost(count, bits / max(count, 1), error / max(count, 1))


def cost_with(latents: Iterable[Latents], mode: Mode) -> Cost:
    """Quantise latents with the tables of a mode and add up what they cost.

    Parameters
    ----------
    latents : iterable of Latents
        Of the mode.
    mode : Mode
        Whose tables quantise and code them.

    Returns
    -------
    Cost
        Of all latents together.
    """
    return cost((tally(one, quantise_strips(one, mode), mode) for one in latents), mode)
