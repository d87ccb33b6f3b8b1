"""What CMake installs can be used; the example program decodes."""

import os
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bandfold.formats.opening import open_scene
from bandfold.ground.decoder import Decoder

from .c_library import COMPILER, LIBRARY
from .test_encoder import package, python_stream, scene

GOLDEN = Path(__file__).parents[1] / "golden"
EXAMPLE = [LIBRARY / "example" / f"{name}.c" for name in ("bandfold_decode", "envi_header", "file_bytes")]


ENCODER = [LIBRARY / "example" / f"{name}.c" for name in ("bandfold_encode", "file_bytes")]


@pytest.fixture(scope="module")
def encoding(installed, tmp_path_factory):
    return installed.program(tmp_path_factory.mktemp("encode") / "bandfold_encode", *ENCODER)


@pytest.fixture(scope="module")
def program(installed, tmp_path_factory):
    return installed.program(tmp_path_factory.mktemp("example") / "bandfold_decode", *EXAMPLE)


@pytest.mark.parametrize(("name", "package"), [("streamed", None), ("sensed", "golden-20")])
def test_the_example_writes_an_envi_file(program, tmp_path, name, package):
    path, packages = GOLDEN / f"{name}.bndf", [GOLDEN / f"{package}.bfm"] if package else []
    options = [word for one in packages for word in ("-p", one)]
    subprocess.run([program, *options, path, tmp_path / "out.raw"], check=True, capture_output=True)
    wanted = Decoder(path.read_bytes(), models=packages, restore="off").decode()
    assert (tmp_path / "out.raw").read_bytes() == wanted.tobytes()
    scene = open_scene(tmp_path / "out.raw.hdr")
    bands, lines, _ = wanted.shape
    np.testing.assert_array_equal(scene.read(slice(0, bands), slice(0, lines)), wanted)


def test_the_example_says_in_one_line_what_is_wrong(program, tmp_path):
    (tmp_path / "bad.bf").write_bytes(b"nothing")
    done = subprocess.run(
        [program, tmp_path / "bad.bf", tmp_path / "out.raw"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.raw").exists()


def test_the_example_tells_damage(program, tmp_path):
    data = bytearray((GOLDEN / "streamed.bndf").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "hit.bf").write_bytes(data)
    done = subprocess.run(
        [program, tmp_path / "hit.bf", tmp_path / "out.raw"], capture_output=True, text=True
    )
    assert done.returncode == 3
    assert "are damaged" in done.stderr
    assert (tmp_path / "out.raw").exists()


def test_the_example_encodes_a_file_and_standard_input(encoding, tmp_path):
    cube, file = scene(20, 40, 33), package(20)
    (tmp_path / "in.raw").write_bytes(cube.transpose(1, 0, 2).tobytes())
    (tmp_path / "sensor.bfm").write_bytes(file)
    wanted = python_stream(cube, file, step=2.5, strip_lines=16, effort=3, interleave="bil")
    options = ["-p", tmp_path / "sensor.bfm", "-b", "20", "-s", "33", "-q", "2.5", "-l", "16", "-e", "3"]
    run = partial(subprocess.run, check=True, capture_output=True)
    run([encoding, *options, tmp_path / "in.raw", tmp_path / "out.bf"])
    assert (tmp_path / "out.bf").read_bytes() == wanted
    run([encoding, *options, "-", tmp_path / "piped.bf"], input=(tmp_path / "in.raw").read_bytes())
    assert (tmp_path / "piped.bf").read_bytes() == wanted


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (["-b", "21", "-s", "33"], 1, "another number of bands"),
        (["-b", "20", "-s", "34"], 1, "not complete"),
        (["-b", "20", "-s", "33", "-t", "float32"], 2, "usage: "),
        (["-b", "20", "-s", "33", "-q", "0.001"], 1, "out of range"),
        (["-b", "20", "-s", "33", "-r", "0.001"], 1, "rate is too low"),
        (["-b", "20", "-s", "33", "-r", "1", "-q", "1"], 1, "give one of step"),
        (["-b", "20"], 2, "usage: "),
    ],
)
def test_the_example_that_encodes_says_what_is_wrong(encoding, tmp_path, options, status, told):
    (tmp_path / "in.raw").write_bytes(scene(20, 3, 33).transpose(1, 0, 2).tobytes())
    (tmp_path / "sensor.bfm").write_bytes(package(20))
    words = [encoding, "-p", tmp_path / "sensor.bfm", *options, tmp_path / "in.raw", tmp_path / "out.bf"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == status
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.raw", "sensor.bfm"]


def test_what_is_installed_is_found_by_pkg_config(installed, tmp_path):
    if not installed.cmake or shutil.which("pkg-config") is None:
        pytest.skip("there is no CMake or no pkg-config")
    folder = installed.shared.parent
    environment = {**os.environ, "PKG_CONFIG_PATH": str(folder / "pkgconfig"), "LD_LIBRARY_PATH": str(folder)}
    run = partial(subprocess.run, capture_output=True, text=True, check=True, env=environment)
    version = run(["pkg-config", "--modversion", "bandfold"]).stdout.strip()
    text = (LIBRARY.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert version == re.search(r'^version = "(.*)"$', text, re.MULTILINE)[1]
    user = tmp_path / "user.c"
    user.write_text(
        "#include <bandfold.h>\n#include <stdio.h>\nint main(void) { return puts(bandfold_version()) < 0; }\n"
    )
    flags = run(["pkg-config", "--cflags", "--libs", "bandfold"]).stdout.split()
    run([COMPILER, "-std=c11", "-pedantic", "-Werror", user, *flags, "-o", tmp_path / "user"])
    assert run([tmp_path / "user"]).stdout.strip() == version


def test_the_shared_library_offers_what_its_header_declares(installed):
    if not installed.cmake or shutil.which("nm") is None:
        pytest.skip("there is no CMake or no nm")
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", installed.shared], capture_output=True, text=True, check=True
    )
    header = (installed.headers / "bandfold.h").read_text(encoding="utf-8")
    assert {line.split()[-1] for line in listed.stdout.splitlines()} == set(
        re.findall(r"\b(bandfold_\w+)\(", header)
    )


def test_the_library_has_no_state_of_its_own():
    """Variables at file level, or that outlast a call, would be shared by all decoders."""
    at_file_level = re.compile(
        r"^(?!const|extern|typedef|static const)[a-z][\w ]* \**\w+(?:\[.*\])*(?: = .*|;)$", re.M
    )
    in_functions = re.compile(r"^ +static (?!const)\w.*", re.M)
    for path in sorted((LIBRARY / "source").rglob("*.[ch]")):
        text = path.read_text(encoding="utf-8")
        assert at_file_level.findall(text) + in_functions.findall(text) == [], path.name
    assert at_file_level.findall("static int count;\nint64_t *more = 0;") == [
        "static int count;",
        "int64_t *more = 0;",
    ]
