"""The table of ways to cut a stream."""

import re

from click.testing import CliRunner

from bandfold.benchmarks import cutting
from bandfold.benchmarks.scenes.test_scenes import find_scenes
from bandfold.formats.envi.writer import write_envi
from bandfold.synthetic.scenes import SyntheticScene


def test_another_step_is_between_the_other_ways(tmp_path):
    source = SyntheticScene(32, 80, 40, seed=4)
    write_envi(tmp_path / "one.hdr", source.read(slice(0, 40), slice(0, 32)), source.info)
    assert [scene.name for scene in find_scenes(tmp_path, ["one"])] == ["one"]
    command = ["--scenes", str(tmp_path), "--names", "one", "--bps", "2", "--shares", "60"]
    result = CliRunner().invoke(cutting.main, command)
    assert result.exit_code == 0, result.output
    cut, coarser, again = map(float, re.findall(r"\| ([0-9.]+) dB", result.output))
    assert cut < coarser < again + 0.5
