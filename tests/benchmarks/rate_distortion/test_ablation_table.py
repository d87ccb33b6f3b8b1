"""Rows of an ablation, each compared with the row before."""

import numpy as np
import pytest

from bandfold.benchmarks.rate_distortion.ablation_table import means_table, rows, table


def test_rows_are_compared_with_the_row_before(quantiser, cube):
    rates = (1.0, 2.0, 4.0)
    rival = [(1.0, 60.0), (4.0, 80.0)]
    first, second = rows([quantiser("whole"), quantiser("half")], cube, [rates, rates], rival)
    assert np.isnan(first.before.percent)
    assert second.before.percent == pytest.approx(0)
    assert first.rival.percent == pytest.approx(second.rival.percent)
    text = table("scene", [first, second])
    assert text.splitlines()[0] == "scene"
    assert "+0.0 %" in text
    assert f"| half | +0.0 % (2) | {second.rival.percent:+.1f} % (2) |" in means_table([[first, second]] * 2)
    assert "| whole |  |" in means_table([[first, second]])
