"""Scenes meet their budgets in one pass: strips that come later have steps of their own."""

import collections

import numpy as np
import pytest

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.bitstream.container.segment_layout import read_segment_header
from bandfold.common.errors import BudgetError
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.coding.scene_strips import SceneStrips
from bandfold.onboard.rate.strip_steps import LARGEST_MOVE
from bandfold.synthetic.scenes import SyntheticScene

LINES, SAMPLES, BANDS, STRIP = 900, 160, 8, 64
RATES = (0.3, 2.0)


@pytest.fixture(scope="module")
def scene():
    return SyntheticScene(LINES, SAMPLES, BANDS, 3).read(slice(0, BANDS), slice(0, LINES))


def steps_of(stream):
    """Step of each strip in counts, and that of the header."""
    places = [
        read_segment_header(section.payload)[0]
        for section in read_sections(stream)
        if section.kind == Section.SEGMENT
    ]
    step = Decoder(stream).step
    return [step if place.step_code is None else place.step_code / STEP_UNIT for place in places], step


@pytest.mark.parametrize("bps", RATES)
def test_a_budget_is_used_and_steps_stay_near_to_each_other(scene, bps):
    stream = Encoder(bps=bps, strip_lines=STRIP).encode(scene)
    budget = bps * LINES * SAMPLES * BANDS / 8
    assert 0.98 * budget <= len(stream) <= budget
    steps, step = steps_of(stream)
    assert len(steps) == -(-LINES // STRIP)
    # The gentlest slope that is believed is -0.3.
    assert max(abs(np.log(np.array(steps) / step))) < LARGEST_MOVE / 0.3


def test_hardly_a_strip_is_coded_twice(scene, monkeypatch):
    coded = collections.Counter()
    code = SceneStrips.code

    def counted(self, index, *arguments, **keywords):
        if self.pixels == LINES * SAMPLES:
            coded[index] += 1
        return code(self, index, *arguments, **keywords)

    monkeypatch.setattr(SceneStrips, "code", counted)
    for bps in RATES:
        # With one way to plan it.
        Encoder(bps=bps, strip_lines=STRIP, spectral="none").encode(scene)
    assert sum(coded.values()) < 1.5 * len(RATES) * -(-LINES // STRIP)


def test_threads_give_the_same_bytes(scene):
    streams = {Encoder(bps=1.0, strip_lines=STRIP, threads=count).encode(scene) for count in (1, 2, 4)}
    assert len(streams) == 1


def test_the_error_that_is_told_counts_all_steps(scene):
    """Each strip is decoded with the step that it was coded with."""
    stream = Encoder(bps=1.0, strip_lines=STRIP).encode(scene)
    decoded = Decoder(stream, restore="off").decode()
    for start in range(0, LINES, STRIP):
        lines = slice(start, start + STRIP)
        error = scene[:, lines].astype(np.float64) - decoded[:, lines]
        steps, _ = steps_of(stream)
        assert (error**2).mean() < steps[start // STRIP] ** 2 / 2


@pytest.mark.parametrize("bps", [1e-5, 1e-4, 5e-4])
@pytest.mark.parametrize("contrast", [0, 1])
def test_a_budget_below_what_all_strips_need_is_refused(scene, bps, contrast):
    with pytest.raises(BudgetError, match="too small"):
        Encoder(bps=bps, strip_lines=STRIP).encode(scene * np.array(contrast, scene.dtype))


def test_a_few_hundred_bytes_are_met_where_sizes_hardly_follow_steps(scene):
    stream = Encoder(bps=0.005, strip_lines=STRIP).encode(scene)
    assert len(stream) <= 0.005 * LINES * SAMPLES * BANDS / 8
