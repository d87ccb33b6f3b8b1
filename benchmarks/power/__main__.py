"""The same as ``bandfold bench``."""

from __future__ import annotations

from bandfold.calibration.program import run
from bandfold.cli.bench import bench

if __name__ == "__main__":
    run(bench)
