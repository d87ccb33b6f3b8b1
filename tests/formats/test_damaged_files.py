"""Damaged files of every format: typed errors only, whatever the libraries raise."""

import random

import pytest

from bandfold.benchmarks.damage.mutations import mutated
from bandfold.benchmarks.damage.scene_files import read_all, scene_files
from bandfold.common.errors import OutputError, SceneError
from bandfold.formats.block_source import reading
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_writer import writing

TRIES = 40


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    for library in ("h5netcdf", "h5py", "rasterio", "scipy", "xarray"):
        pytest.importorskip(library)
    return scene_files(tmp_path_factory.mktemp("scenes"))


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_raise_nothing_but_scene_errors(files, tmp_path):
    for name, path in files.items():
        assert read_all(path) is None, name
        chance = random.Random(name)
        content, failed = path.read_bytes(), 0
        damaged = tmp_path / path.name
        if path.suffix == ".hdr":
            damaged.with_suffix(".img").write_bytes(path.with_suffix(".img").read_bytes())
        for _ in range(TRIES):
            damaged.write_bytes(mutated(content, chance))
            error = read_all(damaged)
            failed += error is not None
            assert error is None or (isinstance(error, SceneError) and "\n" not in str(error)), name
        assert failed, name


@pytest.mark.filterwarnings("ignore")
def test_files_that_are_cut_off_raise_nothing_but_scene_errors(files, tmp_path):
    for name, path in files.items():
        content = path.read_bytes()
        cut = tmp_path / path.name
        for length in range(0, len(content), len(content) // 12 + 1):
            cut.write_bytes(content[:length])
            error = read_all(cut)
            assert error is None or isinstance(error, SceneError), name
        assert isinstance(error, SceneError), name


def test_a_file_that_becomes_shorter_while_it_is_read(files, tmp_path):
    path = tmp_path / "scene.npy"
    path.write_bytes(files["NumPy"].read_bytes())
    scene = open_scene(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(SceneError, match="cannot read"):
        scene.read(slice(0, 1), slice(0, 20))


def test_netcdf_of_a_kind_that_no_library_here_reads(tmp_path):
    pytest.importorskip("scipy")
    path = tmp_path / "scene.nc"
    path.write_bytes(b"CDF\x05" + bytes(60))
    with pytest.raises(SceneError):
        open_scene(path)


def test_names_that_are_too_long(tmp_path):
    for suffix in (".hdr", ".nc", ".npy", ".zarr"):
        with pytest.raises(SceneError):
            open_scene(tmp_path / ("x" * 300 + suffix))


@pytest.mark.parametrize("boundary", [(reading, SceneError), (writing, OutputError)])
def test_boundaries_let_only_typed_errors_through(boundary, tmp_path):
    around, wanted = boundary
    for error in (
        AssertionError(),
        IndexError("a\nb"),
        MemoryError(),
        RecursionError("deep"),
        OSError(5, "no"),
    ):
        with pytest.raises(wanted) as found, around(tmp_path):
            raise error
        assert "\n" not in str(found.value)
    with pytest.raises(KeyboardInterrupt), around(tmp_path):
        raise KeyboardInterrupt
