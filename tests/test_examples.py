"""Every program in examples/ runs as it is, in a folder of its own, and says what it should."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LONGEST = 70
SAID = {
    "archive_on_dask": "again: {'skipped'}",
    "constriction_interop": "as bandfold reads them: True",
    "first_cube": "refused: give exactly one of",
    "new_sensor": "with the package: ",
    "packets_and_losses": "all others are as without losses: True",
    "read_part_of_a_scene": "as in the whole scene: True",
    "stream_from_camera": "150 lines went in, 150 came out",
    "train_and_export": "ours.bfm: ours (",
    "xarray_analysis": "red edge near 6",
}
NEEDED = {
    "archive_on_dask": ("distributed", "zarr"),
    "constriction_interop": ("constriction",),
    "packets_and_losses": ("spacepackets",),
    "train_and_export": ("torch", "onnxscript", "onnxruntime", "ai_edge_litert"),
    "xarray_analysis": ("xarray", "dask"),
}
NOTEBOOKS = {
    "archive_on_dask",
    "first_cube",
    "new_sensor",
    "stream_from_camera",
    "train_and_export",
    "xarray_analysis",
}


def test_there_is_no_other():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_it_runs(name, tmp_path):
    for library in NEEDED.get(name, ()):
        pytest.importorskip(library)
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert SAID[name] in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_a_notebook(name):
    jupytext = pytest.importorskip("jupytext")
    notebook = jupytext.read(EXAMPLES / f"{name}.py")
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds[0] == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    assert kinds.count("code") >= 2


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
