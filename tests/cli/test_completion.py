"""Completion in shells: names of packages where a package is expected."""

import os
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from bandfold.cli.main import main


def completed(*words, incomplete=""):
    items = ShellComplete(main, {}, "bandfold", "_BANDFOLD_COMPLETE").get_completions(list(words), incomplete)
    return [one.value for one in items], {one.type for one in items}


@pytest.mark.parametrize(
    ("words", "incomplete", "expected", "not_expected"),
    [
        (("encode", "--model"), "", "innovations", "aviris-224"),
        (("encode", "--sensor"), "avi", "aviris-224", "innovations"),
        (("decode", "--restore"), "", "restore", "innovations"),
        (("decode", "--restore"), "", "off", "aviris-224"),
        (("models", "show"), "", "tables-dependent", "off"),
        (("models", "extract"), "inn", "innovations", "restore"),
    ],
)
def test_names_of_packages_are_offered(words, incomplete, expected, not_expected):
    values, kinds = completed(*words, incomplete=incomplete)
    assert expected in values
    assert not_expected not in values
    assert kinds == {"plain"}


def test_files_are_offered_where_no_name_fits():
    assert completed("encode", "--model", incomplete="./my") == (["./my"], {"file"})


def test_a_package_of_the_search_path_is_offered(monkeypatch, tmp_path):
    from bandfold.bitstream.packages.registry import SHIPPED_PACKAGES

    (tmp_path / "x.bfm").write_bytes((SHIPPED_PACKAGES / "aviris-224.bfm").read_bytes())
    monkeypatch.setenv("BANDFOLD_MODELS", str(tmp_path))
    assert completed("encode", "--sensor")[0] == ["aviris-224"]


def test_the_shell_gets_what_it_asks_for():
    environment = {
        **os.environ,
        "_BANDFOLD_COMPLETE": "bash_complete",
        "COMP_WORDS": "bandfold mod",
        "COMP_CWORD": "1",
    }
    command = [sys.executable, "-c", "from bandfold.cli.main import main; main(prog_name='bandfold')"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == ["plain,models"]
