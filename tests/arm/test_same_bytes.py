"""ARM writes the files that x86-64 writes, byte for byte. Minutes under QEMU: `make test-arm` runs it."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bandfold.common.scene import Scaling, SceneInfo
from bandfold.formats.envi.writer import write_envi
from bandfold.ground.decoder import Decoder
from bandfold.synthetic.scenes import SyntheticScene

pytestmark = pytest.mark.arm

CPUS = os.environ.get("BANDFOLD_ARM_CPUS", "cortex-a72 cortex-a76").split()
THREADS = (1, 2)

PROBE = """
import ctypes, hashlib, json, platform
from pathlib import Path
import numpy as np
from importlib.util import find_spec
from bandfold.common import kernels
found = sorted(Path(np.__file__).parent.with_name("numpy.libs").glob("libscipy_openblas*"))
blas = ctypes.CDLL(str(found[0]))
blas.scipy_openblas_get_corename64_.restype = ctypes.c_char_p
digest = lambda array: hashlib.sha256(array.tobytes()).hexdigest()
floats = np.random.default_rng(0).random((2, 100, 2000))
integers = np.rint(floats * 8191)
print(json.dumps({
    "machine": platform.machine(),
    "numpy": np.__version__,
    "kernel": blas.scipy_openblas_get_corename64_().decode(),
    "threads": blas.scipy_openblas_get_num_threads64_(),
    "constriction": find_spec("constriction") is not None,
    "kernels": kernels.library is not None,
    "floats": digest(floats[0] @ floats[1].T),
    "integers": digest(integers[0] @ integers[1].T),
}))
"""


def _synthetic(lines, samples, bands, seed):
    source = SyntheticScene(lines, samples, bands, seed)
    return source.read(slice(0, bands), slice(0, lines)), source.info


def _folded(path):
    write_envi(path, *_synthetic(72, 80, 96, seed=3), interleave="bil")


def _banded(path):
    cube, _ = _synthetic(40, 50, 10, seed=4)
    cube = (cube.astype(np.int32) - 12000).clip(-32768, 32767).astype(np.int16)
    write_envi(path, cube, SceneInfo(*cube.shape, cube.dtype), interleave="bsq")


def _scaled(path):
    cube, _ = _synthetic(41, 43, 24, seed=5)
    cube = (cube / 9973.0 - 1.5).astype(np.float32)
    info = SceneInfo(*cube.shape, cube.dtype, scaling=Scaling(1.0))
    write_envi(path, cube, info, interleave="bip", byte_order="big")


def _absent(path):
    cube, info = _synthetic(40, 50, 30, seed=6)
    cube[:, 5:20, 9:17] = 0
    cube[7, 30, 40:] = 0
    write_envi(path, cube, SceneInfo(*cube.shape, cube.dtype, metadata=info.metadata))


def _sensed(path):
    # A package whose scene has dead bands where the other one has none is refused.
    for name, seed in ((path, 7), (path.with_name("fit.hdr"), 10)):
        write_envi(name, *_synthetic(48, 64, 40, seed))


@dataclass(frozen=True)
class Case:
    """A scene, how to encode it, and whether the report of its stream shows what the case is there for."""

    write: Callable[[Path], None]
    options: str
    shows: Callable[[dict[str, Any]], bool]


CASES = {
    "folded": Case(
        _folded,
        "--bps 0.4 --strip-lines 24",
        lambda report: min(len(report["intervals"]), report["rotations"], len(report["segments"])) > 1,
    ),
    "uniform": Case(
        _folded,
        "--psnr 75 --quantiser uniform --strip-lines 40",
        lambda report: report["quantiser"] == "uniform",
    ),
    "banded": Case(_banded, "--psnr 70 --spectral none", lambda report: report["spectral"] == "none"),
    "scaled": Case(_scaled, "--step 200 --scale auto", lambda report: report["scaling"] is not None),
    "absent": Case(_absent, "--bytes 9000 --no-data 0", lambda report: report["no_data"] is not None),
    "lossless": Case(_absent, "--lossless --no-data 0", lambda report: report["max_error"] == 0),
    "bounded": Case(
        _folded, "--max-error 9 --bps 0.3 --strip-lines 40", lambda report: report["max_error"] == 9
    ),
    "sensed": Case(
        _sensed, "--bps 0.8 --sensor fit.bfm --spectral sensor", lambda report: report["sensor"] is not None
    ),
}


@dataclass(frozen=True)
class Encoded:
    """The stream that x86-64 made of a scene, and how."""

    folder: Path
    options: list[str]
    stream: bytes

    def decoder(self, stream):
        return Decoder(stream, models=sorted(self.folder.glob("*.bfm")))


@pytest.fixture(scope="module", params=CASES)
def encoded(request, native, tmp_path_factory):
    case = CASES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    case.write(folder / "scene.hdr")
    if "--sensor" in case.options:
        native.bandfold("fit", "fit.hdr", "-o", "fit.bfm", folder=folder)
    options = case.options.split()
    native.bandfold("encode", "scene.hdr", "-o", "native.bf", *options, folder=folder)
    result = Encoded(folder, options, (folder / "native.bf").read_bytes())
    assert case.shows(result.decoder(result.stream).report())
    return result


def test_here_is_x86_64_with_kernels_and_constriction(native):
    probe = json.loads(native.run("-c", PROBE))
    assert probe["kernels"]
    assert probe["machine"] == "x86_64"
    assert probe["constriction"]


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("cpu", CPUS)
def test_there_is_arm_with_arithmetic_of_its_own(native, arm, cpu, threads):
    """Products of floats differ between the machines, so that equal files mean something."""
    here, there = (json.loads(machine.run("-c", PROBE)) for machine in (native, arm(cpu, threads)))
    print(f"{cpu}: NumPy {there['numpy']}, OpenBLAS kernels {there['kernel']}")
    assert there["machine"] == "aarch64"
    assert not there["constriction"]
    assert there["kernels"]
    assert there["threads"] == threads
    assert there["floats"] != here["floats"]
    assert there["integers"] == here["integers"]


@pytest.mark.parametrize("how", ["kernels, 1 thread", "kernels, 2 threads", "NumPy"])
@pytest.mark.parametrize("cpu", CPUS)
def test_arm_writes_the_same_file(encoded, arm, cpu, how):
    threads = 2 if "2" in how else 1
    name = f"{cpu}-{how}.bf"
    machine = arm(cpu, threads)
    if how == "NumPy":
        machine.environment["BANDFOLD_KERNELS"] = "off"
    call = ("encode", "scene.hdr", "-o", name, "--threads", threads, *encoded.options)
    machine.bandfold(*map(str, call), folder=encoded.folder)
    stream = (encoded.folder / name).read_bytes()
    differing = [at for at, (a, b) in enumerate(zip(stream, encoded.stream, strict=False)) if a != b]
    assert not differing, f"{len(differing)} of {len(stream)} bytes differ, from byte {differing[0]} on"
    assert len(stream) == len(encoded.stream)
    decoder = encoded.decoder(stream)
    np.testing.assert_array_equal(decoder.decode(), encoded.decoder(encoded.stream).decode())
    assert decoder.damage == []


@pytest.mark.parametrize("cpu", CPUS)
def test_engines_of_the_extras_start(arm, cpu):
    """What they compute is a matter of other tests; this one says that their wheels run at all."""
    program = (
        "import onnxruntime, ai_edge_litert.interpreter as litert; "
        "print(onnxruntime.get_available_providers(), litert.Interpreter)"
    )
    assert "CPUExecutionProvider" in arm(cpu, wheels="engines").run("-c", program)
