"""Efforts: one table, a default that is what no effort gives, streams that every decoder reads."""

import numpy as np
import pytest

from bandfold.common.errors import SettingsError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder, EncoderSettings
from bandfold.onboard.effort import DEFAULT_EFFORT, EFFORTS
from bandfold.synthetic.scenes import SyntheticScene
from bandfold.zarrcodec import ChunkSettings

SCENE = SyntheticScene(48, 64, 24, seed=3).read(slice(0, 24), slice(0, 48))


def test_numbers_have_no_gaps():
    assert list(EFFORTS) == list(range(1, 10))


def test_the_default_is_what_no_effort_gives():
    usual = Encoder(step=12.0).encode(SCENE)
    assert Encoder(step=12.0, effort=DEFAULT_EFFORT).encode(SCENE) == usual


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("effort", [1, 3, 9])
def test_decoders_need_not_know_the_effort(effort, stream):
    coded = Encoder(step=12.0, effort=effort, stream=stream).encode(ArraySource(SCENE))
    decoded = Decoder(coded, restore="off").decode()
    assert np.sqrt(np.mean((decoded.astype(float) - SCENE) ** 2)) < 12.0


def test_more_effort_takes_fewer_bytes_for_its_errors():
    def cost(effort):
        coded = Encoder(step=12.0, effort=effort).encode(SCENE)
        error = np.mean((Decoder(coded, restore="off").decode().astype(float) - SCENE) ** 2)
        # Bytes go with about the power -0.8 of the squared error.
        return len(coded) * error**0.8

    costs = [cost(effort) for effort in (1, 5, 9)]
    assert costs[0] > costs[1] > costs[2]


def test_a_rate_is_kept_at_every_effort():
    for effort in (1, 2, 8):
        assert len(Encoder(bps=0.7, effort=effort).encode(SCENE)) <= 0.7 * SCENE.size / 8


def test_a_quantiser_that_is_asked_for_goes_before_that_of_the_effort():
    settings = EncoderSettings(step=1.0, effort=1, quantiser="dependent")
    assert settings.tables_path == EncoderSettings(step=1.0).tables_path
    assert EncoderSettings(step=1.0, effort=1).tables_path != settings.tables_path


@pytest.mark.parametrize("effort", [0, 10, 2.5, "fast"])
def test_other_efforts_are_refused(effort):
    with pytest.raises(SettingsError, match=r"out of range: give 1 \(fastest\) to 9"):
        EncoderSettings(step=1.0, effort=effort)


def test_models_have_none():
    with pytest.raises(SettingsError, match="a model has no efforts"):
        EncoderSettings(step=1.0, effort=2, model="innovations")


def test_chunks_of_arrays_have_efforts():
    assert ChunkSettings(step=12.0).to_dict() == {"step": 12.0}
    fast = ChunkSettings(step=12.0, effort=1)
    assert fast.to_dict() == {"step": 12.0, "effort": 1}
    assert fast.encode(SCENE) == Encoder(step=12.0, effort=1).encode(SCENE)


def test_the_highest_effort_keeps_the_best_of_its_codings_at_a_rate():
    def error(**fields):
        coded = Encoder(bps=0.7, **fields).encode(SCENE)
        assert len(coded) <= 0.7 * SCENE.size / 8
        return np.mean((Decoder(coded, restore="off").decode().astype(float) - SCENE) ** 2)

    assert error(effort=9) < error()
