"""Compile the kernels otherwise than the package does: python tests/kernels.py OUTPUT.so COMPILER [OPTION...]

The sources and options of pyproject.toml come first, so that what is tested is what pip builds.
"""

import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGES = {"aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu"}


def main(output, compiler, *options):
    """Compile them."""
    if shutil.which(compiler) is None:
        sys.exit(f"error: needs {compiler}: apt install {PACKAGES.get(compiler, compiler)}")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (module,) = settings["tool"]["setuptools"]["ext-modules"]
    command = [compiler, "-shared", "-fPIC", *module["extra-compile-args"], *options]
    subprocess.run([*command, "-o", Path(output).absolute(), *module["sources"]], cwd=ROOT, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
