"""Figures of a comparison, against the plain formulas on whole arrays."""

import json
import math

import numpy as np
import pytest

from bandfold.common.errors import OutputError, SceneError, SettingsError
from bandfold.common.scene import Scaling
from bandfold.ground.compare import compare_scenes
from bandfold.ground.report.png_figures import plot_comparison, plot_partition
from bandfold.onboard.samples.samples import ArraySource


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr("bandfold.ground.compare._PIECE_SAMPLES", 150)


def pair(dtype="uint16", bands=7):
    rng = np.random.default_rng(5)
    first = rng.integers(100, 4000, (bands, 9, 11)).astype(dtype)
    return first, (first + rng.integers(-40, 41, first.shape)).astype(dtype)


def compare(first, second, ends=None, no_data=None):
    scaling = Scaling(1.0) if first.dtype.itemsize > 2 else None
    return compare_scenes(
        ArraySource(first, no_data=no_data, scaling=scaling), ArraySource(second, scaling=scaling), ends
    )


def check(distance, first, second):
    """`first` and `second`: (bands, pixels), float64."""
    error = first - second
    mse = np.mean(error**2)
    assert distance.count == error.size
    assert distance.mse == pytest.approx(mse, rel=1e-12)
    assert distance.psnr == pytest.approx(10 * np.log10(distance.full_scale**2 / mse), rel=1e-12)
    assert distance.psnr_data_peak == pytest.approx(10 * np.log10(np.abs(first).max() ** 2 / mse), rel=1e-12)
    assert distance.snr == pytest.approx(10 * np.log10(first.var() / mse), rel=1e-12)
    assert distance.max_error == np.abs(error).max()
    cosines = (first * second).sum(0) / np.sqrt((first**2).sum(0) * (second**2).sum(0))
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    assert distance.mean_sam == pytest.approx(angles.mean(), abs=1e-5)
    assert distance.max_sam == pytest.approx(angles.max(), abs=1e-5)
    return angles


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "float32"])
def test_figures_agree_with_the_formulas(dtype):
    first, second = pair(dtype)
    result = compare(first, second, (2, 3, 7))
    x, y = first.reshape(7, -1).astype("f8"), second.reshape(7, -1).astype("f8")
    angles = check(result.whole, x, y)
    for interval, part in zip(result.intervals, (slice(0, 2), slice(2, 3), slice(3, 7)), strict=True):
        assert (interval.first_band, interval.last_band) == (part.start, part.stop)
        check(interval, x[part], y[part])
    np.testing.assert_allclose(result.band_mse, ((x - y) ** 2).mean(1), rtol=1e-12)
    np.testing.assert_allclose(result.sam_map.ravel(), angles, atol=1e-5)
    np.testing.assert_allclose(result.rmse_map.ravel(), np.sqrt(((x - y) ** 2).mean(0)), rtol=1e-6)


def test_psnr_is_pooled_and_no_mean_of_bands():
    first = np.zeros((2, 1, 4), "uint16")
    second = first.copy()
    second[1] = 10
    assert compare(first, second).whole.psnr == pytest.approx(10 * math.log10(65535**2 / 50))


def test_variance_survives_a_large_mean():
    first = (np.random.default_rng(6).normal(0, 1, (2, 9, 11)) + 1e7).astype("f8")
    result = compare(first, first + 1).whole
    assert result.snr == pytest.approx(10 * np.log10(first.var()), rel=1e-6)


@pytest.mark.parametrize(("dtype", "no_data"), [("float32", np.nan), ("float32", 0.1), ("int16", -1.0)])
def test_samples_without_data_do_not_count(dtype, no_data):
    first, second = pair(dtype)
    absent = np.random.default_rng(7).random(first.shape) < 0.3
    absent[:, 0] = absent[3] = True
    first[absent] = no_data
    second[absent] = 77
    result = compare(first, second, (3, 4, 7), no_data)
    x, y = first[~absent].astype("f8"), second[~absent].astype("f8")
    assert result.whole.count == x.size
    assert result.whole.mse == pytest.approx(np.mean((x - y) ** 2))
    assert result.whole.snr == pytest.approx(10 * np.log10(x.var() / np.mean((x - y) ** 2)))
    assert result.whole.psnr_data_peak == pytest.approx(10 * np.log10(x.max() ** 2 / np.mean((x - y) ** 2)))
    pixel = ~absent[:, 4, 5]
    u, v = first[pixel, 4, 5].astype("f8"), second[pixel, 4, 5].astype("f8")
    angle = np.degrees(np.arccos(u @ v / np.sqrt((u @ u) * (v @ v))))
    assert result.sam_map[4, 5] == pytest.approx(angle, abs=1e-5)
    assert np.isnan(result.sam_map[0]).all()
    assert np.isfinite(result.sam_map[1:]).all()
    assert np.isnan(result.band_mse[3])
    assert result.intervals[1].count == 0
    assert result.intervals[1].to_dict()["psnr"] is None


