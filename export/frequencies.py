"""A factorised prior as integer tables: what encoder and decoder share instead of a network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bandfold.bitstream.entropy.ans import TOKENS, token_base
from bandfold.calibration.integer_tables import integer_frequencies
from bandfold.training.prior import FactorisedPrior


@torch.no_grad()
def prior_frequencies(prior: FactorisedPrior, medians: Tensor) -> NDArray[np.int32]:
    """Integrate a prior over the tokens that `bandfold.bitstream.segments.planes` codes.

    Parameters
    ----------
    prior : FactorisedPrior
        As it was trained; in float32 again afterwards.
    medians : Tensor, shape (channels,)
        Where the integer 0 lies.

    Returns
    -------
    ndarray of int32, shape (channels, TOKENS)
        Each at least 1, each row summing to 2**24.
    """
    base, widths = token_base(np.arange(TOKENS, dtype=np.int32))
    exact = prior.double()
    try:
        centre = medians.double()[:, None, None]
        masses = np.zeros((len(medians), TOKENS))
        for token, (first, width) in enumerate(zip(base.tolist(), widths.tolist(), strict=True)):
            last = first + (1 << width) - 1
            # Even numbers 2 v stand for v, odd ones 2 v - 1 for -v.
            for low, high in (((first + 1) // 2, last // 2), (-((last + 1) // 2), -(first // 2 + 1))):
                if low <= high:
                    mass = exact.mass(centre + (low - 0.5), centre + (high + 0.5))
                    masses[:, token] += mass[:, 0, 0].numpy()
    finally:
        prior.float()
    return integer_frequencies(masses)
