"""docs/guide.md is run block by block, in order; what it says is printed must be printed."""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

for library in ("xarray", "zarr", "h5netcdf", "rasterio", "distributed"):
    pytest.importorskip(library)

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "guide.md"


def blocks():
    """Language and content of each block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_every_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    namespace = {}
    printed = None
    for language, content in blocks():
        if language == "sh":
            done = subprocess.run(["sh", "-e"], input=content, capture_output=True, text=True)
            assert done.returncode == 0, f"{content}\n{done.stderr}"
            if "--workers" in content:
                assert "2 decoded, 0 there already" in done.stdout
                assert "0 decoded, 2 there already" in done.stdout
        elif language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(content, str(GUIDE), "exec"), namespace)
            printed = output.getvalue()
        else:
            assert (language, content) == ("text", printed)
    assert (tmp_path / "ndvi.nc").is_file()
    assert (tmp_path / "scene.tif").is_file()
    assert len(blocks()) > 12
