"""The seam to C: arrays are checked once for both ways, and C declares what the specifications say."""

import ctypes
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bandfold.bitstream
import bandfold.common
import bandfold.ground.restoration
import bandfold.ground.synthesis
import bandfold.onboard
from bandfold.common import kernels
from bandfold.common.kernel_specification import Specification
from bandfold.common.kernels import Structure, compiled, structure

NATIVE = Path(__file__).parents[2] / "common" / "native"


@pytest.fixture
def declared(monkeypatch):
    """Functions and structures of a test, which are forgotten after it."""
    monkeypatch.setattr(kernels, "KERNELS", {})
    monkeypatch.setattr(kernels, "STRUCTURES", {})


@pytest.mark.skipif(kernels.library is None, reason="kernels are not built")
def test_kernels_of_another_version_are_told(monkeypatch):
    monkeypatch.setattr(kernels, "VERSION", kernels.VERSION + 1)
    versions = rf"of version {kernels.VERSION - 1}, not {kernels.VERSION}"
    said = rf"kernels in .*_kernels.* are {versions}: .*install bandfold anew"
    with pytest.warns(kernels.KernelsWarning, match=said):
        assert kernels._load() is None
    monkeypatch.setenv(kernels.SWITCH, "off")
    assert kernels._load() is None


@pytest.fixture(scope="module")
def all_kernels():
    ground = (bandfold.ground.restoration, bandfold.ground.synthesis)
    for package in (bandfold.common, bandfold.bitstream, bandfold.onboard, *ground):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("._kernels"):
                importlib.import_module(module.name)
    return dict(kernels.KERNELS)


