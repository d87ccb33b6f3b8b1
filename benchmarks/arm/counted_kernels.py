"""The kernels compiled for ARM so that each basic block counts how often it runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bandfold.common.errors import BandfoldError

from .assembly import Block, count_blocks

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

COMPILER = "aarch64-linux-gnu-gcc"

_ROOT = Path(__file__).resolve().parents[2]


def counters_name(source: Path) -> str:
    """Name of the array of counters of a source.

    Parameters
    ----------
    source : Path
        A file in C.

    Returns
    -------
    str
    """
    return f"block_counters_{source.stem}"


def compile_counted(library: Path) -> dict[str, list[Block]]:
    """Compile the kernels as the package does, for ARM and with counters.

    Parameters
    ----------
    library : Path
        File to write.

    Returns
    -------
    dict of str to list of Block
        Blocks of each source in the order of its counters, by the names of the arrays.

    Raises
    ------
    BandfoldError
        If there is no compiler, or this is no checkout of the repository.
    """
    if shutil.which(COMPILER) is None:
        raise BandfoldError(f"{COMPILER} is not installed: apt install gcc-aarch64-linux-gnu")
    settings = _ROOT / "pyproject.toml"
    if not settings.exists():
        raise BandfoldError(f"{settings} is not there: the kernels are compiled from a checkout of bandfold")
    (module,) = tomllib.loads(settings.read_text())["tool"]["setuptools"]["ext-modules"]
    options = ["-fPIC", *module["extra-compile-args"]]
    blocks, counted = {}, []
    for source in map(Path, module["sources"]):
        plain = library.with_name(f"{source.stem}.s")
        # Tables of distances between labels would not hold with counters in between.
        _compile([*options, "-S", "-g1", "-fno-jump-tables", "-o", str(plain), str(source)])
        name = counters_name(source)
        text, blocks[name] = count_blocks(plain.read_text().splitlines(), name)
        plain.write_text(text)
        counted.append(str(plain))
    _compile(["-shared", "-o", str(library), *counted])
    return blocks


def _compile(options: Sequence[str]) -> None:
    done = subprocess.run([COMPILER, *options], cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BandfoldError(f"{COMPILER} failed: {done.stderr.strip().splitlines()[-1]}")
