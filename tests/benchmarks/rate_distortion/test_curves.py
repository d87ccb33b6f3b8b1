"""Measuring a codec: what is reported is what the bytes and the samples say."""

import pytest

from bandfold.benchmarks.measures.quality import psnr
from bandfold.benchmarks.rate_distortion.curves import measure


def test_points_state_whole_streams_and_pooled_errors(quantiser, cube):
    codec = quantiser()
    measured = measure(codec, cube, (4.0, 8.0))
    assert [point.asked for point in measured.points] == [4.0, 8.0]
    for point in measured.points:
        stream = codec.encode(cube, point.asked).stream
        assert point.bps == 8 * len(stream) / cube.size <= point.asked
        assert point.psnr == psnr(cube, codec.decode(stream).cube)
        assert point.encode_seconds > 0
        assert point.decode_seconds > 0
        assert point.basis_share == 0.25
    assert measured.curve == [(point.bps, point.psnr) for point in measured.points]
    assert measured.failures == ()


def test_a_refused_rate_is_told_and_does_not_stop_the_others(quantiser, cube):
    measured = measure(quantiser(), cube, (0.001, 8.0))
    assert len(measured.points) == 1
    (failure,) = measured.failures
    assert failure == "quantiser at 0.001 bps: 0.001 bits per sample are too few"


def test_a_bug_is_not_taken_for_a_refusal(quantiser, cube):
    codec = quantiser()
    codec.decode = lambda stream: 1 / 0
    with pytest.raises(ZeroDivisionError):
        measure(codec, cube, (8.0,))
