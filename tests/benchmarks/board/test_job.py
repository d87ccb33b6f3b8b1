"""A measurement in a process of its own."""

import threading

import pytest

from bandfold.benchmarks.board.configuration import Configuration
from bandfold.benchmarks.board.job import Job
from bandfold.benchmarks.board.measurement import Plan
from bandfold.benchmarks.power.sensor_choice import SensorSource
from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.common.errors import BandfoldError
from bandfold.synthetic.scenes import SyntheticScene

psutil = pytest.importorskip("psutil")


@pytest.fixture
def scene(tmp_path):
    write_scene(tmp_path / "scene.hdr", SyntheticScene(16, 16, 4, 1))
    return tmp_path / "scene.hdr"


def test_in_this_process(scene, tmp_path):
    plan = Plan(repeat=1, seconds=0.0, warm_up=0, rest=0.1)
    job = Job(scene, Configuration(step=8.0, strip_lines=8), plan, SensorSource(tmp_path), restore="off")
    found = job.run()
    assert (found["sensor"], found["streamed"], found["strip_milliseconds"]["count"]) == (None, True, 2)
    assert found["decode"]["milliseconds"]["count"] == 1
    assert found["stream_bytes"] > 0


def test_a_process_that_is_killed_is_an_error(scene):
    def kill():
        for child in psutil.Process().children():
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()

    timer = threading.Timer(1.0, kill)
    timer.start()
    with pytest.raises(BandfoldError, match="has died: the system may be out of memory"):
        Job(scene, Configuration(step=8.0), Plan(rest=600.0)).run_alone()
    timer.join()
