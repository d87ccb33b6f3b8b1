"""Streams of predicted bands, with the golden model."""

from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.container.segment_layout import SegmentHeader
from bandfold.bitstream.container.truncation import truncate
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import load_package
from bandfold.bitstream.segments import segment as segments
from bandfold.bitstream.segments.predicted_codec import PredictedCodec, codec_of
from bandfold.common import kernels
from bandfold.common.errors import ModelError, SettingsError
from bandfold.ground.decoder import Decoder
from bandfold.onboard.downlink.resume import find_begun
from bandfold.onboard.encoder import Encoder
from bandfold.onboard.networks.engine_choice import CHOICES, ENGINES
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.prediction.innovation_network import InnovationNetwork
from bandfold.onboard.prediction.predicted_coder import PredictedMethod
from bandfold.onboard.prediction.predicted_planner import PredictedPlanner
from bandfold.onboard.samples.samples import ArraySource, Samples
from bandfold.onboard.stream_encoder import StreamEncoder
from bandfold.synthetic.scenes import SyntheticScene

GOLDEN = Path(__file__).parents[2] / "golden"
MODEL = GOLDEN / "golden-lapped.bfm"
SCENE = SyntheticScene(52, 61, 40, seed=5).read(slice(0, 40), slice(0, 52))


def _encode(scene=SCENE, **settings):
    settings = {"step": 20.0, "model": MODEL, "strip_lines": 24} | settings
    return Encoder(**settings).encode(scene)


def _decode(stream, **wanted):
    return Decoder(stream, models=[MODEL]).decode(**wanted)


def _error(stream, scene=SCENE):
    return float(((_decode(stream).astype(np.float64) - scene) ** 2).mean())


def test_engines_kernels_and_threads_write_the_same_file():
    part = SCENE[:9, :20, :27]
    whole = _encode(part, strip_lines=16)
    for engine in CHOICES:
        if engine == "auto" or ENGINES[engine].installed():
            assert _encode(part, strip_lines=16, engine=engine) == whole
    assert _encode(part, strip_lines=16, threads=3) == whole
    with kernels.switched_off():
        assert _encode(part, strip_lines=16) == whole


def test_both_kernels_decode_the_same():
    stream = _encode()
    found = _decode(stream)
    with kernels.switched_off():
        np.testing.assert_array_equal(_decode(stream), found)


def test_the_encoder_knows_the_error_that_the_decoder_makes():
    for psnr in (50.0, 62.0):
        mse = _error(_encode(step=None, psnr=psnr))
        assert 10 * np.log10(65535**2 / mse) == pytest.approx(psnr, abs=0.1)


def test_parts_are_what_the_whole_has_there():
    stream = _encode()
    whole = _decode(stream)
    for bands, lines in (
        (slice(0, 1), slice(0, 52)),
        (slice(17, 18), slice(30, 31)),
        (slice(31, 40), slice(5, 50)),
    ):
        np.testing.assert_array_equal(_decode(stream, bands=bands, lines=lines), whole[bands, lines])


def test_budgets_are_kept_and_used():
    for budget in (2500, 8000):
        size = len(_encode(step=None, nbytes=budget))
        assert 0.95 * budget < size <= budget


def test_quality_rises_with_the_budget():
    errors = [_error(_encode(step=None, nbytes=budget)) for budget in (1500, 2500, 4000, 7000, 12000, 40000)]
    assert errors == sorted(errors, reverse=True)


def test_contrast_beyond_eight_bits_is_followed():
    generator = np.random.default_rng(1)
    scene = (30000 + 200 * generator.normal(size=(6, 24, 24))).astype(np.uint16)
    scene[:, 4, 5], scene[2, 8:16, 8:16] = 65535, 0
    stream = _encode(scene, step=2.0)
    difference = _decode(stream).astype(int) - scene
    assert np.abs(difference).max() < 12


def test_absent_samples_come_back():
    scene = SCENE.copy()
    scene[:, 10, 7:9] = scene[3, 40, :] = 9
    stream = _encode(ArraySource(scene, no_data=9))
    found = _decode(stream)
    np.testing.assert_array_equal(found == 9, scene == 9)


def test_without_its_last_chunks_a_strip_has_what_is_predicted(monkeypatch):
    monkeypatch.setattr(segments, "CHUNK_BYTES", 100)
    stream = _encode(step=4.0, strip_lines=56)
    # All of every strip but some chunks: bands that come late in the order of coding are interpolated.
    sizes = [0.8, 0.5, 0.3]
    errors = [_error(stream)]
    for share in sizes:
        shorter = truncate(stream, int(share * len(stream))).data
        assert len(shorter) <= share * len(stream)
        errors.append(_error(shorter))
    assert errors == sorted(errors)
    assert errors[-1] < SCENE.astype(np.float64).var() / 100


