"""A finished run as a folder, and a codec made of nothing but that folder."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from bandfold.benchmarks.codecs.band_model import BandModel, code_scene  # noqa: E402
from bandfold.common.errors import ModelError, StreamError  # noqa: E402
from bandfold.export.integer_analysis import Calibration  # noqa: E402
from bandfold.export.layout import read_export  # noqa: E402
from bandfold.export.pack import make_package, write_package  # noqa: E402
from bandfold.export.run import export_run  # noqa: E402
from bandfold.ground.decoder import Decoder  # noqa: E402
from bandfold.onboard.encoder import Encoder  # noqa: E402
from bandfold.onboard.networks.engine_choice import ENGINES  # noqa: E402
from bandfold.training.config import load_config  # noqa: E402
from bandfold.training.training_run import train_run  # noqa: E402
from bandfold.training.training_scenes import TrainingScene, centred, scene_deviation  # noqa: E402

ENDS = (2, 4, 6, 8, 10)


def smooth_cube(seed):
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(np.cumsum(rng.normal(0, 1, (10, 48, 40)), axis=1), axis=2)
    smooth -= smooth.mean(axis=(1, 2), keepdims=True)
    return np.rint(300 * smooth / smooth.std() - 50).astype(np.int16)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run that is not trained to any use, but to the end."""
    folder = tmp_path_factory.mktemp("run")
    planes = centred(smooth_cube(0))[0]
    scene = TrainingScene("made-up", planes, scene_deviation(planes), ENDS)
    config = load_config("balle48-smoke")
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, parts=((1,), (2, 3))))
    train_run(config, [scene], folder, device=torch.device("cpu"))
    return folder


@pytest.fixture(scope="module")
def folder(run):
    return export_run(run)


def test_description_says_what_there_is(folder):
    about = json.loads((folder / "model.json").read_text())
    assert (about["name"], about["network"], about["channels"]) == ("balle48-smoke", "balle48", 48)
    assert [engine["parts"] for engine in about["engines"]] == [[1], [2, 3]]
    assert about["training"]["scenes"] == ["made-up"]
    assert 1540 < about["multiplications_per_sample"]["analysis"] < 1740
    for engine in about["engines"]:
        assert (folder / engine["analysis"]).is_file()
        assert (folder / engine["synthesis"]).is_file()
    with np.load(folder / "tables.npz") as archive:
        assert archive["frequencies"].shape == (2, 48, 80)


def test_the_folder_alone_codes_signed_scenes(folder):
    model = BandModel(folder)
    cube = smooth_cube(5)[:, :37, :29]
    cube[3] = -7
    deviation = scene_deviation(cube.astype(np.float64))
    fine, coarse = (code_scene(model, cube, ENDS, deviation / contrast) for contrast in (1.0, 0.05))
    assert list(fine) == [1, 2, 3, 4, 5]
    for number in fine:
        assert fine[number].samples == cube[2 * number - 2 : 2 * number].size
        assert fine[number].nbytes > coarse[number].nbytes
        assert fine[number].squared_error < coarse[number].squared_error
    # Untrained for all that matters, and still a transform: most of the variance arrives.
    total = sum(one.squared_error for one in fine.values()) / cube.size
    assert total < 0.3 * deviation**2


def test_empty_bands_cost_next_to_nothing_and_come_back_flat(folder):
    model = BandModel(folder)
    cube = np.full((8, 32, 32), 1234, np.uint16)
    payload = model.encode(cube, 1, 10.0)
    assert len(payload) < 24
    np.testing.assert_array_equal(model.decode(payload, cube.shape, 1, 10.0), cube)


def test_later_intervals_use_the_last_engine(folder):
    model = BandModel(folder)
    assert [model.engine(interval) for interval in (1, 2, 3, 4, 5)] == [0, 1, 1, 1, 1]


def test_damaged_payloads_are_refused(folder):
    model = BandModel(folder)
    cube = smooth_cube(6)
    payload = model.encode(cube, 1, 50.0)
    with pytest.raises(StreamError):
        model.decode(payload[:-5], cube.shape, 1, 50.0)
    with pytest.raises(ModelError, match="not an exported model"):
        BandModel(folder.parent)


def test_unfinished_runs_are_refused(run, tmp_path):
    (tmp_path / "run.json").write_bytes((run / "run.json").read_bytes())
    with pytest.raises(ModelError, match="train the run to the end"):
        export_run(tmp_path)


def test_networks_without_an_export_are_refused(run, tmp_path):
    text = (run / "run.json").read_text().replace('"balle48"', '"restoration"')
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ModelError, match="run of restoration, which has no export"):
        export_run(tmp_path)
    assert not (tmp_path / "export").exists()


def test_a_run_with_relu_is_quantised_packed_and_coded(tmp_path):
    """All of it: trained, exported to both formats, the same stream from every engine, and back."""
    pytest.importorskip("ai_edge_litert")
    planes = centred(smooth_cube(0))[0]
    scene = TrainingScene("made-up", planes, scene_deviation(planes), ENDS)
    config = load_config("balle48-smoke")
    data = dataclasses.replace(config.data, parts=((1, 2, 3, 4, 5),))
    config = dataclasses.replace(config, network="balle48-relu", data=data)
    train_run(config, [scene], tmp_path, device=torch.device("cpu"))
    export = read_export(export_run(tmp_path, calibration=Calibration([scene], batches=4)))
    package = write_package(make_package(export, precision="int8"), tmp_path / "int8.bfm")
    assert sorted(package.engines) == ["analysis-0.onnx", "analysis-0.tflite", "synthesis-0.onnx"]
    card = package.manifest.card
    assert (card["analysis computes in"], card["calibration"]["scenes"]) == ("int8", ["made-up"])
    assert card["calibration"]["engines"][0]["layers"][0]["name"] == "input"
    cube = smooth_cube(5)
    step = 2 * scene_deviation(cube.astype(np.float64))
    streams = {name: Encoder(step=step, model=package, engine=name).encode(cube) for name in ENGINES}
    assert len(set(streams.values())) == 1
    restored = Decoder(streams["numpy"], models=[tmp_path / "int8.bfm"]).decode()
    assert ((restored - cube.astype(np.float64)) ** 2).mean() < 0.7 * cube.var()
    half = write_package(make_package(export, precision="fp16"), tmp_path / "fp16.bfm")
    assert half.manifest.card["analysis computes in"] == "fp16"
