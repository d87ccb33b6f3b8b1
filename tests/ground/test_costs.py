"""A few bytes that claim minutes or gigabytes: refused in a moment, by every command."""

import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.container import stream_budget
from bandfold.bitstream.container.header import LARGEST_DIMENSION
from bandfold.bitstream.container.sections import Section, read_sections, write_section, write_varint
from bandfold.bitstream.container.segment_layout import Chunk, ChunkedSegment, SegmentHeader, split_segment
from bandfold.bitstream.container.stream_budget import LEAST_MEMORY
from bandfold.bitstream.container.truncation import truncate
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.klt_code import COUNT_MEAN, MEAN_MEAN
from bandfold.bitstream.payloads.metadata_code import read_metadata, write_metadata
from bandfold.bitstream.payloads.payload import SIDE_UNIT, PayloadReader, PayloadWriter
from bandfold.bitstream.segments.latents import EXTENT_MEAN
from bandfold.bitstream.segments.memory_estimate import strip_memory
from bandfold.common.errors import BandfoldError, MemoryLimitError, StreamError
from bandfold.ground import Decoder
from bandfold.ground.packets.packet_reader import find_packets
from bandfold.ground.report.bit_counting_decoder import BitCountingDecoder
from bandfold.ground.report.report_contents import collect
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.downlink.packets import PacketSettings, packetise
from bandfold.onboard.downlink.requantise import requantise

from .streams import encode, joined, scene, sections, with_header

CASES = Path(__file__).parents[3] / "shared" / "cases"
SECONDS, MEBIBYTES = 2.0, 256
"""What a stream of up to 100 kB may take."""

NAMES = (
    "fold-1024x1024",
    "mask-zero-runs",
    "output-bomb",
    "report-30000-intervals",
    "requantise-components-2e40",
    "requantise-memory",
    "two-million-strips",
    "walk-quadratic-180kB",
)

