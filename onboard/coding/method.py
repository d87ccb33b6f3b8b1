"""The ways to code a scene: with the fixed transform, bands folded or not, or band by band with a model."""

from __future__ import annotations

from typing import Protocol

from bandfold.bitstream.container.header import COSINE
from bandfold.bitstream.contexts.tables import Tables
from bandfold.common.geometry import BLOCK
from bandfold.common.workers import ALONE, Workers
from bandfold.onboard.planning.plan import Basis

from .strip_coder import FoldedStripCoder, StripCoder


class Method(Protocol):
    """A way to code strips, and what rate control and the header need to know of it."""

    @property
    def transform(self) -> str:
        """Name of the transform, as the header tells it."""

    @property
    def model(self) -> tuple[str, bytes]:
        """Name of the model's package and the first 8 bytes of its digest; empty without one."""

    @property
    def workers(self) -> Workers:
        """Threads that code strips side by side."""

    @property
    def trims(self) -> bool:
        """Whether the Lagrange multiplier moves the size of a strip by small amounts."""

    @property
    def lines_together(self) -> int:
        """Lines that stay together where a part of a scene stands for it."""

    def trial_height(self, lines: int, strip_lines: int) -> int:
        """Lines of the strips of such a part, which has so many lines."""

    def coder(self, basis: Basis, step: float) -> StripCoder:
        """What codes strips with a basis, planned for a step in counts."""


class TransformMethod:
    """Folds (or bands as they are) through the fixed cosine transform.

    Parameters
    ----------
    tables : Tables
        Context networks and entropy tables.
    workers : Workers
        Threads that code strips side by side.
    """

    transform = COSINE
    model = ("", b"")
    trims = True
    lines_together = BLOCK

    def __init__(self, tables: Tables, workers: Workers = ALONE) -> None:
        self._tables = tables
        self.workers = workers

    def trial_height(self, lines: int, strip_lines: int) -> int:
        """Of one height, so that threads are done at the same time."""
        return BLOCK * -(-(lines // BLOCK) // -(-lines // strip_lines))

    def coder(self, basis: Basis, step: float) -> StripCoder:
        """See `Method.coder`."""
        return FoldedStripCoder(basis, step, self._tables)
