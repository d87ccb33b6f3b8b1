"""Compile the kernels for 64-bit ARM as pip does on a board: python tests/arm/kernels.py OUTPUT.so"""

import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

COMPILER = "aarch64-linux-gnu-gcc"
ROOT = Path(__file__).parents[2]


def main(output):
    """Compile them with the options of pyproject.toml."""
    if shutil.which(COMPILER) is None:
        sys.exit(f"error: needs {COMPILER}: apt install gcc-aarch64-linux-gnu")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (module,) = settings["tool"]["setuptools"]["ext-modules"]
    command = [COMPILER, "-shared", "-fPIC", *module["extra-compile-args"], "-o", output, *module["sources"]]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).absolute()))
