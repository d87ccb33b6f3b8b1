"""Streams with coarser steps: smaller, whole, and nearly as good as if the scene had been encoded again."""

from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.container.sections import Section, read_sections, write_section
from bandfold.common.errors import BudgetError, ModelError, StreamError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.downlink.requantise import requantise
from bandfold.synthetic.scenes import SyntheticScene

SENSOR = Path(__file__).parents[2] / "golden" / "golden-20.bfm"
BANDS, LINES, SAMPLES = 20, 20, 16
WAYS = {
    "whole scene": {},
    "stream of lines": {"stream": True, "repeat": 1},
    "sensor": {"sensor": SENSOR, "spectral": "sensor"},
    "band by band": {"spectral": "none"},
}


@pytest.fixture(scope="module")
def cube():
    return SyntheticScene(LINES, SAMPLES, BANDS, seed=5).read(slice(0, BANDS), slice(0, LINES))


def psnr(data, cube):
    decoder = Decoder(data, models=[SENSOR], restore="off")
    decoded = decoder.decode()
    assert decoder.damage == []
    assert decoder.complete
    assert decoded.shape == cube.shape
    return 10 * np.log10(65535.0**2 / np.mean((decoded.astype(np.float64) - cube) ** 2))


@pytest.mark.parametrize("way", WAYS)
def test_smaller_and_nearly_as_good_as_encoded_again(cube, way):
    stream = Encoder(step=8.0, strip_lines=16, **WAYS[way]).encode(cube)
    size = len(stream) * 6 // 10
    found = requantise(stream, size)
    assert 0.95 * size < len(found.data) <= size
    assert found.factor > 1.2
    again = Encoder(step=8.0 * found.factor, strip_lines=16, **WAYS[way]).encode(cube)
    bits = np.log2(len(found.data) / len(again)) / BANDS
    assert abs(bits) < 0.05
    assert psnr(found.data, cube) > psnr(again, cube) - 1.5
    kinds = [[one.kind for one in read_sections(data)] for data in (stream, found.data)]
    assert kinds[0] == kinds[1]
    assert requantise(stream, size).data == found.data


def test_a_stream_that_fits_stays(cube):
    stream = Encoder(step=30.0).encode(cube)
    assert requantise(stream, len(stream)) == requantise(stream, len(stream) + 9)
    assert requantise(stream, len(stream)).data is stream


def test_absent_and_other_samples_stay(cube):
    holes = cube.copy()
    holes[:, 3:9, 5:7] = 65535
    holes[4] = 77
    stream = Encoder(step=8.0, strip_lines=16).encode(ArraySource(holes, no_data=65535.0))
    stream += write_section(77, b"from the future")
    found = requantise(stream, len(stream) * 7 // 10)
    decoded = Decoder(found.data, restore="off").decode()
    np.testing.assert_array_equal(decoded == 65535, holes == 65535)
    assert [one.kind for one in read_sections(found.data)][-1] == 77


def test_what_cannot_be_made_smaller(cube, tmp_path):
    stream = Encoder(step=30.0).encode(cube)
    with pytest.raises(BudgetError, match="too few"):
        requantise(stream, 40)
    with pytest.raises(StreamError, match="damaged"):
        requantise(stream[:-1], 400)
    with pytest.raises(StreamError, match="not a bandfold stream"):
        requantise(b"no stream", 4)
    with pytest.raises(StreamError, match="header"):
        requantise(stream[:10] + write_section(Section.END, b""), 4)
    model = Encoder(step=300.0, model="balle48-relu-cal-l1").encode(cube)
    with pytest.raises(StreamError, match="rounds by itself"):
        requantise(model, 100)


def test_other_tables_are_refused(cube, monkeypatch):
    from bandfold.bitstream.container.header import Header

    stream = Encoder(step=30.0).encode(cube)
    header = next(read_sections(stream))
    other = bytearray(header.payload)
    identity = Header.unpack(header.payload).tables
    other[other.index(identity)] ^= 1
    with pytest.raises(ModelError, match="needs the tables"):
        requantise(stream[:10] + write_section(Section.HEADER, bytes(other)) + stream[10 + header.size :], 99)
