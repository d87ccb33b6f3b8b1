"""What boards are called, on file trees laid out as theirs."""

import numpy as np
import pytest

import bandfold
from bandfold.benchmarks.board.machine import describe_board, power_mode

from ..power.boards import raspberry, write

CORTEX_A76 = "processor\t: {}\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n\n"


def test_a_raspberry_pi(tmp_path):
    write(
        raspberry(tmp_path), {"proc/cpuinfo": "".join(map(CORTEX_A76.format, range(4))) + "Revision: c04170"}
    )
    found = describe_board(tmp_path)
    assert found["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert found["processor"] == "4 x Cortex-A76"
    assert found["power_mode"] is None
    assert (found["bandfold"], found["numpy"]) == (bandfold.__version__, np.__version__)
    assert {"python", "kernel", "onnxruntime", "litert", "cores", "inner loops"} <= set(found)


def test_a_pc(tmp_path):
    dmi = "sys/class/dmi/id"
    write(tmp_path, {f"{dmi}/sys_vendor": "Maker", f"{dmi}/product_name": "Box 3"})
    write(tmp_path, {"proc/cpuinfo": "model name\t: Fast CPU\n\nmodel name\t: Fast CPU"})
    found = describe_board(tmp_path)
    assert (found["board"], found["processor"]) == ("Maker Box 3", "Fast CPU")


def test_a_processor_that_has_no_name_here(tmp_path):
    write(tmp_path, {"proc/cpuinfo": "CPU implementer\t: 0x4e\nCPU part\t: 0x004"})
    assert describe_board(tmp_path)["processor"] == "1 x implementer 0x4e, part 0x004"
    assert describe_board(tmp_path)["board"] is None


@pytest.mark.parametrize(
    ("body", "mode"), [("echo 'NV Power Mode: MAXN'; echo 0", "MAXN"), ("exit 1", "15W")]
)
def test_power_mode_of_a_jetson(tmp_path, body, mode):
    write(tmp_path, {"var/lib/nvpmodel/status": "pmode:0001"})
    assert power_mode(tmp_path) == "mode 1"
    modes = "< POWER_MODEL ID=0 NAME=MAXN >\nCPU_ONLINE CORE_0 1\n< POWER_MODEL ID=1 NAME=15W >"
    write(tmp_path, {"etc/nvpmodel.conf": modes, "usr/sbin/nvpmodel": f"#!/bin/sh\n{body}"})
    (tmp_path / "usr/sbin/nvpmodel").chmod(0o755)
    assert power_mode(tmp_path) == mode
