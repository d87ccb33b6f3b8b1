"""Every scene of ../shared/scenes comes back: within a budget, and at a step of one count to half a count."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bandfold.common.scene import SCALED_DTYPES
from bandfold.formats.envi.reader import open_envi
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.samples.count_plan import plan_counts

FOLDER = Path(__file__).parents[1].parent / "shared" / "scenes"
HEADERS = {path.stem: path for path in sorted(FOLDER.glob("*.hdr"))}


@pytest.fixture(
    params=HEADERS or [pytest.param(None, marks=pytest.mark.skip(reason=f"no scenes in {FOLDER}"))]
)
def source(request):
    path = HEADERS[request.param]
    scene = open_envi(path)
    if scene.info.dtype in SCALED_DTYPES:
        scene = open_envi(path, scaling=plan_counts(scene).scaling)
    return scene


class FirstLines:
    """A scene cut short."""

    def __init__(self, source, lines):
        self._source = source
        self.info = replace(source.info, lines=min(lines, source.info.lines))

    def read(self, bands, lines):
        return self._source.read(bands, lines)


def counts(samples, info):
    """Samples in counts, not rounded."""
    if info.scaling is None:
        return samples.astype(np.float64)
    return (samples.astype(np.float64) - info.scaling.offset) / info.scaling.scale


def rmse(decoded, source):
    info = source.info
    samples = source.read(slice(0, info.bands), slice(0, info.lines))
    return float(np.sqrt(np.mean((counts(decoded, info) - counts(samples, info)) ** 2)))


def test_a_quarter_of_a_bit(source):
    stream = Encoder(bps=0.25).encode(source)
    assert 0.95 * 0.25 * source.info.count / 8 <= len(stream) <= 0.25 * source.info.count / 8
    decoder = Decoder(stream)
    decoded = decoder.decode()
    assert decoder.damage == []
    assert (decoded.shape, decoded.dtype) == (source.info.shape, source.info.dtype)
    # The smallest fields, 27 x 10 pixels in 369 bands, have few bytes to spend.
    spread = float(
        np.std(counts(source.read(slice(0, source.info.bands), slice(0, source.info.lines)), source.info))
    )
    assert rmse(decoded, source) < 0.1 * spread


def test_a_step_of_one_count(source):
    # The first lines only: whole scenes take minutes, and benchmarks/roundtrip.py codes those.
    source = FirstLines(source, 24)
    decoder = Decoder(Encoder(step=1.0).encode(source))
    decoded = decoder.decode()
    assert decoder.damage == []
    assert decoder.info.metadata == source.info.metadata
    # 0.29 for rounding to the step, and what zeroing adds; floats are rounded to counts before.
    assert rmse(decoded, source) <= (0.45 if source.info.scaling is None else 0.55)


def test_scenes_are_those_that_are_described():
    if not HEADERS:
        pytest.skip(f"no scenes in {FOLDER}")
    entries = json.loads((FOLDER / "scenes.json").read_text())
    assert {entry["name"] for entry in entries} == set(HEADERS)
    for entry in entries:
        info = open_envi(HEADERS[entry["name"]], for_coding=False).info
        assert (info.shape, str(info.dtype)) == (
            (entry["bands"], entry["lines"], entry["samples"]),
            entry["dtype"],
        )
