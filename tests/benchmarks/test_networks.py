"""The speed of networks: every installed engine is measured, quantised or not."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bandfold.benchmarks.networks import main
from bandfold.onboard.networks.engine_choice import ENGINES

GOLDEN = Path(__file__).parents[1] / "golden"


def test_all_engines_are_measured():
    pytest.importorskip("onnxruntime")
    models = [str(GOLDEN / name) for name in ("golden-walsh.bfm", "int8/golden-int8.bfm")]
    result = CliRunner().invoke(main, [*models, "--lines", "64", "--samples", "64", "--rounds", "2"])
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines()[1:]]
    assert rows[0][:3] == ["golden-walsh", "onnxruntime,", "float"]
    assert float(rows[0][-1]) == 1.0
    installed = sum(1 for kind in ENGINES.values() if kind.installed())
    assert len(rows) == 2 * (1 + installed)
    assert all(float(row[-2]) > 0 for row in rows)
