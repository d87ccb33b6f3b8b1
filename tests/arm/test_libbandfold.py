"""The C library on ARM, under QEMU: samples and streams of Python, with and without products of bytes."""

import shutil
import subprocess

import pytest

from bandfold.ground.decoder import Decoder

from ..libbandfold.c_library import GOLDEN, GOLDEN_PACKAGES, INCLUDED, LIBRARY, OPTIONS, sources
from ..libbandfold.test_encoder import package, python_stream, scene

COMPILER, QEMU = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"
NETWORKS = {"modelled", "stream"}
STREAMS = [path for path in sorted(GOLDEN.rglob("*.bndf")) if path.stem not in NETWORKS]
PROGRAMS = {
    "bandfold_decode": ("bandfold_decode", "envi_header", "file_bytes"),
    "bandfold_encode": ("bandfold_encode", "file_bytes"),
}

pytestmark = pytest.mark.arm


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    for tool in (COMPILER, QEMU):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool}")
    folder = tmp_path_factory.mktemp("libbandfold")
    include = [f"-I{one}" for one in INCLUDED]
    command = [COMPILER, *OPTIONS, "-O2", "-w", "-DBF_EXPORT=", *include]
    subprocess.run([*command, "-c", *sources(folder)], check=True, cwd=folder)
    for name, parts in PROGRAMS.items():
        files = [LIBRARY / "example" / f"{part}.c" for part in parts]
        objects = sorted(folder.glob("*.o"))
        subprocess.run([*command, "-static", *files, *objects, "-lm", "-o", folder / name], check=True)
    return folder


@pytest.mark.parametrize("cpu", ["cortex-a72", "cortex-a76"])
def test_golden_streams_decode_to_the_same_bytes(programs, cpu, tmp_path):
    options = [word for path in GOLDEN_PACKAGES for word in ("-p", path)]
    for path in STREAMS:
        command = [QEMU, "-cpu", cpu, programs / "bandfold_decode", *options, path, tmp_path / "out.raw"]
        subprocess.run(command, check=True, capture_output=True)
        wanted = Decoder(path.read_bytes(), models=GOLDEN_PACKAGES, restore="off").decode()
        assert (tmp_path / "out.raw").read_bytes() == wanted.tobytes(), path.name


@pytest.mark.parametrize("cpu", ["cortex-a72", "cortex-a76"])
@pytest.mark.parametrize(("option", "target"), [("-q", {"step": 1.0}), ("-r", {"bps": 1.5})])
def test_lines_are_encoded_to_the_same_bytes(programs, cpu, option, target, tmp_path):
    cube, file = scene(40, 100, 70), package(40)
    (tmp_path / "in.raw").write_bytes(cube.transpose(1, 0, 2).tobytes())
    (tmp_path / "sensor.bfm").write_bytes(file)
    options = [
        "-p",
        tmp_path / "sensor.bfm",
        "-b",
        "40",
        "-s",
        "70",
        option,
        str(*target.values()),
        "-l",
        "48",
    ]
    command = [QEMU, "-cpu", cpu, programs / "bandfold_encode", *options]
    subprocess.run([*command, tmp_path / "in.raw", tmp_path / "out.bf"], check=True, capture_output=True)
    wanted = python_stream(cube, file, strip_lines=48, interleave="bil", **target)
    assert (tmp_path / "out.bf").read_bytes() == wanted
