import numpy as np
import pytest

from bandfold.bitstream.transforms.band_order import Hierarchy, OrderedBand
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.predicted_bands import PredictedBands
from bandfold.onboard.prediction.prediction_weights import best_prediction, told_shift

KERNELS = np.zeros((1, 64, 24, 24), np.int32)
POINTS = np.zeros((1, 3), np.int32)
NONE = np.zeros((64, 8, 9), np.int32), np.zeros((64, 8, 9), np.uint8)


def _strip(counts):
    """A strip whose first bands are known exactly, and the band that is next."""
    bands = len(counts)
    means = (counts.reshape(bands, -1).mean(axis=1) * 64).astype(np.int64)
    fold = Fold((bands,), means, engines=(0,), prediction=Hierarchy())
    strip = PredictedBands(fold, KERNELS, POINTS, 8 * 256, (8, 9))
    for band in range(bands - 1):
        one = OrderedBand(band, 0, ())
        strip.add(one, (16 * counts[band]).astype(np.int32), *NONE)
    return strip, OrderedBand(bands - 1, 0, tuple(range(bands - 2, -1, -1))[:4])


def _fields(seed, count):
    return np.random.default_rng(seed).integers(-2000, 2000, (count, 64, 72))


def test_a_sum_of_bands_is_found_again():
    one, other, noise = _fields(1, 3)
    target = 9000 + (3 * one + 2 * other) // 4 + noise // 400
    counts = np.stack([8000 + other, 9500 + one, target]).astype(np.int32)
    strip, ordered = _strip(counts)
    found = best_prediction(strip, ordered, counts[-1], 0)
    assert np.array(found.weights) / 1024 == pytest.approx([0.75, 0.5], abs=0.01)
    left = 16 * counts[-1] - strip.predict(ordered, found)
    assert np.abs(left).max() < 16 * 12


def test_what_does_not_help_is_not_told():
    one, unrelated, noise = _fields(2, 3)
    counts = np.stack([5000 + unrelated, 6000 + one, 7000 + one + noise // 500]).astype(np.int32)
    strip, ordered = _strip(counts)
    assert len(best_prediction(strip, ordered, counts[-1], 0).weights) == 1
    counts = np.stack([5000 + unrelated, 6000 + one, 7000 + noise // 500]).astype(np.int32)
    strip, ordered = _strip(counts)
    assert best_prediction(strip, ordered, counts[-1], 0).weights == ()


def test_an_offset_is_told_where_the_strip_is_brighter_than_the_scene():
    one, noise = _fields(3, 2)
    counts = np.stack([6000 + one, 7000 + one + noise // 500]).astype(np.int32)
    strip, ordered = _strip(counts)
    brighter = counts[-1] + 100
    found = best_prediction(strip, ordered, brighter, 0)
    assert found.offset * 4 == pytest.approx(100, abs=4)
    left = 16 * brighter - strip.predict(ordered, found)
    assert abs(left.mean()) < 16 * 3


def test_coarse_steps_ask_for_coarse_weights():
    shifts = [told_shift(step) for step in (0.1, 1.0, 8.0, 64.0, 1e4)]
    assert shifts == sorted(shifts)
    assert (shifts[0], shifts[-1]) == (0, 8)


def test_what_fits_most_blocks_counts_more_than_bright_ones():
    one, noise = _fields(4, 2)
    target = 3 * one // 4 + noise // 400
    counts = np.stack([20000 + one, 20000 + target]).astype(np.int32)
    # Five blocks of 72 hold two fifths of the energy, and tell otherwise.
    counts[0, :8, :40] = 20000 + 3 * one[:8, :40]
    counts[1, :8, :40] = 20000 + one[:8, :40]
    strip, ordered = _strip(counts)
    found = best_prediction(strip, ordered, counts[-1], 0)
    assert found.weights[0] / 1024 == pytest.approx(0.75, abs=0.06)
    plain = np.polyfit(counts[0].ravel(), counts[1].ravel(), 1)[0]
    assert plain < 0.6
