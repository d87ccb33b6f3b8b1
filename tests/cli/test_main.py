"""The command as a whole: help, version, and how failures are told."""

import sys

import pytest

from bandfold.cli import main as main_module
from bandfold.cli.console import need_matplotlib
from bandfold.common import errors
from bandfold.programs.progress import shown

from .conftest import check_failure

COMMANDS = [
    "encode",
    "decode",
    "info",
    "compare",
    "report",
    "packetise",
    "depacketise",
    "partition",
    "synth",
    "bench",
    "demo",
]
FAILURES = [kind for kind in vars(errors).values() if isinstance(kind, type)]


def test_help_names_every_command(run):
    for arguments in ((), ("--help",), ("-h",)):
        result = run(*arguments)
        assert result.status == 0
        assert result.err == ""
        for command in COMMANDS:
            assert f"\n  {command} " in result.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run, command):
    result = run(command, "--help")
    assert result.status == 0
    assert f"  bandfold {command} " in result.out
    assert "--json" in result.out
    # Every option says what it does.
    options = result.out.partition("Options:")[2].partition("Example")[0].split("\n  -")[1:]
    assert all(len(option.split("  ", 1)) == 2 for option in options)


def test_version(run):
    result = run("--version")
    assert result.status == 0
    assert result.out.startswith("bandfold 0.")


def test_unknown_command_and_option(run):
    check_failure(run("xyzzy"), 2, "No such command 'xyzzy' (see bandfold --help)")
    check_failure(run("synth", "-o", "a.hdr", "--frob"), 2, "(see bandfold synth --help)")
    check_failure(run("synth"), 2, "Missing option '-o' / '--output' (see bandfold synth --help)")


@pytest.mark.parametrize("kind", FAILURES)
def test_every_typed_error_ends_with_its_status_on_one_line(run, monkeypatch, kind):
    def fail(*_, **__):
        raise kind("what is wrong,\nwhere")

    monkeypatch.setattr("bandfold.formats.opening.open_envi", fail)
    check_failure(run("compare", "a.hdr", "b.hdr"), kind.exit_status, "error: what is wrong, where\n")


def test_statuses_are_all_different():
    statuses = [kind.exit_status for kind in FAILURES]
    assert len(set(statuses)) == len(statuses)
    assert 9 not in statuses


def test_interruption(run, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bandfold.formats.opening.open_envi", interrupt)
    result = run("compare", "a.hdr", "b.hdr")
    # On a terminal the line holds ^C: it is left first.
    check_failure(result._replace(err=result.err.lstrip("\n")), 130, "error: interrupted\n")


def test_mistake_of_the_program_is_not_hidden(monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("bandfold.formats.opening.open_envi", fail)
    with pytest.raises(ZeroDivisionError):
        main_module.main(["compare", "a.hdr", "b.hdr"])


def test_progress_is_shown_on_a_terminal_only(monkeypatch, capsys):
    with shown() as progress:
        progress("folding", 0.5)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with shown() as progress:
        progress("folding", 0.5)
        progress("coding", 1.0)
    assert capsys.readouterr().out == ""


def test_pictures_need_matplotlib(monkeypatch):
    need_matplotlib("--plot")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(errors.SettingsError, match="--plot needs matplotlib: pip install"):
        need_matplotlib("--plot")
