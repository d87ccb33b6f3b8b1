"""Streams read in part: what is touched, what is kept, and what damage does."""

import os
import pickle
import re
import threading

import numpy as np
import pytest

from bandfold.common.errors import SettingsError, StreamError
from bandfold.ground import Decoder
from bandfold.ground.access.stream_file import StreamFile
from bandfold.ground.access.strip_reader import DamageWarning, StripReader

from ..streams import BANDS, LINES, SAMPLES, STRIP, encode, joined, scene, sections

STRIPS = -(-LINES // STRIP)


@pytest.fixture(scope="module")
def stream():
    return encode(scene())


@pytest.fixture(scope="module")
def whole(stream):
    return Decoder(stream).decode()


@pytest.fixture
def path(tmp_path, stream):
    (tmp_path / "a.bf").write_bytes(stream)
    return tmp_path / "a.bf"


def segment_sizes(stream):
    return [item["bytes"] for item in Decoder(stream).report()["segments"]]


def test_every_block_is_that_of_the_decoder(path, whole):
    reader = StripReader(path)
    assert (reader.info.shape, reader.strip_lines) == ((BANDS, LINES, SAMPLES), STRIP)
    for bands in (slice(0, 2), slice(2, BANDS), slice(0, BANDS), slice(3, 3)):
        for lines in (slice(0, 1), slice(10, 20), slice(0, LINES), slice(33, 40), slice(7, 7)):
            np.testing.assert_array_equal(reader.read(bands, lines), whole[bands, lines])


def test_ends_that_are_not_given_are_those_of_the_scene(path, whole):
    reader = StripReader(path)
    np.testing.assert_array_equal(reader.read(slice(None), slice(10, None)), whole[:, 10:])


@pytest.mark.parametrize(
    "lines", [slice(0, LINES + 1), slice(-8 - LINES, LINES), slice(0, LINES, 2), slice(9, 3)]
)
def test_lines_outside_the_scene_are_refused(path, lines):
    with pytest.raises(SettingsError, match="are not a part of the scene") as told:
        StripReader(path).read(slice(0, BANDS), lines)
    # As everywhere else.
    with pytest.raises(SettingsError) as decoded:
        Decoder(path).decode(lines=lines)
    assert str(decoded.value) == str(told.value)


def test_one_strip_reads_its_segment_only(path, stream):
    sizes = segment_sizes(stream)
    reader = StripReader(path)
    opened = reader.bytes_read
    # Everything but the segments, and a few bytes of each section to find the next.
    assert opened < len(stream) - sum(sizes) + 30 * len(sections(stream))
    reader.read(slice(0, 2), slice(STRIP, STRIP + 3))
    assert reader.bytes_read - opened == sizes[1]


def test_what_is_kept_is_not_read_again(path, whole):
    reader = StripReader(path)
    reads = []
    for bands in (slice(0, 2), slice(2, 4), slice(4, 6), slice(0, 2)):
        before = reader.bytes_read
        np.testing.assert_array_equal(reader.read(bands, slice(0, STRIP)), whole[bands, :STRIP])
        reads.append(reader.bytes_read > before)
    # The second block of a strip shows that more of it is wanted: all is decoded then.
    assert reads == [True, True, False, False]
    size = BANDS * STRIP * SAMPLES * whole.itemsize
    small = StripReader(path, cache=size)
    for strip in (0, 1, 0):
        before = small.bytes_read
        small.read(slice(0, BANDS), slice(strip * STRIP, strip * STRIP + 2))
        assert small.bytes_read > before
    none = StripReader(path, cache=0)
    for _ in range(3):
        before = none.bytes_read
        none.read(slice(0, 2), slice(0, 2))
        assert none.bytes_read > before


def test_damage_elsewhere_does_not_matter(path, stream, whole):
    data = bytearray(stream)
    data[-3] ^= 0xFF
    path.write_bytes(data)
    reader = StripReader(path)
    np.testing.assert_array_equal(reader.read(slice(0, BANDS), slice(0, 2 * STRIP)), whole[:, : 2 * STRIP])
    with pytest.warns(DamageWarning, match=r"a\.bf: lines 32:40 are damaged: "):
        block = reader.read(slice(0, 3), slice(LINES - 1, LINES))
    np.testing.assert_array_equal(block, Decoder(bytes(data)).decode()[:3, -1:])
    with pytest.raises(StreamError, match="lines 32:40 are damaged"):
        StripReader(path, damage="raise").read(slice(0, 3), slice(0, LINES))
    with pytest.raises(SettingsError, match="use warn or raise"):
        StripReader(path, damage="ignore")


def test_repeated_segments_and_any_order(path, stream, whole):
    parts = sections(stream)
    damaged = bytearray(joined(parts[-1:])[10:])
    damaged[-1] ^= 1
    path.write_bytes(joined(parts[::-1])[:10] + damaged + joined(parts[::-1])[10:] + joined(parts[-1:])[10:])
    reader = StripReader(path)
    np.testing.assert_array_equal(reader.read(slice(0, BANDS), slice(0, LINES)), whole)


@pytest.mark.parametrize("cut", [0, 5, 10, 30, -1, -100])
def test_what_a_decoder_refuses_or_repairs(path, stream, cut):
    """A file that is cut off goes the usual way."""
    path.write_bytes(stream[:cut])
    try:
        expected = Decoder(path).decode()
    except StreamError as error:
        reason = re.escape(str(error))
        with pytest.raises(StreamError, match=f"^{reason}$"):
            StripReader(path)
        return
    reader = StripReader(path)
    assert not reader._file.indexed
    with pytest.warns(DamageWarning):
        np.testing.assert_array_equal(reader.read(slice(0, BANDS), slice(0, LINES)), expected)


def test_every_flipped_byte_of_the_frames(path, stream):
    """Whatever is damaged, reading in part gives what reading the whole gives."""
    generator = np.random.default_rng(5)
    for place in [*range(10, 60), *generator.integers(60, len(stream), 30).tolist()]:
        data = bytearray(stream)
        data[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(data)
        try:
            decoder = Decoder(bytes(data))
        except StreamError:
            with pytest.raises(StreamError):
                StripReader(path)
            continue
        expected = decoder.decode()
        reader = StripReader(path)
        if decoder.damage:
            with pytest.warns(DamageWarning):
                found = reader.read(slice(0, BANDS), slice(0, LINES))
        else:
            found = reader.read(slice(0, BANDS), slice(0, LINES))
        np.testing.assert_array_equal(found, expected)


def test_pickled(path, whole):
    again = pickle.loads(pickle.dumps(StripReader(path, cache=12345)))
    assert again is pickle.loads(pickle.dumps(StripReader(path, cache=12345)))
    assert again._options.cache == 12345
    np.testing.assert_array_equal(again.read(slice(1, 3), slice(5, 9)), whole[1:3, 5:9])
    data = pickle.dumps(StripReader(path))
    os.utime(path, ns=(1, 1))
    with pytest.raises(StreamError, match="has changed"):
        pickle.loads(data)


def test_threads(path, whole):
    reader = StripReader(path)
    wrong = []

    def work(first):
        for lines in (slice(first, first + 9), slice(0, LINES)):
            if not np.array_equal(reader.read(slice(1, 5), lines), whole[1:5, lines]):
                wrong.append(lines)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(0, 30, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_such_file(tmp_path):
    with pytest.raises(StreamError, match="cannot be read"):
        StreamFile(tmp_path / "no.bf")
