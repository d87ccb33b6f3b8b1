"""The network without ONNX Runtime: the corrections that its features and gains make, with and without C."""

from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package
from bandfold.bitstream.packages.registry import Registry
from bandfold.common.errors import ModelError
from bandfold.common.kernels import switched_off
from bandfold.ground.restoration.latent_gains import NEGLIGIBLE, GainNetwork, choose_pair_products
from bandfold.ground.restoration.restoration_model import KIND, RestorationModel
from bandfold.ground.restoration.restorer import Restorer

from .test_restorer import decoded, rotation

MODE = load_tables().modes["folded"]
SHIPPED = RestorationModel.from_package(Registry().find("restore"))


def network(kernels, units, more, seed=0):
    rng = np.random.default_rng(seed)
    ends = [3 * kernels + 13, units, more, kernels + 1]
    return GainNetwork(
        [
            (
                rng.normal(0, 0.2, (outputs, inputs)).astype(np.float32),
                rng.normal(0, 0.2, outputs).astype(np.float32),
            )
            for inputs, outputs in pairwise(ends)
        ],
        kernels,
    )


def corrections(model, strip):
    restorer = Restorer(model, MODE)
    extractor = restorer.extractor(strip)
    return restorer.corrections(extractor, slice(0, extractor.blocks.count))


@pytest.mark.parametrize(("kernels", "units", "more"), [(7, 48, 48), (2, 5, 3)])
@pytest.mark.parametrize("components", [1, 5, 19])
def test_corrections_have_the_same_bits_without_compiled_kernels(kernels, units, more, components):
    strip = decoded(components=components, columns=5, rotations=(rotation(1, 1),))
    strip.quantised[:, :, :, 4] = 0
    strip.quantised[0, 0, 0, 0] = 100_000
    model = replace(SHIPPED, kernels=SHIPPED.kernels[:kernels], layers=network(kernels, units, more))
    found = corrections(model, strip)
    with switched_off():
        expected = corrections(model, strip)
    np.testing.assert_array_equal(found, expected)
    assert 0.2 < np.abs(found).max() < 100


def test_all_instructions_give_the_same_corrections():
    strip = decoded(components=19, columns=5)
    found = corrections(SHIPPED, strip)
    try:
        for kind in range(1, choose_pair_products(1) + 1):
            choose_pair_products(kind)
            np.testing.assert_array_equal(corrections(SHIPPED, strip), found)
    finally:
        choose_pair_products(1)


@pytest.mark.parametrize("kernels_on", [True, False])
def test_latents_that_are_not_wanted_are_left_alone(kernels_on):
    strip = decoded(components=3)
    restorer = Restorer(SHIPPED, MODE)
    extractor = restorer.extractor(strip)
    part = np.array([1, 4])
    wanted = np.random.default_rng(3).integers(0, 2, (2, 64, 16)).astype(np.uint8)
    with nullcontext() if kernels_on else switched_off():
        whole = restorer.corrections(extractor, part)
        found = restorer.corrections(extractor, part, wanted)
    np.testing.assert_array_equal(found, whole * wanted)


def test_corrections_are_those_of_the_graph():
    """The package holds one network in two forms."""
    pytest.importorskip("onnxruntime")
    strip = decoded(components=6, rows=3, columns=9, rotations=(rotation(1), rotation(2)))
    found = corrections(SHIPPED, strip)
    expected = corrections(replace(SHIPPED, layers=None), strip)
    assert np.abs(expected).max() > 0.3
    # What is neglected is little.
    np.testing.assert_allclose(found, expected, atol=NEGLIGIBLE)
    assert ((found - expected) ** 2).mean() < 3e-3 * (expected**2).mean()


def test_threads_change_nothing():
    strip = decoded(components=4, columns=21)
    model = replace(SHIPPED, trust=(-1.0, 0.0))
    restorer = Restorer(model, MODE)
    alone = restorer.restore(strip)
    restorer.open(3)
    np.testing.assert_array_equal(restorer.restore(strip).latents, alone.latents)


def test_layers_that_do_not_fit_are_refused():
    arrays = SHIPPED.arrays()

    def model(**changed):
        return RestorationModel.from_package(
            Package(Manifest("odd", KIND), {**arrays, **changed}, {"restore.onnx": SHIPPED.graph})
        )

    assert model().layers is not None
    for wrong in (
        {"first_weights": arrays["first_weights"][:, 1:]},
        {"second_bias": arrays["second_bias"][None]},
        {"last_weights": arrays["last_weights"] * np.nan},
        {"last_bias": arrays["last_bias"].astype(np.int32)},
        {"second_weights": arrays["second_weights"] * np.float32(1e6)},
        {"first_weights": np.zeros((129, 34), np.float32), "first_bias": np.zeros(129, np.float32),
         "second_weights": np.zeros((48, 129), np.float32)},
    ):  # fmt: skip
        with pytest.raises(ModelError, match="holds no usable network"):
            model(**wrong)
    without = {name: array for name, array in arrays.items() if name in ("windows", "trust")}
    package = Package(Manifest("old", KIND), without, {"restore.onnx": SHIPPED.graph})
    assert RestorationModel.from_package(package).layers is None
