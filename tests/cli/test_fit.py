"""`bandfold fit`, and coding with what it writes."""

import json

import pytest

from bandfold.formats.envi.writer import write_envi
from bandfold.synthetic.scenes import SyntheticScene

from .conftest import check_failure


@pytest.fixture
def scenes(tmp_path):
    """Three made-up scenes of one sensor: a.hdr and b.hdr to fit, c.hdr to encode."""
    for seed, name in enumerate("abc"):
        source = SyntheticScene(24, 32, 40, seed=seed)
        write_envi(tmp_path / f"{name}.hdr", source.read(slice(0, 40), slice(0, 24)), source.info)


def test_fit_encode_decode(run, tmp_path, scenes):
    result = run("fit", "a.hdr", "b.hdr", "-o", "My Sensor.bfm", "--description", "made up", "--json")
    assert (result.status, result.err) == (0, "")
    report = json.loads(result.out)
    assert report["name"] == "my-sensor"
    assert report["training scenes"] == ["a", "b"]
    assert report["bytes"] == (tmp_path / "My Sensor.bfm").stat().st_size

    sensor = ("--sensor", "My Sensor.bfm", "--spectral", "sensor")
    assert run("encode", "c.hdr", "-o", "c.bf", "--step", 20, *sensor).status == 0
    check_failure(run("decode", "c.bf", "-o", "d.hdr"), 5, f"'my-sensor' with hash {report['hash'][:16]}")
    assert not (tmp_path / "d.hdr").exists()
    assert run("decode", "c.bf", "-o", "d.hdr", "--model", "My Sensor.bfm").status == 0
    assert json.loads(run("compare", "c.hdr", "d.hdr", "--json").out)["whole"]["psnr"] > 70
    info = json.loads(run("info", "c.bf", "--model", "My Sensor.bfm", "--json").out)
    assert (info["sensor"], info["sensor_hash"]) == ("my-sensor", report["hash"][:16])


def test_a_package_on_the_search_path_is_found_by_name(run, tmp_path, scenes, monkeypatch):
    (tmp_path / "packages").mkdir()
    monkeypatch.setenv("BANDFOLD_MODELS", str(tmp_path / "packages"))
    result = run("fit", "a.hdr", "-o", "packages/one.bfm", "--name", "found", "--partition", "auto")
    assert result.status == 0
    assert "packages/one.bfm: found" in result.out
    arguments = ("--sensor", "found", "--spectral", "sensor")
    assert run("encode", "c.hdr", "-o", "c.bf", "--step", 20, *arguments).status == 0
    assert run("decode", "c.bf", "-o", "d.hdr").status == 0


def test_floats_are_fitted_as_their_counts(run, float_scene):
    assert run("fit", "float.hdr", "-o", "f.bfm", "--scale", "auto", "--no-data", "-9999").status == 0
    sensor = ("--sensor", "f.bfm", "--spectral", "sensor", "--scale", "auto", "--no-data", "-9999")
    assert run("encode", "float.hdr", "-o", "f.bf", "--step", 4, *sensor).status == 0
    assert run("decode", "f.bf", "-o", "back.hdr", "--model", "f.bfm").status == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("fit", "-o", "s.bfm"), 2, "SCENES"),
        (("fit", "a.hdr", "-o", "s.zip"), 2, "ends in .bfm"),
        (("fit", "a.hdr", "-o", "s.bfm", "--name", "A B"), 5, "not possible"),
        (("fit", "no.hdr", "-o", "s.bfm"), 3, "no.hdr"),
        (("fit", "a.hdr", "scene.hdr", "-o", "s.bfm", "--partition", "aviris-2022"), 2, "224"),
        (("encode", "a.hdr", "-o", "a.bf", "--step", 9, "--sensor", "no-such"), 5, "aviris-224"),
        (("encode", "a.hdr", "-o", "a.bf", "--step", 9, "--sensor", "no.bfm"), 5, "cannot be read"),
        (("encode", "a.hdr", "-o", "a.bf", "--step", 9, "--sensor", "aviris-224"), 5, "is for 224 bands"),
        (("encode", "a.hdr", "-o", "a.bf", "--step", 9, "--spectral", "sensor"), 2, "needs a sensor package"),
        (
            ("encode", "a.hdr", "-o", "a.bf", "--step", 9, "--model", "aviris-224"),
            5,
            "a model needs one of kind",
        ),
        (("decode", "a.hdr", "-o", "a2.hdr", "--model", "a.hdr"), 5, "damaged or no package"),
    ],
)
def test_failures(run, tmp_path, scenes, scene, arguments, status, message):
    check_failure(run(*arguments), status, message)
    assert not list(tmp_path.glob("*.bf*"))
