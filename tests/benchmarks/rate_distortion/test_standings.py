"""Standings: figures per scene, means over scenes, text and JSON."""

import json
import math

import pytest

from bandfold.benchmarks.rate_distortion.curves import Measured, Point
from bandfold.benchmarks.rate_distortion.rd_plot import plot
from bandfold.benchmarks.rate_distortion.rd_text import as_json, means_text, scene_text
from bandfold.benchmarks.rate_distortion.standings import SceneResult, means
from bandfold.common.errors import OutputError

ANCHOR = [(0.05, 60.0), (0.1, 64.0), (0.25, 69.0), (0.5, 73.0), (1.0, 77.5)]
POOR = [(rate, quality - 30) for rate, quality in ANCHOR]


def measured(name, factor, failures=()):
    points = tuple(Point(rate, rate * factor, quality, 1.5, 0.5, 0.1) for rate, quality in ANCHOR)
    return Measured(name, points, failures)


def result(scene, factor, *, aviris=True, rivals=(), recorded=None):
    recorded = {"KLT": ANCHOR, "plain": POOR} if recorded is None else recorded
    return SceneResult(scene, (3, 4, 5), aviris, measured("bandfold", factor), rivals, recorded, (0.05, 1.0))


def test_a_scene_is_compared_with_every_other_codec():
    one = result("a", 0.8, rivals=(measured("live", 1.6),))
    assert list(one.anchors) == ["KLT", "plain", "live"]
    assert one.against("KLT").percent == pytest.approx(-20)
    assert one.against("live").percent == pytest.approx(-50)
    assert "no shared quality" in one.against("plain").reason
    assert one.gap("plain") == pytest.approx(30 + one.gap("KLT"))
    assert one.gap("KLT") > 0


def test_a_live_codec_replaces_its_recorded_curve():
    one = result("a", 0.8, rivals=(measured("KLT", 0.8),))
    assert one.against("KLT").percent == pytest.approx(0, abs=1e-9)


def test_means_are_taken_over_all_and_over_aviris_scenes():
    results = [result("a", 0.8), result("b", 0.6), result("c", 0.9, aviris=False, recorded={"KLT": ANCHOR})]
    standing = {(mean.anchor, mean.scenes): mean for mean in means(results)}
    assert standing["KLT", "all"].percent == pytest.approx(-(20 + 40 + 10) / 3)
    assert standing["KLT", "all"].counted == 3
    assert standing["KLT", "AVIRIS"].percent == pytest.approx(-30)
    assert standing["KLT", "AVIRIS"].counted == 2
    assert math.isnan(standing["plain", "all"].percent)
    assert (standing["plain", "all"].counted, standing["plain", "all"].gap_counted) == (0, 2)
    assert standing["plain", "all"].gap > 30


def test_text_tells_figures_gaps_and_failures():
    one = result("a", 0.8, rivals=(measured("live", 1.6, ("live at 9 bps: no",)),))
    text = scene_text(one)
    assert "a  (3 x 4 x 5, AVIRIS)" in text
    assert "against KLT: -20.0 % bytes over 60.0 to 77.5 dB" in text
    assert "against plain: no shared quality" in text
    assert "! live at 9 bps: no" in text
    assert "10.0 %" in text
    table = means_text(means([one]), one.rates)
    assert "| KLT | all | -20.0 % | 1 |" in table
    assert "| plain | all |  | 0 | +3" in table


def test_json_holds_everything_and_no_nan():
    one = result("a", 0.8)
    text = json.dumps(as_json([one], means([one])), allow_nan=False)
    content = json.loads(text)
    scene = content["scenes"]["a"]
    assert scene["measured"]["bandfold"]["points"][0]["psnr"] == 60.0
    assert scene["bd_rate"]["plain"]["percent"] is None
    assert scene["bd_rate"]["KLT"]["percent"] == pytest.approx(-20)
    assert scene["recorded"]["KLT"][0] == [0.05, 60.0]
    assert {mean["anchor"] for mean in content["means"]} == {"KLT", "plain"}


def test_a_plot_has_a_panel_per_scene(tmp_path):
    path = tmp_path / "rd.png"
    plot([result(name, 0.8) for name in "abcde"], path)
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    assert (width, height) == (4 * 4 * 120, int(2 * 3.2 * 120))


def test_a_codec_without_points_leaves_the_rest_of_the_plot_alone(tmp_path):
    plot([result("a", 0.8, rivals=(Measured("none", ()),))], tmp_path / "rd.png")
    assert (tmp_path / "rd.png").stat().st_size > 1000


def test_a_plot_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        plot([result("a", 0.8)], tmp_path / "nowhere" / "rd.png")