def _words(text):
    """C without comments, attributes and the freedom of spaces."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    text = re.sub(r"\b(BF_EXPORT|BF_CLONES|restrict)\b", " ", text)
    return re.sub(r"\s*([*(){},;])\s*", r"\1", re.sub(r"\s+", " ", text)).strip()


SOURCES = {path.name: path.read_text(encoding="utf-8") for path in sorted(NATIVE.glob("*.[ch]"))}


def _declared(parameters):
    return ["".join((one.c_type, one.name)).replace(" *", "*") for one in parameters]


def test_every_exported_function_has_a_twin_in_numpy_and_the_prototype_that_it_specifies(all_kernels):
    found = {}
    for text in SOURCES.values():
        for head in re.findall(r"^BF_EXPORT ([^{;]*?\))\s*\{", text, re.MULTILINE):
            result, name, parameters = re.fullmatch(r"([\w ]+) (bf_\w+)\((.*)\)", _words(head)).groups()
            found[name] = (result, parameters.split(","))
    assert found.pop("bf_version") == ("int32_t", ["void"])
    specified = {}
    for name, kernel in all_kernels.items():
        result = kernel.specification.result
        specified[name] = (f"{result}_t" if result else "void", _declared(kernel.specification.parameters))
        assert callable(kernel.twin)
    assert found == specified


def test_structures_of_c_have_the_fields_that_are_specified(all_kernels):
    found = {}
    for text in SOURCES.values():
        for body, name in re.findall(
            r"^typedef struct \{\n(.*?)^\} (bf_\w+);", text, re.MULTILINE | re.DOTALL
        ):
            fields = []
            for line in _words(body).split(";")[:-1]:
                kind, names = re.match(r"((?:const )?\w+) ?(.*)", line).groups()
                fields += [kind + (one if one.startswith("*") else f" {one}") for one in names.split(",")]
            found[name] = fields
    # What C keeps to itself.
    del found["bf_component"]
    assert found == {
        name: _declared(one.specification.parameters) for name, one in kernels.STRUCTURES.items()
    }


def test_a_switch_leaves_c_out():
    code = "from bandfold.common import kernels; print(kernels.library)"
    environment = {**os.environ, kernels.SWITCH: "off"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "None\n"


def test_another_library_is_left_alone(tmp_path):
    code = "from bandfold.common import kernels; print(kernels.library)"
    for name, content in (("absent.so", None), ("nonsense.so", b"no library")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        environment = {**os.environ, kernels.SWITCH: str(tmp_path / name)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout == "None\n"


@pytest.fixture
def scaled(declared):
    @compiled(
        "bf_none_such(image: out(int32[rows, 8:stride, *]), rows: int32,"
        " weights: float64[rows, 2 * size] | None, table: uint8[size], size: int64,"
        " spare: out(float64[bf_none_such_memory(rows)]))"
    )
    def scale(image, weights, table):
        image[0, 0, 0] = 1
        return None if weights is None else len(weights)

    return scale


def _arguments():
    return {
        "image": np.zeros((3, 8, 2), np.int32),
        "weights": np.zeros((3, 10)),
        "table": np.zeros(5, np.uint8),
    }


def test_numpy_does_what_c_has_no_function_for(scaled):
    given = _arguments()
    assert scaled(**given) == 3
    assert scaled(*given.values()) == 3
    assert scaled(given["image"], None, given["table"]) is None
    assert given["image"].any()


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("image", np.zeros((3, 8, 2), np.int64), r"image is int64 of shape \(3, 8, 2\)"),
        ("image", np.zeros((3, 7, 2), np.int32), r"where out\(int32\[rows, 8:stride, \*\]\) is needed"),
        ("image", np.zeros((3, 8), np.int32), r"shape \(3, 8\)"),
        ("image", np.zeros((3, 8, 4), np.int32)[:, :, ::2], "strides"),
        ("image", np.zeros((6, 8, 2), np.int32)[::2], "strides"),
        ("image", np.broadcast_to(np.int32(0), (3, 8, 2)), "read-only"),
        ("weights", np.zeros((2, 10)), r"rows = 3"),
        ("weights", np.zeros((3, 9)), r"weights is float64 of shape \(3, 9\).*size = 5"),
        ("weights", np.zeros((3, 20))[:, ::2], "weights is float64"),
        ("weights", np.zeros((10, 3)).T, "strides"),
        ("weights", np.zeros((3, 10), np.float32), "float32"),
        ("table", np.zeros(6, np.uint8), r"weights is .*size = 6"),
        ("table", None, r"table is None, where uint8\[size\] is needed"),
    ],
)
@pytest.mark.parametrize("off", [True, False])
def test_arrays_that_are_not_as_specified_are_refused(scaled, name, wrong, message, off):
    given = {**_arguments(), name: wrong}
    if off:
        with kernels.switched_off(), pytest.raises(ValueError, match=message):
            scaled(**given)
    with pytest.raises(ValueError, match=message):
        scaled(**given)


def test_usual_arguments_are_taken_at_once_and_others_looked_at():
    text = (
        "bf_none(held: bf_held, x: int32[n, 3], y: out(uint8[n]), z: float64[n] | None, n: int64,"
        " half: float64)"
    )
    names = "held", "x", "y", "z", "half"
    x, y, z = np.zeros((4, 3), np.int32), np.zeros(4, np.uint8), np.zeros(4)
    held = type("Held", (), {"structure": ctypes.c_int32(7)})
    quick = Specification(text).quick_values(names)
    addresses = ctypes.addressof(held.structure), x.ctypes.data, y.ctypes.data
    assert quick(held, x, y, z, 0.5) == ((*addresses, z.ctypes.data, 4, 0.5), ())
    assert quick(held, x, y, None, 0.5) == ((*addresses, None, 4, 0.5), ())
    read_only = np.zeros(4, np.uint8)
    read_only.flags.writeable = False
    for wrong in [
        (held, x[:, :2], y, z, 0.5),
        (held, x.T.copy().T, y, z, 0.5),
        (held, x[0], y, z, 0.5),
        (held, x.astype(np.int64), y, z, 0.5),
        (held, x, y[:3], z, 0.5),
        (held, x, read_only, z, 0.5),
        (held, x, y, z[::2], 0.5),
    ]:
        assert quick(*wrong) is None
    unbound = Specification("bf_none(x: int32[size], n: uint8[others] | None)").quick_values(("x", "n"))
    assert unbound(x[0], None) is None


def test_strides_lengths_and_scratch_memory_are_computed_at_once():
    text = (
        "bf_none(x: int32[2:plane, n:line, m], plane: int64, line: int64, area: int64 = n * m,"
        " y: uint8[2 * n], square: int8[k, k], z: any[n:step] | None, step: int64,"
        " spare: out(float64[n + m]))"
    )
    x = np.zeros((4, 10, 6), np.int32)[::2, 1:5, :3]
    y, s = np.zeros(8, np.uint8), np.zeros((5, 5), np.int8)
    # A stride cannot be bound by what may be absent.
    assert Specification(text).quick_values(("x", "y", "square", "z"))(x, y, s, None) is None
    quick = Specification(text.replace(" | None", "")).quick_values(("x", "y", "square", "z"))
    values, (spare,) = quick(x, y, s, x[0, :, 0])
    assert values == (
        x.ctypes.data,
        120,
        6,
        12,
        y.ctypes.data,
        s.ctypes.data,
        x.ctypes.data,
        6,
        spare.ctypes.data,
    )
    assert (spare.dtype, spare.tolist()) == (np.float64, [0.0] * 7)
    for wrong in [
        (x[:1], y, s, y[:4]),
        (x[:, :, ::2], y, s, y[:4]),
        (x.transpose(0, 2, 1), y, s, y[:4]),
        (x, y[:7], s, y[:4]),
        (x, y, s, y[:3]),
        (x, y, s[:4], y[:4]),
        (x.view(np.uint8)[:, :, :4], y, s, y[:4]),
        (np.lib.stride_tricks.as_strided(x, strides=(481, 24, 4)), y, s, y[:4]),
    ]:
        assert quick(*wrong) is None


def test_a_kernel_that_is_called_first_while_kernels_are_off_is_called_later(declared):
    if kernels.library is None:
        pytest.skip("no kernels here")
    calls = []

    @compiled("bf_logarithms(log: uint8[65536], sums: uint16[count], count: int64, found: out(uint8[count]))")
    def logarithms(log, sums, found):
        calls.append(len(sums))

    arguments = np.zeros(65536, np.uint8), np.zeros(3, np.uint16), np.zeros(3, np.uint8)
    with kernels.switched_off():
        logarithms(*arguments)
    logarithms(*arguments)
    assert calls == [3]


def test_an_axis_may_have_gaps_where_that_is_specified(scaled):
    given = _arguments()
    given["image"] = np.zeros((3, 16, 2), np.int32)[:, ::2]
    assert scaled(**given) == 3


def test_arguments_are_those_of_the_function(scaled):
    with pytest.raises(TypeError, match="missing"):
        scaled(np.zeros((3, 8, 2), np.int32))
    with pytest.raises(TypeError):
        scaled(**_arguments(), more=1)


def test_parameters_that_are_not_specified_are_refused(declared):
    @compiled("bf_none_such(size: int32)")
    def function(size, other):
        return None

    # Specifications are read where they are needed first.
    with pytest.raises(ValueError, match="does not specify other"):
        function(1, 2)


@pytest.mark.parametrize("text", ["bf_x(a: 7)", "bf_x(a: float64[:n])", "bf_x(a)"])
def test_specifications_that_say_nothing_are_refused(text):
    with pytest.raises(ValueError, match=r"needs|neither"):
        assert Specification(text).parameters


def test_a_structure_holds_addresses_of_arrays_that_live_as_long(declared):
    @structure(
        "bf_none(values: float64[count], count: int64, spare: out(uint8[2 * count]),"
        " half: int32 = count // 2, nothing: int32[count] | None)"
    )
    class Held(Structure):
        pass

    held = Held(values=np.arange(4.0), nothing=None)
    assert (held.count, held.half, held.nothing) == (4, 2, None)
    assert held.arrays["spare"].tolist() == [0] * 8
    assert list((ctypes.c_double * 4).from_address(held.values)) == [0.0, 1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="values is float32"):
        Held(values=np.zeros(4, np.float32), nothing=None)
