"""`fold48`: a bounded network before the quantiser, trained end to end with one behind it.

``y = T u + bounded(N(u))``: the latents of the fixed transform, moved by at most a step where that pays.
``N`` is three layers of 48 filters with ReLU and SAME padding, on the clipped latents of a component and of
the one before it, so int8 suits it. The ground network ``G``, of the same shape, guesses what rounding took.
Both learn from the rate of the real contexts and tables (`bandfold.training.contextrate`) and from the error
behind ``G``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.common.scene import CHANNELS
from bandfold.onboard.quantisation.rdoq import decision_thresholds
from bandfold.onboard.rate_model import LAGRANGE_MULTIPLIER

from .contextrate import ContextRate
from .layers import SameConv

FILTERS = 48

CLIP = 4.0
"""Steps that what a network sees is held to: larger latents are all alike."""

SOFTNESS = 0.1
"""Width, in steps, over which a level turns into the next one for the gradient."""

BOUND = 0.8
"""Steps that a network changes a latent by at most."""


class Bounded(nn.Module):
    """Three layers from the latents of two components to changes of the first one.

    Parameters
    ----------
    filters : int
    """

    def __init__(self, filters: int = FILTERS) -> None:
        super().__init__()
        last = SameConv(filters, CHANNELS, 1, 1)
        # No change to begin with.
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.get_parameter("bias"))
        self.layers = nn.Sequential(
            SameConv(2 * CHANNELS, filters, 3, 1),
            nn.ReLU(),
            SameConv(filters, filters, 3, 1),
            nn.ReLU(),
            last,
        )

    def forward(self, latents: Tensor) -> Tensor:
        """Give changes (components, 64, rows, columns), in steps, of latents of the same shape."""
        seen = latents.clamp(-CLIP, CLIP)
        before = torch.cat([torch.zeros_like(seen[:1]), seen[:-1]])
        changes: Tensor = self.layers(torch.cat([seen, before], dim=1))
        return BOUND * changes.clamp(-1.0, 1.0)


class Fold48(nn.Module):
    """Encoder network, quantiser, rate and ground network.

    Parameters
    ----------
    encoder : bool
        Whether there is an encoder network; without it, what the ground network brings by itself.

    Attributes
    ----------
    analysis, synthesis : Bounded
        ``N`` and ``G``.
    """

    thresholds: Tensor
    points: Tensor

    def __init__(self, *, encoder: bool = True) -> None:
        super().__init__()
        mode = load_tables().modes["folded"]
        self.analysis = Bounded() if encoder else None
        self.synthesis = Bounded()
        self.rate = ContextRate(mode)
        thresholds = decision_thresholds(mode, LAGRANGE_MULTIPLIER)
        self.register_buffer("thresholds", torch.from_numpy(thresholds).float())
        self.register_buffer("points", torch.from_numpy(mode.points).float())

    def moved(self, latents: Tensor) -> Tensor:
        """Latents as they go to the quantiser; both in steps, shape (components, 64, rows, columns)."""
        return latents if self.analysis is None else latents + self.analysis(latents)

    def quantise(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise as the encoder does, but for contexts that come from plain rounding.

        Parameters
        ----------
        latents : Tensor, shape (components, 64, rows, columns)

        Returns
        -------
        levels : Tensor
            Whole numbers.
        points : Tensor
            Where the decoder puts them, in steps.
        smooth : Tensor
            Magnitudes of the levels with steps `SOFTNESS` wide in place of jumps: what has a gradient.
        """
        magnitudes = latents.abs()
        with torch.no_grad():
            nearest = torch.floor(magnitudes + 0.5)
            last = self.thresholds.shape[1] - 1.0
            level = nearest
            for _ in range(2):
                classes = self.rate.levels(level).clamp(0.0, len(self.points) - 1.0).long()
                # Where a latent becomes this level, and where the next one.
                reached = nearest + self.thresholds[classes, nearest.clamp(max=last).long()]
                passed = nearest + 1 + self.thresholds[classes, (nearest + 1).clamp(max=last).long()]
                level = nearest - (magnitudes < reached).float()
            below = self.points[classes, (level - 1).clamp(0, self.points.shape[1] - 1).long()]
            points = torch.where(level > 0, level - below, torch.zeros_like(level))
        steps = ((magnitudes - edge) / SOFTNESS for edge in (reached, passed))
        smooth = nearest - 1 + sum(torch.sigmoid(step) for step in steps)
        return level * latents.sign(), points * latents.sign(), smooth

    def measure(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Code and restore; bits per latent and mean squared error in steps squared.

        Values are those of hard decisions, gradients those of smooth ones: a latent far from where its level
        changes has none. (Passing the gradient straight through made things worse by a third.)

        Parameters
        ----------
        latents : Tensor, shape (components, 64, rows, columns)
            Of the fixed transform, as `bandfold.training.components.ComponentView` draws them.
        """
        moved = self.moved(latents)
        levels, points, smooth = self.quantise(moved)
        slope = smooth - smooth.detach()
        bits = self.rate.bits(smooth, levels.abs() + slope)
        with torch.no_grad():
            excess = bits - self.rate(levels)
        # The cost of whole levels, with the slope of what lies between them.
        bits = bits - excess
        placed = points + slope * moved.detach().sign()
        restored = placed + self.synthesis(placed)
        return bits / latents.numel(), torch.mean((restored - latents) ** 2)

    def refresh(self) -> None:
        """Nothing follows from the weights."""
