"""The C library decodes what the Python package decodes: all golden streams, older ones too, bit by bit."""

import numpy as np
import pytest

from bandfold.common.wavelengths import wavelengths
from bandfold.ground.decoder import Decoder
from bandfold.onboard import Encoder

from .c_library import BAD_ARGUMENT, GOLDEN, GOLDEN_PACKAGES, INTACT, TYPES, UNSUPPORTED, DecodingError

STREAMS = sorted(GOLDEN.rglob("*.bndf"))
NETWORKS = {"modelled", "stream"}
"""Streams of trained models whose networks must be run."""


def named(path):
    return str(path.relative_to(GOLDEN))


@pytest.fixture(scope="module")
def packages():
    return [path.read_bytes() for path in GOLDEN_PACKAGES]


def decoders(library, path, packages, **options):
    """That of the library and that of the package."""
    data = path.read_bytes()
    layers = "base" if options.get("base_only") else "all"
    return library.open(data, packages, **options), Decoder(
        data, models=GOLDEN_PACKAGES, restore="off", layers=layers
    )


@pytest.mark.parametrize("path", [path for path in STREAMS if path.stem not in NETWORKS], ids=named)
@pytest.mark.parametrize("base_only", [0, 1])
def test_samples_are_those_of_python(library, packages, path, base_only):
    ours, theirs = decoders(library, path, packages, base_only=base_only)
    with ours:
        found, wanted = ours.decode(), theirs.decode()
        assert found.dtype == wanted.dtype
        assert found.shape == wanted.shape
        assert found.tobytes() == wanted.tobytes()
        assert {one.condition for one in ours.reports} == {INTACT}
        assert [one.lines for one in ours.reports] == [bound.lines for bound in theirs.bounds]
        assert [one.refined for one in ours.reports] == [one.max_error is not None for one in theirs.bounds]


def test_lossless_strips_whose_counts_are_coarser(library):
    cube = np.cumsum(np.random.default_rng(6).normal(0, 30, (3, 24, 10)), axis=0).astype("float32")
    cube[:, :16] = np.rint(cube[:, :16])
    with library.open(Encoder(lossless=True, stream=True, strip_lines=8).encode(cube), []) as decoder:
        assert decoder.decode().tobytes() == cube.tobytes()


@pytest.mark.parametrize("path", [path for path in STREAMS if path.stem not in NETWORKS], ids=named)
def test_what_is_told_of_a_scene_is_what_python_tells(library, packages, path):
    ours, theirs = decoders(library, path, packages)
    with ours:
        info = theirs.info
        assert (ours.info.bands, ours.info.lines, ours.info.samples) == info.shape
        assert TYPES[ours.info.type] == info.dtype
        assert (ours.info.strip_lines, ours.info.step) == (theirs.strip_lines, theirs.step)
        assert bool(ours.info.complete) == theirs.complete
        assert bool(ours.info.has_no_data) == (info.no_data is not None)
        assert bool(ours.info.scaled) == (info.scaling is not None)
        assert ours.metadata == dict(info.metadata)
        assert ("bsq", "bil", "bip")[ours.info.source_interleave] == info.interleave


@pytest.mark.parametrize("name", ["streamed", "outliers", "bounded_rotated", "predicted", "lossless_floats"])
def test_a_part_of_a_scene_is_that_part(library, packages, name):
    path = GOLDEN / f"{name}.bndf"
    ours, theirs = decoders(library, path, packages)
    whole = theirs.decode()
    with ours:
        for bands, lines in (((1, 2), (0, 0)), ((0, 0), (5, 1)), ((2, 1), (7, 5)), ((1, 0), (3, 0))):
            ends = [first + count or None for first, count in (bands, lines)]
            ends = [None if count == 0 else end for end, (_, count) in zip(ends, (bands, lines), strict=True)]
            wanted = whole[bands[0] : ends[0], lines[0] : ends[1]]
            assert ours.decode(bands, lines).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("path", [path for path in STREAMS if path.stem in NETWORKS], ids=named)
def test_streams_that_need_networks_are_refused(library, packages, path):
    with pytest.raises(DecodingError, match="networks") as refused:
        library.open(path.read_bytes(), packages)
    assert refused.value.status == UNSUPPORTED


def test_there_are_streams_of_both_kinds():
    assert len(STREAMS) > 25
    assert {path.stem for path in STREAMS} > NETWORKS


@pytest.mark.parametrize(
    "wanted", [((99, 1), (0, 0)), ((0, 99), (0, 0)), ((0, 0), (2, 99)), ((0, 0), (99, 0))]
)
def test_a_request_beyond_the_scene_is_refused(library, wanted):
    with library.open((GOLDEN / "rotated.bndf").read_bytes()) as ours:
        with pytest.raises(DecodingError) as refused:
            ours.decode(*wanted)
        assert refused.value.status == BAD_ARGUMENT


def test_wavelengths_are_numbers(library):
    from bandfold.onboard import ArraySource, Encoder

    cube = np.arange(4 * 8 * 9, dtype=np.uint16).reshape(4, 8, 9)
    told = ("400", "410.25", "420.5", "1999.125")
    about = {"wavelength": told, "wavelength units": "Nanometers", "description": "a scene,\nof two lines"}
    data = Encoder(step=4.0).encode(ArraySource(cube, metadata=about))
    with library.open(data) as ours:
        assert ours.wavelengths.tolist() == [400.0, 410.25, 420.5, 1999.125]
        assert ours.wavelengths.tolist() == wavelengths(about, 4).tolist()
        assert ours.metadata == about
    with library.open(Encoder(step=4.0).encode(cube)) as ours:
        assert ours.wavelengths is None
