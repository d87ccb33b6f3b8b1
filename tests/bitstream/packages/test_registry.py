"""Packages are found by name or path; a stream gets the very one that it names, or an error says which."""

import pytest

from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package, load_package, save_package
from bandfold.bitstream.packages.registry import OLDER_PACKAGES, SEARCH_PATH, Registry
from bandfold.common.errors import ModelError


def save(folder, name, description=""):
    folder.mkdir(exist_ok=True)
    return save_package(Package(Manifest(name, "sensor", description)), folder / f"{name}.bfm")


def test_what_is_given_comes_first_then_the_search_path(tmp_path, monkeypatch):
    given = save(tmp_path / "given", "same", "given")
    searched = save(tmp_path / "searched", "same", "searched")
    other = save(tmp_path / "other", "else")
    monkeypatch.setenv(SEARCH_PATH, f"{tmp_path / 'searched'}:{tmp_path / 'other'}:{tmp_path / 'absent'}")
    assert Registry().find("same").digest == searched.digest
    registry = Registry([tmp_path / "given" / "same.bfm"])
    assert registry.find("same").digest == given.digest
    assert registry.find("else").digest == other.digest
    # By its hash also what another one of the same name hides.
    assert registry.need("same", searched.identity).digest == searched.digest


def test_a_path_is_a_path(tmp_path, monkeypatch):
    saved = save(tmp_path, "mine")
    monkeypatch.chdir(tmp_path)
    for wanted in ("mine.bfm", "./mine.bfm", tmp_path / "mine.bfm"):
        assert Registry().find(wanted).digest == saved.digest
    with pytest.raises(ModelError, match="cannot be read"):
        Registry().find("absent.bfm")


def test_unknown_names_are_told_with_those_that_are_known(tmp_path, monkeypatch):
    save(tmp_path, "mine")
    monkeypatch.setenv(SEARCH_PATH, str(tmp_path))
    with pytest.raises(ModelError, match=r"'yours' is unknown; known are .*mine"):
        Registry().find("yours")


def test_the_error_says_which_package_is_needed_and_which_was_found(tmp_path, monkeypatch):
    monkeypatch.delenv(SEARCH_PATH, raising=False)
    with pytest.raises(ModelError, match=r"needs the package 'mine' with hash 0102.*none of that name"):
        Registry().need("mine", bytes(range(1, 9)))
    saved = save(tmp_path, "mine")
    with pytest.raises(ModelError, match=f"found under that name: {saved.identity.hex()} in .*mine.bfm"):
        Registry([tmp_path / "mine.bfm"]).need("mine", bytes(range(1, 9)))


def test_a_damaged_file_is_refused_where_it_is_named_and_passed_over_elsewhere(tmp_path, monkeypatch):
    save(tmp_path, "good")
    (tmp_path / "bad.bfm").write_bytes(b"nothing")
    monkeypatch.setenv(SEARCH_PATH, str(tmp_path))
    assert Registry().find("good").name == "good"
    with pytest.raises(ModelError, match=r"bad\.bfm is damaged"):
        Registry([tmp_path / "bad.bfm"])


def test_packages_of_older_streams_are_found_by_them_alone():
    older = sorted(OLDER_PACKAGES.glob("*.bfm"))
    assert older
    for path in older:
        package = load_package(path)
        assert Registry().need(package.name, package.identity).digest == package.digest
        assert package.digest not in {one.digest for one in Registry().packages()}
