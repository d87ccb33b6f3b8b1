"""Encoders that are timed do what they are asked for."""

import pytest

from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.benchmarks.timing.runners import BandfoldRunner, OpenJpegRunner


@pytest.mark.parametrize(
    "runner",
    [
        BandfoldRunner(2.0),
        BandfoldRunner(2.0, threads=2),
        BandfoldRunner(2.0, stream=True),
        OpenJpegRunner(2.0),
    ],
    ids=lambda runner: runner.name,
)
def test_runners_encode_from_a_file_and_meet_the_rate(runner, tmp_path, cube):
    write_scene(tmp_path / "scene.hdr", cube)
    stream = runner.encode(tmp_path / "scene.hdr")
    assert 8 * len(stream) <= 2.02 * cube.size
    assert runner.decode(stream).shape == cube.shape
