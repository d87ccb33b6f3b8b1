"""Training of a context network, in PyTorch: the class of a latent follows from what is known around it.

The network gives every example a level; the table of the latent is interpolated between the two classes next
to it, so that the bits it costs can be differentiated. Network and tables are trained together.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.context_network import FEATURES
from bandfold.bitstream.contexts.features import GROUPS
from bandfold.bitstream.contexts.tables import CLASSES
from bandfold.bitstream.entropy.ans import token_base
from bandfold.common.errors import SettingsError
from bandfold.common.scene import CHANNELS

from .examples import Examples
from .float_network import CHANNEL_GROUPS, FEATURE_SCALE, FloatNetwork

UNITS, MIDDLE_UNITS = 16, 16
"""Units of the hidden layers of a network."""

TRAINED_TOKENS = 40
"""Tokens that are told apart; larger ones count as the last of them."""

LEARNING_RATE = 2.5e-2
WARM_UP = 0.1
"""Share of the iterations over which the learning rate rises; it falls over the others."""

BATCH = 32768
FIRST_OCTAVE, OCTAVES = -5.0, 12.0
"""Mean magnitudes of the first class and, in octaves above it, of the last one, before training."""

SMALLEST_PROBABILITY = 1e-9


def load_torch() -> Any:
    """Import PyTorch.

    Returns
    -------
    module
        The module ``torch``.

    Raises
    ------
    SettingsError
        If it is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise SettingsError("training needs PyTorch: pip install 'bandfold[train]'") from error


def train_network(
    examples: Sequence[Examples],
    iterations: int,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
    *,
    dependent: bool = False,
) -> FloatNetwork:
    """Train a network and its tables.

    Parameters
    ----------
    examples : sequence of Examples
        From scenes at some step each. All weigh the same, however many bits they take.
    iterations : int
        Batches; 0 gives the untrained network.
    seed : int
        The same seed and examples give the same network on the same machine.
    progress : callable, optional
        Called with the fraction done.
    dependent : bool
        Whether there are tables for each of two quantisers.

    Returns
    -------
    FloatNetwork
        In floating point; `bandfold.calibration.integer_tables` rounds it.

    Raises
    ------
    SettingsError
        If PyTorch is not installed.
    """
    torch = load_torch()
    features, channels, tokens, second = (
        torch.from_numpy(np.concatenate([getattr(one, name) for one in examples]))
        for name in ("features", "channels", "tokens", "second")
    )
    weights = torch.from_numpy(np.concatenate([_balanced(one) for one in examples]))
    tokens = tokens.long().clamp(max=TRAINED_TOKENS - 1)
    chance = torch.Generator().manual_seed(seed)
    parameters = _untrained(torch, chance, 1 + dependent)
    optimiser = torch.optim.Adam(parameters.values(), lr=LEARNING_RATE)
    schedule = None
    if iterations:
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, LEARNING_RATE, total_steps=iterations + 1, pct_start=WARM_UP
        )
    with _one_thread(torch):
        for iteration in range(iterations):
            drawn = torch.randint(0, len(tokens), (min(BATCH, len(tokens)),), generator=chance)
            bits = _bits(
                torch,
                parameters,
                features[drawn].float(),
                channels[drawn].long(),
                second[drawn].long(),
                tokens[drawn],
            )
            loss = (bits * weights[drawn]).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if schedule is not None:
                schedule.step()
            if progress is not None:
                progress((iteration + 1) / iterations)
    found = {name: value.detach().double() for name, value in parameters.items()}
    found["probabilities"] = torch.softmax(found.pop("logits"), 2).flatten(0, 1)
    return FloatNetwork(**{name: value.numpy() for name, value in found.items()})


def _balanced(examples: Examples) -> NDArray[np.float32]:
    """Weights that make the latents of a scene cost about one bit: all scenes and steps count alike."""
    tokens = examples.tokens.astype(np.float64)
    bits = (tokens > 0) * (3.0 + 1.5 * np.log2(1.0 + tokens))
    return (examples.weights / max(float((examples.weights * bits).sum()), 1.0)).astype(np.float32)


def _untrained(torch: Any, chance: Any, quantisers: int) -> dict[str, Any]:
    """Parameters before training: small random weights, and geometric tables of rising spread."""
    groups = int(GROUPS.max()) + 1
    values = {
        "hidden": torch.randn(groups, FEATURES, UNITS, generator=chance) * 0.25,
        "bias": torch.full((CHANNELS, UNITS), 0.1),
        "middle": torch.randn(groups, UNITS, MIDDLE_UNITS, generator=chance) * (1.4 / UNITS**0.5),
        "middle_bias": torch.full((groups, MIDDLE_UNITS), 0.1),
        "output": torch.rand(groups, MIDDLE_UNITS, generator=chance) * 0.3,
        "offset": torch.full((groups,), 8.0),
        "logits": torch.from_numpy(_geometric_logits().astype(np.float32)).repeat(quantisers, 1, 1),
    }
    return {name: value.requires_grad_() for name, value in values.items()}


def _geometric_logits() -> NDArray[np.float64]:
    """Logarithms of token probabilities of geometric distributions, shape (CLASSES, TRAINED_TOKENS)."""
    low, bits = token_base(np.arange(TRAINED_TOKENS, dtype=np.int32))
    width = np.ldexp(1.0, bits)
    mean = 2.0 ** (np.arange(CLASSES) / CLASSES * OCTAVES + FIRST_OCTAVE)
    ratio = (mean / (1.0 + mean))[:, None]
    return np.asarray(low * np.log(ratio) + np.log1p(-(ratio**width)))


def _bits(
    torch: Any, parameters: dict[str, Any], features: Any, channels: Any, second: Any, tokens: Any
) -> Any:
    """Bits that each example costs, signs and raw bits aside."""
    group_of = torch.from_numpy(CHANNEL_GROUPS)[channels]
    scaled = features * FEATURE_SCALE
    level = torch.zeros(len(tokens))
    for group in range(len(parameters["hidden"])):
        members = (group_of == group).nonzero()[:, 0]
        units = torch.relu(
            scaled[members] @ parameters["hidden"][group] + parameters["bias"][channels[members]]
        )
        units = torch.relu(units @ parameters["middle"][group] + parameters["middle_bias"][group])
        found = units @ parameters["output"][group] + parameters["offset"][group]
        level = level.index_copy(0, members, found)
    level = level.clamp(0, CLASSES - 1.001)
    lower = level.detach().floor().long()
    share = level - lower
    table = torch.softmax(parameters["logits"], 2)
    chosen = (1 - share) * table[second, lower, tokens] + share * table[second, lower + 1, tokens]
    return -torch.log2(chosen + SMALLEST_PROBABILITY)


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """Sum in one order: with several threads two runs differ."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
