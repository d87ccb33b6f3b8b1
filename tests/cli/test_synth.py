"""`bandfold synth`."""

import json
import os

import numpy as np

from bandfold.formats.envi.reader import open_envi
from bandfold.synthetic.scenes import SyntheticScene

from .conftest import check_failure

SMALL = ("--lines", 70, "--samples", 5, "--bands", 3, "--seed", 9)


def test_file_holds_the_scene(run, tmp_path):
    result = run("synth", "-o", "a.hdr", *SMALL)
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("a.hdr: 3 bands, 70 lines, 5 samples")
    source, expected = open_envi(tmp_path / "a.hdr"), SyntheticScene(70, 5, 3, 9)
    assert source.info.interleave == "bil"
    assert source.info.metadata == expected.info.metadata
    everything = slice(0, 3), slice(0, 70)
    np.testing.assert_array_equal(source.read(*everything), expected.read(*everything))


def test_report_as_json(run):
    report = json.loads(run("synth", "-o", "a.hdr", *SMALL, "--interleave", "bip", "--json").out)
    assert report["raw"] == "a.img"
    assert (report["bands"], report["lines"], report["samples"], report["seed"]) == (3, 70, 5, 9)


def test_failures_leave_nothing(run, tmp_path):
    check_failure(run("synth", "-o", "a.hdr", "--lines", 0), 2, "0 is not in the range")
    check_failure(run("synth", "-o", "a.hdr", "--seed", -1), 2, "seed -1 is negative")
    check_failure(run("synth", "-o", "a.tif", *SMALL), 2, "end it in .hdr")
    check_failure(run("synth", "-o", "no/a.hdr", *SMALL), 8, "No such file or directory")
    assert os.listdir(tmp_path) == []
