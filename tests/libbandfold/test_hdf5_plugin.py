"""Programs that know nothing of bandfold read HDF5 files of its streams through a plugin in C."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from bandfold.onboard import Encoder
from bandfold.synthetic.scenes import SyntheticScene

from .c_library import COMPILER, LIBRARY

h5py = pytest.importorskip("h5py")

from bandfold.hdf5filter import Bandfold  # noqa: E402
from bandfold.hdf5filter.filter_options import FilterOptions  # noqa: E402
from bandfold.hdf5filter.stream_to_hdf5 import stream_to_hdf5  # noqa: E402
from bandfold.zarrcodec import ChunkSettings  # noqa: E402

BANDS, LINES, SAMPLES = 12, 40, 20

READ = """
import sys, h5py, numpy
with h5py.File(sys.argv[1]) as file:
    numpy.save(sys.argv[2], file[sys.argv[3]][...])
assert not [name for name in sys.modules if name.startswith("bandfold")]
"""


@pytest.fixture(scope="module")
def plugin(installed):
    """The folder of the plugin that CMake installed, or that the compiler alone makes."""
    if installed.cmake:
        return installed.shared.parent / "hdf5" / "plugin"
    folder = installed.shared.parent / "plugin"
    folder.mkdir()
    files = [LIBRARY / "hdf5" / f"{name}.c" for name in ("h5bandfold", "filter_words")]
    command = [COMPILER, "-std=c11", "-shared", "-fPIC", f"-I{installed.headers}", *files]
    command += [f"-L{installed.shared.parent}", "-lbandfold", f"-Wl,-rpath,{installed.shared.parent}"]
    subprocess.run([*command, "-o", folder / "libh5bandfold.so"], check=True)
    return folder


@pytest.fixture
def read(plugin, tmp_path):
    """Read a data set in another process, which has h5py only; what went wrong is a text."""

    def call(path, name="cube"):
        command = [sys.executable, "-c", READ, path, tmp_path / "read.npy", name]
        environment = {**os.environ, "HDF5_PLUGIN_PATH": str(plugin)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
        return done.stderr if done.returncode else np.load(tmp_path / "read.npy")

    return call


@pytest.fixture(scope="module")
def cube():
    return SyntheticScene(LINES, SAMPLES, BANDS, seed=1).read(slice(0, BANDS), slice(0, LINES))


@pytest.mark.parametrize("dtype", ["<u2", ">u2", ">i2", "<i4", "<u4", ">f4", "<f8", "u1", "i1"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_types_orders_and_axes(tmp_path, read, cube, dtype, axis):
    given = np.moveaxis(cube // 64, 0, axis).astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset(
            "cube", data=given, chunks=given.shape, compression=Bandfold(lossless=True, band_axis=axis)
        )
    found = read(tmp_path / "a.h5")
    assert found.dtype == given.dtype
    np.testing.assert_array_equal(found, given)


def test_chunks_beyond_the_edge(tmp_path, read, cube):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("cube", data=cube, chunks=(BANDS, 24, 16), compression=Bandfold())
    np.testing.assert_array_equal(read(tmp_path / "a.h5"), cube)


def test_strips_of_a_stream(tmp_path, read, cube):
    stream = tmp_path / "a.bf"
    stream.write_bytes(Encoder(step=4.0, strip_lines=16).encode(cube))
    stream_to_hdf5(stream, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        wanted = file["cube"][...]
    np.testing.assert_array_equal(read(tmp_path / "a.h5"), wanted)
    # The last strip is lower than its chunk.
    assert LINES % 16
    assert np.abs(wanted.astype(int) - cube).max() < 20


def test_what_cannot_be_read_is_told(tmp_path, read, cube):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("cube", data=cube, chunks=cube.shape, compression=Bandfold(step=4.0))
        _, stream = file["cube"].id.read_direct_chunk((0, 0, 0))
        hit = bytearray(stream)
        hit[-9] ^= 1
        for name, shape, content in (
            ("damaged", cube.shape, bytes(hit)),
            ("other", (BANDS, LINES, SAMPLES + 1), stream),
            ("strip", (BANDS, 64, SAMPLES), stream[:-200]),
            ("none", cube.shape, b"nothing at all"),
        ):
            made = file.create_dataset(name, shape=shape, dtype="u2", chunks=shape, compression=Bandfold())
            made.id.write_direct_chunk((0, 0, 0), content)
    for name, told in (
        ("damaged", "bandfold filter: a chunk cannot be read: "),
        ("other", "it is of another array"),
        ("strip", "bandfold filter: a chunk cannot be read: "),
        ("none", "not a bandfold stream"),
    ):
        said = read(path, name)
        assert isinstance(said, str), name
        assert told in said
        assert "OSError" in said


def test_words_are_read_as_python_writes_them(tmp_path, installed):
    """Texts that look like keys, and words that are cut or too many."""
    source, program = tmp_path / "words.c", tmp_path / "words"
    source.write_text("""
#include "filter_words.h"
#include <stdio.h>
int main(void)
{
    unsigned words[4096];
    size_t count = fread(words, sizeof *words, 4096, stdin);
    chunk_form form;
    if (!read_filter_words(words, count, &form))
        return puts("null") < 0;
    printf("[[%d, %d, %d], %d, %d, %d]", (int)form.shape[0], (int)form.shape[1], (int)form.shape[2],
           form.band_axis, (int)form.type, form.swapped);
    return 0;
}
""")
    command = [COMPILER, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{installed.headers}"]
    command += [f"-I{LIBRARY / 'hdf5'}", source, LIBRARY / "hdf5" / "filter_words.c", "-o", program]
    subprocess.run(command, check=True)

    def told(words):
        data = np.array(words, "<u4").tobytes()
        return json.loads(subprocess.run([program], input=data, capture_output=True, check=True).stdout)

    options = FilterOptions(ChunkSettings(step=4.0, band_axis=2), (3, 4, 5), ">f4")
    words = options.words()
    assert told(words) == [[3, 4, 5], 2, 6, 1]
    misleading = FilterOptions(
        ChunkSettings(step=4.0, sensor='a","chunk_shape":[9,9,9],"b'), (3, 4, 5), "|u1"
    )
    assert told(misleading.words()) == [[3, 4, 5], 0, 0, 0]
    for bad in ((), (1,), (words[0] + 8, *words[1:]), (8, *words[1:]), (0, 0), words[: len(words) // 2]):
        assert told(bad) is None
    for shape, dtype in (((0, 4, 5), "<u2"), ((3, 4), "<u2"), ((1 << 20,) * 3, "<u2"), ((3, 4, 5), "<u8")):
        assert told(FilterOptions(ChunkSettings(step=1.0), shape, dtype).words()) is None
