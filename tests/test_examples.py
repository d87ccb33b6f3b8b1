"""Every program in examples/ runs as it is, in a folder of its own, and says what it should."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LONGEST = 60
SAID = {
    "constriction_interop": "as bandfold reads them: True",
    "first_cube": "refused: give exactly one of",
    "packets_and_losses": "all others are as without losses: True",
    "read_part_of_a_scene": "as in the whole scene: True",
    "stream_from_camera": "150 lines went in, 150 came out",
}
NEEDED = {"constriction_interop": "constriction", "packets_and_losses": "spacepackets"}


def test_there_is_no_other():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_it_runs(name, tmp_path):
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert SAID[name] in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("name", SAID)
def test_it_is_short(name):
    assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) < LONGEST


def test_without_constriction_it_says_so(tmp_path):
    (tmp_path / "constriction.py").write_text("raise ImportError('not installed')\n", encoding="utf-8")
    example = str(EXAMPLES / "constriction_interop.py")
    program = f"import runpy; runpy.run_path({example!r})"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "skipped: this example needs constriction" in done.stderr
