"""No budget gives less than a smaller one did, and what is not met is told."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

GOLDEN = Path(__file__).parents[2] / "golden"
SCENE = SyntheticScene(32, 48, 24, seed=5).read(slice(0, 24), slice(0, 32))

RIPPLE = 0.05
"""In dB: of a budget 98.5 to 100 % are used, and the best step of a model is known to an eighth octave."""

KINDS = {
    "fold": {},
    "none": {"spectral": "none"},
    "predicted": {"model": GOLDEN / "golden-lapped.bfm"},
    "published": {"model": GOLDEN / "golden-walsh.bfm"},
    "saturating": {"model": "balle48-relu-cal-l1"},
}


def _psnr(stream, settings, scene):
    model = settings.get("model")
    decoder = Decoder(stream, models=[model] if isinstance(model, Path) else [])
    error = float(((decoder.decode().astype(np.float64) - scene) ** 2).mean())
    return 10 * np.log10(65535**2 / max(error, 1e-3))


@pytest.mark.parametrize("kind", KINDS)
def test_quality_never_falls_when_the_budget_rises(kind):
    settings = KINDS[kind]
    found = []
    for bps in np.geomspace(0.1, 5.0, 20):
        encoder = Encoder(bps=float(bps), **settings)
        stream = encoder.encode(SCENE)
        assert 8 * len(stream) <= bps * SCENE.size
        told = any("bytes asked for" in note for note in encoder.notes)
        assert told == (8 * len(stream) < 0.9 * float(int(bps * SCENE.size / 8) * 8))
        found.append(_psnr(stream, settings, SCENE))
    assert all(later > before - RIPPLE for before, later in pairwise(found)), found
    assert found[-1] > found[0] + 0.5


def test_a_model_says_which_budget_it_cannot_use():
    encoder = Encoder(bps=6.0, **KINDS["saturating"])
    stream = encoder.encode(SCENE)
    (note,) = [note for note in encoder.notes if "asked for" in note]
    assert note.startswith(f"of the {6 * SCENE.size // 8} bytes asked for {len(stream)} are used")
    # Twice the budget changes nothing.
    assert Encoder(bps=12.0, **KINDS["saturating"]).encode(SCENE) == stream


def test_a_budget_beyond_the_finest_step_is_told():
    scene = np.full((4, 16, 16), 7, np.uint16)
    scene[:, :8] = 900
    encoder = Encoder(bps=16.0)
    encoder.encode(scene)
    assert any("are used: a finer step" in note for note in encoder.notes)


def test_a_target_that_is_met_is_not_mentioned():
    for target in ({"bps": 1.0}, {"psnr": 70.0}, {"step": 4.0}):
        encoder = Encoder(**target)
        encoder.encode(SCENE)
        assert encoder.notes == ()
