"""Running the command line twice: by the Python that runs the tests, and by one for ARM under QEMU."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PARTS = {"cortex-a53": 0xD03, "cortex-a72": 0xD08, "cortex-a76": 0xD0B, "neoverse-n1": 0xD0C, "max": 0x051}
"""CPUs that QEMU 7.2 knows, and the part number by which /proc/cpuinfo tells them apart."""

CPUINFO = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0x{part:03x}
CPU revision\t: 3
"""


@dataclass
class Machine:
    """A Python that has bandfold, and how to start it."""

    python: list[str] = field(default_factory=lambda: [sys.executable])
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments, folder=None):
        """Run Python, in a folder; its output. An error of it is shown and fails the test."""
        result = subprocess.run(
            [*self.python, *arguments],
            cwd=folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, f"{arguments} ended with {result.returncode}:\n{result.stderr}"
        return result.stdout

    def bandfold(self, *arguments, folder):
        return self.run("-c", "from bandfold.cli.main import main; main()", *arguments, folder=folder)


@pytest.fixture(scope="session")
def native():
    return Machine()


@pytest.fixture(scope="session")
def arm():
    """Make an ARM machine: its CPU, the threads of BLAS, and the wheels that are installed on it."""
    folder = Path(os.environ.get("BANDFOLD_ARM", "out/arm")).absolute()
    if not (folder / "root/usr/bin/python3.11").exists():
        pytest.fail(f"no Python for ARM in {folder}/root: run make test-arm, which makes it")
    if shutil.which("qemu-aarch64-static") is None:
        pytest.fail("QEMU is not installed: apt install qemu-user-static")

    def make(cpu, threads=1, wheels="flight"):
        # ONNX Runtime looks here for the kind of CPU, NumPy asks the CPU itself.
        (folder / "root/proc/cpuinfo").write_text(CPUINFO.format(part=PARTS[cpu]))
        return Machine(
            ["qemu-aarch64-static", "-L", str(folder / "root"), str(folder / "root/usr/bin/python3.11")],
            {
                # The home directory that it finds is that of the other machine.
                "PYTHONNOUSERSITE": "1",
                "QEMU_CPU": cpu,
                "OPENBLAS_NUM_THREADS": str(threads),
                "PYTHONPATH": f"{folder / 'source'}:{folder / wheels}",
            },
        )

    return make
