import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.common import kernels
from bandfold.onboard.prediction.innovations import add_latents, innovations, squared_error

CASES = {"seed": st.integers(0, 1 << 30), "rows": st.integers(1, 4), "columns": st.integers(1, 5)}


def _planes(seed, rows, columns, spread):
    generator = np.random.default_rng(seed)
    shape = 8 * rows, 8 * columns
    target = generator.integers(0, 1 << 16, shape).astype(np.int32)
    return target, (16 * target + generator.normal(0, spread, shape)).astype(np.int32)


@settings(max_examples=40, deadline=None)
@given(**CASES, spread=st.sampled_from([0.0, 30.0, 5000.0]))
def test_what_is_left_in_eighths_of_a_step_with_a_mirrored_margin(seed, rows, columns, spread):
    target, prediction = _planes(seed, rows, columns, spread)
    inputs, slow = np.empty((2, rows + 2, columns + 2, 64), np.int8)
    cut = innovations(target, prediction, 0.05, inputs)
    with kernels.switched_off():
        slow_cut = innovations(target, prediction, 0.05, slow)
    np.testing.assert_array_equal(inputs, slow)
    assert cut == slow_cut
    units = np.rint((16 * target - prediction) * 0.05)
    assert cut == (np.abs(units) > 127).sum()
    around = np.pad(np.clip(units, -127, 127), 8, mode="symmetric")
    for row in range(rows + 2):
        for column in range(columns + 2):
            block = around[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
            np.testing.assert_array_equal(inputs[row, column], block.ravel())


@settings(max_examples=40, deadline=None)
@given(**CASES, shift=st.integers(0, 9))
def test_latents_are_added_in_their_units(seed, rows, columns, shift):
    generator = np.random.default_rng(seed)
    outputs = generator.integers(-128, 128, (rows + 2, columns + 2, 64)).astype(np.int8)
    units = generator.integers(1, 65, 64).astype(np.int32)
    before = generator.integers(-1000, 1000, (64, rows, columns)).astype(np.int32)
    after = before.copy()
    cut = add_latents(outputs, units, shift, after)
    inside = outputs[1:-1, 1:-1].astype(int)
    assert cut == np.isin(inside, (-128, 127)).sum()
    np.testing.assert_array_equal(after, before + inside.transpose(2, 0, 1) * units[:, None, None] * 2**shift)


@settings(max_examples=40, deadline=None)
@given(**CASES, spread=st.sampled_from([3.0, 5000.0]))
def test_the_error_is_that_of_whole_counts_within_their_range(seed, rows, columns, spread):
    target, plane = _planes(seed, rows, columns, spread)
    lines, samples = 8 * rows - seed % 8, 8 * columns - seed % 5
    found = squared_error(plane, target, lines, samples, 100, 65000)
    with kernels.switched_off():
        assert squared_error(plane, target, lines, samples, 100, 65000) == found
    counts = np.clip(np.floor(plane / 16 + 0.5), 100, 65000)
    assert found == ((counts - target)[:lines, :samples] ** 2).sum()
