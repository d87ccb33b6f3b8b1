"""A restoration run as a package."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from click.testing import CliRunner  # noqa: E402

from bandfold.bitstream.packages.package import load_package  # noqa: E402
from bandfold.cli.main import main  # noqa: E402
from bandfold.common.errors import ModelError  # noqa: E402
from bandfold.export.restoration_package import make_restoration  # noqa: E402
from bandfold.ground.restoration.restoration_model import RestorationModel  # noqa: E402
from bandfold.onboard.samples.samples import ArraySource  # noqa: E402
from bandfold.training.config import DataConfig, TrainingConfig, load_config  # noqa: E402
from bandfold.training.restoration_network import FACTS, WINDOWS  # noqa: E402
from bandfold.training.training_run import train_run  # noqa: E402
from bandfold.training.training_scenes import TrainingScene, centred, scene_deviation  # noqa: E402


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    cube = np.rint(1000 + np.cumsum(np.cumsum(rng.normal(0, 1, (8, 32, 32)), axis=1), axis=2)).astype("i2")
    planes = centred(cube)[0]
    scene = TrainingScene("made-up", planes, scene_deviation(planes), (8,), ArraySource(cube))
    config = dataclasses.replace(
        load_config("restore"),
        data=DataConfig(batch=256),
        training=TrainingConfig(steps=3, save_every=3, log_every=3),
    )
    train_run(config, [scene], folder, device=torch.device("cpu"))
    return folder


def test_the_command_packs_a_run(run, tmp_path):
    output = tmp_path / "mine.bfm"
    result = CliRunner().invoke(main, ["export", str(run), "-o", str(output), "--name", "mine"])
    assert result.exit_code == 0, result.output
    package = load_package(output)
    model = RestorationModel.from_package(package)
    assert model.name == "mine"
    assert model.kernels == WINDOWS
    assert package.manifest.card["training scenes"] == ["made-up"]
    # 34 x 48 + 48, 48 x 48 + 48, 48 x 8 + 8.
    assert package.manifest.card["parameters"] == FACTS * 48 + 48 + 48 * 49 + 48 * 8 + 8
    gains = model.network().run(np.zeros((1, FACTS, 64, 7), dtype=np.float32))
    assert gains.shape == (1, len(WINDOWS) + 1, 64, 7)


def test_unfinished_runs_are_refused(run, tmp_path):
    (tmp_path / "run.json").write_text((run / "run.json").read_text())
    with pytest.raises(ModelError, match="train the run to the end"):
        make_restoration(tmp_path)
