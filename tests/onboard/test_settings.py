"""Settings are checked once, whichever way they reach an encoder."""

import dataclasses

import numpy as np
import pytest

from bandfold.common.errors import SettingsError
from bandfold.common.scene import SceneInfo
from bandfold.onboard import Encoder, EncoderSettings, StreamEncoder
from bandfold.onboard.settings import REPEAT, SCRUB, SettingsFields, settings_of
from bandfold.onboard.target import Target, step_code

INFO = SceneInfo(4, 1, 8, np.dtype("uint16"))

REFUSED = {
    "no target": ({}, "give exactly one of bps, nbytes, psnr, rmse and step"),
    "two targets": ({"bps": 1.0, "step": 2.0}, "bps, step given"),
    "spectral": ({"step": 1.0, "spectral": "full"}, "spectral 'full' is unknown"),
    "partition": ({"step": 1.0, "partition": "modis"}, "partition 'modis' is unknown"),
    "low strips": ({"step": 1.0, "strip_lines": 0}, "strips of 0 lines"),
    "odd strips": ({"step": 1.0, "strip_lines": 12}, "strips of 12 lines"),
    "threads": ({"step": 1.0, "threads": 0}, "0 threads"),
    "quantiser": ({"step": 1.0, "quantiser": "vector"}, "quantiser 'vector' is unknown"),
    "quantiser and tables": ({"step": 1.0, "quantiser": "uniform", "tables": "t.npz"}, "tables tell"),
    "quantiser and model": ({"step": 1.0, "quantiser": "uniform", "model": "m"}, "a model has a quantiser"),
    "model and sensor": ({"step": 1.0, "model": "m", "sensor": "s"}, "a model codes band by band"),
    "model and partition": ({"step": 1.0, "model": "m", "partition": (4,)}, "a model codes band by band"),
    "engine alone": ({"step": 1.0, "engine": "numpy"}, "an engine runs the networks of a model"),
    "no sensor": ({"step": 1.0, "spectral": "sensor"}, "needs a sensor package"),
    "sensor and partition": ({"step": 1.0, "sensor": "s", "partition": (4,)}, "a sensor package has"),
    "repeat of a scene": ({"step": 1.0, "repeat": 4}, "settings of streams"),
    "scrub of a scene": ({"step": 1.0, "scrub": 4}, "settings of streams"),
}

REFUSED_OF_STREAMS = {
    "size": ({"nbytes": 1000}, "no size that is known before its end"),
    "sensor not used": ({"step": 1.0, "sensor": "s", "spectral": "none"}, "a sensor package has a fold"),
    "buffer without rate": ({"step": 1.0, "buffer": 1000}, "a buffer goes with a rate"),
    "no buffer": ({"bps": 1.0, "buffer": 0}, "buffer of 0 bytes"),
    "repeat": ({"step": 1.0, "repeat": -1}, "repeating after -1 strips"),
    "scrub": ({"step": 1.0, "scrub": -1}, "scrubbing after -1 strips"),
}


@pytest.mark.parametrize(("fields", "message"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_by_all(fields, message):
    for make in (EncoderSettings, Encoder):
        with pytest.raises(SettingsError, match=message):
            make(**fields)


@pytest.mark.parametrize(("fields", "message"), REFUSED_OF_STREAMS.values(), ids=REFUSED_OF_STREAMS)
def test_what_makes_no_sense_for_a_stream_is_refused_by_all(fields, message):
    with pytest.raises(SettingsError, match=message):
        EncoderSettings(**fields, stream=True)
    with pytest.raises(SettingsError, match=message):
        Encoder(**fields, stream=True)
    with pytest.raises(SettingsError, match=message):
        StreamEncoder(INFO, lambda section: None, **fields)


def test_one_object_and_single_fields_are_the_same():
    settings = EncoderSettings(bps=0.7, strip_lines=16, threads=2)
    cube = np.arange(6 * 40 * 24, dtype=np.uint16).reshape(6, 40, 24)
    assert Encoder(settings).encode(cube) == Encoder(bps=0.7, strip_lines=16, threads=2).encode(cube)
    assert Encoder(settings).settings is settings


def test_an_object_beside_fields_is_refused():
    with pytest.raises(SettingsError, match="step given beside settings"):
        Encoder(EncoderSettings(bps=1.0), step=2.0)


def test_keywords_are_the_fields():
    names = [field.name for field in dataclasses.fields(EncoderSettings)]
    assert list(SettingsFields.__annotations__) == names
    with pytest.raises(TypeError, match="quality"):
        settings_of(None, {"quality": 3})


def test_what_is_not_said_is_usual():
    settings = EncoderSettings(step=1.0, stream=True)
    assert (settings.repeat_strips, settings.scrub_strips) == (REPEAT, SCRUB)
    never = EncoderSettings(step=1.0, stream=True, repeat=0, scrub=0)
    assert (never.repeat_strips, never.scrub_strips) == (0, 0)


def test_tables_go_with_the_quantiser(tmp_path):
    assert (
        EncoderSettings(step=1.0).tables_path == EncoderSettings(step=1.0, quantiser="dependent").tables_path
    )
    assert EncoderSettings(step=1.0, quantiser="uniform").tables_path is None
    assert EncoderSettings(step=1.0, model="m").tables_path is None
    assert EncoderSettings(step=1.0, tables=tmp_path).tables_path == tmp_path


def test_steps_are_cut_to_what_can_be_written():
    assert [step_code(step) for step in (1e-9, 1.0, 2.001, 1e9)] == [16, 256, 512, 256 << 20]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "none given"),
        ({"bps": 1.0, "psnr": 60.0}, "bps, psnr given"),
        ({"bps": 0.0}, "above 0"),
        ({"bps": -1.0}, "above 0"),
        ({"nbytes": 0}, "above 0"),
        ({"bps": float("nan")}, "above 0"),
        ({"psnr": float("inf")}, "above 0"),
        ({"psnr": 141.0}, "out of range"),
        ({"step": 0.01}, "out of range"),
        ({"step": 1e7}, "out of range"),
    ],
)
def test_impossible_targets_are_refused(fields, message):
    with pytest.raises(SettingsError, match=message):
        Target(**fields)


def test_targets_in_bytes_and_squared_error():
    assert Target(bps=0.3).budget(1001) == 37
    assert Target(nbytes=99).budget(1001) == 99
    with pytest.raises(ValueError, match="no rate"):
        Target(psnr=60.0).budget(1001)
    assert Target(psnr=60.0).mse(65535.0) == pytest.approx(65535**2 / 1e6)
    assert Target(psnr=60.0).mse(1000.0) == pytest.approx(1.0)
    assert Target(rmse=0.5).mse(65535.0, 0.25) == pytest.approx(4.0)
    assert Target(step=2.0).mse(65535.0) is None
