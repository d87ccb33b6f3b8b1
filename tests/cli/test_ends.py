"""How commands end when the disk is full, a signal comes or a file is none: one line, and nothing left."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bandfold.onboard import Encoder

CASES = Path(__file__).parents[3] / "shared" / "cases"
COMMAND = (sys.executable, "-m", "bandfold.cli.main")

WAITING = """
import signal
import time
import click
from bandfold.cli.command_group import BandfoldGroup
from bandfold.common.atomic_files import atomic_output

# Who runs the tests may ignore it, as nohup does.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

@click.group(cls=BandfoldGroup)
def main():
    pass

@main.command()
@click.argument("path")
def wait(path):
    with atomic_output(path):
        print("begun", flush=True)
        time.sleep(60)

main()
"""
"""A command of the command line that takes a minute to write a file."""


def ended(*arguments, **settings):
    """Run a command; its status, and the lines that it says."""
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, **settings)
    return done.returncode, done.stderr.strip().splitlines()


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "scene.bf"
    rng = np.random.default_rng(1)
    path.write_bytes(Encoder(bps=0.2).encode(rng.integers(0, 1000, (20, 160, 160)).astype(np.uint16)))
    return path


@pytest.mark.parametrize("suffix", ["hdr", "nc", "npy", "tif"])
def test_a_full_disk_is_told(stream, tmp_path, suffix):
    if suffix != "hdr":
        pytest.importorskip("rasterio")

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    arguments = ("decode", stream, "--restore", "off", "-o", tmp_path / f"scene.{suffix}")
    status, said = ended(*arguments, preexec_fn=full)
    assert status == 8
    assert len(said) == 1
    assert said[0].startswith("error: cannot write")
    assert not any(tmp_path.iterdir())


FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")


@FULL
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_what_cannot_be_printed_is_told(stream, options):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "info", str(stream), *options], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 8
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: cannot read or write: No space left on device")


@FULL
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_status_tells_where_nothing_can_be_printed(tmp_path, options):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "info", str(tmp_path / "none.bf"), *options], stdout=full, stderr=full
        )
    assert done.returncode == 6


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no such device")
@pytest.mark.parametrize("arguments", [("info", "/dev/null"), ("decode", "/dev/null", "-o", "a.hdr")])
def test_an_empty_device_is_no_stream(tmp_path, arguments):
    status, said = ended(*arguments, cwd=tmp_path)
    assert (status, len(said)) == (6, 1)
    assert said[0].startswith("error: not a bandfold stream: the signature at byte 0 is wrong; name a file")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_leave_nothing_behind(tmp_path, number, status):
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, "wait", tmp_path / "scene"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "begun\n"
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert said == f"error: ended by {signal.Signals(number).name}\n"
    assert not any(tmp_path.iterdir())


def test_signals_that_are_ignored_stay_so():
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); import os; "
    code += "from bandfold.cli import command_group; "
    code += "\nwith command_group.signals_raised():\n    os.kill(os.getpid(), signal.SIGHUP)\nprint('on')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "on\n"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("encode", "{scene}", "-o", "x" * 300 + ".bf", "--bps", "1"), 8),
        (("encode", "x" * 300 + ".hdr", "-o", "{folder}/a.bf", "--bps", "1"), 3),
        (("report", "{stream}", "-o", "{folder}/" + "x" * 300 + ".html"), 8),
        (("decode", "x" * 300 + ".bf", "-o", "{folder}/a.npy"), 6),
        (("synth", "-o", "{folder}/a.hdr", "--bands", "99999999999999"), 2),
        (("encode", "{scene}", "-o", "{folder}/a.bf", "--bps", "1", "--strip-lines", "9" * 30), 2),
        (
            [
                "encode",
                "-",
                "-o",
                "{folder}/a.bf",
                "--bps",
                "1",
                "--dtype",
                "uint8",
                "--bands",
                "99999999999",
                "--samples",
                "9",
            ],
            2,
        ),
        (
            [
                "encode",
                "-",
                "-o",
                "{folder}/a.bf",
                "--bps",
                "1",
                "--dtype",
                "uint8",
                "--bands",
                "3",
                "--samples",
                "9",
            ],
            3,
        ),
    ],
)
def test_what_cannot_be_is_told_on_one_line(stream, tmp_path, arguments, status):
    scene = tmp_path / "scene.npy"
    np.save(scene, np.arange(3 * 16 * 16, dtype=np.uint16).reshape(3, 16, 16))
    filled = [one.format(scene=scene, folder=tmp_path, stream=stream) for one in arguments]
    found, said = ended(*filled, preexec_fn=lambda: os.close(0))
    assert found == status
    assert len(said) == 1
    assert said[0].startswith("error: ")


def test_a_rate_beyond_every_number(tmp_path):
    scene = tmp_path / "scene.npy"
    np.save(scene, np.arange(3 * 16 * 16, dtype=np.uint16).reshape(3, 16, 16))
    status, said = ended("encode", scene, "-o", tmp_path / "a.bf", "--bps", "1e308")
    assert status == 0
    # That so much cannot be used may be told, and nothing else.
    assert all(one.startswith("warning: ") for one in said)


def test_errors_of_piped_lines_name_the_line_of_the_scene(tmp_path):
    lines = np.zeros((200, 4, 10), "<f4")
    lines[150, 2, 3] = np.inf
    arguments = [
        "encode",
        "-",
        "-o",
        "a.bf",
        "--bps",
        "1",
        "--dtype",
        "float32",
        "--scale",
        "1",
        "--bands",
        "4",
        "--samples",
        "10",
    ]
    process = subprocess.run(
        [*COMMAND, *arguments], input=lines.tobytes(), capture_output=True, cwd=tmp_path, check=False
    )
    assert process.returncode == 3
    assert b"at band 2, line 150, sample 3" in process.stderr


@pytest.mark.parametrize("name", ["meta-nul_band_names", "meta-units_time", "meta-mapinfo_rot"])
@pytest.mark.parametrize("suffix", ["nc", "tif", "zarr"])
def test_odd_metadata_are_written(tmp_path, name, suffix):
    pytest.importorskip("rasterio")
    if not (CASES / f"{name}.bf").exists():
        pytest.skip("the cases are not here")
    output = tmp_path / f"scene.{suffix}"
    assert ended("decode", CASES / f"{name}.bf", "--restore", "off", "-o", output) == (0, [])
    assert output.exists()
