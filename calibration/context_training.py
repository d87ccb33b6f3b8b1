"""Training of a context network, in PyTorch: the class of a latent follows from what is known around it.

The network gives every example a level; the table of the latent is interpolated between the two classes next
to it, so that the bits it costs can be differentiated. Network and tables are trained together.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.context_network import MOST_FEATURES
from bandfold.bitstream.contexts.features import GROUPS
from bandfold.bitstream.contexts.tables import CLASSES
from bandfold.bitstream.entropy.ans import token_base
from bandfold.common.errors import SettingsError
from bandfold.common.scene import CHANNELS

from .examples import Examples
from .float_network import FEATURE_SCALE, FloatNetwork, members_of_groups

UNITS, EXTENDED_UNITS = (16, 16), (24, 16)
"""Units of both hidden layers of a network, and of an extended one."""

TRAINED_TOKENS = 40
"""Tokens that are told apart; larger ones count as the last of them."""

LEARNING_RATE = 3.5e-2
WARM_UP = 0.1
"""Share of the iterations over which the learning rate rises; it falls over the others."""

MOMENTS = 0.9, 0.99
"""What Adam's means of gradients and of their squares keep of themselves at each iteration."""

LARGEST_GRADIENT = 0.1
"""Norm that larger gradients are scaled down to. Without it, and with squares remembered ten times as long,
one training of five did not recover from a batch with large gradients."""

LEAK, LEAKING = 0.1, 0.8
"""Slope of units below zero at first, and the share of the iterations over which it falls to nothing. Without
it many units die, which is to say that they are below zero for all examples."""

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
    chance = torch.Generator().manual_seed(seed)
    batches = _Batches(torch, examples, chance)
    parameters = _untrained(torch, chance, examples[0].features.shape[1], 1 + dependent)
    optimiser = torch.optim.Adam(parameters.values(), lr=LEARNING_RATE, betas=MOMENTS)
    schedule = None
    if iterations:
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, LEARNING_RATE, total_steps=iterations + 1, pct_start=WARM_UP
        )
    with _one_thread(torch):
        for iteration in range(iterations):
            leak = LEAK * max(1.0 - iteration / (LEAKING * iterations), 0.0)
            loss = _loss(torch, parameters, batches.next(), leak)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters.values(), LARGEST_GRADIENT)
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


def _untrained(torch: Any, chance: Any, inputs: int, quantisers: int) -> dict[str, Any]:
    """Parameters before training: small random weights, and geometric tables of rising spread."""
    groups = int(GROUPS.max()) + 1
    units, middle_units = EXTENDED_UNITS if inputs == MOST_FEATURES else UNITS
    values = {
        "hidden": torch.randn(groups, inputs, units, generator=chance) * 0.25,
        "bias": torch.full((CHANNELS, units), 0.1),
        "middle": torch.randn(groups, units, middle_units, generator=chance) * (1.4 / units**0.5),
        "middle_bias": torch.full((groups, middle_units), 0.1),
        "output": torch.rand(groups, middle_units, generator=chance) * 0.3,
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


class _Batches:
    """Examples by group of weights, in an order of chance: each batch takes some that lie side by side.

    Parameters
    ----------
    torch : module
        PyTorch.
    examples : sequence of Examples
        All there are.
    chance : torch.Generator
        Decides on the order.
    """

    def __init__(self, torch: Any, examples: Sequence[Examples], chance: Any) -> None:
        features, channels, tokens, second = (
            np.concatenate([getattr(one, name) for one in examples])
            for name in ("features", "channels", "tokens", "second")
        )
        weights = np.concatenate([_balanced(one) for one in examples])
        weights /= weights.mean()
        self._columns, self._counts = [], []
        for _, members in members_of_groups(channels):
            order = members[torch.randperm(len(members), generator=chance).numpy()]
            chosen = (features, channels, tokens, second, weights)
            self._columns.append(tuple(torch.from_numpy(one[order]) for one in chosen))
            share = min(BATCH / max(len(tokens), 1), 1.0)
            self._counts.append(min(max(round(share * len(members)), 1), len(members)))
        self._starts = [0] * len(self._counts)

    def next(self) -> list[tuple[Any, ...]]:
        """Features, channels, tokens, quantisers and weights of the next batch, for each group."""
        found = []
        for group, (columns, count) in enumerate(zip(self._columns, self._counts, strict=True)):
            start = self._starts[group]
            start = start if start + count <= len(columns[0]) else 0
            features, channels, tokens, second, weights = (one[start : start + count] for one in columns)
            tokens = tokens.long().clamp(max=TRAINED_TOKENS - 1)
            found.append((features.float() * FEATURE_SCALE, channels.long(), tokens, second.long(), weights))
            self._starts[group] = start + count
        return found


def _loss(torch: Any, parameters: dict[str, Any], batch: Sequence[tuple[Any, ...]], leak: float) -> Any:
    """Mean of the bits that examples cost, signs and raw bits aside, times their weights."""
    levels = []
    active = functools.partial(torch.nn.functional.leaky_relu, negative_slope=leak)
    for group, (features, channels, *_) in enumerate(batch):
        bias = torch.nn.functional.embedding(channels, parameters["bias"])
        units = active(features @ parameters["hidden"][group] + bias)
        units = active(units @ parameters["middle"][group] + parameters["middle_bias"][group])
        levels.append(units @ parameters["output"][group] + parameters["offset"][group])
    tokens, second, weights = (torch.cat([one[column] for one in batch]) for column in (2, 3, 4))
    level = torch.cat(levels).clamp(0, CLASSES - 1.001)
    lower = level.detach().floor().long()
    share = level - lower
    table = torch.softmax(parameters["logits"], 2).flatten()
    place = (second * CLASSES + lower) * TRAINED_TOKENS + tokens
    chosen = (1 - share) * table[place] + share * table[place + TRAINED_TOKENS]
    return (-torch.log2(chosen + SMALLEST_PROBABILITY) * weights).mean()


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """Sum in one order: with several threads two runs differ."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
