"""Refined strips: parts, threads and layers; damage anywhere is told, and every bound that is told holds."""

import numpy as np
import pytest

import bandfold
from bandfold.bitstream.container.refinement_layout import ErrorLimits, Refinement
from bandfold.bitstream.container.sections import PREAMBLE, Section, read_sections
from bandfold.bitstream.container.truncation import truncate
from bandfold.common.errors import BandfoldError, SettingsError, StreamError
from bandfold.common.kernels import switched_off
from bandfold.ground import Decoder
from bandfold.ground.access.strip_reader import DamageWarning, StripReader
from bandfold.onboard import Encoder
from bandfold.onboard.downlink.requantise import requantise

from .streams import BANDS, LINES, SAMPLES, STRIP, flipped, joined, scene, sections, without

LIMIT = 2


@pytest.fixture(scope="module")
def cube():
    return scene()


@pytest.fixture(scope="module")
def stream(cube):
    return Encoder(step=40.0, max_error=LIMIT, strip_lines=STRIP).encode(cube)


@pytest.fixture(scope="module")
def base(stream):
    return Decoder(stream, layers="base", restore="off").decode()


@pytest.fixture(scope="module")
def whole(stream):
    return Decoder(stream).decode()


def told(decoder):
    """Bound of each strip that was decoded."""
    return [bound.max_error for bound in decoder.bounds]


@pytest.mark.parametrize("bands", [slice(0, 1), slice(2, 5), slice(5, 6), slice(None)])
@pytest.mark.parametrize("lines", [slice(0, 1), slice(15, 17), slice(32, 40), slice(None)])
def test_a_part_is_the_part_of_the_whole(stream, whole, bands, lines):
    decoder = Decoder(stream)
    np.testing.assert_array_equal(decoder.decode(bands, lines), whole[bands, lines])
    assert set(told(decoder)) == {LIMIT}


def test_threads_and_restoration_change_nothing(stream, whole):
    np.testing.assert_array_equal(Decoder(stream, threads=2).decode(), whole)
    np.testing.assert_array_equal(Decoder(stream, restore="off").decode(), whole)


def test_bounds_of_bands_are_those_of_the_bands_asked_for(cube):
    decoder = Decoder(Encoder(step=40.0, max_error=[0, 1, 2, 3, 4, 5], strip_lines=STRIP).encode(cube))
    decoder.decode(slice(1, 4))
    assert [bound.errors.tolist() for bound in decoder.bounds] == [[1, 2, 3]] * 3


def test_the_base_alone_is_the_stream_without_limits(stream, cube, base):
    plain = Encoder(step=40.0, strip_lines=STRIP).encode(cube)
    np.testing.assert_array_equal(Decoder(plain, restore="off").decode(), base)
    decoder = Decoder(stream, layers="base")
    decoder.decode()
    assert told(decoder) == [None] * 3
    assert decoder.damage == []
    with pytest.raises(SettingsError, match="all or base"):
        Decoder(stream, layers="top")


