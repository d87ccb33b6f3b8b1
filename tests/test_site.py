"""The documentation site is built, and every warning is an error."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

for library in ("mkdocs", "material", "mkdocstrings", "mkdocs_click", "jupytext"):
    pytest.importorskip(library)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "true"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_command_and_option_is_there(site):
    from bandfold.cli.main import main

    page = (site / "reference/commands.html").read_text(encoding="utf-8")
    assert "Sentinel" not in page
    for name, command in main.commands.items():
        assert f"bandfold {name}" in page
        for parameter in command.params:
            if not getattr(parameter, "hidden", False) and parameter.opts[0].startswith("--"):
                assert parameter.opts[0] in page


def test_what_python_offers_is_there_with_its_parameters(site):
    page = (site / "reference/python.html").read_text(encoding="utf-8")
    for name in ("Encoder", "StreamEncoder", "Decoder", "EncoderSettings", "ArraySource", "BandfoldError"):
        assert re.search(rf'id="bandfold\.[\w.]+\.{name}"', page)
    assert "Parameters:" in page


def test_notebooks_are_pages(site):
    for name in ("first_cube", "train_and_export"):
        assert (
            "Encoder" in (site / f"examples/{name}.html").read_text(encoding="utf-8") or name != "first_cube"
        )


def test_a_page_loads_nothing_from_other_servers(site):
    page = (site / "guide.html").read_text(encoding="utf-8")
    assert re.findall(r'<(?:script|link)[^>]+(?:src|href)="(https?://(?!bandfold)[^"]+)"', page) == []
