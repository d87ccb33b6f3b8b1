"""What pip installs is the working tree: a folder that pyproject.toml forgets would only fail elsewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP = (
    *("bitstream", "onboard", "ground", "formats", "zarrcodec"),
    *("calibration", "training", "export", "cli", "benchmarks"),
)


def test_every_folder_of_code_is_a_package_that_is_installed():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^packages = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    found = {
        ".".join(("bandfold", *path.parent.relative_to(ROOT).parts))
        for top in TOP
        for path in (ROOT / top).rglob("*.py")
    }
    assert set(re.findall(r'"([\w.]+)"', listed.group(1))) == found
