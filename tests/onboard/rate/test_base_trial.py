"""The base of a refinement: the step at which both together take the fewest bytes, within little."""

import numpy as np
import pytest

from bandfold.bitstream.container.header import STEP_UNIT
from bandfold.onboard import Encoder
from bandfold.onboard.rate.base_trial import MOST_STEPS, descend
from bandfold.onboard.target import LARGEST_STEP, SMALLEST_STEP
from bandfold.synthetic.scenes import SyntheticScene


@pytest.mark.parametrize("best", [40, 256, 3000, 100_000])
@pytest.mark.parametrize("first", [300, 5000])
def test_it_goes_downhill_from_where_it_begins(best, first):
    tried = []

    def size(code):
        tried.append(code)
        return abs(np.log2(code / best))

    code, found = descend(size, first)
    assert found == size(code)
    assert code == min(tried, key=lambda one: abs(np.log2(one / best)))
    # As near as doubling comes, unless there are too many steps to it.
    assert found <= 0.5 or len(set(tried)) == MOST_STEPS
    assert len(tried) == len(set(tried)) + 1


def test_half_octaves_around_the_best_step_may_be_tried_too():
    tried = []

    def size(code):
        tried.append(code)
        return abs(np.log2(code / 1400))

    code, found = descend(size, 1000, fine=True)
    assert (code, found) == (1414, size(1414))
    assert sorted(tried) == [500, 707, 1000, 1414, 1414, 2000]


@pytest.mark.parametrize(("slope", "end"), [(1, SMALLEST_STEP), (-1, LARGEST_STEP)])
def test_it_stays_within_the_range_of_steps(slope, end):
    first = round(end * STEP_UNIT * (3 if slope > 0 else 0.3))
    code, _ = descend(lambda code: slope * code, first)
    assert SMALLEST_STEP * STEP_UNIT <= code <= LARGEST_STEP * STEP_UNIT
    assert (code < first) == (slope > 0)


def test_a_step_alone_is_tried_once_where_all_are_alike():
    sizes = []
    assert descend(lambda code: sizes.append(code) or 7.0, 1000) == (1000, 7.0)
    assert sizes == [1000, 2000, 500]


@pytest.mark.parametrize("limit", [0, 24])
@pytest.mark.parametrize("stream", [False, True])
def test_the_base_that_is_found_is_near_the_best(limit, stream):
    """All bytes of a stream, against those with the base at steps an octave apart."""
    cube = SyntheticScene(64, 48, 24, seed=4).read(slice(0, 24), slice(0, 64))
    sizes = {
        step: len(Encoder(step=float(step), max_error=limit, stream=stream).encode(cube))
        for step in (16, 32, 64, 128, 256, 512, 1024)
    }
    own = len(Encoder(max_error=limit, stream=stream).encode(cube))
    assert own < 1.03 * min(sizes.values())
    assert own < max(sizes.values())
