"""Tables of times."""

from bandfold.benchmarks.timing.speed_text import duel_text, sweep_text, threads_text
from bandfold.benchmarks.timing.turns import Times


def test_tables_state_rates_ratios_and_the_exponent():
    ours = Times("bandfold", [2.0, 1.0, 4.0], [1.0], 1000)
    theirs = Times("OpenJPEG", [5.0], [1.0], 1000)
    text = duel_text([ours, theirs], 16_000_000)
    assert "| bandfold | 0.001 | 2.00 (1.00-4.00) | 1.00 | 8.0 |" in text
    assert "| OpenJPEG | 0.001 | 5.00 (5.00-5.00) | 2.50 | 3.2 |" in text
    assert "| OpenJPEG | 5.00 (5.00-5.00) | 3.2 | 0.40 |" in threads_text([ours, theirs], 16_000_000)
    swept = sweep_text("bands", [10, 20], [Times("bandfold", [1.0], [1.0]), Times("bandfold", [2.0], [1.0])])
    assert swept.endswith("to the power of 1.00.")
