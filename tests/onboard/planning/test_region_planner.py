"""Several folds in a scene: where the land changes, nowhere else, and every target is met with them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.container.sections import Section, read_sections, write_preamble, write_section
from bandfold.bitstream.container.segment_layout import read_segment_header
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.coding import scene_coder as scene_coder_module
from bandfold.onboard.planning import region_planner as planner_module
from bandfold.onboard.planning.block_sample import BlockSample, sample_blocks
from bandfold.onboard.planning.region_clusters import Moments, merge_strips
from bandfold.onboard.planning.region_planner import find_regions
from bandfold.onboard.planning.scene_planner import ScenePlanner

SENSOR = Path(__file__).parents[2] / "golden" / "golden-20.bfm"
on = ScenePlanner.on
BANDS, STRIP, SAMPLES = 20, 32, 64
LANDS = (0, 1, 1, 0, 0)
LINES = STRIP * len(LANDS) - 10
STEP = 4.0


def land(kinds, strip=STRIP, bands=BANDS, samples=SAMPLES, lines=LINES):
    """Strips of several kinds of land, each with spectra of its own."""
    rng = np.random.default_rng(7)
    falling = 600.0 * 0.6 ** np.arange(min(8, bands))
    spectra = [
        np.linalg.qr(rng.normal(size=(bands, len(falling))))[0] * falling for _ in range(max(kinds) + 1)
    ]
    parts = []
    for kind in kinds:
        planes = (
            rng.normal(0, 1, (len(falling), strip // 4, samples // 4)).repeat(4, axis=1).repeat(4, axis=2)
        )
        parts.append(3000 + 400 * kind + np.tensordot(spectra[kind], planes, 1))
    cube = np.concatenate(parts, axis=1)[:, :lines]
    return np.rint(cube + rng.normal(0, 1, cube.shape)).astype(np.uint16)


def encode(cube, **target):
    return Encoder(**{"strip_lines": STRIP, **(target or {"step": STEP})}).encode(cube)


def decoded(stream):
    return Decoder(stream, restore="off").decode()


def mse(cube, other):
    return float(np.mean((cube.astype(float) - other) ** 2))


def regions(stream, models=()):
    return [segment["fold"] for segment in Decoder(stream, models=models).report()["segments"]]


def parts_of(stream):
    return [(section.kind, section.payload) for section in read_sections(stream)]


def joined(parts):
    return write_preamble() + b"".join(write_section(kind, payload) for kind, payload in parts)


@pytest.fixture(scope="module")
def cube():
    return land(LANDS)


@pytest.fixture(scope="module")
def stream(cube):
    return encode(cube)


@pytest.fixture(scope="module")
def whole(stream):
    return decoded(stream)


def test_strips_of_one_land_share_a_fold(stream):
    assert regions(stream) == list(LANDS)
    report = Decoder(stream).report()
    assert report["folds"] == 2
    kinds = [kind for kind, _ in parts_of(stream)]
    # As the format says: what segments need before them.
    assert kinds == sorted(kinds)


def test_the_same_bytes_again(cube, stream):
    assert encode(cube) == stream
    assert encode(np.asfortranarray(cube).astype(">u2")) == stream


def test_several_folds_take_fewer_bytes_for_a_smaller_error(monkeypatch, cube, stream, whole):
    monkeypatch.setattr(planner_module, "find_regions", lambda *given: None)
    single = encode(cube)
    assert regions(single) == [0] * len(LANDS)
    assert len(stream) < 0.9 * len(single)
    assert mse(cube, whole) < 1.05 * mse(cube, decoded(single))


@pytest.mark.parametrize("kinds", [(0,) * 5, (0,)])
def test_land_that_does_not_change_keeps_one_fold(monkeypatch, kinds):
    cube = land(kinds)
    stream = encode(cube)
    assert Decoder(stream).report()["folds"] == 1
    monkeypatch.setattr(planner_module, "find_regions", lambda *given: None)
    assert encode(cube) == stream


def test_a_fold_must_pay(monkeypatch):
    """What moments promise is measured before it is believed."""
    source = ArraySource(land((0, 0, 0, 0)))
    planner = ScenePlanner(sample_blocks(source), None)
    assert find_regions(planner, source, STRIP, STEP) is None
    looked_at = []
    monkeypatch.setattr(planner_module, "SHARE", 1e9)
    monkeypatch.setattr(ScenePlanner, "on", lambda one, sample: looked_at.append(sample) or on(one, sample))
    # Land that does not change is known by the moments alone.
    assert find_regions(planner, source, STRIP, STEP) is None
    assert not looked_at
    assert find_regions(planner, source, STRIP, STEP, least_saved=0.0) is None
    # Every strip for itself, then the first cut alone.
    assert len(looked_at) == 4 + 2


@pytest.mark.parametrize("lines", [STRIP, 8])
def test_strips_too_few_or_low_are_no_obstacle(cube, lines):
    """One strip has one fold; low ones are compared together with their neighbours."""
    short = cube[:, :STRIP]
    assert Decoder(encode(short, step=STEP, strip_lines=lines)).report()["folds"] == 1
    assert set(regions(encode(cube, step=STEP, strip_lines=8))) == {0, 1}


@pytest.mark.parametrize("tried", [None, 1 << 11])
@pytest.mark.parametrize(
    "target", [{"bps": 0.9}, {"nbytes": 20_000}, {"psnr": 91.0}], ids=["bps", "bytes", "psnr"]
)
def test_targets_are_met(monkeypatch, cube, target, tried):
    """On the whole scene, and where steps are tried on some rows of each region."""
    if tried is not None:
        monkeypatch.setattr(scene_coder_module, "PIXELS_TRIED", (tried, tried))
    stream = encode(cube, **target)
    assert regions(stream) == list(LANDS)
    if "psnr" in target:
        reached = 10 * np.log10(65535**2 / mse(cube, decoded(stream)))
        assert abs(reached - target["psnr"]) < 0.15
    else:
        budget = target.get("nbytes", cube.size * target.get("bps", 0.0) / 8)
        assert 0.985 * budget <= len(stream) <= budget


def test_a_sensor_selects_for_each_region(monkeypatch, cube):
    sensor = {"sensor": SENSOR, "spectral": "sensor", "step": STEP}
    stream = encode(cube, **sensor)
    assert regions(stream, [SENSOR]) == list(LANDS)
    monkeypatch.setattr(planner_module, "find_regions", lambda *given: None)
    single = encode(cube, **sensor)
    errors = [mse(cube, Decoder(data, models=[SENSOR], restore="off").decode()) for data in (stream, single)]
    assert len(stream) < len(single)
    assert errors[0] < 1.05 * errors[1]


def test_absent_samples_come_back(cube):
    gaps = cube.copy()
    gaps[:, 40:60, 10:30] = 65535
    stream = encode(ArraySource(gaps, no_data=65535.0))
    assert len(set(regions(stream))) == 2
    np.testing.assert_array_equal(decoded(stream) == 65535, gaps == 65535)


def test_parts_are_parts_of_the_whole(stream, whole):
    part = Decoder(stream, restore="off").decode(bands=slice(3, 9), lines=slice(20, 101))
    np.testing.assert_array_equal(part, whole[3:9, 20:101])


@pytest.mark.parametrize("number", [0, 1])
def test_a_lost_fold_costs_its_region(stream, whole, number):
    parts = parts_of(stream)
    folds = [place for place, (kind, _) in enumerate(parts) if kind == Section.FOLD]
    decoder = Decoder(joined([*parts[: folds[number]], *parts[folds[number] + 1 :]]), restore="off")
    rest = decoder.decode()
    lost = [strip for strip, region in enumerate(LANDS) if region == number]
    assert [damage.lines.start // STRIP for damage in decoder.damage] == lost
    segments = decoder.report()["segments"]
    assert [strip for strip, segment in enumerate(segments) if not segment["intact"]] == lost
    for strip, region in enumerate(LANDS):
        lines = slice(strip * STRIP, (strip + 1) * STRIP)
        assert np.array_equal(rest[:, lines], whole[:, lines]) == (region != number)


def test_a_strip_without_its_rotations_is_filled_with_its_own_means(stream):
    parts = parts_of(stream)
    last = max(place for place, (kind, _) in enumerate(parts) if kind == Section.ROTATION)
    region = parts[last][1][0]
    decoder = Decoder(joined([*parts[:last], *parts[last + 1 :]]), restore="off")
    rest = decoder.decode()
    lost = [strip for strip, number in enumerate(LANDS) if number == region]
    assert [damage.lines.start // STRIP for damage in decoder.damage] == lost
    for damage in decoder.damage:
        assert abs(rest[:, damage.lines].mean() - 3000 - 400 * region) < 100


def test_every_segment_names_rotations_of_its_own_region(stream):
    for kind, payload in parts_of(stream):
        if kind == Section.SEGMENT:
            place, _ = read_segment_header(payload)
            assert place.rotation in (None, place.fold)


def test_a_denser_sample_where_several_folds_may_pay(monkeypatch, cube):
    monkeypatch.setattr(planner_module, "LEAST_OF_MANY", 20)
    monkeypatch.setattr(planner_module, "LEAST_BLOCKS", 8)
    source = ArraySource(cube)
    sparse = ScenePlanner(sample_blocks(source, enough=40), None)
    planner = find_regions(sparse, source, STRIP, STEP)
    assert planner is not None
    plan = planner.plan(STEP)
    assert plan.regions == LANDS
    assert [one.number for one in plan.bases] == [0, 1]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(0, 1 << 31))
def test_merging_keeps_all_strips_and_costs_bits(counts, seed):
    rng = np.random.default_rng(seed)
    samples = [
        BlockSample(rng.integers(0, 1 << rng.integers(1, 12), (3, count, 64)).astype(np.int32), count * 64)
        for count in counts
    ]
    root = merge_strips([((number,), sample) for number, sample in enumerate(samples)], 10.0)
    assert root.strips == tuple(range(len(counts)))
    everything = BlockSample(np.concatenate([sample.blocks for sample in samples], axis=1), sum(counts) * 64)
    together = Moments.of(everything)
    np.testing.assert_allclose(root.moments.mean, together.mean, rtol=1e-9)
    np.testing.assert_allclose(root.moments.covariances, together.covariances, rtol=1e-6, atol=1e-6)

    def check(region):
        if region.parts:
            assert tuple(sorted(region.parts[0].strips + region.parts[1].strips)) == region.strips
            # Never cheaper together: the logarithm of the determinant is concave.
            assert region.saved >= -1e-6 * abs(region.bits)
            for part in region.parts:
                check(part)

    check(root)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=2, max_size=4), st.integers(2, 4), st.integers(9, 20))
def test_whatever_the_land_the_scene_comes_back(kinds, blocks, samples):
    height = 8 * blocks
    cube = land(kinds, strip=height, bands=6, samples=4 * samples, lines=10_000)
    stream = encode(cube, step=6.0, strip_lines=height)
    decoder = Decoder(stream, restore="off")
    assert mse(cube, decoder.decode()) < 4 * 36
    assert decoder.damage == []
    assert decoder.report()["folds"] <= len(kinds)
