"""What pip would install on a board comes as wheels alone: `make test-wheels` asks the package index."""

from pathlib import PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .wheels import WHEELS_ONLY, NotOnBoardError, pip, resolve

pytestmark = pytest.mark.wheels

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
EXTRAS = {"onnx": "onnxruntime", "tflite": "ai-edge-litert", "packets": "spacepackets", "power": "psutil"}


def _files(items):
    return [PurePosixPath(item["download_info"]["url"]).name for item in items]


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("python", PYTHONS)
def test_an_extra_comes_as_wheels_on_a_board(python, extra, tmp_path):
    wanted, items = resolve(python, [extra])
    names = {canonicalize_name(item["metadata"]["name"]) for item in items}
    assert {"numpy", "click", "rich", "google-crc32c", EXTRAS[extra]} <= names
    assert "constriction" not in names
    files = _files(items)
    print(*files, sep="\n")
    compiled = [file for file in files if not file.endswith("-any.whl")]
    assert len(compiled) > 2
    assert all(file.endswith("_aarch64.whl") for file in compiled)
    # And without being told to: a newer version that has no wheel would be preferred.
    plain = pip(python, wanted, "--no-deps", "--dry-run", "--target", str(tmp_path))
    assert sorted(_files(plain)) == sorted(files)


def test_what_has_no_wheel_for_arm_is_noticed(tmp_path):
    """constriction is why there are markers: where it has wheels for ARM one day, they can go."""
    constriction = Requirement("constriction==0.5.0")
    with pytest.raises(NotOnBoardError, match="No matching distribution found for constriction"):
        pip("3.11", [constriction], WHEELS_ONLY, "--dry-run", "--target", str(tmp_path))
