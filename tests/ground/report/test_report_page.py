"""What a report collects and writes, without a browser."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.sections import Section
from bandfold.common.errors import SceneError
from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.ground.compare import compare_scenes
from bandfold.ground.report.bit_counting_decoder import BitCountingDecoder, shared_bits
from bandfold.ground.report.report_contents import FEWEST_BANDS, FEWEST_PIXELS, SampleGrid, collect
from bandfold.ground.report.report_page import FIXED_BYTES, render, values_within
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.onboard import ArraySource, Encoder

from ..streams import LINES, STRIP, encode, flipped, scene

GOLDEN = Path(__file__).parents[2] / "golden"


def segment_bytes(stream, **named):
    return Decoder(stream, **named).report()["bytes"]["segments"]


@pytest.mark.parametrize("spectral", ["auto", "none"])
def test_what_latents_cost_is_what_the_segments_take(spectral):
    stream = encode(scene(), spectral=spectral)
    decoder = BitCountingDecoder(stream)
    np.testing.assert_array_equal(decoder.decode(), Decoder(stream).decode())
    bits = decoder.component_bits
    assert len(bits) == decoder.fold.components
    # Frames and the last word of each segment are some 15 bytes.
    assert bits.sum() / 8 == pytest.approx(segment_bytes(stream) - 15 * 3, rel=0.03)
    assert decoder.interval_bits.sum() == pytest.approx(bits.sum())
    assert len(decoder.interval_bits) == len(decoder.fold.ends)


def test_folds_of_other_intervals():
    rng = np.random.default_rng(0)
    line, sample, band = np.arange(64)[:, None], np.arange(48), np.arange(100)[:, None, None]
    smooth = np.cos(band / 60) * 400 * np.sin(line / 4 + sample / 7)
    parts = np.where(band < 80, rng.normal(size=(64, 48)), rng.normal(size=(64, 48))) * 300
    cube = np.concatenate([smooth, parts], axis=1) + 4000 + rng.normal(size=(100, 128, 48))
    stream = Encoder(step=6, stream=True).encode(np.rint(cube).astype(np.uint16))
    parsed = ParsedStream.parse(stream)
    first, second = (parsed.transforms.find(number).fold.ends for number in range(2))
    assert first != second
    decoder, last = BitCountingDecoder(stream), BitCountingDecoder(stream)
    decoder.decode()
    last.decode(lines=slice(64, 128))
    # What the second strip takes is the same for all bands of each interval of its own.
    changes = np.flatnonzero(np.diff(last.band_bits)) + 1
    assert set(changes.tolist()) == set(second) - {100}
    assert decoder.interval_bits.sum() == pytest.approx(decoder.component_bits.sum())
    assert decoder.interval_bits[0] == pytest.approx(decoder.band_bits[: first[0]].sum())


def test_what_latents_of_a_model_cost():
    pytest.importorskip("onnxruntime")
    stream = (GOLDEN / "modelled.bndf").read_bytes()
    packages = sorted(GOLDEN.glob("*.bfm"))
    decoder = BitCountingDecoder(stream, models=packages)
    np.testing.assert_array_equal(decoder.decode(), Decoder(stream, models=packages).decode())
    assert decoder.component_bits.sum() / 8 == pytest.approx(segment_bytes(stream, models=packages), rel=0.15)
    ends = decoder.fold.ends
    for interval, (first, last) in enumerate(zip((0, *ends[:-1]), ends, strict=True)):
        assert decoder.interval_bits[interval] == pytest.approx(decoder.component_bits[first:last].sum())


def test_shares_of_intervals():
    fold = Decoder(encode(scene(bands=12), partition=(5, 12))).fold
    for one in np.eye(fold.components):
        shares = shared_bits(one, fold)
        assert shares.shape == (2,)
        assert shares.sum() == pytest.approx(1)
        assert ((shares >= 0) & (shares <= 1)).all()
    plain = Decoder(encode(scene(), spectral="none", partition=(2, 6))).fold
    np.testing.assert_array_equal(shared_bits(2.0 ** np.arange(6), plain), [3, 60])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 400), st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 1 << 22))
def test_the_grid_keeps_to_its_limit(bands, lines, samples, values):
    info = SceneInfo(bands, lines, samples, np.dtype("uint16"))
    grid = SampleGrid.within(info, values)
    kept = grid.shape(info)
    assert np.prod(kept) <= values
    if info.count <= values:
        assert grid == SampleGrid(1, 1)
    if grid.bands > 1:
        # Pixels were left out first.
        coarser = SampleGrid(grid.pixels + 1, 1).shape(info)
        assert coarser[1] * coarser[2] < FEWEST_PIXELS
        assert kept[0] >= FEWEST_BANDS or kept[1:] == (1, 1)


def test_samples_on_the_grid_are_those_of_the_scene():
    cube = scene(bands=9)
    stream = encode(cube)
    whole = Decoder(stream).decode()
    contents = collect(BitCountingDecoder(stream), ArraySource(cube), 9 * 14 * 7)
    assert contents.cubes.grid == SampleGrid(3, 1)
    np.testing.assert_array_equal(contents.cubes.decoded, whole[:, ::3, ::3])
    np.testing.assert_array_equal(contents.cubes.reference, cube[:, ::3, ::3])
    few = collect(BitCountingDecoder(stream), None, 2 * 14 * 7, (8, 0, 3))
    np.testing.assert_array_equal(
        few.cubes.decoded, whole[:: few.cubes.grid.bands, :: few.cubes.grid.pixels, :: few.cubes.grid.pixels]
    )
    assert (few.cubes.reference, few.comparison) == (None, None)
    np.testing.assert_array_equal(few.picture.samples, whole[[8, 0, 3]].transpose(1, 2, 0))
    comparison = compare_scenes(ArraySource(cube), ArraySource(whole), Decoder(stream).fold.ends)
    # Sums in another order.
    for found, expected in zip(
        (contents.comparison.whole, *contents.comparison.intervals),
        (comparison.whole, *comparison.intervals),
        strict=True,
    ):
        assert found.to_dict() == pytest.approx(expected.to_dict())
    np.testing.assert_array_equal(contents.comparison.sam_map, comparison.sam_map)


def test_damaged_strips_are_left_out_of_the_figures():
    cube = scene()
    stream = flipped(encode(cube), Section.SEGMENT, 1)
    contents = collect(BitCountingDecoder(stream), ArraySource(cube), 1 << 20)
    assert [one.lines for one in contents.damage] == [slice(STRIP, 2 * STRIP)]
    lost = np.isnan(contents.comparison.sam_map).all(axis=1)
    np.testing.assert_array_equal(lost, (np.arange(LINES) >= STRIP) & (np.arange(LINES) < 2 * STRIP))
    good = np.r_[0:STRIP, 2 * STRIP : LINES]
    error = cube[:, good].astype(float) - Decoder(stream).decode()[:, good]
    assert contents.comparison.whole.mse == pytest.approx(np.square(error).mean())
    page = render(contents, "a.bf")
    assert "1 of 3 strips are damaged or missing (40.0% of the lines)" in page
    assert "lines 16:32: " in page


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lossless": True}, "lossless"),
        ({"max_error": 7}, "no error above 7"),
        ({"relative_error": 0.25, "max_error": 7}, "no error above 0.25 of a sample or 7"),
    ],
)
def test_what_is_guaranteed_is_told(settings, said):
    stream = encode(scene(), **settings)
    page = render(collect(BitCountingDecoder(stream), None, 1 << 20), "a.bf")
    assert said in page
    assert "bytes of the segment and its refinement" in page
    lost = flipped(stream, Section.REFINEMENT, 1)
    page = render(collect(BitCountingDecoder(lost), None, 1 << 20), "a.bf")
    assert "guaranteed" not in page
    assert "no error limit holds" in page


def test_absent_samples_have_no_value():
    cube = scene()
    cube[:, 3:9, 2:5] = -1
    source = ArraySource(cube, no_data=-1.0)
    contents = collect(BitCountingDecoder(encode(source)), source, 1 << 20)
    for kept in (contents.cubes.decoded, contents.cubes.reference):
        np.testing.assert_array_equal(np.isnan(kept), cube == -1)
    assert np.isnan(contents.picture.samples[3:9, 2:5]).all()
    render(contents, "a.bf")


def test_a_reference_of_another_scene_is_refused():
    with pytest.raises(SceneError, match="name the scene that was encoded"):
        collect(BitCountingDecoder(encode(scene())), ArraySource(scene(bands=5)), 1 << 20)


def data_of(page):
    return json.loads(
        re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)[1]
    )


def test_the_page_holds_what_it_needs_and_no_more():
    cube = scene()
    contents = collect(BitCountingDecoder(encode(cube)), ArraySource(cube), 1 << 20)
    page = render(contents, "<script>alert(1)</script> & co.bf")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co.bf - bandfold report</title>" in page
    markup = page.partition('<script id="data"')[0]
    outside = re.findall(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["']([^"']*)""", markup)
    assert outside == ["data:,"]
    data = data_of(page)
    assert set(data["plots"]) == {"spectrum", "psnr", "sam", "rmse", "strips", "intervals", "components"}
    assert "--tiles" not in page
    assert data["view"]["shape"] == list(cube.shape)
    alone = render(collect(BitCountingDecoder(encode(cube)), None, 1 << 20), "a.bf")
    assert "No reference was given" in alone
    assert set(data_of(alone)["plots"]) == {"spectrum", "strips", "intervals", "components"}
    assert "reference" not in data_of(alone)["view"]["cubes"]


def test_pages_of_large_scenes_keep_to_their_size():
    cube = scene(bands=40, lines=64, samples=64)
    page_bytes = FIXED_BYTES + (1 << 19)
    contents = collect(BitCountingDecoder(encode(cube)), ArraySource(cube), values_within(page_bytes, 2))
    assert contents.cubes.grid != SampleGrid(1, 1)
    page = render(contents, "a.bf")
    assert len(page) < page_bytes
    assert "<code>--tiles DIR</code> writes the rest" in page
    assert values_within(1, 1) == 1
    assert values_within(FIXED_BYTES + 800, 1) == 300


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 1), (3, 1, 30)])
def test_scenes_of_any_shape(shape):
    cube = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    contents = collect(BitCountingDecoder(encode(cube, step=1.0, strip_lines=8)), ArraySource(cube), 1 << 20)
    assert "Where the bytes went" in render(contents, "a.bf")
