"""Lines as they come: the same bytes however they are handed over, and memory and damage by the strip."""

import tracemalloc
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.sections import Section, read_sections, write_preamble, write_section
from bandfold.bitstream.container.segment_layout import read_segment_header, split_segment
from bandfold.common.errors import BudgetError, ModelError, SceneError, SettingsError, StreamError
from bandfold.common.scene import Scaling, SceneInfo
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder, StreamEncoder
from bandfold.onboard.downlink.resume import find_begun
from bandfold.synthetic.scenes import SyntheticScene

SENSOR = Path(__file__).parents[1] / "golden" / "golden-20.bfm"
BANDS, LINES, SAMPLES, STRIP = 20, 70, 24, 16


def three_lands():
    """A scene whose statistics change twice."""
    parts = [
        SyntheticScene(lines, SAMPLES, BANDS, seed=seed).read(slice(0, BANDS), slice(0, lines))
        for seed, lines in ((1, 32), (2, 16), (3, 22))
    ]
    parts[1] = (parts[1][::-1] // 3 + 900).astype(np.uint16)
    return np.concatenate(parts, axis=1)


@pytest.fixture(scope="module")
def cube():
    return three_lands()


def streamed(cube, hand_over, info=None, **settings):
    written = []
    info = info or SceneInfo(*cube.shape, cube.dtype)
    encoder = StreamEncoder(info, written.append, **{"strip_lines": STRIP, **settings})
    hand_over(encoder, cube)
    encoder.flush()
    assert encoder.lines == cube.shape[1]
    return b"".join(written)


def in_pieces(*sizes):
    def hand_over(encoder, cube):
        lines, start, turn = cube.transpose(1, 0, 2), 0, 0
        while start < len(lines):
            encoder.push(lines[start : start + sizes[turn % len(sizes)]])
            start += sizes[turn % len(sizes)]
            turn += 1

    return hand_over


def in_frames(height):
    def hand_over(encoder, cube):
        for start in range(0, cube.shape[1], height):
            for plane in cube[:, start : start + height]:
                encoder.push_band(plane)

    return hand_over


WAYS = {
    "lines": in_pieces(1),
    "odd pieces": in_pieces(5, 33, 1, 17),
    "all at once": in_pieces(LINES),
    "frames": in_frames(STRIP),
    "small frames": in_frames(STRIP // 2),
}
SETTINGS = {
    "step": {"step": 12.0},
    "quality": {"psnr": 75.0},
    "rate": {"bps": 1.5},
    "bands": {"step": 12.0, "spectral": "none"},
    "sensor": {"step": 12.0, "sensor": SENSOR, "spectral": "sensor"},
    "often": {"step": 30.0, "repeat": 1, "partition": (7, 20)},
}


@pytest.fixture(scope="module")
def whole(cube):
    return {
        name: Encoder(**given, strip_lines=STRIP, stream=True).encode(cube)
        for name, given in SETTINGS.items()
    }


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("way", WAYS)
def test_the_same_bytes_however_lines_are_handed_over(cube, whole, name, way):
    assert streamed(cube, WAYS[way], **SETTINGS[name]) == whole[name]


def test_scaled_samples_and_gaps_are_the_same_too(cube):
    values = cube.astype(np.float32) / 512
    values[:, 9:12, 4:9] = np.nan
    values[3, 40, 7] = np.nan
    source = ArraySource(values, scaling=Scaling(1 / 512), no_data=float("nan"), metadata={"a": "b"})
    stream = Encoder(step=20.0, strip_lines=STRIP, stream=True).encode(source)
    for way in WAYS.values():
        assert streamed(values, way, source.info, step=20.0) == stream
    decoder = Decoder(stream)
    decoded = decoder.decode()
    np.testing.assert_array_equal(np.isnan(decoded), np.isnan(values))
    assert decoder.info.metadata == {"a": "b"}
    assert np.sqrt(np.nanmean((decoded - values) ** 2)) < 20 / 512


@pytest.mark.parametrize("name", SETTINGS)
def test_streams_decode(cube, whole, name):
    decoder = Decoder(whole[name], models=[SENSOR])
    decoded = decoder.decode()
    assert decoder.damage == []
    assert decoder.complete
    assert decoded.shape == cube.shape
    assert decoded.dtype == cube.dtype
    error = np.sqrt(np.mean((decoded.astype(float) - cube) ** 2))
    assert error < {"often": 20, "rate": 40, "sensor": 60}.get(name, 12)
    report = decoder.report()
    assert report["open"]
    assert report["complete"]
    assert [segment["lines"] for segment in report["segments"]][-1] == [64, 70]


def test_folds_change_with_the_land(cube):
    # At a step at which the second strip of the first land saves too little by far for a fold of its own.
    stream = Encoder(step=20.0, strip_lines=STRIP, stream=True).encode(cube)
    folds = [segment["fold"] for segment in Decoder(stream).report()["segments"]]
    # The land changes with the third strip and, again, with the fourth.
    assert folds[:2] == [0, 0]
    assert folds[2] == 1
    assert folds[3] == 2


def test_a_steady_scene_keeps_its_fold():
    rng = np.random.default_rng(2)
    mixing = rng.normal(size=(BANDS, 4)) * [300, 100, 40, 10]
    cube = 5000 + np.tensordot(mixing, rng.normal(size=(4, 128, 64)), 1) + rng.normal(0, 2, (BANDS, 128, 64))
    stream = Encoder(step=8.0, strip_lines=STRIP, stream=True).encode(np.rint(cube).astype(np.uint16))
    assert Decoder(stream).report()["folds"] == 1


def test_quality_is_met_in_every_strip(cube, whole):
    decoded = Decoder(whole["quality"]).decode()
    for start in range(0, LINES, STRIP):
        lines = slice(start, start + STRIP)
        mse = np.mean((decoded[:, lines].astype(float) - cube[:, lines]) ** 2)
        assert abs(10 * np.log10(65535**2 / mse) - 75.0) < 0.5


def parts_of(stream):
    return [(section.kind, section.payload) for section in read_sections(stream)]


def joined(parts):
    return write_preamble() + b"".join(write_section(kind, payload) for kind, payload in parts)


def test_bases_are_repeated(whole):
    """With `repeat` 1 each copy of a section may be lost, and nothing is."""
    stream = whole["often"]
    expected = Decoder(stream).decode()
    parts = parts_of(stream)
    kinds = [kind for kind, _ in parts]
    assert kinds.count(Section.HEADER) == 1 + kinds.count(Section.SEGMENT)
    assert kinds[-2:] == [Section.HEADER, Section.END]
    for place, (kind, payload) in enumerate(parts):
        if kind in (Section.HEADER, Section.FOLD, Section.ROTATION) and parts.count((kind, payload)) > 1:
            decoder = Decoder(joined([*parts[:place], *parts[place + 1 :]]))
            np.testing.assert_array_equal(decoder.decode(), expected)
            assert decoder.damage == []


def patchwork(bands=16, lines=160, samples=128):
    """Fields of two kinds, side by side: what rotations are for."""
    rng = np.random.default_rng(4)
    falling = 400.0 * 0.7 ** np.arange(bands)
    kinds = [np.linalg.qr(rng.normal(size=(bands, bands)))[0] * falling for _ in range(2)]
    planes = rng.normal(0, 1, (bands, lines // 4, samples // 4)).repeat(4, axis=1).repeat(4, axis=2)
    board = (np.arange(lines)[:, None] // 16 + np.arange(samples) // 16) % 2
    return np.rint(np.where(board, *(np.tensordot(kind, planes, 1) for kind in kinds))).astype(np.int16)


@pytest.mark.parametrize(("kind", "height"), [(Section.FOLD, STRIP), (Section.ROTATION, 2 * STRIP)])
def test_a_lost_basis_costs_the_strips_that_need_it(whole, kind, height):
    stream = whole["step"]
    if kind == Section.ROTATION:
        stream = streamed(patchwork(), in_pieces(32), step=8.0, strip_lines=height)
    parts, expected = parts_of(stream), Decoder(stream).decode()
    place = [number for number, part in enumerate(parts) if part[0] == kind]
    lost = parts[place[-1]]
    decoder = Decoder(joined([part for part in parts if part != lost]))
    decoded = decoder.decode()
    number = lost[1][0]
    strips = [
        index
        for index, payload in enumerate(payload for kind, payload in parts if kind == Section.SEGMENT)
        if number in ((place := read_segment_header(payload)[0]).fold, place.rotation)
    ]
    assert [one.lines.start for one in decoder.damage] == [height * index for index in strips]
    assert f"section {number} is missing" in decoder.damage[0].reason
    for index in set(range(5)) - set(strips):
        lines = slice(height * index, height * (index + 1))
        np.testing.assert_array_equal(decoded[:, lines], expected[:, lines])


def test_memory_does_not_go_with_the_lines():
    """What is held after many strips is what is held after a few."""
    rng = np.random.default_rng(1)
    strip = rng.integers(0, 4000, (STRIP, 6, 40)).astype(np.uint16)
    tracemalloc.start()
    try:
        encoder = StreamEncoder(
            SceneInfo(6, 1, 40, strip.dtype), lambda data: None, step=500.0, strip_lines=STRIP
        )
        for _ in range(8):
            encoder.push(strip)
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            encoder.push(strip)
        now, peak = tracemalloc.get_traced_memory()
        assert now < held + 50_000
        assert peak < held + 5_000_000
    finally:
        tracemalloc.stop()


# Rate


def fills(stream, bps, per_strip):
    """What a transmitter's buffer holds after each strip, and the steps."""
    parts, fill, levels, sent = parts_of(stream), 0.0, [], 10
    steps = []
    header = Header.unpack(parts[0][1])
    for kind, payload in parts:
        sent += len(write_section(kind, payload))
        if kind == Section.SEGMENT:
            fill = max(fill + sent - bps * per_strip / 8, 0.0)
            levels.append(fill)
            steps.append((split_segment(payload).place.step_code or header.step_code) / 256)
            sent = 0
    return levels, steps


@pytest.fixture(scope="module")
def easy_and_hard():
    """Smooth strips, then rough ones, then smooth ones again: 20 strips of 16 lines."""
    rng = np.random.default_rng(5)
    line, sample = np.mgrid[:320, :80]
    smooth = 3000 + 400 * np.sin(line / 30) + 300 * np.cos(sample / 25)
    rough = np.where((line >= 96) & (line < 208), 6.0, 1.0)
    gains = np.linspace(0.5, 1.5, 8)[:, None, None]
    cube = smooth * gains + rng.normal(0, 12, (8, 320, 80)) * rough + rng.normal(0, 20, (320, 80)) * rough
    return np.rint(cube).astype(np.uint16)


@pytest.mark.parametrize("bps", [0.7, 2.0])
@pytest.mark.parametrize("buffer", [None, 1500, 20000])
def test_the_bucket_holds(easy_and_hard, bps, buffer):
    cube = easy_and_hard
    stream = streamed(cube, in_pieces(16), bps=bps, buffer=buffer)
    per_strip = 8 * 16 * 80
    limit = buffer or 4 * bps * per_strip / 8
    assert 0.7 * bps * cube.size / 8 < len(stream) <= bps * cube.size / 8
    levels, steps = fills(stream, bps, per_strip)
    assert max(levels) <= limit + 1
    # No prefix of strips takes more than its share either.
    total = 10
    done = 0
    for kind, payload in parts_of(stream):
        total += len(write_section(kind, payload))
        if kind == Section.SEGMENT:
            done += 1
            assert total <= bps * done * per_strip / 8
    if buffer is None:
        # Steps move by half an octave at most, but where the land becomes rough all at once.
        moves = [abs(np.log2(second / first)) for first, second in pairwise(steps)]
        assert sum(move > 0.501 for move in moves) <= 2
        assert max(moves[7:]) < 0.501


def test_a_strip_that_cannot_be_coarser_loses_chunks_and_not_the_budget():
    rng = np.random.default_rng(9)
    smooth = np.full((64, 12, 256), 800.0) + rng.normal(0, 1, (64, 12, 256))
    rough = rng.normal(2000, 700, (64, 12, 256))
    lines = np.rint(np.concatenate([smooth, rough])).clip(0, 65535).astype(np.uint16)
    written = []
    encoder = StreamEncoder(SceneInfo(12, 1, 256, lines.dtype), written.append, bps=0.3, buffer=1)
    encoder.push(lines)
    encoder.flush()
    stream = b"".join(written)
    assert len(stream) <= 0.3 * lines.size / 8
    assert Decoder(stream).decode().shape == (12, 128, 256)


def test_hopeless_rates_are_refused(cube):
    with pytest.raises(BudgetError, match="too few"):
        streamed(cube, in_pieces(16), bps=0.001)


# Continuing


@pytest.mark.parametrize("name", ["step", "rate", "sensor"])
def test_a_stream_that_was_cut_off_decodes_and_can_be_continued(cube, whole, name):
    stream, settings = whole[name], SETTINGS[name]
    info = SceneInfo(*cube.shape, cube.dtype)
    expected = Decoder(stream, models=[SENSOR]).decode()
    ends, position = [], 10
    for section in read_sections(stream):
        position += section.size
        if section.kind == Section.SEGMENT:
            ends.append(position)
    for number, end in enumerate(ends[:-1]):
        for cut in (end, end + 1, ends[number + 1] - 1):
            left = stream[:cut]
            begun = find_begun(left)
            assert (begun.size, begun.strips, begun.lines) == (end, number + 1, STRIP * (number + 1))
            decoder = Decoder(left, models=[SENSOR])
            assert not decoder.complete
            decoded = decoder.decode()
            np.testing.assert_array_equal(decoded, expected[:, : begun.lines])
            assert decoder.damage == []
    written = [stream[: begun.size]]
    encoder = StreamEncoder(info, written.append, **settings, strip_lines=STRIP, begun=begun)
    assert encoder.lines == begun.lines
    encoder.push(cube[:, begun.lines :].transpose(1, 0, 2))
    encoder.flush()
    again = b"".join(written)
    decoder = Decoder(again, models=[SENSOR])
    decoded = decoder.decode()
    assert decoder.damage == []
    assert decoder.complete
    np.testing.assert_array_equal(decoded[:, : begun.lines], expected[:, : begun.lines])
    rest = slice(begun.lines, None)
    errors = [np.mean((one[:, rest].astype(float) - cube[:, rest]) ** 2) for one in (decoded, expected)]
    assert errors[0] < 3 * errors[1]
    if name == "rate":
        assert len(again) <= 1.5 * cube.size / 8


def test_only_the_end_may_be_missing(cube, whole):
    stream = whole["step"]
    parts = parts_of(stream)
    begun = find_begun(joined(parts[:-2]))
    assert begun.low
    written = []
    encoder = StreamEncoder(
        SceneInfo(*cube.shape, cube.dtype), written.append, step=12.0, strip_lines=STRIP, begun=begun
    )
    with pytest.raises(SettingsError, match="low one"):
        encoder.push(cube[:, :1].transpose(1, 0, 2))
    encoder.flush()
    assert joined(parts[:-2]) + b"".join(written) == stream


def test_what_cannot_be_continued(cube, whole):
    info = SceneInfo(*cube.shape, cube.dtype)
    with pytest.raises(StreamError, match="complete"):
        find_begun(whole["step"])
    with pytest.raises(StreamError, match="tells its number of lines"):
        find_begun(Encoder(step=50.0).encode(cube))
    with pytest.raises(StreamError, match="signature"):
        find_begun(b"something else altogether")
    for length in (0, 5, 10, 60):
        assert find_begun(whole["step"][:length]) is None
    begun = find_begun(whole["step"][:-40])
    for other, settings in (
        (info, {"step": 12.0, "strip_lines": 24}),
        (replace(info, bands=19), {"step": 12.0, "strip_lines": STRIP}),
        (info, {"step": 12.0, "strip_lines": STRIP, "spectral": "none"}),
    ):
        with pytest.raises(SettingsError, match="other settings"):
            StreamEncoder(other, print, **settings, begun=begun)


# What is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "exactly one"),
        ({"step": 1.0, "bps": 1.0}, "exactly one"),
        ({"step": 1.0, "buffer": 100}, "goes with a rate"),
        ({"bps": 1.0, "buffer": 0}, "buffer of 0"),
        ({"step": 1.0, "spectral": "some"}, "unknown"),
        ({"step": 1.0, "spectral": "sensor"}, "needs a sensor"),
        ({"step": 1.0, "sensor": SENSOR, "spectral": "none"}, "of its own"),
        ({"step": 1.0, "strip_lines": 12}, "multiple of 8"),
        ({"step": 1.0, "repeat": -1}, "repeating"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(SettingsError, match=message):
        StreamEncoder(SceneInfo(20, 1, 4, np.dtype("uint8")), print, **settings)


def test_settings_of_whole_scenes_are_told_apart():
    for settings, message in (
        ({"nbytes": 100, "stream": True}, "no size"),
        ({"step": 1.0, "stream": True, "model": "balle48-relu-cal-l1"}, "one step for a whole scene"),
        ({"step": 1.0, "buffer": 100}, "settings of streams"),
        ({"step": 1.0, "repeat": 2}, "settings of streams"),
    ):
        with pytest.raises(SettingsError, match=message):
            Encoder(**settings)
    with pytest.raises(SettingsError, match="in parts"):
        Encoder(step=1.0).encode_in_parts(ArraySource(np.zeros((1, 1, 1), np.uint8)), print)


def test_a_sensor_of_other_bands_is_refused():
    with pytest.raises((ModelError, SceneError, SettingsError), match="20"):
        StreamEncoder(SceneInfo(19, 1, 4, np.dtype("uint16")), print, step=1.0, sensor=SENSOR)


def test_lines_that_do_not_fit():
    def encoder():
        return StreamEncoder(
            SceneInfo(3, 1, 5, np.dtype("uint16")), lambda data: None, step=4.0, strip_lines=64
        )

    for lines in (np.zeros((2, 3, 4), np.uint16), np.zeros((3, 5), np.uint16), np.zeros((2, 3, 5), np.int16)):
        with pytest.raises(SceneError):
            encoder().push(lines)
    with pytest.raises(SceneError, match="does not fit"):
        encoder().push_band(np.zeros((2, 6), np.uint16))
    with pytest.raises(SettingsError, match="frame of 70 lines"):
        encoder().push_band(np.zeros((70, 5), np.uint16))
    one = encoder()
    one.push_band(np.zeros((4, 5), np.uint16))
    with pytest.raises(SceneError, match="has 3 lines"):
        one.push_band(np.zeros((3, 5), np.uint16))
    for act in (one.flush, lambda: one.push(np.zeros((1, 3, 5), np.uint16))):
        with pytest.raises(SettingsError, match="1 of 3 bands"):
            act()
    with pytest.raises(SceneError, match="at least one"):
        encoder().flush()
    done = encoder()
    done.push(np.zeros((0, 3, 5), np.uint16))
    done.push(np.zeros((1, 3, 5), np.uint16))
    done.flush()
    done.flush()
    with pytest.raises(SettingsError, match="finished"):
        done.push(np.zeros((1, 3, 5), np.uint16))


@pytest.mark.parametrize("seed", range(6))
def test_a_first_strip_of_noise_fits_the_rate(seed):
    """Coded finer since it took too little, it took too much, and the stream ended."""
    noise = np.random.default_rng(seed).random((6, 40, 27))
    stream = Encoder(bps=2.0, stream=True, strip_lines=16).encode((5 + 1e-4 * noise).astype("f4"))
    assert len(stream) <= 2.0 * noise.size / 8


@pytest.mark.parametrize("rmse", [1e300, 1e12, 1e-300])
def test_a_quality_that_no_step_has_gives_a_stream_that_decodes(rmse):
    cube = SyntheticScene(16, 20, 12, seed=1).read(slice(0, 12), slice(0, 16))
    sections = []
    encoder = StreamEncoder(SceneInfo(12, 1, 20, cube.dtype), sections.append, rmse=rmse)
    encoder.push(cube.transpose(1, 0, 2))
    encoder.flush()
    assert Decoder(b"".join(sections)).decode().shape == cube.shape
