"""Every stage is timed, with any number of threads."""

from bandfold.benchmarks.scenes.scene_file import write_scene
from bandfold.benchmarks.timing.stages import STAGES, StageTimes, stages_text, time_stages


def test_stages_are_timed_with_any_number_of_threads(tmp_path, cube):
    write_scene(tmp_path / "scene.hdr", cube)
    one, two = (time_stages(tmp_path / "scene.hdr", 1.0, threads, 1) for threads in (1, 2))
    assert list(one.seconds) == list(two.seconds) == list(STAGES)
    assert all(len(runs) == 1 and runs[0] > 0 for runs in one.seconds.values())
    made_up = [StageTimes(n, {stage: [2.0 / n, 9.0, 1.0 / n] for stage in STAGES}) for n in (1, 2)]
    lines = stages_text(made_up, 12_000_000).splitlines()
    assert lines[0] == "| stage | 1 thread, Msamples/s | 2 threads, Msamples/s |"
    assert lines[2] == f"| {STAGES[0]} | 6.0 | 12.0 |"
    assert lines[-1] == "| all | 1.0 | 2.0 |"
