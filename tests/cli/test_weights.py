"""`bandfold encode --weights` and `--roi`."""

import json

import numpy as np

from bandfold.common.scene import SceneInfo
from bandfold.formats.envi.writer import write_envi

from .conftest import check_failure


def test_weights_of_a_file_and_of_the_noise(run, tmp_path, scene):
    (tmp_path / "weights.txt").write_text("1, 2\n" * 20)
    for given in ("snr", "weights.txt"):
        assert run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--weights", given).status == 0
        weights = json.loads(run("info", "a.bf", "--json").out)["band_weights"]
        assert len(weights) == 40
        assert max(weights) == 1
        assert run("decode", "a.bf", "-o", "b.hdr").status == 0
    assert weights == [0.5, 1] * 20


def test_failures(run, tmp_path, scene):
    (tmp_path / "short.txt").write_text("1 2 3")
    (tmp_path / "words.txt").write_text("1 two 3")
    (tmp_path / "empty.txt").write_text(" ")
    for given, message in (
        ("short.txt", "3 weights are given for 40 bands"),
        ("words.txt", "could not convert"),
        ("empty.txt", "is empty"),
        ("no.txt", "is no name and no text file"),
    ):
        result = run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--weights", given)
        check_failure(result, 2, message)
    result = run("encode", "scene.hdr", "-o", "a.bf", "--psnr", 60, "--weights", "snr")
    check_failure(result, 2, "weights do not go with psnr")


def region(path, mask):
    if path.suffix == ".npy":
        np.save(path, mask)
    else:
        write_envi(path, mask[None].astype(np.uint8), SceneInfo(1, *mask.shape, np.dtype("uint8")))


def test_regions_of_interest(run, tmp_path, scene):
    mask = np.zeros((24, 20), bool)
    mask[:8, :8] = True
    region(tmp_path / "field.npy", mask)
    region(tmp_path / "clouds.hdr", ~mask)
    sizes = []
    for options in (
        (),
        ("--roi", "field.npy"),
        ("--roi", "field.npy", "--roi", "clouds.hdr", "--roi-gain", 3),
    ):
        assert run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, *options).status == 0
        sizes.append((tmp_path / "a.bf").stat().st_size)
        assert json.loads(run("info", "a.bf", "--json").out)["block_weights"] == bool(options)
        assert run("decode", "a.bf", "-o", "b.hdr").status == 0
    # The step is that of the region.
    assert sizes[1] < sizes[0]
    assert abs(sizes[2] - sizes[0]) < 40


def test_failures_of_regions(run, tmp_path, scene):
    region(tmp_path / "small.npy", np.ones((3, 4), bool))
    region(tmp_path / "flat.npy", np.ones(4, bool))
    (tmp_path / "text.npy").write_text("no array")
    for options, status, message in (
        (("--roi", "small.npy"), 2, "a mask of shape (3, 4) does not fit the 24 lines and 20 samples"),
        (("--roi", "flat.npy"), 2, "give lines and samples"),
        (("--roi", "text.npy"), 3, "cannot be read"),
        (("--roi", "no.hdr"), 3, "no.hdr"),
        (("--roi", "scene.hdr"), 2, "has 40 bands"),
        (("--roi-gain", 3), 2, "for 0 of --roi"),
        (("--roi", "small.npy", "--roi-gain", 3, "--roi-gain", 4), 2, "2 times for 1 of --roi"),
    ):
        check_failure(run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, *options), status, message)
