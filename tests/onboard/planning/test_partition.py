"""The partition found is the best there is, and a given one is checked."""

import itertools
import tracemalloc

import numpy as np
import pytest

from bandfold.common.errors import SettingsError
from bandfold.ground import Decoder
from bandfold.onboard import ArraySource, Encoder
from bandfold.onboard.planning.partition import (
    AVIRIS_2022,
    check_partition,
    default_intervals,
    find_partition,
    partition_bands,
)


def total_cost(covariances, ends):
    """Sum over intervals of (sum of 1 - rho**2 over pairs) / length, pair by pair."""
    total = 0.0
    for start, end in itertools.pairwise((0, *ends)):
        loss = 0.0
        for first, other in itertools.combinations(range(start, end), 2):
            if covariances[first, first] > 0 and covariances[other, other] > 0:
                rho2 = covariances[first, other] ** 2 / (
                    covariances[first, first] * covariances[other, other]
                )
                loss += 1 - rho2
        total += loss / (end - start)
    return total


def covariance_matrix(bands, seed, dead=()):
    rng = np.random.default_rng(seed)
    cube = rng.normal(size=(bands, 3)) @ rng.normal(size=(3, 200)) + 0.3 * rng.normal(size=(bands, 200))
    cube[list(dead)] = 5.0
    centred = cube - cube.mean(axis=1, keepdims=True)
    return centred @ centred.T / 200


@pytest.mark.parametrize("dead", [(), (0,), (3, 4), (0, 1, 2, 3, 4, 5, 6, 7, 8)])
@pytest.mark.parametrize("intervals", [1, 2, 3, 5, 9])
def test_no_partition_is_better(intervals, dead):
    for seed in range(3):
        covariances = covariance_matrix(9, seed, dead)
        ends = partition_bands(covariances, intervals)
        assert len(ends) == intervals
        best = min(
            total_cost(covariances, (*cuts, 9)) for cuts in itertools.combinations(range(1, 9), intervals - 1)
        )
        assert total_cost(covariances, ends) == pytest.approx(best, abs=1e-9)
        assert check_partition(ends, 9) == ends


def test_groups_of_like_bands_are_found():
    rng = np.random.default_rng(0)
    planes = rng.normal(0, 500, (3, 24, 24))
    cube = np.concatenate(
        [np.tile(plane, (count, 1, 1)) for plane, count in zip(planes, (5, 9, 4), strict=True)]
    )
    cube = np.rint(3000 + cube + rng.normal(0, 5, cube.shape)).astype(np.uint16)
    assert find_partition(ArraySource(cube), 3) == (5, 14, 18)


def test_five_intervals_for_aviris():
    assert default_intervals(224) == 5
    assert default_intervals(1) == 1
    assert len(partition_bands(covariance_matrix(100, 1))) == 2


def test_no_interval_is_longer_than_it_may_be():
    # All bands alike: nothing but the limit cuts them.
    ends = partition_bands(np.ones((400, 400)), 5)
    assert max(np.diff((0, *ends))) <= 128
    assert ends[-1] == 400


@pytest.mark.parametrize("intervals", [0, -1, 10])
def test_impossible_numbers_of_intervals_are_refused(intervals):
    with pytest.raises(SettingsError, match="intervals asked for on 9 bands"):
        partition_bands(np.eye(9), intervals)


@pytest.mark.parametrize("ends", [(), (0, 9), (3, 3, 9), (5, 4, 9), (3, 8), (3, 10), (-1, 9)])
def test_ends_that_do_not_rise_to_the_bands_are_refused(ends):
    with pytest.raises(SettingsError, match="must be 9"):
        check_partition(ends, 9)
    with pytest.raises(SettingsError, match="must be 9"):
        Encoder(step=9, partition=ends).encode(np.zeros((9, 8, 8), np.uint8))


def test_a_given_partition_is_used():
    cube = np.random.default_rng(0).integers(0, 999, (9, 16, 16), np.uint16)
    assert Decoder(Encoder(step=9, partition=[2, 3, 9]).encode(cube)).report()["intervals"] == [2, 3, 9]


def test_the_published_partition_needs_all_bands_of_aviris():
    rng = np.random.default_rng(0)
    cube = rng.integers(0, 99, (224, 8, 8), np.uint8)
    stream = Encoder(step=99, partition="aviris-2022").encode(cube)
    assert tuple(Decoder(stream).report()["intervals"]) == AVIRIS_2022
    with pytest.raises(SettingsError, match="must be 200"):
        Encoder(step=99, partition="aviris-2022").encode(cube[:200])


def test_unknown_names_are_refused():
    with pytest.raises(SettingsError, match="partition 'best' is unknown"):
        Encoder(step=1, partition="best")


def test_memory_is_that_of_one_more_matrix_of_all_pairs():
    covariances = covariance_matrix(600, 3)
    tracemalloc.start()
    try:
        partition_bands(covariances)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 * covariances.nbytes
