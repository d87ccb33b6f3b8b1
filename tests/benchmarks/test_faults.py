"""The campaign finds what it is there to find."""

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.benchmarks import faults
from bandfold.benchmarks.damage.decode_trial import Subject
from bandfold.benchmarks.faults import main
from bandfold.onboard import Encoder


@pytest.fixture(scope="module")
def subject():
    rng = np.random.default_rng(1)
    cube = (100 + np.cumsum(rng.normal(0, 3, (3, 20, 9)), axis=1)).astype(np.uint8)
    return Subject(Encoder(step=9.0, strip_lines=8, spectral="none").encode(cube))


def test_the_table(monkeypatch, subject):
    monkeypatch.setattr(faults, "small_streams", lambda: {"small": subject.data[:200]})
    monkeypatch.setattr(faults, "model_stream", lambda: subject.data)
    monkeypatch.setattr(faults, "long_stream", lambda: subject.data)
    monkeypatch.setattr(faults, "flipped", lambda data: iter([data]))
    monkeypatch.setattr(faults, "cut", lambda data: iter([data[:50]]))
    monkeypatch.setattr(faults, "ROUNDS", 2)
    result = CliRunner().invoke(main, ["--mutations", "6"])
    assert result.exit_code == 0
    assert result.output.count("\n| ") == 12
    assert "Peak memory rose by" in result.output
    result = CliRunner().invoke(main, ["--mutations", "6", "--only", "5 % of packets"])
    assert [line[:14] for line in result.output.splitlines() if "%" in line] == ["| long stream,"]
