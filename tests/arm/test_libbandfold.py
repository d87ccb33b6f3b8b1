"""The C library on ARM, under QEMU: the samples of Python, with and without products of bytes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from bandfold.ground.decoder import Decoder

from ..libbandfold.c_library import KERNELS, LIBRARY, OPTIONS, sources

COMPILER, QEMU = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"
GOLDEN = Path(__file__).parents[1] / "golden"
PACKAGES = sorted(GOLDEN.glob("*.bfm"))
NETWORKS = {"modelled", "stream"}
STREAMS = [path for path in sorted(GOLDEN.rglob("*.bndf")) if path.stem not in NETWORKS]

pytestmark = pytest.mark.arm


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    for tool in (COMPILER, QEMU):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool}")
    folder = tmp_path_factory.mktemp("libbandfold")
    include = [f"-I{one}" for one in (LIBRARY / "include", LIBRARY / "source", KERNELS)]
    files = [*sources(folder), *sorted((LIBRARY / "example").glob("*.c"))]
    command = [COMPILER, *OPTIONS, "-O2", "-w", "-static", "-DBF_EXPORT=", *include, *files, "-lm"]
    subprocess.run([*command, "-o", folder / "bandfold_decode"], check=True)
    return folder / "bandfold_decode"


@pytest.mark.parametrize("cpu", ["cortex-a72", "cortex-a76"])
def test_golden_streams_decode_to_the_same_bytes(program, cpu, tmp_path):
    options = [word for path in PACKAGES for word in ("-p", path)]
    for path in STREAMS:
        command = [QEMU, "-cpu", cpu, program, *options, path, tmp_path / "out.raw"]
        subprocess.run(command, check=True, capture_output=True)
        wanted = Decoder(path.read_bytes(), models=PACKAGES, restore="off").decode()
        assert (tmp_path / "out.raw").read_bytes() == wanted.tobytes(), path.name
