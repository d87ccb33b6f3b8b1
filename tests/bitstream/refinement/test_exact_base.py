"""The exact base: within a count of what decoders compute in floating point, and the same everywhere."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bandfold.bitstream.container.stream_budget import StreamBudget
from bandfold.bitstream.contexts.tables import needed_tables
from bandfold.bitstream.refinement import exact_transforms
from bandfold.bitstream.refinement.exact_base import ExactBase
from bandfold.bitstream.refinement.exact_transforms import INVERSE_UNIT, integer_inverse
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.dct import DCT, DCT_UNIT
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common import kernels
from bandfold.ground import Decoder
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.onboard import ArraySource, Encoder

GOLDEN = Path(__file__).parents[2] / "golden"
SENSED = GOLDEN / "golden-20.bfm"


def scene(bands=20, lines=40, samples=27):
    generator = np.random.default_rng(5)
    line, sample = np.mgrid[:lines, :samples]
    band = np.arange(bands)[:, None, None]
    cube = 3000 + 900 * np.sin(line / 7 + band / 5) * np.cos(sample / 5 - band / 9)
    cube[:, :, samples // 2 :] *= np.linspace(0.4, 1.7, bands)[:, None, None]
    return np.rint(cube + generator.normal(0, 9, cube.shape)).astype(np.uint16)


def gappy():
    cube = scene()
    cube[3:5, 10:20, 4:9] = 0
    cube[:, 30] = 0
    return ArraySource(cube, no_data=0.0)


WAYS = {
    "dependent": {"step": 9.0},
    "uniform": {"step": 9.0, "quantiser": "uniform"},
    "coarse": {"step": 400.0},
    "none": {"step": 9.0, "spectral": "none"},
    "sensor": {"step": 9.0, "sensor": SENSED, "spectral": "sensor"},
    "predicted": {"step": 9.0, "model": GOLDEN / "golden-lapped.bfm"},
    "rate": {"bps": 1.0, "strip_lines": 16},
}


def exact(stream):
    """Counts of all strips, and absent samples."""
    parsed = ParsedStream.parse(stream, None, StreamBudget(len(stream)))
    base = ExactBase(parsed.header, needed_tables(parsed.header.tables), parsed.codec)
    found = []
    for strip in range(parsed.header.strip_count):
        segment = parsed.strips.segment(strip)
        transform = parsed.transform(segment.place)
        levels = base.read(segment, transform.fold, transform.rotations)
        found.append(base.counts(levels, segment.place, transform.fold, transform.rotations))
    return np.concatenate(found, axis=1)


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    monkeypatch.setenv("BANDFOLD_MODELS", str(GOLDEN))


@pytest.fixture(params=sorted(WAYS))
def stream(request):
    return Encoder(**{"strip_lines": 16, **WAYS[request.param]}).encode(scene())


def test_it_is_what_decoders_compute_but_for_rounding(stream):
    decoded = Decoder(stream, restore="off").decode().astype(np.int64)
    off = np.abs(exact(stream) - decoded)
    assert off.max() <= 1
    assert (off > 0).mean() < 0.06


def test_numpy_finds_what_compiled_kernels_find(stream):
    compiled = exact(stream)
    with kernels.switched_off():
        np.testing.assert_array_equal(exact(stream), compiled)


@pytest.mark.parametrize("size", [1, 3, 64])
def test_numpy_rotates_and_transforms_as_compiled_kernels_do(size):
    """Blocks that any matrix or none rotates, beyond the largest latent too, in the last part of a row."""
    generator = np.random.default_rng(size)
    shape = (64, 66, 2, 11)
    levels = generator.integers(-9, 10, shape) * (generator.random(shape) < 0.2)
    levels[0, 0, 0] = 1 << 20
    levels[:, 65] = 0
    classes = generator.integers(0, 7, shape).astype(np.uint8)
    codes = [
        generator.integers(-99, 100, (size, size)) + 300 * np.eye(size, dtype=np.int64) for _ in range(2)
    ]
    rotations = tuple(Vectors(one, np.full(size, 9)) for one in codes)
    mode = SimpleNamespace(points=generator.random((7, 3)))
    transform = exact_transforms.ComponentTransform(mode, 900, rotations)
    for chosen in (None, generator.integers(0, 3, shape[2:]).astype(np.uint8)):
        segment = Segment(levels.astype(np.int32), classes, chosen)
        live = transform.live(segment)
        assert 65 not in live
        for row in range(2):
            found = transform.planes(segment, row, live)
            with kernels.switched_off():
                np.testing.assert_array_equal(transform.planes(segment, row, live), found)


def test_absent_samples_change_nothing_of_the_others():
    stream = Encoder(step=9.0, strip_lines=16).encode(gappy())
    present = gappy().read(slice(0, 20), slice(0, 40)) != 0
    decoded = Decoder(stream, restore="off").decode().astype(np.int64)
    assert np.abs(exact(stream) - decoded)[present].max() <= 1


def test_a_scene_without_components_has_its_means():
    cube = np.broadcast_to(np.arange(5, 9, dtype=np.uint16)[:, None, None], (4, 20, 11)).copy()
    np.testing.assert_array_equal(exact(Encoder(lossless=True).encode(cube)), cube)


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_counts_keep_to_their_type(dtype):
    ends = np.iinfo(dtype)
    cube = np.random.default_rng(1).choice([ends.min, ends.max], (4, 16, 16)).astype(dtype)
    found = exact(Encoder(step=300.0).encode(cube))
    assert found.min() >= ends.min
    assert found.max() <= ends.max


def test_products_of_integers_are_exact_in_any_order(stream, monkeypatch):
    """The largest sum is far below 2**53, so that no order of additions rounds."""
    largest = []
    apply = exact_transforms._apply

    def watched(inverse, coefficients):
        largest.append(float((np.abs(inverse) @ np.abs(coefficients)).max(initial=0)))
        return apply(inverse, coefficients)

    plain = exact(stream)
    monkeypatch.setattr(exact_transforms, "_apply", watched)
    with kernels.switched_off():
        np.testing.assert_array_equal(exact(stream), plain)
    assert not largest or max(largest) < 2.0**50


def test_inverse_of_the_cosine_matrix_is_exact_to_its_unit():
    inverse = integer_inverse(DCT.T, DCT_UNIT)
    assert (inverse == np.rint(inverse)).all()
    product = inverse.T @ DCT.T / (INVERSE_UNIT * DCT_UNIT)
    np.testing.assert_allclose(product, np.eye(64), atol=2e-6)
