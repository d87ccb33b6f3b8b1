"""Confidence intervals, against tables and SciPy."""

import pytest

from bandfold.benchmarks.measures.confidence import half_width, student_probability, student_quantile


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (2, 4.303), (4, 2.776), (9, 2.262), (30, 2.042), (120, 1.980)]
)
def test_quantiles_of_the_usual_table(freedom, quantile):
    assert student_quantile(freedom) == pytest.approx(quantile, abs=5e-4)


def test_against_scipy():
    stats = pytest.importorskip("scipy.stats")
    for freedom in (1, 2, 3, 4, 5, 8, 17, 40, 199):
        for level in (0.5, 0.9, 0.95, 0.99, 0.999):
            assert student_quantile(freedom, level) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom))
        assert student_probability(1.5, freedom) == pytest.approx(1 - 2 * stats.t.sf(1.5, freedom))


def test_of_values():
    # Standard deviation 1, three values: 4.303 / sqrt(3).
    assert half_width([1.0, 2.0, 3.0]) == pytest.approx(2.4841, abs=1e-4)
    assert half_width([5.0, 5.0]) == 0
    assert half_width([5.0]) is None
