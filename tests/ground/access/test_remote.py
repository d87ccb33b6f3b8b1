"""Streams behind addresses and in open files: what is read of them, and what goes wrong."""

import io
import json
import pickle

import numpy as np
import pytest

import bandfold
from bandfold.common.errors import SettingsError, StreamError
from bandfold.ground import Decoder
from bandfold.ground.access.strip_reader import StripReader
from bandfold.ground.stream.byte_source import open_bytes
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

from .range_server import served

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

LINES, STRIP = 96, 8


@pytest.fixture(scope="module")
def stream():
    return Encoder(step=4, strip_lines=STRIP).encode(SyntheticScene(LINES, 120, 24, seed=1))


@pytest.fixture(scope="module")
def whole(stream):
    return Decoder(stream, restore="off").decode()


@pytest.fixture
def address(stream):
    with served(stream) as (address, _):
        yield address


def test_one_band_of_one_strip_takes_a_part_of_the_bytes(stream, whole):
    with served(stream) as (address, requests):
        reader = StripReader(address, restore="off")
        block = reader.read(slice(3, 4), slice(STRIP, 2 * STRIP))
    np.testing.assert_array_equal(block, whole[3:4, STRIP : 2 * STRIP])
    assert reader.bytes_read == sum(requests)
    assert reader.stream_bytes == len(stream)
    # A small stream of twelve strips: its bases are a larger part of it than those of a scene.
    assert sum(requests) < 0.3 * len(stream)


def test_a_server_without_ranges_is_asked_once(stream, whole):
    with served(stream, ranges=False) as (address, requests):
        reader = StripReader(address, restore="off")
        np.testing.assert_array_equal(reader.read(slice(0, 24), slice(0, LINES)), whole)
    assert requests == [len(stream)] == [reader.bytes_read]


def test_a_server_that_does_not_say_how_much_there_is(stream, whole):
    with served(stream, ranges=False, length=False) as (address, requests):
        reader = StripReader(address, restore="off")
        np.testing.assert_array_equal(reader.read(slice(0, 24), slice(0, LINES)), whole)
    assert requests[-1] == len(stream) == reader.bytes_read


def test_other_ways_to_the_same_stream(stream, whole, tmp_path):
    (tmp_path / "scene.bf").write_bytes(stream)
    memory = fsspec.filesystem("memory")
    memory.pipe("/scene.bf", stream)
    places = [
        "memory://scene.bf",
        (tmp_path / "scene.bf").as_uri(),
        fsspec.open("memory://scene.bf", "rb"),
        io.BytesIO(stream),
        (tmp_path / "scene.bf").open("rb"),
        memory.open("/scene.bf"),
    ]
    for place in places:
        np.testing.assert_array_equal(
            bandfold.open(place, restore="off").read(slice(2, 4), slice(9, 30)), whole[2:4, 9:30]
        )
        np.testing.assert_array_equal(Decoder(place, restore="off").decode(lines=slice(0, 1)), whole[:, :1])
    for file in places[4:]:
        file.close()
    memory.rm("/scene.bf")


def test_a_file_that_cannot_be_sought(stream, whole):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    np.testing.assert_array_equal(Decoder(Pipe(stream), restore="off").decode(), whole)


def test_pickled(address, stream, whole):
    for place in (address, fsspec.open(address, "rb"), io.BytesIO(stream)):
        again = pickle.loads(pickle.dumps(StripReader(place, restore="off")))
        np.testing.assert_array_equal(again.read(slice(0, 1), slice(0, 9)), whole[:1, :9])


def test_what_is_no_stream_is_not_read_to_its_end(stream):
    page = b"<html>" + bytes(100_000)
    with served(page) as (address, requests), pytest.raises(StreamError, match="not a bandfold stream"):
        StripReader(address)
    assert sum(requests) < 10_000


def test_what_is_not_there(address, tmp_path, monkeypatch):
    with pytest.raises(StreamError, match=r"other\.bf cannot be read: not found"):
        StripReader(address.replace("scene", "other"))
    with pytest.raises(StreamError, match="cannot be read"):
        open_bytes("nonsense-protocol://x/scene.bf")
    closed = io.BytesIO(b"")
    closed.close()
    with pytest.raises(StreamError, match="closed file"):
        open_bytes(closed)
    with pytest.raises(SettingsError, match="cannot be read from int"):
        open_bytes(7)
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(SettingsError, match=r"pip install 'bandfold\[remote\]'"):
        open_bytes("s3://bucket/scene.bf")


def test_xarray(address, stream, whole):
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("pyproj")
    found = xarray.open_dataset(address, restore="off")
    np.testing.assert_array_equal(found.cube[3:5, 4, 7].values, whole[3:5, 4, 7])
    assert found.encoding["source"] == address
    found = xarray.open_dataset(io.BytesIO(stream), restore="off", chunks={})
    np.testing.assert_array_equal(found.cube[0].values, whole[0])
    found = xarray.open_dataset(address, restore="off", storage_options={"block_size": 1000})
    np.testing.assert_array_equal(found.cube[0, :9].values, whole[0, :9])
    with pytest.raises(SettingsError, match="storage_options"):
        xarray.open_dataset(io.BytesIO(stream), engine="bandfold", storage_options={"anon": True})


def test_commands(stream, whole, tmp_path, capsys):
    from bandfold.cli.main import main

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(list(map(str, arguments)))
        assert caught.value.code == 0
        return json.loads(capsys.readouterr().out)

    with served(stream) as (address, requests):
        part = run(
            "decode", address, "-o", tmp_path / "a.npy", "--lines", "8:16", "--restore", "off", "--json"
        )
        assert part["bytes_read"] == sum(requests) < 0.3 * part["stream_bytes"]
        requests.clear()
        about = run("info", address, "--header", "--json")
        assert about["bytes_read"] == sum(requests) < 0.3 * len(stream) == 0.3 * about["file_bytes"]
        assert (about["lines"], "segments" in about) == (LINES, False)
        assert len(run("info", address, "--json")["segments"]) == LINES // STRIP
        (tmp_path / "a.bf").write_bytes(stream)
        assert run("compare", tmp_path / "a.bf", address, "--json")["whole"]["max_error"] == 0
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), whole[:, 8:16])
