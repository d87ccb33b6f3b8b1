"""Streams with bounded errors: while lines come in, cut off and continued, as packets with losses."""

import random

import numpy as np
import pytest

from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.common.errors import SettingsError, StreamError
from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.packets.reassembly import Reassembly
from bandfold.onboard import Encoder, StreamEncoder
from bandfold.onboard.downlink.packets import PacketSettings, packetise
from bandfold.onboard.downlink.resume import find_begun

BANDS, LINES, SAMPLES, STRIP = 6, 40, 21, 8
PACKETS = PacketSettings(100, size=200, scene=1, repeat=2)


@pytest.fixture(scope="module")
def cube():
    generator = np.random.default_rng(3)
    line, sample = np.mgrid[:LINES, :SAMPLES]
    wave = np.sin(line / 5) * 300 + np.cos(sample / 4) * 200
    cube = 500 + wave * np.linspace(0.3, 1.4, BANDS)[:, None, None] + generator.normal(0, 6, wave.shape)
    return np.rint(cube).astype(np.int16)


def pushed(cube, begun=None, first=0, **choices):
    """What an encoder of lines writes."""
    out = []
    info = SceneInfo(BANDS, 1, SAMPLES, cube.dtype)
    encoder = StreamEncoder(info, out.append, strip_lines=STRIP, begun=begun, **choices)
    encoder.push(cube[:, first:].transpose(1, 0, 2))
    encoder.flush()
    return b"".join(out)


@pytest.mark.parametrize(
    "choices",
    [
        {"lossless": True},
        {"max_error": 4, "bps": 3.0},
        {"max_error": 4, "bps": 3.0, "buffer": 900, "repeat": 2},
        {"lossless": True, "psnr": 55.0},
        {"lossless": True, "step": 60.0, "spectral": "none"},
        {"relative_error": 0.01, "step": 60.0},
    ],
)
def test_lines_give_the_stream_of_the_scene(cube, choices):
    data = pushed(cube, **choices)
    assert Encoder(stream=True, strip_lines=STRIP, **choices).encode(cube) == data
    decoder = Decoder(data)
    found = decoder.decode()
    assert decoder.damage == []
    limit = np.abs(cube * choices.get("relative_error", 0.0)) + choices.get("max_error", 0)
    assert (np.abs(found.astype(float) - cube) <= limit).all()


def test_the_rate_is_that_of_the_base(cube):
    data = pushed(cube, bps=3.0, lossless=True)
    base = sum(
        one.size for one in read_sections(data) if one.kind not in (Section.REFINEMENT, Section.LIMITS)
    )
    assert base * 8 <= 3.0 * cube.size < 1.4 * base * 8


def test_every_header_has_its_limits(cube):
    kinds = [one.kind for one in read_sections(pushed(cube, lossless=True, step=60.0, repeat=1))]
    followers = [kinds[place + 1] for place, kind in enumerate(kinds[:-2]) if kind == Section.HEADER]
    assert set(followers) == {Section.LIMITS}
    assert len(followers) == LINES // STRIP


def test_a_stream_that_was_cut_off_goes_on_where_a_strip_was_refined(cube):
    data = pushed(cube, max_error=1, step=60.0)
    ends, position = [], 10
    for one in read_sections(data):
        position += one.size
        if one.kind == Section.REFINEMENT:
            ends.append(position)
    for size in range(0, len(data) - 20, 61):
        begun = find_begun(data[:size])
        whole = [end for end in ends if end <= size]
        if begun is None:
            assert not whole
            continue
        assert (begun.size, begun.lines) == (whole[-1], STRIP * len(whole))
        continued = data[: begun.size] + pushed(cube, begun, begun.lines, max_error=1, step=60.0)
        decoder = Decoder(continued)
        assert np.abs(decoder.decode().astype(int) - cube).max() <= 1
        assert decoder.damage == []


@pytest.mark.parametrize("choices", [{"step": 60.0}, {"step": 60.0, "max_error": 2}])
def test_only_the_same_limits_go_on(cube, choices):
    data = pushed(cube, max_error=1, step=60.0)
    begun = find_begun(data[: len(data) - 20])
    with pytest.raises(SettingsError, match="limits of errors"):
        pushed(cube, begun, begun.lines, **choices)


def test_a_scaling_too_coarse_is_refused_before_the_first_line():
    from bandfold.common.scene import Scaling

    info = SceneInfo(BANDS, 1, SAMPLES, np.dtype("float32"), scaling=Scaling(1.0))
    with pytest.raises(SettingsError, match="finer --scale"):
        StreamEncoder(info, print, max_error=0.2)


@pytest.mark.parametrize("layers", ["interleaved", "base-first"])
@pytest.mark.parametrize("percent", [2, 10, 40])
def test_lost_packets_are_told(cube, layers, percent):
    """Lines are within the limit or told to be damaged, whichever packets are lost."""
    data = Encoder(step=60.0, max_error=2, strip_lines=STRIP, layers=layers).encode(cube)
    packets = list(packetise(data, PACKETS))
    chance = random.Random(percent)
    seen = 0
    for _ in range(12):
        reassembly = Reassembly()
        kept = b"".join(one for one in packets if chance.random() * 100 >= percent)
        reassembly.add(find_packets(kept).packets)
        scene = reassembly.assemble()
        try:
            decoder = Decoder(scene.stream, restore="off")
            found = decoder.decode()
        except StreamError:
            continue
        hurt = np.zeros(LINES, dtype=bool)
        for damage in decoder.damage:
            hurt[damage.lines] = True
        assert np.abs(found.astype(int) - cube)[:, ~hurt].max(initial=0) <= 2
        assert [bound.max_error is None for bound in decoder.bounds] == [
            bool(hurt[bound.lines].all()) for bound in decoder.bounds
        ]
        seen += hurt.any()
    assert seen or percent == 2


def test_packets_do_not_send_refinements_twice(cube):
    data = Encoder(step=60.0, max_error=2, strip_lines=STRIP).encode(cube)
    packets = find_packets(b"".join(packetise(data, PACKETS))).packets
    sent = [(one.head.section, one.head.offset) for one in packets if one.head.kind == Section.REFINEMENT]
    assert len(sent) == len(set(sent)) > 5
    limits = [one.head.section for one in packets if one.head.kind == Section.LIMITS]
    assert len(limits) > 1
