"""Small scenes: of fixed operating points that meet a target the best one is taken."""

from itertools import pairwise

import numpy as np
import pytest

from bandfold.common.errors import BudgetError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.rate.ladder import SMALL_SCENE, is_small
from bandfold.synthetic.scenes import SyntheticScene

KINDS = {
    "fold": {},
    "none": {"spectral": "none"},
    "predicted": {"model": "innovations"},
    "saturating": {"model": "balle48-relu-uncal-l1"},
}

SHAPES = [(10, 10), (1, 40), (33, 1)]


def _crop(lines, samples, bands=16):
    scene = SyntheticScene(40, 48, bands, seed=11).read(slice(0, bands), slice(4, 4 + lines))
    return np.ascontiguousarray(scene[:, :, 3 : 3 + samples])


def _psnr(stream, scene):
    # What restoration adds is not known on board.
    error = float(((Decoder(stream, restore="off").decode().astype(np.float64) - scene) ** 2).mean())
    return 10 * np.log10(65535**2 / max(error, 1e-3))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_quality_never_falls_when_the_budget_rises(kind, shape):
    scene = _crop(*shape)
    found, refused, reached = [], 0, False
    for budget in np.geomspace(60, 2 * scene.size, 14).astype(int).tolist():
        encoder = Encoder(nbytes=budget, **KINDS[kind])
        try:
            stream = encoder.encode(scene)
        except BudgetError:
            # What is out of reach stays so for no larger budget.
            assert not reached
            refused += 1
            continue
        reached = True
        assert len(stream) <= budget
        told = any("bytes asked for" in note for note in encoder.notes)
        assert told == (len(stream) < 0.9 * budget)
        found.append(_psnr(stream, scene))
    assert all(later > before - 1e-3 for before, later in pairwise(found)), found
    assert found[-1] > found[0]
    assert refused < 7


@pytest.mark.parametrize("kind", KINDS)
def test_quality_rises_with_the_quality_asked_for(kind):
    scene = _crop(10, 10)
    found, sizes = [], []
    for psnr in np.linspace(44, 76, 9).tolist():
        try:
            stream = Encoder(psnr=psnr, **KINDS[kind]).encode(scene)
        except BudgetError:
            continue
        found.append(_psnr(stream, scene))
        sizes.append(len(stream))
        # What is left out is estimated from whole blocks, beyond the edges of the scene.
        assert found[-1] > psnr - 1.5
    assert len(found) >= 2
    assert all(later > before - 1e-3 for before, later in pairwise(found)), found
    assert sizes == sorted(sizes)


def test_budgets_of_a_tiny_scene_are_used():
    scene = _crop(10, 10, 64)
    used = [
        len(Encoder(nbytes=budget, model="innovations").encode(scene)) / budget
        for budget in (600, 900, 1350, 2000, 3000)
    ]
    assert min(used) > 0.8
    assert np.mean(used) > 0.94


def test_out_of_reach_is_said_with_what_is_needed():
    scene = _crop(10, 10)
    with pytest.raises(BudgetError, match="budget of 40 bytes is too small") as caught:
        Encoder(nbytes=40).encode(scene)
    least = int(str(caught.value).split("takes ")[1].split()[0])
    assert len(Encoder(nbytes=least).encode(scene)) <= least


def test_small_is_what_has_few_blocks():
    assert is_small(SyntheticScene(32, 32, 4, seed=1).info)
    assert not is_small(SyntheticScene(32, 33, 4, seed=1).info)
    assert is_small(SyntheticScene(1, 8 * SMALL_SCENE, 4, seed=1).info)