@pytest.mark.parametrize("strip", range(3))
@pytest.mark.parametrize("way", ["flipped", "missing", "other tables", "other segment", "corrupt"])
def test_a_refinement_that_cannot_be_used_is_told_and_costs_one_strip(stream, base, whole, strip, way):
    parts = sections(stream)
    places = [place for place, (kind, _) in enumerate(parts) if kind == Section.REFINEMENT]
    own = Refinement.unpack(parts[places[strip]][1])
    if way == "flipped":
        broken = flipped(stream, Section.REFINEMENT, strip)
    elif way == "missing":
        broken = without(stream, Section.REFINEMENT, strip)
    else:
        changed = {
            "other tables": Refinement(strip, own.segment, b"none", own.residual),
            "other segment": Refinement(strip, b"none", own.tables, own.residual),
            "corrupt": Refinement(strip, own.segment, own.tables, own.residual[: len(own.residual) // 2]),
        }[way]
        parts[places[strip]] = (Section.REFINEMENT, changed.pack())
        broken = joined(parts)
    decoder = Decoder(broken, restore="off")
    found = decoder.decode()
    lines = slice(strip * STRIP, min((strip + 1) * STRIP, LINES))
    (damage,) = decoder.damage
    assert (damage.lines, damage.filled) == (lines, False)
    assert "no error limit holds" in damage.reason
    expected = whole.copy()
    expected[:, lines] = base[:, lines]
    np.testing.assert_array_equal(found, expected)
    assert told(decoder) == [None if one == strip else LIMIT for one in range(3)]


@pytest.mark.parametrize("strip", range(3))
def test_a_refinement_without_its_segment_refines_nothing(stream, whole, strip):
    decoder = Decoder(flipped(stream, Section.SEGMENT, strip), restore="off")
    found = decoder.decode()
    assert [damage.filled for damage in decoder.damage] == [True]
    assert told(decoder)[strip] is None
    others = np.arange(LINES) // STRIP != strip
    np.testing.assert_array_equal(found[:, others], whole[:, others])


def test_lost_limits_are_noticed_by_what_is_left(stream, whole):
    decoder = Decoder(without(stream, Section.LIMITS))
    np.testing.assert_array_equal(decoder.decode(), whole)
    assert told(decoder) == [LIMIT] * 3
    parts = without(without(stream, Section.LIMITS), Section.REFINEMENT, 1)
    decoder = Decoder(parts)
    decoder.decode()
    assert [damage.lines.start for damage in decoder.damage] == [STRIP]


def test_a_refinement_of_another_stream_is_not_taken(stream, cube):
    """As if sections of two streams had been mixed up: it is bound to the bytes of its segment."""
    other = Encoder(step=41.0, max_error=LIMIT, strip_lines=STRIP).encode(cube)
    parts, others = sections(stream), sections(other)
    mixed = [
        (kind, others[place][1] if kind == Section.REFINEMENT else payload)
        for place, (kind, payload) in enumerate(parts)
    ]
    decoder = Decoder(joined(mixed))
    decoder.decode()
    assert len(decoder.damage) == 3
    assert "another segment" in decoder.damage[0].reason


def test_every_cut_is_told():
    """Whatever byte a link closes at, lines are within the limit or told to be damaged."""
    cube = scene(3, 24, 9)
    for layers in ("interleaved", "base-first"):
        data = Encoder(step=40.0, max_error=LIMIT, strip_lines=8, layers=layers).encode(cube)
        ends = {PREAMBLE + sum(one.size for one in list(read_sections(data))[:count]) for count in range(99)}
        first = 0
        for size in range(len(data)):
            # Bytes in the middle of payloads are all alike.
            if size % 7 and not any(abs(size - end) < 9 for end in ends):
                continue
            try:
                decoder = Decoder(data[:size], restore="off")
                found = decoder.decode()
            except StreamError:
                assert not first
                continue
            first = first or size
            hurt = np.zeros(24, dtype=bool)
            for damage in decoder.damage:
                hurt[damage.lines] = True
            assert hurt.any()
            assert np.abs(found.astype(int) - cube)[:, ~hurt].max(initial=0) <= LIMIT
            for bound in decoder.bounds:
                assert (bound.max_error is None) == hurt[bound.lines].all()


def test_no_change_of_a_byte_breaks_a_promise():
    cube = scene(3, 16, 9)
    data = Encoder(step=40.0, max_error=LIMIT, strip_lines=8).encode(cube)
    generator = np.random.default_rng(1)
    for place in range(PREAMBLE, len(data), 3):
        spoilt = bytearray(data)
        spoilt[place] ^= int(generator.integers(1, 256))
        decoder = None
        try:
            decoder = Decoder(bytes(spoilt), restore="off")
            found = decoder.decode()
        except BandfoldError:
            continue
        for bound in decoder.bounds:
            if bound.max_error is not None:
                assert np.abs(found.astype(int) - cube)[:, bound.lines].max() <= bound.max_error == LIMIT


def test_truncation_takes_refinements_first_and_says_so(stream, base, whole):
    sizes = [one.size for one in read_sections(stream) if one.kind == Section.REFINEMENT]
    cut = truncate(stream, len(stream) - 1)
    assert (cut.refined, cut.kept_refined, cut.kept) == (3, 2, cut.chunks)
    decoder = Decoder(cut.data, restore="off")
    found = decoder.decode()
    # Left out on purpose: that is no damage.
    assert decoder.damage == []
    assert told(decoder) == [LIMIT, LIMIT, None]
    np.testing.assert_array_equal(found[:, : 2 * STRIP], whole[:, : 2 * STRIP])
    np.testing.assert_array_equal(found[:, 2 * STRIP :], base[:, 2 * STRIP :])
    # What is lost of what was left is damage.
    decoder = Decoder(without(cut.data, Section.REFINEMENT, 1))
    decoder.decode()
    assert [damage.lines.start for damage in decoder.damage] == [STRIP]
    bare = truncate(stream, len(stream) - sum(sizes))
    assert (bare.kept_refined, bare.kept) == (0, bare.chunks)
    assert {one.kind for one in read_sections(bare.data)}.isdisjoint({Section.REFINEMENT, Section.LIMITS})
    decoder = Decoder(bare.data, restore="off")
    np.testing.assert_array_equal(decoder.decode(), base)
    assert (told(decoder), decoder.damage) == ([None] * 3, [])


@pytest.mark.parametrize("bands", [BANDS, 100])
def test_every_size_is_kept_to(bands):
    cube = scene(bands, 40, 9)
    limits = [1 + band % 3 for band in range(bands)]
    data = Encoder(step=40.0, max_error=limits, strip_lines=8).encode(cube)
    least = len(truncate(data, len(data) - sum(
        one.size for one in read_sections(data) if one.kind in (Section.REFINEMENT, Section.LIMITS)
    )).data)  # fmt: skip
    for nbytes in range(least, len(data) + 1, 37):
        cut = truncate(data, nbytes)
        assert least <= len(cut.data) <= nbytes
        limits_left = [one for one in read_sections(cut.data) if one.kind == Section.LIMITS]
        assert len(limits_left) == (cut.kept_refined > 0)
        if 0 < cut.kept_refined < 5:
            assert ErrorLimits.unpack(limits_left[0].payload, bands).strips == cut.kept_refined


def test_single_bands_lose_their_refinements_too():
    cube = scene()
    data = Encoder(step=40.0, lossless=True, spectral="none", strip_lines=STRIP).encode(cube)
    assert truncate(data, len(data) - 1).kept_refined == 2
    with pytest.raises(StreamError, match="band by band"):
        truncate(data, 100)


def test_coarser_steps_leave_no_limits(stream):
    plain = [one for one in read_sections(stream) if one.kind not in (Section.REFINEMENT, Section.LIMITS)]
    size = PREAMBLE + sum(one.size for one in plain)
    made = requantise(stream, size - 60)
    decoder = Decoder(made.data)
    decoder.decode()
    assert (told(decoder), decoder.damage) == ([None] * 3, [])
    assert decoder.report()["max_error"] is None


def test_reports_tell_which_limit_holds_where(stream):
    report = Decoder(stream).report()
    assert (report["max_error"], report["relative_error"]) == (LIMIT, None)
    assert [segment["max_error"] for segment in report["segments"]] == [LIMIT] * 3
    assert report["bytes"]["refinement"] > report["bytes"]["limits"] > 0
    report = Decoder(flipped(stream, Section.REFINEMENT, 1)).report()
    assert report["max_error"] == LIMIT
    assert [segment["max_error"] for segment in report["segments"]] == [LIMIT, None, LIMIT]
    assert [segment["refinement_bytes"] > 0 for segment in report["segments"]] == [True, False, True]


def test_files_are_read_strip_by_strip(stream, whole, tmp_path):
    path = tmp_path / "scene.bf"
    path.write_bytes(stream)
    reader = StripReader(path)
    np.testing.assert_array_equal(reader.read(slice(1, 3), slice(20, 30)), whole[1:3, 20:30])
    # Two of three strips are not read at all.
    assert reader.bytes_read < 0.7 * len(stream)
    np.testing.assert_array_equal(bandfold.open(path).read(slice(0, 2), slice(0, 40)), whole[:2])
    path.write_bytes(flipped(stream, Section.REFINEMENT, 1))
    with pytest.warns(DamageWarning, match="no error limit holds"):
        StripReader(path).read(slice(0, BANDS), slice(0, LINES))
    with pytest.raises(StreamError, match="no error limit holds"):
        StripReader(path, damage="raise").read(slice(0, BANDS), slice(16, 17))
    assert whole.shape[2] == SAMPLES


@pytest.mark.parametrize("settings", [{"lossless": True}, {"max_error": 2}])
def test_a_base_of_no_components_is_the_same_without_kernels(settings):
    rng = np.random.default_rng(8)
    cube = (500 + rng.integers(0, 3, (12, 16, 16))).astype(np.uint16)
    stream = Encoder(step=500.0, strip_lines=16, **settings).encode(cube)
    found = Decoder(stream).decode()
    with switched_off():
        assert Encoder(step=500.0, strip_lines=16, **settings).encode(cube) == stream
        np.testing.assert_array_equal(Decoder(stream).decode(), found)
    assert np.abs(found.astype(int) - cube).max() <= settings.get("max_error", 0)
