"""Tiles beside a page, without a browser."""

import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.common.errors import OutputError, SettingsError
from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.ground.report.bit_counting_decoder import BitCountingDecoder
from bandfold.ground.report.packed_samples import MISSING
from bandfold.ground.report.page_view import page_view
from bandfold.ground.report.report_contents import collect
from bandfold.ground.report.tile_folder import TileFolder
from bandfold.ground.report.tile_pyramid import EDGE, GROUP, LARGEST_COARSE, TilePyramid
from bandfold.onboard import ArraySource

from ..streams import encode, scene

BANDS, LINES, SAMPLES = 20, 150, 300
CUBE = scene(BANDS, LINES, SAMPLES)


def folder(tmp_path, name="tiles", info=None, **changes):
    info = info or SceneInfo(BANDS, LINES, SAMPLES, np.dtype(np.int16))
    return TileFolder(
        tmp_path / name, tmp_path / "a.html", info, **{"reference": True, "most_bytes": 1 << 30, **changes}
    )


def read_tile(path):
    """What a tile says: key, name, samples in one row."""
    text = path.read_text("ascii")
    key, name, packed = json.loads(f"[{text.removeprefix('bandfoldTile(').removesuffix(');' + chr(10))}]")
    high, low = np.frombuffer(zlib.decompress(base64.b64decode(packed["codes"])), np.uint8).reshape(2, -1)
    codes = high.astype(np.float64) * 256 + low
    return key, name, np.where(codes == MISSING, np.nan, packed["offset"] + packed["scale"] * codes)