def test_a_stream_is_what_its_lines_make_however_they_come():
    whole = Encoder(step=20.0, model=MODEL, strip_lines=24, stream=True).encode(SCENE)
    np.testing.assert_array_equal(_decode(whole), _decode(whole))
    info = ArraySource(SCENE).info
    sections = []
    encoder = StreamEncoder(info, sections.append, step=20.0, model=MODEL, strip_lines=24)
    for start in range(0, 52, 5):
        encoder.push(SCENE[:, start : start + 5].transpose(1, 0, 2))
    encoder.flush()
    assert b"".join(sections) == whole
    assert encoder.engines
    # A whole scene has band means of its own, and steps that grow otherwise from level to level.
    assert _error(whole) < 2 * _error(_encode())


def test_a_stream_keeps_its_rate():
    stream = Encoder(bps=0.5, model=MODEL, strip_lines=16, stream=True).encode(SCENE)
    assert 0.8 * 0.5 < len(stream) * 8 / SCENE.size <= 0.5


def test_a_stream_that_was_cut_off_goes_on():
    settings = {"step": 20.0, "model": MODEL, "strip_lines": 16, "stream": True}
    whole = Encoder(**settings).encode(SCENE)
    begun = find_begun(whole[: int(0.6 * len(whole))])
    assert 0 < begun.lines < 52
    sections = []
    Encoder(**settings).encode_in_parts(ArraySource(SCENE), sections.append, begun)
    again = whole[: begun.size] + b"".join(sections)
    kept = slice(0, begun.lines)
    np.testing.assert_array_equal(_decode(again, lines=kept), _decode(whole, lines=kept))
    # What follows has band means of its own.
    assert _error(again) < 1.1 * _error(whole)


@pytest.mark.parametrize("stream", [False, True])
def test_strips_are_as_high_as_asked_for(stream):
    # 52 lines of 61 samples: strips are higher than usual, unless their height is asked for.
    for asked, height in ((None, 512), (64, 64), (24, 24)):
        coded = Encoder(step=20.0, model=MODEL, strip_lines=asked, stream=stream).encode(SCENE[:9])
        assert Decoder(coded, models=[MODEL]).strip_lines == height


def test_a_strip_does_not_depend_on_the_one_before_it_in_memory():
    method = PredictedMethod(InnovationNetwork(codec_of(load_package(MODEL))), load_tables())
    basis = PredictedPlanner(sample_blocks(ArraySource(SCENE))).plan(20.0).bases[0]
    samples, place = Samples.of(ArraySource(SCENE)), SegmentHeader(0)

    def code(lines, method):
        coder = method.coder(basis, 20.0)
        return coder.code(coder.analyse(samples, lines), place, 20.0, errors=False).payload

    low = code(slice(40, 52), method)
    high = code(slice(0, 40), method)
    assert code(slice(40, 52), method) == low
    method.reserve(samples.info)
    assert code(slice(0, 40), method) == high


def test_published_models_do_not_stream():
    with pytest.raises(SettingsError, match="one step for a whole scene"):
        Encoder(step=1.0, model=GOLDEN / "golden-walsh.bfm", stream=True)
    with pytest.raises(SettingsError, match="one step for a whole scene"):
        StreamEncoder(ArraySource(SCENE).info, print, step=1.0, model=GOLDEN / "golden-walsh.bfm")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("basis-functions", lambda array: array[:, :, :23], "basis functions"),
        ("basis-functions", lambda array: array + (np.arange(24) == 3).astype(np.int16), "not symmetric"),
        ("latent-units", lambda array: array * 0, "units"),
        ("analysis-golden", lambda array: array[:, :5], "golden"),
        ("banded_frequencies", lambda array: array + 1, "sum to"),
    ],
)
def test_packages_that_are_no_models(name, change, message):
    from dataclasses import replace

    package = load_package(MODEL)
    broken = replace(package, arrays={**package.arrays, name: change(package.arrays[name])})
    with pytest.raises(ModelError, match=message):
        codec_of(broken)


def test_golden_latents_are_compared_before_use():
    from dataclasses import replace

    package = load_package(MODEL)
    golden = package.arrays["analysis-golden"] ^ np.uint8(1)
    other = replace(package, arrays={**package.arrays, "analysis-golden": golden})
    assert isinstance(codec_of(other), PredictedCodec)
    with pytest.raises(ModelError, match="golden latents"):
        Encoder(step=20.0, model=other).encode(SCENE)
