"""A package comes back as it was, or is refused: not a bit of it can change unnoticed."""

import hashlib
import io
import json
import re
import resource
import warnings
import zipfile

import numpy as np
import pytest

from bandfold.bitstream.packages.array_file import ALLOWED, read_array, write_array
from bandfold.bitstream.packages.manifest import FORMAT, LARGEST_MANIFEST, Manifest
from bandfold.bitstream.packages.package import (
    LARGEST_FILE,
    MOST_MEMBERS,
    Package,
    load_package,
    pack,
    save_package,
    unpack,
)
from bandfold.common.errors import ModelError, OutputError

CARD = {"architecture": "none", "MAC per sample": 12.5, "curves": [[0.1, 40.0]], "training scenes": ["a"]}


def package(**changes):
    content = {
        "manifest": Manifest("tiny-1", "codec", "for tests", "0.1.0", CARD),
        "arrays": {"weights": np.arange(6, dtype=np.int16).reshape(2, 3), "scale": np.array(0.5)},
        "engines": {"net.onnx": b"\x08\x07engine", "net.tflite": b""},
    }
    return Package(**{**content, **changes})


SMALL = pack(package(arrays={"w": np.arange(3, dtype=np.int8)}, engines={"n.onnx": b"abc"}))


def sealed(body):
    """A file with the hash that it should have, as one who means harm would write it."""
    return body + hashlib.sha256(body).hexdigest().encode()


def archive(members, *, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as file:
        warnings.simplefilter("ignore")
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
        file.comment = b"0" * 64
    return sealed(buffer.getvalue()[:-64])


def manifest(**changes):
    return json.dumps({**json.loads(Manifest("a", "codec").to_json()), **changes}).encode()


def test_a_package_comes_back(tmp_path):
    path = tmp_path / "tiny.bfm"
    saved = save_package(package(), path)
    loaded = load_package(path)
    assert loaded.manifest == package().manifest
    assert loaded.engines == package().engines
    assert sorted(loaded.arrays) == ["scale", "weights"]
    for name, array in package().arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)
        assert loaded.arrays[name].dtype == array.dtype
        assert loaded.arrays[name].shape == array.shape
    data = path.read_bytes()
    assert loaded.digest == saved.digest == hashlib.sha256(data[:-64]).digest()
    assert data.endswith(loaded.digest.hex().encode())
    assert loaded.identity == loaded.digest[:8]


def test_it_is_a_zip_archive_that_any_program_reads():
    with zipfile.ZipFile(io.BytesIO(pack(package()))) as file:
        assert file.testzip() is None
        names = file.namelist()
        assert names == sorted(names)
        assert set(names) >= {"manifest.json", "arrays/weights.npy", "engines/net.onnx"}
        np.testing.assert_array_equal(np.load(io.BytesIO(file.read("arrays/scale.npy"))), 0.5)


def test_the_same_content_gives_the_same_bytes():
    turned = {name: package().arrays[name] for name in ("scale", "weights")}
    assert pack(package()) == pack(package(arrays=turned)) == pack(package())
    # Memory layout and byte order of the machine are no content.
    other = {"scale": np.array(0.5), "weights": np.asfortranarray(turned["weights"]).astype(">i2")}
    assert pack(package(arrays=other)) == pack(package())
    assert pack(package(engines={})) != pack(package())


def test_every_flipped_bit_is_refused():
    for place in range(len(SMALL)):
        for bit in range(8):
            damaged = bytearray(SMALL)
            damaged[place] ^= 1 << bit
            with pytest.raises(ModelError):
                unpack(bytes(damaged))


def test_every_truncation_and_prolongation_is_refused():
    for length in range(len(SMALL)):
        with pytest.raises(ModelError):
            unpack(SMALL[:length])
    for more in (b"\0", SMALL, b"x" * 100):
        for longer in (SMALL + more, more + SMALL):
            with pytest.raises(ModelError):
                unpack(longer)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.bfm"
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelError, match="more than"):
        load_package(path)
    with pytest.raises(ModelError, match="leave something out"):
        pack(package(engines={"n.onnx": bytes(LARGEST_FILE)}))
    with pytest.raises(ModelError, match="leave something out"):
        pack(package(engines={f"n{number}.onnx": b"" for number in range(MOST_MEMBERS)}))


def test_files_that_cannot_be_read_or_written(tmp_path):
    with pytest.raises(ModelError, match=r"absent\.bfm cannot be read"):
        load_package(tmp_path / "absent.bfm")
    with pytest.raises(OutputError):
        save_package(package(), tmp_path / "no" / "such.bfm")


BAD_NAMES = (
    "../../etc/passwd",
    "/etc/passwd",
    "arrays/../x.npy",
    "arrays/a/b.npy",
    "arrays/.npy",
    "x.npy",
    "engines/a.so",
    "engines/.onnx",
    "arrays/a.npy\0.npy",
    "arrays\\a.npy",
    "arrays/",
    "manifest.json/x",
)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_paths_that_lead_elsewhere_are_refused(name):
    with pytest.raises(ModelError):
        unpack(archive([("manifest.json", manifest()), (name, b"")]))


