"""What each idea buys: ideas are switched off in the planner, and the table compares row with row."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.benchmarks.codecs.ablation import STEPS, AblatedCodec
from bandfold.benchmarks.ideas import main
from bandfold.formats.envi.writer import write_envi
from bandfold.onboard.samples.samples import ArraySource


@pytest.fixture(scope="module")
def patches():
    """Two halves with spectra of their own, 16 bands: every idea has something to do."""
    rng = np.random.default_rng(7)
    fields = np.cumsum(rng.normal(0, 30, (4, 48, 48)), axis=2) + rng.normal(0, 4, (4, 48, 48))
    spectra = rng.normal(0, 1, (2, 4, 100))
    cube = np.concatenate(
        [
            np.einsum("kb,kls->bls", spectra[half], fields[:, :, 24 * half : 24 * half + 24])
            for half in (0, 1)
        ],
        axis=2,
    )
    return np.rint(cube + 3000).astype(np.int16)


def test_every_step_uses_its_ideas_and_no_others(patches):
    reports = {}
    for step in STEPS:
        codec = AblatedCodec(step)
        reports[step.name] = codec.decode(codec.encode(patches, 0.4).stream).report
    banded, folded, second, rotated, dependent, extended, restored = reports.values()
    assert banded["spectral"] == "none"
    # Two intervals, whose components are coded as they are.
    assert len(folded["intervals"]) == 2
    assert folded["components"] == sum(folded["components_first"])
    assert second["components"] < sum(second["components_first"])
    # The ground does the rest: the stream is the same.
    assert restored == extended
    assert extended["tables"] != dependent["tables"]
    assert [one["rotations"] > 0 for one in (banded, folded, second, rotated)] == [False, False, False, True]
    assert [one["quantiser"] for one in (rotated, dependent)] == ["uniform", "dependent"]


def test_command(patches, tmp_path):
    write_envi(tmp_path / "patches.hdr", patches, ArraySource(patches).info)
    anchors = {"scenes": {"patches": {"JPEG 2000 + KLT": [[0.2, 40.0, 0], [2.0, 90.0, 0]]}}}
    (tmp_path / "anchors.json").write_text(json.dumps(anchors))
    arguments = ["--scenes", tmp_path, "--names", "patches", "--anchors", tmp_path / "anchors.json"]
    arguments += ["--rates", "0.3,1", "--banded-rates", "0.5,8", "--json", tmp_path / "ideas.json"]
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "ideas.json").read_text())["patches"]
    assert [one["idea"] for one in report] == [step.name for step in STEPS]
    assert report[1]["against the row before"] < -30
    assert all(len(one["points"]) == 2 for one in report)
    assert "| idea | against the row before | against JPEG 2000 + KLT |" in result.output
