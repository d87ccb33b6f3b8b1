"""Running the command line as the shell does, without a process for each run."""

from typing import NamedTuple

import numpy as np
import pytest

from bandfold.cli.main import main
from bandfold.common.scene import Scaling, SceneInfo
from bandfold.formats.envi.writer import write_envi
from bandfold.synthetic.scenes import SyntheticScene


class Result(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run bandfold in an empty directory; the status and both outputs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        return Result(caught.value.code, *capsys.readouterr())

    return call


@pytest.fixture
def scene(tmp_path):
    """A made-up scene of 40 bands, 24 lines and 20 samples, as scene.hdr in the directory of `run`."""
    source = SyntheticScene(24, 20, 40, seed=1)
    cube = source.read(slice(0, 40), slice(0, 24))
    write_envi(tmp_path / "scene.hdr", cube, source.info, interleave="bil")
    return cube


@pytest.fixture
def float_scene(tmp_path):
    """A float scene with absent data, as float.hdr in the directory of `run`."""
    source = SyntheticScene(24, 20, 12, seed=2)
    cube = source.read(slice(0, 12), slice(0, 24)).astype(np.float32) / 20000
    cube[:, 3, 4:9] = -9999
    info = SceneInfo(*cube.shape, cube.dtype, scaling=Scaling(1.0), no_data=-9999.0)
    write_envi(tmp_path / "float.hdr", cube, info)
    return cube


def check_failure(result, status, message):
    """One line on stderr, nothing on stdout."""
    assert result.status == status
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert message in result.err
    assert result.out == ""
