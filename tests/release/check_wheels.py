"""Try the wheels of a release where nothing else of bandfold is: python check_wheels.py FOLDER."""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from zipfile import ZipFile

from build_wheels import CROSS, ROOT, run

TRY = """
import hashlib
import numpy as np
import bandfold
from bandfold.common import kernels
line, sample, band = np.ogrid[0:40, 0:48, 0:24]
cube = np.transpose(2000 + 30 * line + 7 * sample + 11 * band + (line * sample * band) % 13, (2, 0, 1))
cube = cube.astype(np.uint16)
stream = bandfold.Encoder(step=4).encode(cube)
assert abs(bandfold.Decoder(stream, restore="off").decode().astype(int) - cube).max() < 16
print(kernels.library is not None, hashlib.sha256(stream).hexdigest(), bandfold.__version__)
"""

LOADER = """
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
int main(int count, char **names)
{
    void *library = dlopen(names[1], RTLD_NOW);
    if (library == NULL) { puts(dlerror()); return 1; }
    int32_t (*version)(void) = (int32_t (*)(void))dlsym(library, "bf_version");
    printf("%d", version());
    return 0;
}
"""
"""Loads the kernels of another machine under QEMU: all symbols are looked up at once."""


def tried(wheel, folder):
    """Install a wheel into an environment of its own, and encode and decode there."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    for command in (["-m", "pip", "install", "--quiet", wheel], ["-c", TRY]):
        done = subprocess.run([python, "-I", *command], cwd=folder, env=clean, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"error: {wheel.name}: {done.stdout}{done.stderr}")
    return done.stdout.split()


def loaded(wheel, folder):
    """Load the kernels of a wheel for ARM under QEMU; their version."""
    with ZipFile(wheel) as file:
        (name,) = [one for one in file.namelist() if one.endswith(".so")]
        library = file.extract(name, folder)
    source, program = folder / "loader.c", folder / "loader"
    source.write_text(LOADER)
    run(CROSS, "-o", program, source, "-ldl")
    return run("qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu", program, library)


def main(output):
    """Check all files of a folder."""
    folder = Path(output).resolve()
    files = sorted(folder.iterdir())
    print(run(sys.executable, "-m", "twine", "check", "--strict", *files).strip())
    (intel,) = folder.glob("*x86_64.whl")
    (arm,) = folder.glob("*aarch64.whl")
    (pure,) = folder.glob("*none-any.whl")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        fast, slow = tried(intel, place / "intel"), tried(pure, place / "pure")
        version = loaded(arm, place)
    if (fast[0], slow[0]) != ("True", "False"):
        sys.exit(f"error: kernels are loaded: {fast[0]} of {intel.name}, {slow[0]} of {pure.name}")
    if fast[1:] != slow[1:]:
        sys.exit(f"error: {intel.name} and {pure.name} write different streams or versions")
    print(f"{intel.name} and {pure.name} installed: same stream, version {fast[2]}")
    print(f"{arm.name}: kernels of version {version} load under QEMU")
    if ".example" in (ROOT / "CITATION.cff").read_text(encoding="utf-8"):
        print("Not to be uploaded: addresses in .example lead nowhere, see docs/releasing.md")


if __name__ == "__main__":
    main(*sys.argv[1:])
