"""Weights of blocks: masks become codes, and regions of interest are coded more finely."""

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.block_weight_code import read_block_weights, write_block_weights
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.transforms.coding_weights import LARGEST_CODE
from bandfold.common import kernels
from bandfold.common.errors import SettingsError, StreamError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.downlink.requantise import requantise
from bandfold.onboard.samples.samples import ArraySource
from bandfold.onboard.transform.block_weights import block_codes
from bandfold.synthetic.scenes import SyntheticScene

LINES, SAMPLES, BANDS = 76, 92, 20
TABLES = load_tables()


@pytest.fixture(scope="module")
def cube():
    return SyntheticScene(LINES, SAMPLES, BANDS, seed=3).read(slice(0, BANDS), slice(0, LINES))


@pytest.fixture(scope="module")
def mask():
    inside = np.zeros((LINES, SAMPLES), bool)
    inside[16:48, 24:64] = True
    return inside


def errors(stream, cube, mask):
    """Root of the mean squared error inside and outside."""
    squares = (Decoder(stream, restore="off").decode().astype(float) - cube) ** 2
    return np.sqrt(squares[:, mask].mean()), np.sqrt(squares[:, ~mask].mean())


def test_blocks_of_better_and_of_worse_regions():
    mask = np.zeros((20, 20), bool)
    mask[7:17, 0:9] = True
    assert block_codes([(mask, 6.02)], 20, 20).tolist() == [[0, 0, 8], [0, 0, 8], [0, 0, 8]]
    # Only blocks that lie in it may be worse.
    assert block_codes([(mask, -6.02)], 20, 20).tolist() == [[0, 0, 0], [8, 0, 0], [0, 0, 0]]
    # At the edge of a scene a block is as large as what there is of it.
    mask[:] = False
    mask[16:, 16:] = True
    assert block_codes([(mask, -12.04)], 20, 20)[2].tolist() == [0, 0, 16]
    both = block_codes([(mask, 500.0), (~mask, -6.02)], 20, 20)
    assert both[2].tolist() == [LARGEST_CODE, LARGEST_CODE, 0]


@pytest.mark.parametrize("gain", [float("nan"), float("inf")])
def test_what_is_no_region(mask, gain):
    with pytest.raises(SettingsError, match="does not fit the 20 lines and 92 samples"):
        block_codes([(mask, 6.0)], 20, SAMPLES)
    with pytest.raises(SettingsError, match="finite number of dB"):
        block_codes([(mask, gain)], LINES, SAMPLES)


@pytest.mark.parametrize("settings", [{}, {"spectral": "none"}, {"weights": "snr"}, {"quantiser": "uniform"}])
def test_a_region_is_better_or_worse(cube, mask, settings):
    usual = errors(Encoder(bps=0.7, **settings).encode(cube), cube, mask)
    better, worse = (Encoder(bps=0.7, roi=[(mask, gain)], **settings).encode(cube) for gain in (12.0, -12.0))
    assert max(len(better), len(worse)) <= 0.7 * cube.size / 8
    inside, outside = errors(better, cube, mask)
    assert inside < 0.75 * usual[0]
    assert outside > usual[1]
    inside, outside = errors(worse, cube, mask)
    assert inside > 1.5 * usual[0]
    assert outside < usual[1]


def test_strips_rotations_and_absent_samples(cube, mask):
    """A step is that of the best region, whatever else blocks go through."""
    scene = cube.copy()
    scene[:, 30:36, 40:70] = 65535
    source = ArraySource(scene, no_data=65535)
    stream = Encoder(step=40.0, strip_lines=16, roi=[(mask, 12.0)]).encode(source)
    decoder = Decoder(stream, restore="off")
    found = decoder.decode()
    assert decoder.damage == []
    assert (found[:, 30:36, 40:70] == 65535).all()
    present = scene != 65535
    error = np.where(present, found.astype(float) - scene, 0.0)
    assert np.sqrt((error[:, mask] ** 2).mean()) < 0.5 * 40
    assert len(stream) < len(Encoder(step=40.0, strip_lines=16).encode(source))


def test_the_same_bytes_without_kernels(cube, mask):
    part = cube[:, :32, :32]
    settings = {"step": 30.0, "roi": [(mask[:32, :32], 9.0)]}
    stream = Encoder(**settings).encode(part)
    with kernels.switched_off():
        assert Encoder(**settings).encode(part) == stream


def test_a_smaller_stream_keeps_its_regions(cube, mask):
    stream = Encoder(bps=1.0, roi=[(mask, 18.0)]).encode(cube)
    smaller = requantise(stream, len(stream) // 2).data
    assert len(smaller) <= len(stream) // 2
    inside, outside = errors(smaller, cube, mask)
    assert inside < 0.6 * outside


@pytest.mark.parametrize(
    "others",
    [
        {"psnr": 60.0},
        {"rmse": 3.0},
        {"lossless": True},
        {"step": 4.0, "max_error": 3},
        {"step": 4.0, "stream": True},
        {"step": 4.0, "model": "innovations"},
    ],
)
def test_what_regions_do_not_go_with(mask, others):
    with pytest.raises(SettingsError, match="regions of interest do not go with"):
        Encoder(roi=[(mask, 6.0)], **others)


def test_codes_come_back_and_impossible_ones_are_refused():
    codes = np.random.default_rng(1).integers(0, LARGEST_CODE + 1, (5, 7)).astype(np.uint8)
    writer = PayloadWriter(TABLES)
    write_block_weights(writer, codes)
    reader = PayloadReader(TABLES, writer.data())
    np.testing.assert_array_equal(read_block_weights(reader, 5, 7), codes)
    reader.finish()
    for changes in ([-1, 1, 0, 0], [0, LARGEST_CODE + 1, 0, 0], [90, 0, 6, 0], [1 << 35] * 4):
        writer = PayloadWriter(TABLES)
        writer.integers(changes, 64)
        with pytest.raises(StreamError, match="impossible weight"):
            read_block_weights(PayloadReader(TABLES, writer.data()), 2, 2)


def test_masks_of_few_changes_cost_little():
    codes = np.zeros((8, 100), np.uint8)
    codes[2:5, 30:60] = 16
    writer = PayloadWriter(TABLES)
    write_block_weights(writer, codes)
    assert len(writer.data()) < 40
