"""What the programs of calibration and benchmarks share."""

import json
import sys

import click
import pytest

from bandfold.common.errors import OutputError, SceneError
from bandfold.programs.options import names
from bandfold.programs.program import run, write_figures


@click.command()
def failing():
    raise SceneError("no scene here")


def test_an_error_of_a_user_is_one_line_and_a_status(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["failing"])
    with pytest.raises(SystemExit) as ended:
        run(failing)
    assert ended.value.code == SceneError.exit_status
    assert capsys.readouterr().err == "error: no scene here\n"


def test_figures_are_json_in_a_file(tmp_path):
    write_figures(tmp_path / "a.json", {"rows": (1.5, None)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"rows": [1.5, None]}
    with pytest.raises(OutputError, match="cannot write"):
        write_figures(tmp_path / "nowhere" / "a.json", {})


def test_names_have_commas_between():
    assert names(None, None, " a, b,,c ") == ("a", "b", "c")
    assert names(None, None, "") == ()
