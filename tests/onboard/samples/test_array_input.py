"""Arrays and what is said of them, as Python programs have them: taken as meant, or refused by name."""

import math

import numpy as np
import pytest

from bandfold.common.errors import SceneError, SettingsError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder

CUBE = np.random.default_rng(3).normal(5, 1, (4, 16, 20)).astype("f4")
MASK = np.broadcast_to(np.arange(16)[:, None] < 5, CUBE.shape)


def decoded(stream):
    decoder = Decoder(stream, restore="off")
    return decoder.decode(), decoder.info


def test_masked_floats_come_back_as_nan():
    found, info = decoded(Encoder(rmse=0.1).encode(np.ma.masked_array(CUBE, MASK)))
    assert math.isnan(info.no_data)
    np.testing.assert_array_equal(np.isnan(found), MASK)


@pytest.mark.parametrize("dtype", ["f4", "u2", "i4"])
def test_masked_samples_come_back_as_the_value_that_is_given(dtype):
    masked = np.ma.masked_array(CUBE.astype(dtype), MASK)
    found, info = decoded(Encoder(rmse=0.1).encode(ArraySource(masked, no_data=99)))
    assert info.no_data == 99
    assert (found[MASK] == 99).all()
    assert (found[~MASK] < 20).all()


@pytest.mark.parametrize("no_data", [None, -1, 65536, 0.5, math.nan, 1e300])
def test_masked_integers_need_a_value(no_data):
    with pytest.raises(SceneError, match=r"no_data .* is no value of uint16"):
        ArraySource(np.ma.masked_array(CUBE.astype("u2"), MASK), no_data=no_data)


def test_a_mask_of_nothing_changes_nothing():
    assert Encoder(rmse=0.1).encode(np.ma.masked_less(CUBE, -100)) == Encoder(rmse=0.1).encode(CUBE)


def test_lists_and_numbers_of_numpy():
    wanted = Encoder(rmse=0.1).encode(CUBE.astype("f8"))
    assert Encoder(rmse=0.1).encode(CUBE.tolist()) == wanted
    assert Encoder(rmse=np.float64(0.1)).encode(CUBE.astype("f8")) == wanted
    # Their overflows were warnings, which are errors here.
    Encoder(rmse=np.float32(0.1)).encode(CUBE)


@pytest.mark.parametrize("scene", [None, "scene.hdr", 7, [[1], [1, 2]], CUBE[0], object()])
def test_what_is_no_cube_is_refused(scene):
    with pytest.raises(SceneError, match=r"give \(bands, lines, samples\)"):
        Encoder(rmse=0.1).encode(scene)


def test_metadata_may_be_numbers_and_lists():
    fields = {"wavelength": [400.5, np.float32(410.25), 420, "430"], "gain": 2, "sensor": "a", 7: (1, 2)}
    info = ArraySource(CUBE, metadata=fields).info
    assert info.metadata == {
        "wavelength": ("400.5", "410.25", "420", "430"),
        "gain": "2",
        "sensor": "a",
        "7": ("1", "2"),
    }
    with pytest.raises(SceneError, match="metadata field 'x' is NoneType"):
        ArraySource(CUBE, metadata={"x": None})
    with pytest.raises(SceneError, match="no_data 'none' is no number"):
        ArraySource(CUBE, no_data="none")


@pytest.mark.parametrize("value", ["much", [1, 2], object()])
def test_targets_that_are_no_numbers_are_refused(value):
    with pytest.raises(SettingsError, match=r"rmse .* is no number"):
        Encoder(rmse=value)