COMMANDS = """
import resource, sys
from bandfold.common.errors import BandfoldError
from bandfold.ground import Decoder
from bandfold.ground.report.bit_counting_decoder import BitCountingDecoder
from bandfold.onboard.downlink.requantise import requantise
from bandfold.bitstream.container.truncation import truncate
from bandfold.ground.report.report_contents import collect

data = open(sys.argv[1], "rb").read()
# Whatever is imported and loaded once comes first.
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
for command in (
    lambda: Decoder(data).report(),
    lambda: sum(block.size for _, block in Decoder(data, restore="off").strips()),
    lambda: collect(BitCountingDecoder(data, restore="off"), None, 1 << 20),
    lambda: truncate(data, 20),
    lambda: requantise(data, 20),
):
    before = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    try:
        command()
    except BandfoldError as error:
        assert "\\n" not in str(error)
    print(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - before)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


@pytest.mark.parametrize("name", NAMES)
def test_cases_that_cost_minutes_or_gigabytes(name):
    path = CASES / f"{name}.bf"
    if not path.exists():
        pytest.skip("the cases are not here")
    done = subprocess.run([sys.executable, "-c", COMMANDS, path], capture_output=True, text=True, check=True)
    before, *seconds, after = map(float, done.stdout.split())
    parts = max(1.0, path.stat().st_size / 1e5)
    assert max(seconds) < SECONDS * parts
    assert after - before < MEBIBYTES * parts


def spent(call):
    """Processor seconds that a call takes, and the error that it ends in."""
    before, failed = time.process_time(), None
    try:
        call()
    except BandfoldError as error:
        failed = error
    return time.process_time() - before, failed


def many_strips():
    """A stream whose header claims two million strips that are not there."""
    cube = scene(bands=1, lines=8, samples=8)
    return with_header(encode(cube, spectral="none", strip_lines=8), lines=LARGEST_DIMENSION)


def lost_strips():
    """A stream whose header claims as many strips that are not there as it may."""
    cube = scene(bands=1, lines=8, samples=8)
    count = stream_budget.LEAST_WORK // (stream_budget.STRIP_WORK + stream_budget.PLANE_WORK + 64)
    return with_header(encode(cube, spectral="none", strip_lines=8), lines=8 * count)


def many_samples():
    """A stream whose header claims terabytes."""
    stream = encode(scene(bands=6, lines=64, samples=8), spectral="none", strip_lines=64)
    return with_header(stream, lines=1 << 22, samples=1 << 12)


def large_fold():
    """A stream with a fold of a thousand components, all entries of which are zero and take no bytes."""
    bands = 1000
    tables = load_tables()
    payload = PayloadWriter(tables)
    payload.integers([1], COUNT_MEAN, signed=False)
    payload.integers([bands], 32 * SIDE_UNIT, signed=False)
    payload.integers([0], COUNT_MEAN, signed=False)
    payload.integers([0] * bands, MEAN_MEAN)
    payload.integers([bands], COUNT_MEAN, signed=False)
    cube = np.zeros((bands, 8, 8), np.int16)
    parts = sections(encode(cube, strip_lines=8))
    return joined(
        [
            (kind, write_varint(0) + payload.data() if kind == Section.FOLD else content)
            for kind, content in parts
        ]
    )


def many_runs():
    """A stream whose strips claim millions of runs of absent samples."""
    cube = scene(bands=2, lines=64, samples=16)
    stream = encode(ArraySource(cube, no_data=-1.0), spectral="none", strip_lines=64)
    payload = PayloadWriter(load_tables())
    payload.integers([2 * 64 * (1 << 15) - 1], SIDE_UNIT, signed=False)
    segment = ChunkedSegment(SegmentHeader(0), (Chunk(2, payload.data()),)).pack()
    parts = [(kind, segment if kind == Section.SEGMENT else content) for kind, content in sections(stream)]
    return with_header(joined(parts), samples=1 << 15)


def many_components():
    """A stream of which a segment claims a million millions of components."""
    parts = sections(encode(scene()))
    return joined(
        [
            (kind, ChunkedSegment(SegmentHeader(0), (Chunk(1 << 40, b"\0"),)).pack())
            if kind == Section.SEGMENT
            else (kind, content)
            for kind, content in parts
        ]
    )


def components_of_two_blocks():
    """A stream of narrow strips, each of which claims sixteen thousand components that are zero."""
    count = 1 << 14
    payload = PayloadWriter(load_tables())
    payload.integers([0] * count, EXTENT_MEAN)
    chunk = Chunk(count, payload.data())
    parts = sections(encode(scene(bands=6, lines=16, samples=12), strip_lines=8, quantiser="uniform"))
    return joined(
        [
            (kind, replace(split_segment(content), chunks=(chunk,)).pack())
            if kind == Section.SEGMENT
            else (kind, content)
            for kind, content in parts
        ]
    )


def wide_strips_without_components():
    """A stream of strips of two million blocks that hold nothing."""
    chunk = Chunk(0, PayloadWriter(load_tables()).data())
    parts = sections(encode(scene(bands=6, lines=480, samples=8), strip_lines=8))
    stream = joined(
        [
            (kind, replace(split_segment(content), chunks=(chunk,)).pack())
            if kind == Section.SEGMENT
            else (kind, content)
            for kind, content in parts
        ]
    )
    return with_header(stream, samples=1 << 24)


@pytest.mark.parametrize(
    "make",
    [
        many_strips,
        lost_strips,
        many_samples,
        large_fold,
        many_runs,
        many_components,
        components_of_two_blocks,
    ],
)
def test_claims_are_charged_before_they_are_built(make):
    stream = make()
    decoder = lambda: Decoder(stream, restore="off")  # noqa: E731
    for call in (
        lambda: decoder().report(),
        lambda: list(decoder().strips()),
        lambda: collect(BitCountingDecoder(stream, restore="off"), None, 1 << 20),
        lambda: truncate(stream, 20),
        lambda: requantise(stream, 20),
    ):
        seconds, failed = spent(call)
        assert seconds < SECONDS
        assert failed is None or isinstance(failed, BandfoldError)
    # Every one is refused, or tells of damage, where all of it is asked for.
    try:
        found = decoder()
        list(found.strips())
        assert found.damage
    except (MemoryLimitError, StreamError):
        pass


def test_narrow_strips_are_charged_before_they_are_decoded():
    seconds, failed = spent(lambda: requantise(components_of_two_blocks(), 20))
    assert isinstance(failed, MemoryLimitError)
    assert seconds < SECONDS / 4


def test_a_hundred_thousand_empty_texts_are_read_in_a_moment():
    payload = PayloadWriter(load_tables())
    texts = ("",) * 100_000
    write_metadata(payload, {"": texts})
    reader = PayloadReader(load_tables(), payload.data())
    started = time.process_time()
    assert read_metadata(reader) == {"": texts}
    assert time.process_time() - started < SECONDS


def test_a_scene_of_one_value_needs_no_trust():
    stream = encode(np.full((20, 64, 64), 7, np.uint8), strip_lines=64)
    large = Decoder(with_header(stream, lines=1 << 12, samples=1 << 10), restore="off")
    # Eighty million samples of a few bytes: there, or told to be damaged.
    assert sum(block.size for _, block in large.strips()) == 20 << 22


def test_trusted_streams_may_claim_what_they_like():
    stream = with_header(encode(scene(bands=1, lines=8, samples=8), strip_lines=8), lines=1 << 20)
    with pytest.raises(MemoryLimitError, match="--trusted"):
        Decoder(stream)
    assert Decoder(stream, trusted=True).report()["lines"] == 1 << 20


def test_frames_that_claim_the_same_bytes_are_looked_at_but_a_few_times():
    stream = encode(scene())
    size = 60_000
    frames = bytearray(stream)
    while len(frames) < size:
        left = size - len(frames)
        frame = write_section(Section.SEGMENT, bytes(left))[:10]
        frames += frame
    seconds, failed = spent(lambda: list(read_sections(bytes(frames))))
    assert failed is None
    assert seconds < SECONDS
    # What comes before them is found all the same.
    kinds = [one.kind for one in read_sections(stream)]
    assert [one.kind for one in read_sections(bytes(frames)) if one.intact][: len(kinds)] == kinds


def test_packets_that_claim_the_same_bytes_are_looked_at_but_a_few_times():
    pytest.importorskip("spacepackets")
    stream = encode(scene())
    intact = b"".join(packetise(stream, PacketSettings(100, size=256)))
    head = intact[:26]
    claim = head[:4] + (40_000).to_bytes(2, "big") + head[6:]
    data = intact + claim * 6000 + bytes(65_536)
    before = time.process_time()
    found = find_packets(data)
    assert time.process_time() - before < SECONDS * len(data) / 1e5
    assert len(found.packets) == len(find_packets(intact).packets)
    assert found.skipped == [(len(intact), len(data))]


def test_memory_of_this_process_is_left_alone():
    stream = with_header(encode(scene()), samples=1 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for call in (lambda: Decoder(stream).decode(), lambda: requantise(stream, 20)):
        assert spent(call)[0] < SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10 < MEBIBYTES


@pytest.mark.parametrize(("settings", "components"), [({}, 30), ({"model": "innovations"}, 224)])
def test_a_strip_of_a_usual_sensor_is_within_what_any_stream_may_take(settings, components):
    """However few bytes its stream has: an encoder may have been asked for the lowest rate."""
    decoder = Decoder(encode(scene(bands=8), strip_lines=64, **settings), restore="off")
    header = decoder._stream.header
    usual = replace(header, info=replace(header.info, bands=224, lines=512, samples=680))
    assert strip_memory(usual, components, decoder._stream.codec) <= LEAST_MEMORY


def test_a_low_rate_of_predicted_bands_is_decoded(monkeypatch):
    cube = scene(bands=160, lines=160, samples=160)
    stream = Encoder(bps=0.01, model="innovations").encode(cube)
    assert len(stream) < 5_200
    # As in a scene so large that it does not matter.
    monkeypatch.setattr(stream_budget, "LEAST_WORK", 1 << 20)
    assert sum(block.size for _, block in Decoder(stream).strips()) == cube.size


def test_bands_of_many_small_strips_are_charged():
    """Each of them takes as long as thousands of samples, and more where counts are scaled."""
    stream = encode(scene(bands=16, lines=16, samples=8).astype(np.float32) / 7, strip_lines=8)
    claiming = with_header(stream, lines=8000 * 8)
    started = time.process_time()
    with pytest.raises(MemoryLimitError, match="claim more samples than a stream of that size should"):
        next(Decoder(claiming, restore="off").strips())
    assert time.process_time() - started < SECONDS
    # One band of all of them, or all bands of some, may be looked at.
    next(Decoder(claiming, restore="off").strips(bands=slice(3, 4)))
    next(Decoder(claiming, restore="off").strips(lines=slice(0, 800)))
