"""The house: what pip installs is the working tree, and no room is too large to be kept in mind."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import bandfold

ROOT = Path(__file__).resolve().parents[1]
NOT_CODE = {"tests", "docs", "examples", "build", "out", "dist", "bandfold-demo", "libbandfold"}
MOST_MODULES = 15


def code():
    """All modules of the package, by the path in the tree."""
    tops = (path for path in ROOT.iterdir() if path.is_dir() and path.name[0] != ".")
    folders = (path for path in tops if path.name not in NOT_CODE and not path.name.endswith(".egg-info"))
    return [path.relative_to(ROOT) for folder in folders for path in folder.rglob("*.py")]


def test_every_room_is_a_package_that_is_installed():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^packages = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    found = {".".join(("bandfold", *path.parent.parts)) for path in code()}
    assert set(re.findall(r'"([\w.]+)"', listed.group(1))) == found | {"bandfold"}


def test_every_room_says_what_enters_and_leaves():
    for folder in {path.parent for path in code()}:
        text = (ROOT / folder / "__init__.py").read_text(encoding="utf-8")
        assert re.match(r'"""\w[^\n]{20,}', text), folder


def test_no_room_of_the_codec_has_too_many_modules():
    rooms = {}
    for path in code():
        if path.parts[0] in ("common", "bitstream", "onboard", "ground") and path.name != "__init__.py":
            rooms.setdefault(path.parent, []).append(path.name)
    assert {room: sorted(names) for room, names in rooms.items() if len(names) > MOST_MODULES} == {}


@pytest.mark.parametrize("name", [one for one in bandfold.__all__ if one != "open"])
def test_the_namespace_has_what_it_names(name):
    assert getattr(bandfold, name) is not None
    assert name in dir(bandfold)


def test_the_namespace_has_nothing_else():
    with pytest.raises(AttributeError, match="no attribute 'Rencoder'"):
        bandfold.Rencoder  # noqa: B018


def test_an_encoder_of_the_namespace_imports_neither_ground_nor_engines():
    program = """
import sys
import bandfold
assert not any(name.startswith("bandfold.") for name in sys.modules), "import bandfold loads rooms"
bandfold.Encoder, bandfold.StreamEncoder, bandfold.__version__
heavy = ("bandfold.ground", "bandfold.formats", "onnxruntime", "ai_edge_litert", "torch", "scipy")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
