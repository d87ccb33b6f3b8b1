"""Tables of instructions, from figures that can be worked out by hand; and of a scene, in `make test-arm`."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from bandfold.benchmarks.arm.instruction_profile import Share
from bandfold.benchmarks.instructions import Profile, functions_text, loops_text, main

BIG = Profile("cortex-a72", "decode", 100, [Share("bf_big", 5000, 2500), Share("bf_small", 10, 0)], [])


def test_instructions_are_told_for_each_sample():
    other = Profile("cortex-a76", "decode", 100, [Share("bf_other", 1000, 0)], [])
    assert functions_text([BIG, other]).splitlines() == [
        "| kernel | decode, cortex-a72 | decode, cortex-a76 |",
        "|---|---:|---:|",
        "| `bf_other` |  | 10.0 (0 %) |",
        "| `bf_big` | 50.0 (50 %) |  |",
        "| all kernels | 50.1 (50 %) | 10.0 (0 %) |",
    ]


def test_loops_that_hardly_work_on_vectors_are_listed():
    loops = [Share("a a.c:1", 1000, 249), Share("b b.c:2", 900, 225), Share("c c.c:3", 20, 0)]
    text = loops_text(Profile("cortex-a72", "decode", 100, BIG.functions, loops))
    assert [line.split()[-1] for line in text.splitlines()[1:]] == ["a.c:1"]


def test_unknown_tasks_are_refused():
    result = CliRunner().invoke(main, ["--arm", ".", "--tasks", "sleep"])
    assert result.exit_code == 2
    assert "effort 5" in result.output


@pytest.mark.arm
def test_kernels_run_under_qemu():
    folder = Path(os.environ.get("BANDFOLD_ARM", "out/arm")).absolute()
    scene = ["--lines", "16", "--samples", "16", "--bands", "8"]
    result = CliRunner().invoke(
        main, ["--arm", str(folder), *scene, "--cpus", "cortex-a76", "--tasks", "effort 1,decode"]
    )
    assert result.exit_code == 0, result.output
    assert "| `layers_dotprod` |" in result.output
    assert "| `bf_analyse` |" in result.output
