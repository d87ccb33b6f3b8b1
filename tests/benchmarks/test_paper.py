"""The published comparison from a scene file to a table and a figure."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from bandfold.benchmarks.codecs.published_model import PublishedModel
from bandfold.benchmarks.measures.quality import psnr
from bandfold.benchmarks.paper import main
from bandfold.benchmarks.rate_distortion.interval_results import parts_of
from bandfold.bitstream.packages.registry import Registry
from bandfold.common.errors import SettingsError
from bandfold.ground import Decoder

BANDS = 46


@pytest.fixture(scope="module")
def scene():
    """Bands of one scene that rise and fall together, enough for two intervals."""
    rng = np.random.default_rng(8)
    image = rng.normal(size=(24, 40)).cumsum(axis=0).cumsum(axis=1)
    bands = image * np.linspace(20, 60, BANDS)[:, None, None] + rng.normal(0, 4, (BANDS, 24, 40))
    return np.rint(bands - bands.min()).astype(np.uint16)


@pytest.fixture
def file(tmp_path, scene):
    path = tmp_path / "field.npy"
    np.save(path, scene)
    return path


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_parts_are_the_intervals_that_have_bands_and_the_whole():
    parts = parts_of("field", (40, 40, 46, 46, 50))
    assert [part.name for part in parts] == [
        "interval 1, bands 1-40",
        "interval 3, bands 41-46",
        "interval 5, bands 47-50",
        "field, all bands",
    ]
    assert [(part.bands, part.ends, part.intervals) for part in parts[1:]] == [
        (slice(40, 46), (6,), (2,)),
        (slice(46, 50), (4,), (4,)),
        (slice(0, 50), (40, 46, 50), (0, 2, 4)),
    ]


def test_bands_of_an_interval_go_through_its_network(scene):
    package = Registry().find("balle48-relu-cal-l1")
    reports = []
    for ends, intervals in (((BANDS,), (0,)), ((BANDS,), (3,)), ((40, BANDS), (0, 1))):
        codec = PublishedModel(package, ends, intervals)
        encoded = codec.encode(scene, 0.3)
        assert 8 * len(encoded.stream) <= 0.3 * scene.size
        assert psnr(scene, codec.decode(encoded.stream).cube) > psnr(scene, np.full_like(scene, scene.mean()))
        reports.append(encoded.stream)
    assert len(set(reports)) == 3
    assert Decoder(reports[2]).report()["bands"] == BANDS
    with pytest.raises(SettingsError, match="has 5 intervals"):
        PublishedModel(package, (BANDS,), (5,))
    with pytest.raises(SettingsError, match="predicts bands"):
        PublishedModel(Registry().find("innovations"), (BANDS,), (0,))


def test_the_program_measures_intervals_and_draws_them(file, tmp_path):
    out, image, anchors = (tmp_path / name for name in ("paper.json", "paper.png", "anchors.json"))
    anchors.write_text(
        json.dumps({"scenes": {"field": {"CCSDS 122": [[0.4, 50.0, 1], [1.5, 60.0, 1]], "x": []}}})
    )
    rates = ["--rates", "0.4,1.5", "--model-rates", "0.025,0.04,0.5", "--fold"]
    done = run(file, "-o", image, "--json", out, "--anchors", anchors, *rates)
    assert done.exit_code == 0, done.output
    assert "field (calibrated): models innovations and balle48-relu-cal-l1" in done.output
    table = done.output[done.output.index("| predicted bands against") :].splitlines()
    assert table[0] == (
        "| predicted bands against (0.02-1 bps) | JPEG 2000 | CCSDS 122 | published method | fold |"
    )
    assert [row.split(" | ")[0] for row in table[2:]] == [
        "| interval 1, bands 1-40",
        "| interval 2, bands 41-46",
        "| field, all bands",
    ]
    assert float(table[4].split(" | ")[2].split()[0]) < -20
    measured = json.loads(out.read_text())["scenes"]["field, all bands"]["measured"]
    (first, second) = (point["psnr"] for point in measured["CCSDS 122"]["points"])
    said = f"its recorded curve, dB at bps: {first - 50:+.3f} at 0.400, {second - 60:+.3f} at 1.500"
    assert done.output.count("from its recorded curve") == 1
    assert said in done.output
    assert list(measured) == ["predicted bands", "JPEG 2000", "CCSDS 122", "published method", "fold"]
    assert [point["asked"] for point in measured["CCSDS 122"]["points"]] == [0.4, 1.5]
    assert image.read_bytes().startswith(b"\x89PNG")


def test_raw_scenes_and_models_that_have_seen_one(file, tmp_path, scene):
    description = {"name": "field", "place": "", "sensor": "", "level": "raw DN"}
    (tmp_path / "scenes.json").write_text(json.dumps([description]))
    few = ["--rates", "1", "--model-rates", "0.5"]
    assert "field (raw): models innovations and balle48-relu-uncal-l1" in run(file, *few).output
    assert (
        "field (calibrated): models innovations;"
        in run(file, *few, "--calibrated", "--published", "none", "--segment-blocks", "16").output
    )
    seen = tmp_path / "abu_beach_1.npy"
    np.save(seen, scene[:, :, :20])
    refused = run(seen, *few)
    assert isinstance(refused.exception, SettingsError)
    assert "was trained on abu_beach_1" in str(refused.exception)
    allowed = run(seen, *few, "--seen")
    assert allowed.exit_code == 0, allowed.output
    assert "which flatters it" in allowed.output
