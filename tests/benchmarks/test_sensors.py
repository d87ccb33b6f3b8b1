"""The figures of packages: measured on scenes that the package has not seen, against vectors for nothing."""

import numpy as np

from bandfold.benchmarks.sensors import main, measure
from bandfold.formats.envi.writer import write_envi
from bandfold.synthetic.scenes import SyntheticScene


def scene(seed, bands=24):
    source = SyntheticScene(32, 40, bands, seed=seed)
    return source, source.read(slice(0, bands), slice(0, 32))


def test_a_package_of_the_same_scenes_is_between_nothing_and_the_own_fold():
    found = measure(scene(5)[1], {"one": scene(1)[1], "two": scene(2)[1]}, steps=(40.0, 20.0))
    # Vectors are not for nothing, and what a package does not know costs something.
    assert 0 < found.own < 30
    assert found.package < found.own + 5
    assert found.automatic <= min(found.own, found.package) + 1
    assert all(0 < package < own for own, package in found.side)
    assert 0 <= found.taken <= 2


def test_a_package_of_other_scenes_is_left():
    """Spectra without any order in more bands than the second fold takes components."""
    rng = np.random.default_rng(0)
    fields = rng.normal(0, 1, (3, 6, 6)).repeat(8, axis=1).repeat(8, axis=2)
    cube = np.rint(4000 + 600 * np.tensordot(rng.normal(size=(200, 3)), fields, 1)).astype(np.int16)
    found = measure(cube, {"one": scene(1, 200)[1]}, steps=(40.0, 20.0))
    assert found.package > found.own
    assert found.taken == 0


def test_program(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "140")
    for seed, name in enumerate("ab"):
        source, cube = scene(seed)
        write_envi(tmp_path / f"{name}.hdr", cube, source.info)
    main([str(tmp_path / f"{name}.hdr") for name in "ab"], standalone_mode=False)
    text = capsys.readouterr().out
    assert "own fold" in text
    assert "of 4" in text
