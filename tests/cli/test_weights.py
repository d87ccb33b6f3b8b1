"""`bandfold encode --weights`."""

import json

from .conftest import check_failure


def test_weights_of_a_file_and_of_the_noise(run, tmp_path, scene):
    (tmp_path / "weights.txt").write_text("1, 2\n" * 20)
    for given in ("snr", "weights.txt"):
        assert run("encode", "scene.hdr", "-o", "a.bf", "--step", 8, "--weights", given).status == 0
        weights = json.loads(run("info", "a.bf", "--json").out)["weights"]
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
