"""Whatever the bytes: a stream decodes, in whole or in part, or fails with an error of its own."""

import random
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.container.sections import SIGNATURE
from bandfold.common.errors import BandfoldError, StreamError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource

from .streams import encode, joined, patchwork, scene, sections

MUTATIONS = {"folded": 400, "banded": 250, "holes": 250, "rotated": 100, "sensed": 300, "modelled": 250}
MUTATIONS |= {"lossless": 60, "relative": 200, "bounded_floats": 40, "bounded_predicted": 40}
MUTATIONS |= {"lossless_floats": 40, "lossless_doubles": 40}

GOLDEN = Path(__file__).parents[1] / "golden"
PACKAGES = sorted(GOLDEN.glob("*.bfm"))

BOUNDED = (
    "lossless",
    "relative",
    "bounded_floats",
    "bounded_predicted",
    "lossless_floats",
    "lossless_doubles",
)


def streams():
    """Tiny streams of every kind."""
    cube = scene(4, 20, 10)
    holes = cube.copy()
    holes[:, 3:9, 2:5] = -1
    fields = {"wavelength": ("400.0", "410.5", "421.0", "431.5"), "description": "a scene"}
    return {
        "folded": encode(cube),
        "banded": encode(cube, spectral="none"),
        "holes": encode(ArraySource(holes, no_data=-1.0, metadata=fields)),
        "rotated": encode(patchwork(), step=16.0, strip_lines=32),
        "sensed": (GOLDEN / "sensed.bndf").read_bytes(),
        "modelled": (GOLDEN / "modelled.bndf").read_bytes(),
        **{name: (GOLDEN / f"{name}.bndf").read_bytes() for name in BOUNDED},
    }


STREAMS = streams()


def decode(data):
    """Decode all there is; the error it fails with, if it fails."""
    try:
        decoder = Decoder(data, memory_limit=1 << 26, models=PACKAGES)
        decoder.report()
        decoded = decoder.decode()
    except BandfoldError as error:
        return error
    assert decoded.shape == decoder.info.shape
    assert decoded.dtype == decoder.info.dtype
    return None


def test_streams_are_of_every_kind():
    reports = {name: Decoder(stream, models=PACKAGES).report() for name, stream in STREAMS.items()}
    assert {name for name, report in reports.items() if report["rotations"]} == {"rotated"}
    assert {name for name, report in reports.items() if report["spectral"] == "none"} == {
        "banded",
        "modelled",
        "relative",
        "bounded_predicted",
    }
    assert {name for name, report in reports.items() if report["no_data"]} == {
        "holes",
        "modelled",
        "lossless",
        "bounded_predicted",
        "bounded_floats",
        "lossless_floats",
    }
    assert {name for name, report in reports.items() if report["model"]} == {"modelled", "bounded_predicted"}
    assert {name for name, report in reports.items() if report["sensor"]} == {"sensed"}
    assert {name for name, report in reports.items() if report["max_error"] is not None} == set(BOUNDED)


# Those of BOUNDED are cut in test_refined_strips.
@pytest.mark.parametrize("name", [name for name in STREAMS if name not in BOUNDED])
def test_a_stream_cut_anywhere(name):
    stream = STREAMS[name]
    errors = [decode(stream[:length]) for length in range(0, len(stream), 7)]
    assert all(isinstance(error, StreamError) for error in errors[:4])
    assert all("\n" not in str(error) for error in errors)
    assert decode(stream) is None


@pytest.mark.parametrize(
    "data", [b"", b"\x89", SIGNATURE, SIGNATURE + b"\x01", SIGNATURE + b"\x02\x00", b"PK" * 20]
)
def test_no_stream_at_all(data):
    assert isinstance(decode(data), StreamError)


def mutated(stream, rng):
    """Change the payload of a section at one to four places and make its checksum right again."""
    parts = sections(stream)
    place = rng.randrange(len(parts))
    kind, payload = parts[place]
    payload = bytearray(payload)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(payload))
        action = rng.randrange(4)
        if action == 0:
            payload[at] ^= 1 << rng.randrange(8)
        elif action == 1:
            payload[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif action == 2:
            payload.insert(at, rng.randrange(256))
        elif len(payload) > 1:
            del payload[at]
    parts[place] = (kind, bytes(payload))
    return joined(parts)


@pytest.mark.parametrize("name", STREAMS)
def test_lies_with_a_right_checksum(name):
    rng = random.Random(name)
    failed = 0
    for _ in range(MUTATIONS[name]):
        failed += decode(mutated(STREAMS[name], rng)) is not None
    # Not all of them are noticed before the segments, nor all of them let through.
    assert 0 < failed < MUTATIONS[name]


@pytest.mark.parametrize("name", STREAMS)
def test_noise_behind_a_right_frame(name):
    rng = np.random.default_rng(0)
    for place, (kind, payload) in enumerate(sections(STREAMS[name])):
        for _ in range(10):
            parts = sections(STREAMS[name])
            parts[place] = (kind, rng.integers(0, 256, len(payload), np.uint8).tobytes())
            decode(joined(parts))
        parts[place] = (kind, b"")
        decode(joined(parts))
