"""Segments of streams with a model: what is written comes back, what does not fit is corrupt."""

from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.container.header import CodingTools, Header, PackageReference
from bandfold.bitstream.container.segment_layout import Chunk, ChunkedSegment, SegmentHeader, split_segment
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import load_package
from bandfold.bitstream.payloads.klt_code import read_fold, write_fold
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.band_segment import BandSegment, read_band_segment, write_band_segment
from bandfold.bitstream.transforms.klt import Fold
from bandfold.common.errors import StreamError
from bandfold.common.scene import SceneInfo

BANDS, LINES, SAMPLES = 7, 40, 21
FOLD = Fold((2, 3, 7), np.arange(7, dtype=np.int64) * -64, engines=(1, 0, 1))


@pytest.fixture(scope="module")
def tables():
    package = load_package(Path(__file__).parents[2] / "golden" / "golden-walsh.bfm")
    return BandCodec.from_package(package).tables(load_tables())


def header(tables, no_data=None):
    info = SceneInfo(BANDS, LINES, SAMPLES, np.dtype("int16"), no_data=no_data)
    return Header(
        info,
        24,
        256,
        CodingTools(False, "planes16"),
        tables.identity,
        PackageReference("golden-walsh", bytes(8)),
    )


def latents(rows):
    rng = np.random.default_rng(rows)
    found = np.rint(rng.laplace(0, 2, (BANDS, 16, rows, 2))).astype(np.int32)
    found[3] = 0
    found[0, 0, 0, 0] = -100_000
    return found


@pytest.mark.parametrize(("index", "rows"), [(0, 2), (1, 1)])
def test_latents_come_back(tables, index, rows):
    segment = BandSegment(latents(rows))
    place = SegmentHeader(index, lines=16 if index else None)
    payload = write_band_segment(place, segment, tables, FOLD)
    found = read_band_segment(split_segment(payload), header(tables), tables, FOLD)
    np.testing.assert_array_equal(found.quantised, segment.quantised)
    assert found.absent is None


def test_masks_come_back(tables):
    absent = np.random.default_rng(0).random((BANDS, 24, SAMPLES)) < 0.1
    payload = write_band_segment(SegmentHeader(0), BandSegment(latents(2), absent), tables, FOLD)
    found = read_band_segment(split_segment(payload), header(tables, -1.0), tables, FOLD)
    np.testing.assert_array_equal(found.absent, absent)
    np.testing.assert_array_equal(found.quantised, latents(2))


def test_empty_bands_cost_a_flag(tables):
    empty = np.zeros((BANDS, 16, 2, 2), np.int32)
    assert len(write_band_segment(SegmentHeader(0), BandSegment(empty), tables, FOLD)) < 11
    one = empty.copy()
    one[2, 3] = 1
    payload = split_segment(write_band_segment(SegmentHeader(0), BandSegment(one), tables, FOLD))
    np.testing.assert_array_equal(read_band_segment(payload, header(tables), tables, FOLD).quantised, one)


def test_other_engines_and_lengths_are_corrupt(tables):
    payload = write_band_segment(SegmentHeader(0), BandSegment(latents(2)), tables, FOLD)
    other = Fold(FOLD.ends, FOLD.means, engines=(0, 1, 0))
    for data, fold in (
        (payload, other),
        (payload[:-3], FOLD),
        (payload + b"\1", FOLD),
        (b"\2" + payload[1:], FOLD),
    ):
        with pytest.raises(StreamError, match="corrupt"):
            read_band_segment(split_segment(data), header(tables), tables, fold)


def test_bands_are_not_cut_into_chunks(tables):
    whole = split_segment(write_band_segment(SegmentHeader(0), BandSegment(latents(2)), tables, FOLD))
    fewer = ChunkedSegment(whole.place, (Chunk(BANDS - 1, whole.chunks[0].data),))
    more = ChunkedSegment(whole.place, (*whole.chunks, Chunk(0, b"\0")))
    rotated = ChunkedSegment(SegmentHeader(0, rotation=0), whole.chunks)
    for wrong in (fewer, more, rotated):
        with pytest.raises(StreamError, match="bands of its model"):
            read_band_segment(wrong, header(tables), tables, FOLD)


def test_engines_are_told_with_the_fold(tables):
    payload = PayloadWriter(tables)
    write_fold(payload, FOLD)
    data = payload.data()
    found = read_fold(PayloadReader(tables, data), BANDS, spectral=False, engines=2)
    assert (found.ends, found.engines) == (FOLD.ends, FOLD.engines)
    np.testing.assert_array_equal(found.means, FOLD.means)
    with pytest.raises(StreamError, match="engine 1 of 1"):
        read_fold(PayloadReader(tables, data), BANDS, spectral=False, engines=1)
