"""Flipped bits in memory are found, and what they are in is loaded again; or the encoder stops."""

from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.contexts import tables as tables_module
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import load_package
from bandfold.common.errors import IntegrityError, SettingsError
from bandfold.common.scene import SceneInfo
from bandfold.ground import Decoder
from bandfold.onboard import StreamEncoder
from bandfold.onboard.memory_scrubber import Scrubber
from bandfold.synthetic.scenes import SyntheticScene

SENSOR = Path(__file__).parents[1] / "golden" / "golden-20.bfm"


@pytest.fixture(autouse=True)
def fresh_tables():
    """Whatever a test does to the tables in memory is forgotten."""
    load_tables.cache_clear()
    yield
    load_tables.cache_clear()


def flip(array, bit=3):
    """Flip a bit in the middle of an array, whatever its flags say: radiation does not ask."""
    array.flags.writeable = True
    flat = array.view(np.uint8).reshape(-1)
    flat[flat.size // 2] ^= 1 << bit


def test_every_array_is_watched():
    loaded = load_tables()
    assert loaded.modes["folded"].costs.size
    scrubber = Scrubber({"tables": loaded})
    assert scrubber.changed() == []
    for array in (
        loaded.side,
        loaded.modes["folded"].network.layers[0][0],
        loaded.modes["banded"].points,
        loaded.modes["folded"].costs,
    ):
        flip(array)
        (name,) = scrubber.changed()
        assert name.startswith("/tables")
        flip(array)
        assert scrubber.changed() == []


def test_what_is_computed_later_is_watched_from_then_on():
    loaded = load_tables()
    scrubber = Scrubber({"tables": loaded})
    flip(loaded.modes["folded"].costs)
    assert scrubber.changed() == []
    flip(loaded.modes["folded"].costs)
    assert scrubber.changed() == ["/tables/modes/folded/costs"]


@pytest.fixture(scope="module")
def lines():
    return SyntheticScene(48, 24, 20, seed=3).read(slice(0, 20), slice(0, 48)).transpose(1, 0, 2)


def encoder(lines, written, **settings):
    info = SceneInfo(lines.shape[1], 1, lines.shape[2], lines.dtype)
    return StreamEncoder(info, written.append, step=10.0, strip_lines=8, scrub=1, **settings)


@pytest.mark.parametrize("what", ["tables", "sensor"])
def test_what_has_changed_is_loaded_again(lines, what):
    written = []
    one = encoder(lines, written, sensor=SENSOR)
    one.push(lines[:16])
    flip(one._strips._tables.side if what == "tables" else one._strips._planner._sensor.first[0].codes)
    one.push(lines[16:24])
    assert one.suspect == [slice(8, 16)]
    one.push(lines[24:])
    one.flush()
    assert one.suspect == [slice(8, 16)]
    decoder = Decoder(b"".join(written), models=[SENSOR])
    decoded = decoder.decode()
    assert decoder.damage == []
    np.testing.assert_allclose(decoded, lines.transpose(1, 0, 2), atol=300)
    assert np.sqrt(np.mean((decoded - lines.transpose(1, 0, 2).astype(float)) ** 2)) < 12


def test_what_cannot_be_loaded_again_stops_the_encoder(lines, monkeypatch, tmp_path):
    one = encoder(lines, [], sensor=load_package(SENSOR))
    one.push(lines[:8])
    flip(one._strips._planner._sensor.means)
    with pytest.raises(IntegrityError, match=r"flipped in memory \(/sensor/means\).*lines 0:8"):
        one.push(lines[8:16])
    copy = tmp_path / "tables.npz"
    copy.write_bytes(tables_module.SHIPPED_TABLES.read_bytes())
    one = encoder(lines, [], tables=copy)
    one.push(lines[:8])
    flip(one._strips._tables.side)
    with np.load(copy) as archive:
        arrays = dict(archive.items())
    np.savez(copy, **{**arrays, "folded_points": arrays["folded_points"] + 1})
    with pytest.raises(IntegrityError, match="not the same"):
        one.flush()


def test_without_scrubbing_nothing_is_looked_at(lines):
    info = SceneInfo(lines.shape[1], 1, lines.shape[2], lines.dtype)
    one = StreamEncoder(info, lambda data: None, step=10.0, strip_lines=8, scrub=0, sensor=SENSOR)
    one.push(lines)
    flip(one._strips._planner._sensor.means)
    one.flush()
    assert one.suspect == []
    with pytest.raises(SettingsError, match="scrubbing"):
        StreamEncoder(info, print, step=1.0, scrub=-1)
