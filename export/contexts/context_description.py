"""What a graph of a context network says about itself: its inputs, its output, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bandfold.bitstream.contexts.context_network import ContextNetwork
from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.common.scene import CHANNELS

EXTENDED_MEANINGS: Mapping[str, str] = {
    "across-above": "sum of the magnitudes at (i - 1, j) at the positions on the left and on the right",
    "along-above": "the same at the positions above and below",
    "across-left": "sum of the magnitudes at (i, j - 1) at the positions on the left and on the right",
    "along-left": "the same at the positions above and below",
    "history": "eight times the sum of the magnitudes at (i, j) in all components before, which fades by a "
    "sixteenth with every component",
}
"""Features that only extended networks have."""

FEATURE_MEANINGS: Mapping[str, str] = {
    "above": "magnitude of the level at (i - 1, j)",
    "left": "magnitude at (i, j - 1)",
    "above-left": "magnitude at (i - 1, j - 1)",
    "two-away": "the greater one of the magnitudes at (i - 2, j) and (i, j - 2)",
    "ring-above": "sum of the magnitudes at (i - 1, j) over the 8 positions around",
    "ring-left": "sum of the magnitudes at (i, j - 1) over the 8 positions around",
    "last": "magnitude at (i, j) in the component before",
    "last-ring": "the same summed over the 8 positions around",
    "last-cross": "sum at the frequencies above, left, below, right of (i, j) in the component before",
    "before-last": "magnitude at (i, j) two components before",
    "before-last-ring": "the same summed over the 8 positions around",
    **EXTENDED_MEANINGS,
    "lower": "sum of the magnitudes of all channels of lower diagonals at the position",
    "lower-ring": "the same summed over the 8 positions around",
    "two-lower": "sum of the magnitudes of the two diagonals below at the position",
    "two-lower-ring": "the same summed over the 8 positions around",
    "last-all": "sum of the magnitudes of all channels at the position in the component before",
    "mean": "64 times the mean magnitude in the strip at (i - 1, j), plus that at (i, j - 1)",
    "last-mean": "64 times the mean magnitude in the strip at (i, j) in the component before",
    "last-mean-around": "the same as mean, in the component before",
}
"""Features of a latent at frequency (i, j), in the order of the inputs: what is known of its surroundings."""

UNIT = "8 * log2(1 + x), rounded, at most 127"
"""Of all features, for magnitudes x in steps."""

HALF_STEP_UNIT = "8 * log2(1 + x), rounded, at most 127, for magnitudes x in half steps"
"""Of those of networks for two quantisers."""

INPUT_TEXT = (
    f"Features of the latents of a component: {{features}} for each of the {CHANNELS} channels, those of the "
    "first channel first. Integers from 0 to 127; the metadata say what each feature and each channel is."
)
"""What the input is; the number of features is filled in."""


def description(network: ContextNetwork, source: str) -> dict[str, str]:
    """Texts for the metadata of a graph.

    Parameters
    ----------
    network : ContextNetwork
        What the graph computes.
    source : str
        Where it comes from: name and identity of tables or of a package.

    Returns
    -------
    dict of str to str
        Lists and objects are JSON.
    """
    absent = () if network.extended else EXTENDED_MEANINGS
    meanings = {name: meaning for name, meaning in FEATURE_MEANINGS.items() if name not in absent}
    features: list[dict[str, Any]] = [
        {"number": number, "name": name, "of": meaning}
        for number, (name, meaning) in enumerate(meanings.items())
    ]
    return {
        "source": source,
        "input": INPUT_TEXT.format(features=network.features),
        "output": (
            f"Class of each latent, an integer from 0 to {network.classes - 1}: the number of its entropy "
            f"table; a plane for each of the {CHANNELS} channels. For levels of a second quantiser "
            f"{network.classes} is added to it."
        ),
        "features": json.dumps(features),
        "unit": HALF_STEP_UNIT if network.half_steps else UNIT,
        "channels": json.dumps(FREQUENCIES.tolist()),
        "specification": "docs/format.md#contexts",
    }
