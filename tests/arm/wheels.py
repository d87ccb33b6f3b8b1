"""What pip takes on a board, looked up or installed elsewhere: python tests/arm/wheels.py FOLDER [EXTRA...]

pip can look for the wheels of another machine (``--platform``, ``--python-version``), but evaluates markers,
such as ``platform_machine == 'x86_64'``, for the machine it runs on. So markers are evaluated here, first
those of this project, then those of all that pip came up with, until nothing is missing.
"""

import importlib.metadata
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

GLIBC = 28
"""JetPack 6 has glibc 2.35, Raspberry Pi OS 12 and 13 have 2.36 and 2.41: what runs on 2.28 runs on all."""

TAGS = [f"manylinux_2_{minor}_aarch64" for minor in range(GLIBC, 16, -1)] + ["manylinux2014_aarch64"]

WHEELS_ONLY = "--only-binary=:all:"


class NotOnBoardError(Exception):
    """pip found no wheel for something."""


def pip(python, requirements, *options):
    """Run pip as if it were on a board; the report of what it takes.

    One of the options must be `WHEELS_ONLY` or ``--no-deps``: pip cannot build for another machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--ignore-installed"]
        command += ["--python-version", python, *(f"--platform={tag}" for tag in TAGS)]
        command += ["--report", str(report), *options, *map(_bare, requirements)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode:
            raise NotOnBoardError(result.stderr)
        return json.loads(report.read_text())["install"]


def needed(requirements, python, extra=""):
    """Those requirements whose markers hold on a board."""
    board = {
        **default_environment(),
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "aarch64",
        "python_version": python,
        "python_full_version": f"{python}.0",
        "extra": extra,
    }
    parsed = map(Requirement, requirements)
    return {one for one in parsed if one.marker is None or one.marker.evaluate(board)}


def resolve(python, extras):
    """Find what bandfold with some extras needs on a board, and what of it are wheels.

    Returns
    -------
    wanted : set of Requirement
        What it needs, and what that needs.
    items : list of dict
        The wheels that pip takes for them, as in its report.
    """
    own = importlib.metadata.requires("bandfold")
    wanted = set().union(*(needed(own, python, extra) for extra in ("", *extras)))
    while True:
        with tempfile.TemporaryDirectory() as nothing:
            items = pip(python, wanted, WHEELS_ONLY, "--dry-run", "--target", nothing)
        more = wanted.union(*(needed(item["metadata"].get("requires_dist", ()), python) for item in items))
        taken = {canonicalize_name(item["metadata"]["name"]) for item in items}
        if {canonicalize_name(one.name) for one in more} <= taken:
            return more, items
        wanted = more


def _bare(requirement):
    """Without the marker, which pip would evaluate for this machine."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


if __name__ == "__main__":
    target, *wanted_extras = sys.argv[1:]
    pip("3.11", resolve("3.11", wanted_extras)[0], WHEELS_ONLY, "--target", target)