def test_equal_scenes_are_infinitely_close():
    first, _ = pair()
    whole = compare(first, first).whole
    assert whole.psnr == whole.psnr_data_peak == whole.snr == math.inf
    assert whole.max_sam == whole.mse == 0
    assert whole.to_dict()["psnr"] is None


def test_constant_reference_has_no_signal():
    first = np.full((2, 3, 4), 5, "uint16")
    assert compare(first, first + 1).whole.snr == -math.inf


def test_zero_spectra_have_an_angle():
    first = np.zeros((2, 1, 3), "int16")
    second = first.copy()
    second[:, 0, 1] = 5
    first[0, 0, 2], second[1, 0, 2] = 3, 4
    result = compare(first, second)
    assert result.sam_map.tolist() == [[0, 90, 90]]


def test_small_angles_are_exact():
    first = np.array([1.0, 0.0]).reshape(2, 1, 1)
    second = np.array([1.0, 1e-9]).reshape(2, 1, 1)
    assert compare(first, second).whole.max_sam == pytest.approx(math.degrees(1e-9), rel=1e-6)


def test_aviris_has_its_intervals():
    first, second = pair(bands=224)
    assert [part.last_band for part in compare(first, second).intervals] == [40, 96, 155, 165, 224]
    assert [part.last_band for part in compare(first[:223], second[:223]).intervals] == [223]


def test_report_is_strict_json():
    first, second = pair()
    second[0] = first[0]
    report = json.loads(json.dumps(compare(first, second, (1, 7)).to_dict(), allow_nan=False))
    assert report["intervals"][0]["psnr"] is None
    assert report["whole"]["mse"] > 0
    assert len(report["band_mse"]) == 7


def test_other_geometry_is_refused():
    first, second = pair()
    with pytest.raises(SceneError, match="7 bands, 9 lines, 11 samples against 6 bands"):
        compare(first, second[:6])


@pytest.mark.parametrize("ends", [(), (3,), (3, 8), (4, 3, 7), (0, 7), (3, 3, 7), (7, 7)])
def test_wrong_intervals_are_refused(ends):
    with pytest.raises(SettingsError, match="do not divide 7 bands"):
        compare(*pair(), ends)


@pytest.mark.parametrize("which", [0, 1])
def test_samples_that_are_not_finite_are_named(which):
    scenes = pair("float32")
    scenes[which][2, 8, 3] = np.nan
    name = ("reference", "other scene")[which]
    with pytest.raises(SceneError, match=f"the {name} holds nan at band 2, line 8, sample 3"):
        compare(*scenes)


def test_plot_is_a_picture(tmp_path):
    first, second = pair("float32")
    first[2, 3, 4] = -1
    second[5] = first[5]
    plot_comparison(compare(first, second, no_data=-1.0), tmp_path / "a.png", wavelengths=None)
    plot_comparison(compare(first, first), tmp_path / "b.png", wavelengths=tuple(range(400, 470, 10)))
    for name in ("a.png", "b.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_plot_of_a_partition_is_a_picture(tmp_path):
    correlation = np.corrcoef(np.random.default_rng(8).normal(size=(7, 20)))
    correlation[3] = correlation[:, 3] = np.nan
    plot_partition(correlation, (2, 4, 7), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_plot_into_no_directory_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        plot_partition(np.eye(2), (2,), tmp_path / "no" / "a.png")


def test_floats_are_judged_by_the_range_of_their_ordinary_values():
    generator = np.random.default_rng(1)
    cube = generator.normal(10, 1, (6, 20, 20)).astype(np.float32)
    other = cube + generator.normal(0, 0.1, cube.shape).astype(np.float32)
    plain = compare_scenes(ArraySource(cube), ArraySource(other)).whole
    assert plain.full_scale == pytest.approx(np.ptp(cube), rel=1e-6)
    assert plain.psnr == pytest.approx(20 * np.log10(np.ptp(cube) / 0.1), abs=0.2)
    assert plain.snr == pytest.approx(20, abs=0.5)
    assert plain.outliers == (0, 0)
    odd = ((np.s_[2, 13, 4], 1e6), (np.s_[:, :4], -9999), (np.s_[1, 14, :3], np.inf), (np.s_[:, 7], np.nan))
    for places, value in odd:
        cube[places] = other[places] = value
    marred = compare_scenes(ArraySource(cube), ArraySource(other)).whole
    assert marred.outliers == (1 + 6 * 4 * 20 + 3 + 6 * 20, 0)
    assert marred.snr == pytest.approx(plain.snr, abs=0.3)
    assert marred.psnr == pytest.approx(plain.psnr, abs=1)
    assert marred.to_dict()["peak"] == marred.full_scale
    other[2, 13, 4] = 999999
    changed = compare_scenes(ArraySource(cube), ArraySource(other)).whole
    assert (changed.outliers[1], changed.max_error) == (1, 1)
    other[2, 7, 4] = 10
    with pytest.raises(SceneError, match="holds nan at band 2, line 7, sample 4"):
        compare_scenes(ArraySource(cube), ArraySource(other))
