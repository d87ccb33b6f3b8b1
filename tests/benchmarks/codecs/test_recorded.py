"""Recorded curves."""

import json

import pytest

from bandfold.benchmarks.codecs.recorded import read_anchors
from bandfold.common.errors import SettingsError


def test_curves_lose_their_seconds(tmp_path):
    path = tmp_path / "anchors.json"
    path.write_text(json.dumps({"scenes": {"a": {"JPEG 2000": [[0.1, 50, 0.3], [0.5, 60, 0.3]]}}}))
    assert read_anchors(path) == {"a": {"JPEG 2000": [(0.1, 50.0), (0.5, 60.0)]}}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"scenes": {"a": {"b": [[1]]}}}', '{"scenes": {"a": 3}}'])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "anchors.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"anchors\.json"):
        read_anchors(path)
