"""`python -m bandfold.benchmarks.weights` prints what weights and regions of interest bring."""

import json

import numpy as np
from click.testing import CliRunner

from bandfold.benchmarks.weights import GAINS, main
from bandfold.synthetic.scenes import SyntheticScene


def test_figures(tmp_path):
    cube = SyntheticScene(48, 64, 16, seed=2).read(slice(0, 16), slice(0, 48))
    np.save(tmp_path / "scene.npy", cube)
    arguments = [str(tmp_path / "scene.npy"), "--bps", "0.8", "--json", str(tmp_path / "figures.json")]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 1 + 2 + len(GAINS)
    found = json.loads((tmp_path / "figures.json").read_text())["scene"]
    alike, weighted = found["weights"]
    assert (alike["weights"], weighted["weights"]) == ("alike", "snr")
    assert weighted["noise_units"] < alike["noise_units"]
    inside = {one["gain"]: one["inside"] for one in found["regions"]}
    assert inside[-12] < inside[0] < inside[12] < inside[20]
