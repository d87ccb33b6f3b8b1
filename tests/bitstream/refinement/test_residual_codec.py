"""Refinement there and back: limits hold for every sample, and nothing that is damaged passes for samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.refinement.band_prediction import Bounds
from bandfold.bitstream.refinement.residual_codec import read_error_bound, read_residual, write_residual
from bandfold.bitstream.refinement.side_information import ErrorBound
from bandfold.bitstream.refinement.tables import load_refinement_tables
from bandfold.common import kernels
from bandfold.common.errors import StreamError

from .strips import strips

TABLES = load_refinement_tables()
COUNTS = Bounds(0, 65535)


def _write(strip, relative=None):
    bound, bounds = ErrorBound(strip.limits, relative), Bounds(strip.lowest, strip.highest)
    return write_residual(strip.samples, strip.base, bound, bounds, strip.absent, TABLES)


def _read(payload, strip):
    return read_residual(payload, strip.base, Bounds(strip.lowest, strip.highest), strip.absent, TABLES)


@settings(max_examples=80, deadline=None)
@given(strip=strips())
def test_no_present_sample_is_off_by_more_than_the_limit_of_its_band(strip):
    payload, refined = _write(strip)
    found, limits = _read(payload, strip)
    assert np.array_equal(found, refined)
    assert np.array_equal(limits, strip.limits)
    error = np.abs(found.astype(np.int64) - strip.samples)
    assert (error <= strip.limits[:, None, None])[strip.present].all()
    assert found.min() >= strip.lowest
    assert found.max() <= strip.highest


@settings(max_examples=30, deadline=None)
@given(strip=strips(), share=st.integers(1, 65535), floor=st.sampled_from([0, 1, 30, 70000]))
def test_a_relative_limit_holds_for_each_sample_by_its_own_value(strip, share, floor):
    if strip.highest - strip.lowest > 1 << 16:
        share = max(share, 600)
    payload, refined = _write(strip, relative=(share, floor))
    found, limits = _read(payload, strip)
    assert np.array_equal(found, refined)
    assert (limits == floor).all()
    allowed = np.maximum(np.abs(strip.samples.astype(np.int64)) * share >> 16, floor)
    assert (np.abs(found.astype(np.int64) - strip.samples) <= allowed)[strip.present].all()
    assert read_error_bound(payload, len(limits), TABLES).relative == (share, floor)


@pytest.mark.parametrize("relative", [(0, 5), (65536, 5), (100, -1)])
def test_a_relative_limit_out_of_range_is_refused(relative):
    plane = np.zeros((1, 2, 2), np.int32)
    with pytest.raises(ValueError, match="relative limit"):
        write_residual(plane, plane, ErrorBound(np.zeros(1, np.int32), relative), Bounds(0, 9), None, TABLES)


@settings(max_examples=40, deadline=None)
@given(strip=strips())
def test_limits_can_be_read_alone(strip):
    bound = read_error_bound(_write(strip)[0], len(strip.limits), TABLES)
    assert np.array_equal(bound.limits, strip.limits)
    assert bound.relative is None


@settings(max_examples=60, deadline=None)
@given(strip=strips())
def test_compiled_functions_write_and_read_what_numpy_does(strip):
    payload, refined = _write(strip)
    with kernels.switched_off():
        other, same = _write(strip)
        found, _ = _read(payload, strip)
    assert other == payload
    assert np.array_equal(same, refined)
    assert np.array_equal(found, refined)


def _survives(payload, strip):
    """What damage gives: a typed error, or samples within their range."""
    try:
        found, limits = _read(payload, strip)
    except StreamError:
        return False
    assert found.shape == strip.samples.shape
    assert limits.min() >= 0
    assert strip.lowest <= found.min()
    assert found.max() <= strip.highest
    return True


@pytest.mark.parametrize("compiled", [True, False])
@settings(max_examples=60, deadline=None)
@given(strip=strips(), data=st.data())
def test_damage_is_an_error_or_gives_samples_in_their_range(compiled, strip, data):
    payload = bytearray(_write(strip)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    for damaged in (bytes(payload), bytes(payload[:cut])):
        if compiled:
            _survives(damaged, strip)
        else:
            with kernels.switched_off():
                _survives(damaged, strip)


@settings(max_examples=80, deadline=None)
@given(strip=strips(), noise=st.binary(max_size=400), words=st.integers(0, 99))
def test_noise_is_an_error_or_gives_samples_in_their_range(strip, noise, words):
    _survives(noise, strip)
    _survives(words.to_bytes(4, "little") + noise, strip)


def test_every_truncation_is_noticed():
    random = np.random.default_rng(3)
    samples = random.integers(900, 1100, (4, 6, 7)).astype(np.int32)
    base, limits = np.full_like(samples, 1000), np.zeros(4, np.int32)
    payload, _ = write_residual(samples, base, ErrorBound(limits), COUNTS, None, TABLES)
    for size in range(len(payload)):
        with pytest.raises(StreamError):
            read_residual(payload[:size], base, COUNTS, None, TABLES)
    with pytest.raises(StreamError, match="does not end where it should"):
        read_residual(payload + b"\0", base, COUNTS, None, TABLES)


def _noisy(sigma, shape=(16, 64, 96)):
    random = np.random.default_rng(5)
    base = random.integers(2000, 9000, shape).astype(np.int32)
    return base + np.rint(random.normal(0, sigma, shape)).astype(np.int32), base


@pytest.mark.parametrize("sigma", [1.5, 12.0, 700.0])
def test_white_noise_takes_little_more_than_its_entropy(sigma):
    samples, base = _noisy(sigma)
    payload, _ = write_residual(samples, base, ErrorBound(np.zeros(16, np.int32)), COUNTS, None, TABLES)
    entropy = np.log2(sigma * np.sqrt(2 * np.pi * np.e))
    assert len(payload) * 8 / samples.size < 1.03 * entropy


def test_what_bands_have_in_common_is_told_once():
    _, base = _noisy(1.0)
    random = np.random.default_rng(6)
    shared = random.normal(0, 40, base.shape[1:])
    samples = base + np.rint(shared * np.linspace(0.5, 1.5, 16)[:, None, None]).astype(np.int32)
    payload, _ = write_residual(samples, base, ErrorBound(np.zeros(16, np.int32)), COUNTS, None, TABLES)
    # A band costs 7.4 bits, all others what rounding leaves of them.
    assert len(payload) * 8 / samples.size < 2.0


def test_where_the_base_is_within_the_limit_nothing_is_paid():
    samples, base = _noisy(2.0)
    payload, refined = write_residual(
        samples, base, ErrorBound(np.full(16, 40, np.int32)), COUNTS, None, TABLES
    )
    assert len(payload) < 150
    assert np.abs(refined - samples).max() <= 40


def test_absent_samples_take_no_bits():
    samples, base = _noisy(12.0)
    limits = np.zeros(16, np.int32)
    absent = np.zeros(samples.shape[1:], bool)
    absent[:, 48:] = True
    noise = np.where(absent, np.random.default_rng(1).integers(0, 65535, samples.shape), samples).astype(
        np.int32
    )
    whole = len(write_residual(samples, base, ErrorBound(limits), COUNTS, None, TABLES)[0])
    half = len(write_residual(noise, base, ErrorBound(limits), COUNTS, absent, TABLES)[0])
    assert half < 0.51 * whole
