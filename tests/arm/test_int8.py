"""Models in 8-bit integers on ARM: the golden latents, and the files that x86-64 writes. `make test-arm`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.packages.registry import SHIPPED_PACKAGES
from bandfold.common.scene import SceneInfo
from bandfold.formats.envi.writer import write_envi
from bandfold.synthetic.scenes import SyntheticScene

pytestmark = pytest.mark.arm

CPUS = os.environ.get("BANDFOLD_ARM_CPUS", "cortex-a72 cortex-a76").split()
GOLDEN = Path(__file__).parents[1] / "golden"
INNOVATIONS = SHIPPED_PACKAGES / "innovations.bfm"
MODELS = {
    "golden-int8": (GOLDEN / "int8/golden-int8.bfm", "--step", "900"),
    "balle48-relu-cal-l1": (SHIPPED_PACKAGES / "balle48-relu-cal-l1.bfm", "--step", "900"),
    "innovations": (INNOVATIONS, "--bps", "0.8"),
    "innovations-stream": (INNOVATIONS, "--bps", "1.5", "--stream", "--strip-lines", "16"),
}
ENGINES = ("litert", "onnxruntime", "numpy")

LATENTS = """
import sys
import numpy as np
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.packages.package import load_package
from bandfold.onboard.networks.engine_choice import open_exact
from bandfold.onboard.networks.network_engine import integer_model
codec = BandCodec.from_package(load_package(sys.argv[1]))
with np.load(sys.argv[2]) as inputs:
    models = [integer_model(codec, number) for number in range(codec.engines)]
    found = {
        f"{name}-{threads}-{key}": open_exact(models[int(key[0])], name, threads).network.run(plane)
        for name in sys.argv[4:] for threads in (1, 2) for key, plane in inputs.items()
    }
np.savez(sys.argv[3], **found)
"""


CONTEXTS = """
import json
import sys
from pathlib import Path
from bandfold.bitstream.contexts.tables import NAMED_TABLES, load_tables
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.segments.predicted_codec import codec_of
from bandfold.onboard.networks.context_check import check_context_graphs
found = {}
for folder in Path(sys.argv[1]).iterdir():
    for graph in folder.glob("contexts*.onnx"):
        if folder.name in NAMED_TABLES:
            mode = load_tables(NAMED_TABLES[folder.name].path).modes[graph.stem.removeprefix("contexts-")]
        else:
            mode = codec_of(Registry().find(folder.name)).mode
        data = graph.read_bytes(), graph.with_suffix(".tflite").read_bytes()
        for threads in (1, 2):
            for engine, reason in check_context_graphs(mode.network, *data, threads):
                found[f"{folder.name} {graph.stem} {engine} {threads}"] = reason
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A made-up scene of signed integers, in the folder that is returned."""
    folder = tmp_path_factory.mktemp("int8")
    source = SyntheticScene(48, 64, 12, 9)
    cube = source.read(slice(0, 12), slice(0, 48)).astype(np.int32) - 9000
    cube = cube.clip(-32768, 32767).astype(np.int16)
    write_envi(folder / "scene.hdr", cube, SceneInfo(*cube.shape, cube.dtype), interleave="bil")
    return folder


@pytest.mark.parametrize("cpu", CPUS)
def test_arm_gives_the_golden_latents(arm, cpu, tmp_path):
    """Those of random and of smooth planes, of each engine, with one thread and with two."""
    with np.load(GOLDEN / "int8/inputs.npz") as inputs, np.load(GOLDEN / "int8/latents.npz") as latents:
        pinned = dict(latents)
        assert set(inputs) == set(pinned)
    paths = [
        str(path) for path in (MODELS["golden-int8"][0], GOLDEN / "int8/inputs.npz", tmp_path / "out.npz")
    ]
    arm(cpu, wheels="engines").run("-c", LATENTS, *paths, *ENGINES)
    with np.load(tmp_path / "out.npz") as found:
        assert len(found) == 2 * len(ENGINES) * len(pinned)
        for name, latents in found.items():
            wanted = pinned[name.split("-", 2)[2]]
            print(f"{cpu} {name}: {(latents != wanted).sum()} of {wanted.size} differ")
            np.testing.assert_array_equal(latents, wanted)


@pytest.mark.parametrize("cpu", CPUS)
def test_arm_passes_the_selftest_with_every_shipped_model(arm, cpu, tmp_path):
    checks = json.loads(arm(cpu, wheels="engines").bandfold("selftest", "--json", folder=tmp_path))["checks"]
    assert {check["engine"] for check in checks} == set(ENGINES)
    assert all(check["exact"] for check in checks)


@pytest.mark.parametrize("cpu", CPUS)
def test_arm_gives_the_classes_of_context_networks(native, arm, cpu, tmp_path):
    """Graphs that were written here, by each engine there, against NumPy there."""
    pytest.importorskip("onnx")
    pytest.importorskip("flatbuffers")
    for name in ("tables-uniform", "tables-dependent", "innovations"):
        native.bandfold("models", "extract", name, "-o", name, folder=tmp_path)
    found = json.loads(arm(cpu, wheels="engines").run("-c", CONTEXTS, str(tmp_path)))
    print(f"{cpu}: {sorted(found)}")
    assert len(found) == 5 * 2 * 2
    assert not any(found.values()), found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize("name", MODELS)
def test_arm_writes_the_same_file_with_a_model(native, arm, scene, name, cpu, engine):
    model, *target = MODELS[name]
    options = ("--model", str(model), *target)
    if not (scene / f"{name}.bf").exists():
        native.bandfold("encode", "scene.hdr", "-o", f"{name}.bf", *options, folder=scene)
    output = f"{name}-{cpu}-{engine}.bf"
    options = (*options, "--engine", engine, "--threads", "2", "--json")
    machine = arm(cpu, 2, wheels="engines")
    report = json.loads(machine.bandfold("encode", "scene.hdr", "-o", output, *options, folder=scene))
    assert report["engine"] == engine
    assert (scene / output).read_bytes() == (scene / f"{name}.bf").read_bytes()
    assert report["bytes"] > 500
