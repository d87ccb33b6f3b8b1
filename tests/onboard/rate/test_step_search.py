"""Rates are never exceeded and used up, qualities are met, steps are honoured."""

import numpy as np
import pytest

from bandfold.common.errors import BudgetError
from bandfold.common.exact import exp2, log2_of
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.quality import rounded_error
from bandfold.onboard.rate.step_search import find_step
from bandfold.onboard.target import step_code
from bandfold.synthetic.scenes import SyntheticScene


def psnr(first, second):
    return 10 * np.log10(65535.0**2 / np.mean((first.astype(np.float64) - second) ** 2))


@pytest.fixture(scope="module")
def cube():
    scene = SyntheticScene(104, 100, 64, seed=0)
    return scene.read(slice(0, 64), slice(0, 104))


@pytest.fixture(scope="module")
def small(cube):
    return cube[::4, :40, :48]


@pytest.mark.parametrize("bps", [0.1, 0.5, 2.0])
def test_budget_is_used_and_not_exceeded(cube, bps):
    stream = Encoder(bps=bps).encode(cube)
    assert 0.98 * bps * cube.size / 8 <= len(stream) <= bps * cube.size / 8


@pytest.mark.parametrize("spectral", ["auto", "none"])
@pytest.mark.parametrize("nbytes", [700, 5000, 12345])
def test_bytes_are_never_exceeded(small, spectral, nbytes):
    assert 0.95 * nbytes <= len(Encoder(nbytes=nbytes, spectral=spectral).encode(small)) <= nbytes


def test_quality_is_met(cube):
    decoded = Decoder(Encoder(psnr=75.0).encode(cube), restore="off").decode()
    assert abs(psnr(decoded, cube) - 75.0) <= 0.2


@pytest.mark.parametrize("quality", [62.0, 80.0, 88.0])
def test_quality_is_about_met_on_a_scene_of_few_pixels(small, quality):
    decoded = Decoder(Encoder(psnr=quality).encode(small), restore="off").decode()
    assert abs(psnr(decoded, small) - quality) <= 0.2


@pytest.mark.parametrize("spectral", ["auto", "none"])
@pytest.mark.parametrize("step", [0.5, 7.0, 300.25])
def test_step_is_honoured(small, spectral, step):
    report = Decoder(Encoder(step=step, spectral=spectral).encode(small)).report()
    assert report["step"] == step


@pytest.mark.parametrize("spectral", ["auto", "none"])
@pytest.mark.parametrize("nbytes", [1, 20])
def test_hopeless_budget_is_refused(small, spectral, nbytes):
    with pytest.raises(BudgetError, match=f"budget of {nbytes} bytes is too small"):
        Encoder(nbytes=nbytes, spectral=spectral).encode(small)


@pytest.mark.parametrize("model", [None, "innovations", "balle48-relu-cal-l1"])
def test_a_rate_of_less_than_a_byte_is_refused(small, model):
    with pytest.raises(BudgetError, match="budget of 0 bytes is too small"):
        Encoder(bps=0.2, model=model).encode(small[:, :1, :1])


def test_step_that_leaves_nothing_gives_the_means(small):
    decoded = Decoder(Encoder(step=1 << 20).encode(small)).decode()
    for band in decoded:
        assert (band == band[0, 0]).all()


def test_a_rate_beyond_all_need_ends_at_the_finest_step(small):
    stream = Encoder(bps=30).encode(small)
    assert len(stream) <= 30 * small.size / 8
    np.testing.assert_array_equal(Decoder(stream).decode(), small)


def test_rounding_adds_a_twelfth_to_large_errors_and_mends_small_ones():
    rng = np.random.default_rng(0)
    for mse in (0.01, 0.03, 0.06, 0.12, 0.2, 0.4, 3.0):
        errors = np.rint(rng.normal(0, np.sqrt(mse), 400000))
        assert rounded_error(mse) == pytest.approx((errors**2).mean(), abs=0.004, rel=0.06)


def test_logarithm_and_power_agree_with_libm():
    for value in (1e-6, 0.37, 1.0, 2.0, 65535.7, 1e12):
        assert log2_of(value) == pytest.approx(np.log2(value), abs=1e-7)
        assert exp2(np.log2(value)) == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("slope", [-1.2, 1.4])
@pytest.mark.parametrize("start", [16, 3000, 1 << 27])
@pytest.mark.parametrize("goal", [2e4, 2e5, 2e6])
def test_a_step_is_found_on_any_smooth_measure(slope, start, goal):
    def measure(code):
        return 1e5 * (code / 4000.0) ** (slope * (1 + 0.3 * np.sin(np.log(code))) / 1.5)

    accept = (0.985 * goal, goal)
    code = find_step(measure, accept, start, slope=slope)
    assert accept[0] <= measure(code) <= accept[1]


def test_the_best_step_below_is_taken_where_none_is_good():
    steps = {True: 100.0, False: 900.0}
    code = find_step(lambda code: steps[code > 500], (400.0, 410.0), 300, slope=-1.2)
    assert steps[code > 500] == 100.0


def test_codes_of_steps_stay_in_range():
    assert step_code(0.0) == 16
    assert step_code(1e9) == (1 << 28)
    assert step_code(1.0) == 256


def test_a_plateau_is_left_by_moves_that_grow():
    """Sizes of next to nothing hardly follow the step: twelve small moves would not leave them."""
    measured = []

    def size(code):
        measured.append(code)
        return 721.0 if code < 200_000 else 500.0

    assert size(find_step(size, (400.0, 720.0), 10_000, slope=-2.9)) == 500.0
    assert len(measured) < 12
