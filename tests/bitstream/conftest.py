"""What several tests of the format need."""

import numpy as np
import pytest

from bandfold.bitstream.contexts.context_network import FEATURES, ContextNetwork


@pytest.fixture(scope="session")
def deep_network():
    """Make a network with two hidden layers whose weights, drawn by chance, fall on many classes."""

    def make(seed, units=16, middle_units=16, half_steps=False, features=FEATURES):
        generator = np.random.Generator(np.random.PCG64(seed))

        def drawn(*shape):
            return np.rint(np.clip(generator.normal(size=shape) * 12, -127, 127)).astype(np.float32)

        hidden = drawn(8, units, features), drawn(64, units) * 200
        output = drawn(8, middle_units), drawn(8) + 24 * 2**7
        middle = drawn(8, middle_units, units), drawn(8, middle_units) * 300
        return ContextNetwork(
            layers=(hidden, middle, output),
            shifts=(7, 7, 7),
            classes=48,
            half_steps=half_steps,
        )

    return make
