"""A Python for ARM under QEMU, with the libraries that a board has."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bandfold.common.errors import BandfoldError

EMULATOR = "qemu-aarch64-static"


@dataclass(frozen=True)
class EmulatedPython:
    """How to start it.

    Parameters
    ----------
    folder : Path
        What ``make instructions`` fills: ``root`` has the system, ``flight`` the libraries, ``source``
        bandfold.
    cpu : str
        As QEMU names it, for example ``cortex-a72``.
    kernels : Path
        Library of the kernels, compiled for ARM.
    """

    folder: Path
    cpu: str
    kernels: Path

    def output(self, arguments: Sequence[str]) -> str:
        """Run Python.

        Parameters
        ----------
        arguments : sequence of str
            What follows ``python``.

        Returns
        -------
        str
            What it writes.

        Raises
        ------
        BandfoldError
            If there is no QEMU, no such Python, or it fails.
        """
        emulator = shutil.which(EMULATOR)
        if emulator is None:
            raise BandfoldError(f"{EMULATOR} is not installed: apt install qemu-user-static")
        folder = self.folder.absolute()
        python = folder / "root/usr/bin/python3.11"
        if not python.exists():
            raise BandfoldError(f"no Python for ARM in {folder}: make instructions makes one")
        environment = {
            **os.environ,
            "BANDFOLD_KERNELS": str(self.kernels.absolute()),
            "QEMU_CPU": self.cpu,
            "PYTHONNOUSERSITE": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": f"{folder / 'source'}:{folder / 'flight'}",
        }
        command = [emulator, "-L", str(folder / "root"), str(python), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it ended without a word"]
            raise BandfoldError(f"Python for ARM failed: {said[-1]}")
        return done.stdout
