"""The table of models of single bands: figures, and nothing on scenes that were trained on."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.benchmarks import bands
from bandfold.benchmarks.bands import main
from bandfold.benchmarks.codecs.band_model import Coded
from bandfold.common.errors import SettingsError
from bandfold.formats.envi.writer import write_envi
from bandfold.onboard.samples.samples import ArraySource


class Model:
    """Spends a byte a band and is off by the step."""

    name, contrast, scenes = "off", (1.0, 4.0), frozenset({"seen"})

    def __init__(self, folder):
        pass

    def code(self, cube, interval, step):
        return Coded(len(cube), cube.size * step**2, cube.size)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(bands, "BandModel", Model)
    rng = np.random.default_rng(0)
    cube = rng.integers(0, 3000, (200, 4, 5)).astype(np.uint16)
    for name in ("seen", "new"):
        write_envi(tmp_path / f"{name}.hdr", cube, ArraySource(cube).info)
    return tmp_path


def measure(folder, *arguments):
    return CliRunner().invoke(main, [str(folder), "--scenes", str(folder), *arguments])


def test_every_interval_and_the_whole_are_measured(folder, tmp_path):
    outputs = ("--json", str(tmp_path / "out.json"), "--plot", str(tmp_path))
    result = measure(folder, "--names", "new", "--whole", *outputs)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "new.png").read_bytes().startswith(b"\x89PNG")
    panels = json.loads((tmp_path / "out.json").read_text())["new"]
    report = {panel["name"].split(",")[0]: panel["points"] for panel in panels}
    assert list(report) == ["whole scene", *(f"interval {number}" for number in range(1, 6))]
    for rate, level, name, step in report["interval 2"]:
        assert (rate, name) == (8 / 20, "off")
        assert level == pytest.approx(20 * np.log10(65535 / step))
    steps = [point[3] for point in report["whole scene"]]
    assert steps[0] / steps[-1] == pytest.approx(4.0)
    assert report["whole scene"][0][0] == pytest.approx(8 * (200 + 64) / 4000)


def test_scenes_that_were_trained_on_are_refused(folder):
    result = measure(folder, "--names", "new,seen")
    assert isinstance(result.exception, SettingsError)
    assert "trained on seen" in str(result.exception)


def test_other_codecs_stand_beside_at_the_same_rate(folder, tmp_path):
    anchors = {"scenes": {"new": {"JPEG 2000": [[0.1, 20.0, 0], [1.0, 60.0, 0], [10.0, 80.0, 0]]}}}
    (tmp_path / "anchors.json").write_text(json.dumps(anchors))
    result = measure(folder, "--names", "new", "--whole", "--anchors", str(tmp_path / "anchors.json"))
    expected = 20 + 40 * np.log10(8 * 264 / 4000 / 0.1)
    assert f"{expected:.2f}" in result.output
    assert "BD-rate against JPEG 2000" in result.output