def whole_level(tiles, cube, level, shape):
    """A level put together from its tiles."""
    found = np.full(shape, -1e9)
    for group in range(-(-shape[0] // GROUP)):
        for path in (tiles / cube / str(level) / str(group)).iterdir():
            column, row = map(int, path.stem.split("_"))
            part = found[group * GROUP :, row * EDGE : (row + 1) * EDGE, column * EDGE : (column + 1) * EDGE][
                :GROUP
            ]
            part[:] = read_tile(path)[2].reshape(part.shape)
    return found


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(1, 3000), st.integers(1, 3000))
def test_levels_halve_until_they_are_small(lines, samples):
    pyramid = TilePyramid(3, lines, samples)
    assert pyramid.shape(pyramid.levels - 1) == (lines, samples)
    assert max(pyramid.shape(0)) <= LARGEST_COARSE
    assert pyramid.levels == 1 or max(pyramid.shape(1)) > LARGEST_COARSE
    for level in range(pyramid.levels - 1):
        assert pyramid.step(level) == 2 * pyramid.step(level + 1)


def test_tiles_hold_every_sample(tmp_path):
    stream = encode(CUBE)
    with folder(tmp_path) as tiles:
        contents = collect(BitCountingDecoder(stream), ArraySource(CUBE), 1 << 12, tiles=tiles)
        view = page_view(contents, tiles)["tiles"]
        assert not (tmp_path / "tiles").exists()
        tiles.publish()
        written = sorted((tmp_path / "tiles").rglob("*.js"))
        assert (tiles.files, tiles.bytes) == (len(written), sum(path.stat().st_size for path in written))
    assert (view["folder"], view["levels"], view["edge"], view["group"]) == ("tiles", 2, EDGE, GROUP)
    decoded = Decoder(stream).decode()
    for name, cube in (("decoded", decoded), ("reference", CUBE)):
        np.testing.assert_array_equal(whole_level(tmp_path / "tiles", name, 1, cube.shape), cube)
        half = cube[:, ::2, ::2]
        np.testing.assert_array_equal(whole_level(tmp_path / "tiles", name, 0, half.shape), half)
    for name, values in (("sam", contents.comparison.sam_map), ("rmse", contents.comparison.rmse_map)):
        found = whole_level(tmp_path / "tiles", name, 1, (1, LINES, SAMPLES))[0]
        np.testing.assert_allclose(found, values, rtol=0, atol=np.ptp(values) / 130_000)
    keys = {read_tile(path)[:2] for path in written}
    assert keys == {
        (view["key"], path.relative_to(tmp_path / "tiles").with_suffix("").as_posix()) for path in written
    }
    errors = np.abs(decoded.astype(float) - CUBE)
    assert view["errors"] == pytest.approx(np.percentile(errors, 99, axis=(1, 2)), rel=0.1)
    assert len(view["low"]) == len(view["high"]) == BANDS


def test_absent_samples_and_floats(tmp_path):
    cube = (scene(3, 40, 30) / 8).astype(np.float32)
    cube[1, 5:9, 2:4] = -1
    source = ArraySource(cube, no_data=-1.0)
    stream = encode(source, step=0.25)
    with folder(tmp_path, info=source.info, reference=False) as tiles:
        contents = collect(BitCountingDecoder(stream), None, 1 << 12, tiles=tiles)
        tiles.publish()
    assert sorted(path.name for path in (tmp_path / "tiles").iterdir()) == ["decoded", "tiles.json"]
    found = whole_level(tmp_path / "tiles", "decoded", 0, cube.shape)
    np.testing.assert_array_equal(np.isnan(found), cube == -1)
    decoded = Decoder(stream).decode()
    present = cube != -1
    np.testing.assert_allclose(found[present], decoded[present], atol=np.ptp(decoded[present]) / 65534)
    assert "errors" not in page_view(contents, tiles)["tiles"]


def test_what_they_take_is_bounded(tmp_path):
    noise = np.random.default_rng(1).integers(0, 65536, (BANDS, LINES, SAMPLES), dtype=np.uint16)
    info = ArraySource(noise).info
    with folder(tmp_path, info=info, reference=False) as tiles:
        tiles.add("decoded", noise.astype(np.float32), slice(0, LINES))
        most = TilePyramid(BANDS, LINES, SAMPLES).most_bytes
        assert 0.9 * most < tiles.bytes <= most
    with pytest.raises(SettingsError, match=r"may take .* MB, more than 1 MB: raise --max-tiles"):
        folder(tmp_path, most_bytes=1 << 20)
    assert list(tmp_path.iterdir()) == []


def test_only_folders_of_tiles_are_replaced(tmp_path):
    for _ in range(2):
        with folder(tmp_path) as tiles:
            tiles.publish()
    first = json.loads((tmp_path / "tiles" / "tiles.json").read_text())
    assert (first["content"], first["page"]) == ("tiles of a bandfold report", "a.html")
    (tmp_path / "tiles" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="it is a folder of something else"):
        folder(tmp_path)
    (tmp_path / "other").mkdir()
    with folder(tmp_path, "other") as tiles:
        tiles.publish()
    with pytest.raises(OutputError, match="cannot write"):
        folder(tmp_path, "no/tiles")
    with pytest.raises(OutputError, match="it is a file; name a folder"):
        folder(tmp_path, "tiles/thesis.txt")
    for name in ("", "../" + tmp_path.name, "a.html"):
        with pytest.raises(SettingsError, match="would lie in its own folder"):
            folder(tmp_path, name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "tiles"]
    assert (tmp_path / "tiles" / "thesis.txt").exists()


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    with folder(tmp_path) as tiles:
        monkeypatch.setattr(
            "pathlib.Path.write_bytes",
            lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")),
        )
        with pytest.raises(OutputError, match="No space left on device"):
            tiles.add("decoded", CUBE.astype(np.float32), slice(0, LINES))
    assert list(tmp_path.iterdir()) == []


def test_the_page_finds_folders_elsewhere(tmp_path):
    (tmp_path / "deep er").mkdir()
    with folder(tmp_path, "deep er/ti?les") as tiles:
        assert tiles.as_json()["folder"] == "deep%20er/ti%3Fles"
    info = SceneInfo(1, 2, 3, np.dtype(np.uint8))
    with TileFolder(
        tmp_path / "t", tmp_path / "deep er" / "a.html", info, reference=False, most_bytes=1 << 20
    ) as tiles:
        assert tiles.as_json()["folder"] == "../t"
