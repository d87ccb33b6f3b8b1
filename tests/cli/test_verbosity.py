"""`--quiet`, `--verbose` and failures as JSON: how much is said, and where."""

import json
import warnings

import pytest

from bandfold.cli.console import warn_as_told
from bandfold.cli.main import main
from bandfold.common.kernels import KernelsWarning


def test_quiet_says_nothing_but_errors(run, scene):
    result = run("encode", "-q", "scene.hdr", "-o", "a.bf", "--step", 8)
    assert (result.status, result.out, result.err) == (0, "", "")
    result = run("-q", "decode", "a.bf", "-o", "b.hdr")
    assert (result.status, result.out, result.err) == (0, "", "")
    result = run("decode", "-q", "absent.bf", "-o", "b.hdr")
    assert result.status == 6
    assert result.err.startswith("error: ")


def test_quiet_leaves_json(run, scene):
    result = run("encode", "--quiet", "scene.hdr", "-o", "a.bf", "--step", 8, "--json")
    assert json.loads(result.out)["bytes"] > 0


def test_quiet_hides_warnings(run, scene, tmp_path):
    arguments = ("encode", "scene.hdr", "-o", "a.bf", "--step", 8)
    run(*arguments)
    data = bytearray((tmp_path / "a.bf").read_bytes())
    data[-200] ^= 1
    (tmp_path / "a.bf").write_bytes(data)
    loud, quiet = run("decode", "a.bf", "-o", "b.hdr"), run("decode", "-q", "a.bf", "-o", "b.hdr")
    assert (loud.status, quiet.status) == (9, 9)
    assert loud.err.startswith("warning: ")
    assert quiet.err == ""


def test_verbose_tells_stages_and_where_an_error_was_raised(run, scene):
    result = run("encode", "-v", "scene.hdr", "-o", "a.bf", "--step", 8)
    assert result.status == 0
    assert "code ...\n" in result.err
    assert "\ncode: " in result.err
    result = run("info", "-v", "absent.bf")
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1].startswith("error: ")


def test_both_exclude_each_other(run):
    result = run("-q", "info", "-v", "a.bf")
    assert result.status == 2
    assert "exclude each other" in result.err


@pytest.mark.parametrize(
    ("arguments", "kind", "status"),
    [
        (("info", "absent.bf", "--json"), "StreamError", 6),
        (("info", "--json", "--frob"), "UsageError", 2),
        (("xyzzy", "--json"), "UsageError", 2),
        (("encode", "absent.hdr", "-o", "a.bf", "--bps", "1", "--json"), "SceneError", 3),
        (("encode", "absent.hdr", "-o", "a.bf", "--json"), "SettingsError", 2),
    ],
)
def test_failures_are_json_where_it_is_asked_for(run, arguments, kind, status):
    result = run(*arguments)
    told = json.loads(result.out)
    assert list(told) == ["error"]
    assert told["error"]["kind"] == kind
    assert told["error"]["exit_status"] == result.status == status
    assert result.err == f"error: {told['error']['message']}\n"


def test_json_of_a_failure_does_not_mix_with_samples(run):
    result = run("decode", "absent.bf", "-o", "-", "--json")
    assert result.out == ""
    assert json.loads(result.err.partition("\n")[2])["error"]["exit_status"] == 6


def test_what_is_behind_two_dashes_is_no_option(run):
    assert run("info", "--", "--json").out == ""


def test_every_command_has_both():
    def commands(group):
        for command in group.commands.values():
            yield command
            yield from commands(command) if hasattr(command, "commands") else ()

    for command in commands(main):
        options = {name for one in command.params for name in one.opts}
        assert {"-q", "--quiet", "-v", "--verbose"} <= options


def test_warnings_of_python_are_told_as_others_are(capsys):
    warn_as_told(KernelsWarning("kernels of\nversion 1"), KernelsWarning, "kernels.py", 7)
    assert capsys.readouterr() == ("", "warning: kernels of version 1\n")
    # Those of libraries say where they come from.
    warn_as_told("old", DeprecationWarning, "elsewhere.py", 7)
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("elsewhere.py:7: DeprecationWarning: old\n")


def test_commands_show_warnings_so(run, monkeypatch):
    monkeypatch.setattr(warnings, "showwarning", None)
    run("models", "--help")
    assert warnings.showwarning is warn_as_told
