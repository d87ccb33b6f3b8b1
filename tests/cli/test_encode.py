"""`bandfold encode`."""

import json
import math
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from bandfold.formats.envi.reader import open_envi

from .conftest import check_failure


def listing(directory):
    return sorted(os.listdir(directory))


def quality(run, other, reference="scene.hdr"):
    assert run("decode", other, "-o", "again.hdr").status == 0
    return json.loads(run("compare", reference, "again.hdr", "--json").out)["whole"]


@pytest.mark.parametrize(("option", "rate"), [("--bps", 0.5), ("--bytes", 1200)])
def test_rate_is_met(run, tmp_path, scene, option, rate):
    result = run("encode", "scene.hdr", "-o", "a.bf", option, rate, "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    size = (tmp_path / "a.bf").stat().st_size
    limit = rate * scene.size / 8 if option == "--bps" else rate
    assert 0.9 * limit <= size <= limit
    assert report["bytes"] == size
    assert report["bps"] == pytest.approx(size * 8 / scene.size)
    assert report["ratio"] == pytest.approx(scene.nbytes / size)


def test_quality_is_met(run, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--psnr", 66).status == 0
    assert quality(run, "a.bf")["psnr"] == pytest.approx(66, abs=0.5)


def test_step_is_taken(run, scene):
    result = run("encode", "scene.img", "-o", "a.bf", "--step", 8)
    assert result.status == 0
    assert result.out.startswith("a.bf: ")
    assert " bits per sample, " in result.out
    assert json.loads(run("info", "a.bf", "--json").out)["step"] == pytest.approx(8, rel=0.05)


@pytest.mark.parametrize("given", [(), ("--bps", 1, "--psnr", 60), ("--bytes", 9, "--step", 1)])
def test_exactly_one_rate_is_needed(run, tmp_path, scene, given):
    before = listing(tmp_path)
    result = run("encode", "scene.hdr", "-o", "a.bf", *given)
    check_failure(result, 2, "give exactly one of --bps, --bytes, --psnr, --rmse and --step")
    assert all(option in result.err for option in given if isinstance(option, str))
    assert listing(tmp_path) == before


def test_bands_on_their_own(run, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--spectral", "none").status == 0
    assert json.loads(run("info", "a.bf", "--json").out)["spectral"] == "none"


def test_partition_of_a_file(run, tmp_path, scene):
    (tmp_path / "p.json").write_text('{"ends": [7, 33, 40]}')
    assert run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--partition", "p.json").status == 0
    assert json.loads(run("info", "a.bf", "--json").out)["intervals"] == [7, 33, 40]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        ("[" * 100000, "is not JSON"),
        ("[7, 40]", "does not hold"),
        ('{"end": [40]}', "does not hold"),
        ('{"ends": 40}', "does not hold"),
        ('{"ends": []}', "does not hold"),
        ('{"ends": [7, true]}', "does not hold"),
        ('{"ends": [7.0, 40]}', "does not hold"),
        ('{"ends": [7, 39]}', "40"),
        ('{"ends": [7, 7, 40]}', "7"),
        ('{"ends": [-7, 40]}', "-7"),
    ],
)
def test_bad_partition_is_refused(run, tmp_path, scene, content, message):
    if content is not None:
        (tmp_path / "p.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    before = listing(tmp_path)
    check_failure(run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--partition", "p.json"), 2, message)
    assert listing(tmp_path) == before


def test_partition_of_aviris_needs_its_bands(run, scene):
    check_failure(
        run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--partition", "aviris-2022"), 2, "224"
    )


def test_float_scene_with_automatic_scaling(run, tmp_path, float_scene):
    assert run("encode", "float.hdr", "-o", "a.bf", "--step", 4, "--scale", "auto").status == 0
    whole = quality(run, "a.bf", "float.hdr")
    present = float_scene[float_scene != -9999]
    assert whole["max_error"] < 0.01 * np.ptp(present)
    again = open_envi(tmp_path / "again.hdr", for_coding=False)
    assert again.info.no_data == -9999
    np.testing.assert_array_equal(again.read(slice(0, 12), slice(0, 24)) == -9999, float_scene == -9999)


def test_float_scene_with_given_scaling(run, float_scene):
    given = ("--scale", "1e-5", "--offset", "0.2", "--no-data", "-9999")
    assert run("encode", "float.hdr", "-o", "a.bf", "--step", 2, *given).status == 0
    assert json.loads(run("info", "a.bf", "--json").out)["scaling"] == {"scale": 1e-5, "offset": 0.2}


def test_automatic_scaling_leaves_small_integers_alone(run, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--scale", "auto").status == 0
    assert json.loads(run("info", "a.bf", "--json").out)["scaling"] is None


def test_bad_scaling_is_refused(run, tmp_path, scene, float_scene):
    before = listing(tmp_path)
    for options, status, message in [
        (("float.hdr",), 0, ""),
        (("float.hdr", "--scale", "auto", "--no-data", "none"), 0, ""),
        (("float.hdr", "--scale", "one"), 2, "--scale 'one' is not a number"),
        (("float.hdr", "--scale", "0"), 3, "scaling 0.0"),
        (("float.hdr", "--scale", "1e-9"), 3, "is outside"),
        (("float.hdr", "--scale", "auto", "--offset", "1"), 2, "--offset goes with a number"),
        (("float.hdr", "--offset", "1"), 2, "--offset goes with a number"),
        (("scene.hdr", "--scale", "2"), 3, "remove the scaling"),
        (("scene.hdr", "--no-data", "x"), 2, "--no-data 'x' is not a number"),
    ]:
        result = run("encode", *options, "-o", "a.bf", "--step", 8)
        if status:
            check_failure(result, status, message)
            assert listing(tmp_path) == before
        else:
            assert result.status == 0
            (tmp_path / "a.bf").unlink()


def test_infinite_sample_is_named(run, tmp_path, float_scene):
    samples = float_scene.copy()
    samples[5, 6, 7] = math.inf
    # Written in the byte order and layout of the file.
    (tmp_path / "float.img").write_bytes(samples.astype("<f4").tobytes())
    before = listing(tmp_path)
    result = run("encode", "float.hdr", "-o", "a.bf", "--step", 8, "--scale", "1e-5")
    check_failure(result, 3, "the sample inf at band 5, line 6, sample 7 (counted from 0)")
    assert listing(tmp_path) == before


def test_scene_is_not_overwritten(run, tmp_path, scene):
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name in ("scene.hdr", "scene.img"):
        check_failure(run("encode", "scene.hdr", "-o", name, "--bps", 1), 2, "is the scene itself")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_failures_leave_nothing(run, tmp_path, scene):
    before = listing(tmp_path)
    check_failure(run("encode", "no.hdr", "-o", "a.bf", "--bps", 1), 3, "no.hdr is not there")
    check_failure(run("encode", "scene.hdr", "-o", "no/a.bf", "--bps", 1), 8, "No such file or directory")
    check_failure(run("encode", "scene.hdr", "-o", "a.bf", "--bytes", 1), 4, "")
    check_failure(run("encode", "scene.hdr", "-o", "a.bf", "--bps", -1), 2, "")
    check_failure(run("encode", "scene.hdr", "-o", "a.bf", "--step", "nan"), 2, "")
    check_failure(run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--strip-lines", 0), 2, "")
    check_failure(run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--model", "no-such-model"), 5, "")
    assert listing(tmp_path) == before


def test_flight_install_is_enough(tmp_path, scene):
    program = textwrap.dedent(
        """
        import sys
        for name in ("matplotlib", "scipy", "torch", "onnx", "onnxruntime", "imagecodecs"):
            sys.modules[name] = None
        from bandfold.cli.main import main
        sys.argv[1:] = ["encode", "scene.hdr", "-o", "a.bf", "--bps", "0.5"]
        main()
        """
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert (tmp_path / "a.bf").stat().st_size > 0


def test_layout_is_remembered(run, tmp_path, scene):
    assert run("encode", "scene.hdr", "-o", "a.bf", "--step", 8).status == 0
    assert run("decode", "a.bf", "-o", "again.hdr").status == 0
    assert open_envi(tmp_path / "again.hdr").info == open_envi(tmp_path / "scene.hdr").info


def test_terminal_output_stays_out_of_pipes(tmp_path, scene):
    command = [
        sys.executable,
        "-m",
        "bandfold.cli.main",
        "encode",
        "scene.hdr",
        "-o",
        "a.bf",
        "--step",
        "8",
        "--json",
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout)["output"] == "a.bf"