@pytest.mark.parametrize(("field", "name"), [("arrays", "a/b"), ("arrays", ""), ("engines", "a.so")])
def test_odd_names_are_not_written(field, name):
    with pytest.raises(ModelError, match="may not hold a file"):
        pack(package(**{field: {name: np.zeros(1) if field == "arrays" else b""}}))


def test_bombs_doubles_and_lies_are_refused():
    bomb = archive(
        [("manifest.json", manifest()), ("engines/n.onnx", bytes(1 << 24))], compression=zipfile.ZIP_DEFLATED
    )
    with pytest.raises(ModelError, match="compressed"):
        unpack(bomb)
    with pytest.raises(ModelError, match="two files of one name"):
        unpack(archive([("manifest.json", manifest()), ("manifest.json", manifest(name="b"))]))
    with pytest.raises(ModelError, match="no manifest"):
        unpack(archive([("engines/n.onnx", b"")]))
    with pytest.raises(ModelError, match="more than"):
        unpack(archive([(f"engines/n{number}.onnx", b"") for number in range(MOST_MEMBERS + 1)]))
    # A size in the directory that the archive does not have.
    body = bytearray(archive([("engines/n.onnx", b"abc"), ("manifest.json", manifest())])[:-64])
    entry = body.index(b"PK\x01\x02")
    body[entry + 20 : entry + 28] = (1 << 30).to_bytes(4, "little") * 2
    with pytest.raises(ModelError):
        unpack(sealed(bytes(body)))


def test_archives_that_are_broken_inside_are_refused():
    """Whatever byte is changed: with the hash made right, it is a package all the same, or refused."""
    whole = unpack(SMALL)
    other = 0
    for place in range(len(SMALL) - 64):
        body = bytearray(SMALL[:-64])
        body[place] ^= 0x41
        try:
            found = unpack(sealed(bytes(body)))
        except ModelError:
            other += 1
        else:
            assert isinstance(found, Package)
            assert found.digest != whole.digest
    assert other > 100


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "which format"),
        (b"{}", "which format"),
        (manifest(format=True), "which format"),
        (manifest(format=FORMAT + 1), "use the release"),
        (b'{"format": 1, "name": "a"}', "lacks kind"),
        (manifest(name="A b"), "not possible"),
        (manifest(name=3), "not possible"),
        (manifest(name="a" * 65), "not possible"),
        (manifest(kind="virus"), "unknown kind"),
        (manifest(kind=[]), "unknown kind"),
        (manifest(description=None), "must be texts"),
        (manifest(card=[1]), "JSON object"),
        (manifest(description="x" * LARGEST_MANIFEST), "more than"),
    ],
)
def test_manifests_that_are_wrong_are_refused(content, message):
    with pytest.raises(ModelError, match=message):
        unpack(archive([("manifest.json", content)]))


@pytest.mark.parametrize("card", [{"a": float("nan")}, {"a": object()}, {"a": "x" * LARGEST_MANIFEST}])
def test_cards_that_json_cannot_hold_are_not_written(card):
    with pytest.raises(ModelError, match="card of package 'a'"):
        Manifest("a", "codec", card=card).to_json()


@pytest.mark.parametrize("dtype", ALLOWED)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3, 4)])
def test_arrays_of_every_type_come_back(dtype, shape):
    array = np.ones(shape, dtype=dtype)
    found = read_array(write_array(array, "a"), "a")
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a"]),
        np.array([None]),
        np.array([1j]),
        np.zeros(2, "i4,f4"),
        np.array([1], dtype="M8[s]"),
        np.array([b"a"]),
    ],
)
def test_arrays_of_other_types_are_neither_written_nor_read(array):
    with pytest.raises(ModelError, match="integers and floats only"):
        write_array(array, "a")
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0))
    with pytest.raises(ModelError, match="no array"):
        read_array(buffer.getvalue(), "a")


def test_arrays_in_other_forms_are_refused():
    def written(array, version=(1, 0)):
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, version=version)
        return buffer.getvalue()

    plain = np.ones((2, 3))
    for data in (
        written(np.asfortranarray(plain)),
        written(plain, (2, 0)),
        written(plain.astype(">f8")),
        written(np.ones((1,) * 9)),
        written(plain)[:-1],
        written(plain) + b"\0",
        b"",
        b"\x93NUMPY",
    ):
        with pytest.raises(ModelError, match="no array"):
            read_array(data, "a")


@pytest.mark.parametrize(
    "shape",
    [
        "(1 << 60,)",
        "(-1, -48)",
        "(2, 3, 1.0)",
        "(1152921504606846976, 64)",
        "()",
        "(7L,)",
        "((",
        "__import__('os')",
        "(" * 3000,
    ],
)
def test_headers_that_lie_are_refused_without_taking_memory(shape):
    data = write_array(np.ones((2, 3)), "a")
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    lying = data[:8] + len(header).to_bytes(2, "little") + header + data[-48:]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match="no array"):
        read_array(lying, "a")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_loaded_arrays_cannot_be_changed_by_accident():
    array = unpack(SMALL).arrays["w"]
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_errors_say_which_file(tmp_path):
    path = tmp_path / "broken.bfm"
    path.write_bytes(SMALL[:-1])
    with pytest.raises(ModelError, match=re.escape(str(path))):
        load_package(path)
