"""Context networks: all that are shipped, and made-up ones."""

import numpy as np
import pytest

from bandfold.bitstream.contexts.context_network import FEATURES, ContextNetwork
from bandfold.bitstream.contexts.tables import MODES, NAMED_TABLES, load_tables
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.segments.predicted_codec import codec_of


def shipped():
    """Context networks of the shipped tables and models, by name."""
    found = {
        f"{name}-{mode}": load_tables(named.path).modes[mode].network
        for name, named in NAMED_TABLES.items()
        for mode in MODES
    }
    return {**found, "innovations": codec_of(Registry().find("innovations")).mode.network}


SHIPPED = shipped()


def random_network(shifts, seed=0, units=(7, 12), features=FEATURES):
    """A network of random bytes whose sums are spread over what its shifts leave."""
    rng = np.random.default_rng(seed)
    first, second = units

    def layer(shape, biases, shift):
        weights = rng.integers(-127, 128, shape).astype(np.float32)
        unit = 1 << max(shift, 0)
        return weights, rng.integers(-64 * unit, 128 * unit + 1, biases).astype(np.float32)

    layers = (
        layer((8, first, features), (64, first), shifts[0]),
        layer((8, second, first), (8, second), shifts[1]),
        layer((8, second), (8,), shifts[2]),
    )
    return ContextNetwork(layers, shifts, 48)


@pytest.fixture(params=SHIPPED)
def network(request):
    return SHIPPED[request.param]
