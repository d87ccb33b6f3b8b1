"""The trial of corrections on held-out signs: when it ends, and what is trusted then."""

import numpy as np
import pytest

from bandfold.ground.restoration.held_out_latents import LEAST_TRUST, SignAgreement, spread_parts

BOUNDS = (0.4, 0.85)


def agreement(right, wrong):
    """Of so many corrections of the same size."""
    found = SignAgreement(BOUNDS)
    signs = np.where(np.arange(right + wrong) % 2, 1, -1).astype(np.int32)
    changes = 0.1 * signs * np.where(np.arange(right + wrong) < right, 1, -1)
    found.add(changes.astype(np.float32), signs)
    return found


@pytest.mark.parametrize(
    ("right", "wrong", "trust"),
    [
        (5000, 5000, 0.0),
        (9990, 10, 1.0),
        # 0.7 less the standard error of 0.01.
        (8500, 1500, (0.7 - 0.01 - 0.4) / 0.45),
        # A little beyond the lower bound: not worth the time.
        (7200, 2800, 0.0),
    ],
)
def test_trust_rises_between_the_bounds(right, wrong, trust):
    found = agreement(right, wrong)
    assert found.trust == pytest.approx(trust)
    # Part of it may change with every part of the strip: parts differ by more than chance.
    assert found.decided == (trust in {0.0, 1.0})
    assert found.trust == 0.0 or found.trust >= LEAST_TRUST


def test_a_trial_goes_on_while_its_outcome_is_open():
    assert not SignAgreement(BOUNDS).decided
    assert SignAgreement(BOUNDS).trust == 0.0
    assert not agreement(80, 20).decided
    assert agreement(20, 20).decided
    assert agreement(5, 1).trust < agreement(500, 100).trust


def test_corrections_of_nothing_decide_nothing():
    found = SignAgreement(BOUNDS)
    found.add(np.zeros(9, np.float32), np.ones(9, np.int32))
    assert (found.decided, found.trust) == (False, 0.0)


@pytest.mark.parametrize("columns", [1, 2, 7, 32])
def test_parts_cover_all_columns_once_and_are_spread(columns):
    parts = spread_parts(columns, 2)
    assert sorted(at for part in parts for at in range(part.start, part.stop)) == list(range(columns))
    if columns == 32:
        first = sorted(part.start for part in parts[:4])
        assert min(np.diff(first)) >= 4
