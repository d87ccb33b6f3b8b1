"""Peak memory: measured where the encode runs, above what was there before."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.benchmarks.memory import main, measure_child
from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.common.errors import BandfoldError

MEBI = 1 << 20


def test_a_child_reports_its_own_encode(tmp_path, cube):
    header = tmp_path / "scene.hdr"
    write_scene(header, cube)
    # Must not show up in the child, although it is there when the child starts.
    block = np.ones(512 * MEBI, np.uint8)
    sizes = measure_child(header, 2.0)
    assert block[0] == 1
    assert 0 < sizes["baseline"] <= sizes["peak"]
    if sys.platform == "linux":
        assert sizes["peak"] < 512 * MEBI
    assert 0 < 8 * sizes["stream"] <= 2 * cube.size


def test_a_child_that_fails_is_an_error(tmp_path):
    with pytest.raises(BandfoldError, match="encoding process failed: error: "):
        measure_child(tmp_path / "nowhere.hdr", 1.0)


def test_the_program_writes_sizes(tmp_path, cube):
    write_scene(tmp_path / "scene.hdr", cube)
    out = tmp_path / "memory.json"
    done = CliRunner().invoke(
        main, ["--scene", str(tmp_path / "scene.hdr"), "--bps", "2", "--json", str(out)]
    )
    assert done.exit_code == 0, done.output
    sizes = json.loads(out.read_text())
    assert sizes["above"] == sizes["peak"] - sizes["baseline"]
    assert sizes["scene"] == 2 * cube.size
