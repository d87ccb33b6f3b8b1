"""Selections come back; the fold they make is that of the package; what contradicts itself is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package, pack, unpack
from bandfold.bitstream.payloads.payload import PayloadReader, PayloadWriter
from bandfold.bitstream.payloads.selection_code import read_selected_fold, write_selected_fold
from bandfold.bitstream.transforms.klt import selected_fold
from bandfold.bitstream.transforms.selection import Selection, Turn
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.bitstream.transforms.vectors import BASIS_UNIT, Vectors
from bandfold.common.errors import ModelError, StreamError
from bandfold.common.scene import SceneInfo

TABLES = load_tables()


def vectors(size, seed):
    rng = np.random.default_rng(seed)
    precision = np.sort(rng.integers(10, 17, size))[::-1].astype(np.int64)
    orthonormal = np.linalg.qr(rng.normal(size=(size, size)))[0]
    return Vectors(np.rint(orthonormal * 2.0**precision).astype(np.int64), precision)


def basis(**changes):
    content = {
        "name": "sensor-9",
        "identity": b"12345678",
        "ends": (4, 9),
        "means": np.arange(9, dtype=np.int64) * 6400 + 17,
        "first": (vectors(4, 0), vectors(5, 1)),
        "merged": (2, 3),
        "second": vectors(5, 2),
        "wavelengths": np.linspace(400.0, 480.0, 9),
    }
    return SensorBasis(**{**content, **changes})


SENSOR = basis()


@st.composite
def selections(draw):
    rows = tuple(draw(st.integers(0, merged)) for merged in SENSOR.merged)
    width = draw(st.integers(0, sum(rows)))
    others = tuple(
        tuple(sorted(draw(st.sets(st.integers(used, size - 1))))) if used < size else ()
        for used, size in zip(rows, (4, 5), strict=True)
    )
    if draw(st.booleans()):
        second = tuple(sorted(draw(st.sets(st.integers(0, width - 1))))) if width else ()
    else:
        count = draw(st.integers(0, width))
        shifts = np.array(draw(st.lists(st.integers(0, 12), min_size=width, max_size=width)), dtype=np.int64)
        entries = draw(st.lists(st.integers(-200, 200), min_size=width * count, max_size=width * count))
        codes = np.array(entries, dtype=np.int64).reshape(width, count) << shifts[:, None]
        precision = draw(st.lists(st.integers(1, 16), min_size=count, max_size=count))
        second = Turn(codes, np.array(precision, dtype=np.int64), shifts)
    return Selection(SENSOR, rows, width, second, others)


def written(fold):
    payload = PayloadWriter(TABLES)
    write_selected_fold(payload, fold, fold.selection)
    return payload.data()


def read(data, sensor=SENSOR, bands=9):
    payload = PayloadReader(TABLES, data)
    fold = read_selected_fold(payload, bands, sensor)
    payload.finish()
    return fold


@settings(max_examples=150, deadline=None)
@given(selections(), st.lists(st.integers(-5000, 70000), min_size=9, max_size=9), st.integers(0, 12))
def test_any_selection_comes_back(selection, means, shift):
    fold = selected_fold(selection, np.array(means, dtype=np.int64) << shift, shift)
    found = read(written(fold))
    assert (found.ends, found.merged, found.mean_shift) == (fold.ends, fold.merged, shift)
    assert found.selection.others == selection.others
    np.testing.assert_array_equal(found.means, fold.means)
    for one, other in zip((*found.first, found.second), (*fold.first, fold.second), strict=True):
        np.testing.assert_array_equal(one.integers, other.integers)
        np.testing.assert_array_equal(one.precision, other.precision)
    # Every basis is orthonormal, whatever the matrix that turns it.
    for one in (*found.first, found.second):
        np.testing.assert_allclose(one.orthonormal.T @ one.orthonormal, np.eye(one.count), atol=1e-9)


def test_what_is_taken_as_it_is_is_that_of_the_package():
    fold = selected_fold(Selection(SENSOR, (2, 3), 5, (0, 2, 4), ((3,), (4,))), SENSOR.means, 0)
    taken = SENSOR.first[0].orthonormal[:, [0, 1, 3]]
    np.testing.assert_array_equal(fold.first[0].integers, np.rint(taken * BASIS_UNIT))
    np.testing.assert_allclose(fold.second.orthonormal, SENSOR.second.orthonormal[:, [0, 2, 4]], atol=1e-9)
    assert fold.components == 5


def test_a_turn_mixes_columns():
    angle = 0.3
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = Turn(np.rint(matrix * 2**16).astype(np.int64), np.full(2, 16), np.zeros(2, dtype=np.int64))
    fold = selected_fold(Selection(SENSOR, (2, 3), 2, turn, ((), ())), SENSOR.means, 0)
    expected = SENSOR.second.orthonormal[:, :2] @ matrix
    np.testing.assert_allclose(fold.second.orthonormal, expected, atol=1e-4)


def test_no_vectors_are_in_the_stream():
    """Nine usual means and three components of the package are told in fewer bytes than one vector."""
    fold = selected_fold(Selection(SENSOR, (2, 3), 5, (0, 1, 2), ((), ())), SENSOR.means, 0)
    assert len(written(fold)) < 24


def test_coarse_means_are_compared_with_those_of_the_package():
    means = (SENSOR.means + 300) >> 5 << 5
    fold = selected_fold(Selection(SENSOR, (0, 0), 0, (), ((), ())), means, 5)
    np.testing.assert_array_equal(read(written(fold)).means, means)


@settings(max_examples=300, deadline=None)
@given(selections(), st.data())
def test_lies_are_folds_or_stream_errors(selection, data):
    payload = bytearray(written(selected_fold(selection, SENSOR.means, 3)))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        fold = read(bytes(payload))
    except StreamError:
        return
    assert fold.second.integers.shape == (sum(fold.merged), fold.second.count)


def lying(*parts, turned=None):
    """A payload of fields that an encoder would not write."""
    payload = PayloadWriter(TABLES)
    fields = {"shift": [0], "rows": [2, 3], "sizes": [5, 2], "turned": [0], "gaps": [0, 0], "others": [0, 0]}
    fields.update(dict(parts))
    payload.integers(fields["shift"], 2048, signed=False)
    payload.integers([0] * 9, 16384)
    payload.integers(fields["rows"], 2048, signed=False)
    payload.integers(fields["sizes"], 2048, signed=False)
    payload.integers(fields["turned"], 256, signed=False)
    if turned is not None:
        shifts, precisions, entries = turned
        payload.integers(shifts, 256)
        payload.integers(precisions, 256)
        for column in entries:
            payload.integers(column, 128)
    else:
        payload.integers(fields["gaps"], 256, signed=False)
    payload.integers(fields["others"], 2048, signed=False)
    for count in fields["others"]:
        payload.integers([0] * min(count, 9), 256, signed=False)
    return payload.data()


def test_the_liar_can_tell_the_truth():
    assert read(lying()).second.count == 2
    turned = ([1, 0, 0, 0, 0], [-4, 0], [[40, 0, 0, 0, 0], [0, 80, 0, 0, 0]])
    assert read(lying(("turned", [1]), turned=turned)).second.count == 2


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (("shift", [41]), "shifted by 41"),
        (("rows", [3, 3]), "merged"),
        (("sizes", [6, 2]), "6 merged"),
        (("sizes", [2, 3]), "3 of 2"),
        (("rows", [0, 1]), "5 merged"),
        (("turned", [2]), "unknown way"),
        (("gaps", [4, 0]), "does not have"),
        (("others", [3, 0]), "3 components are taken of 2"),
        (("others", [1 << 35, 0]), "components are taken"),
    ],
)
def test_impossible_selections_are_refused(part, message):
    with pytest.raises(StreamError, match=message):
        read(lying(part))


@pytest.mark.parametrize(
    ("turned", "message"),
    [
        (([-1, 0, 0, 0, 0], [0, 0], [[0] * 5] * 2), "shifted too far"),
        (([21, 0, 0, 0, 0], [0, 0], [[0] * 5] * 2), "shifted too far"),
        (([0] * 5, [1, 0], [[0] * 5] * 2), "precision"),
        (([1, 0, 0, 0, 0], [0, 0], [[1 << 20, 0, 0, 0, 0]] * 2), "far beyond 1"),
        (([20, 0, 0, 0, 0], [0, 0], [[1 << 35, 0, 0, 0, 0]] * 2), "far beyond 1"),
    ],
)
def test_impossible_turns_are_refused(turned, message):
    with pytest.raises(StreamError, match=message):
        read(lying(("turned", [1]), turned=turned))


def test_a_package_for_other_bands_is_refused():
    data = written(selected_fold(Selection(SENSOR, (2, 3), 0, (), ((), ())), SENSOR.means, 0))
    with pytest.raises(StreamError, match="names package 'sensor-9', which is for 9"):
        read(data, bands=10)


def package(arrays, kind="sensor"):
    return unpack(pack(Package(Manifest("sensor-9", kind), arrays)))


def test_a_basis_goes_through_a_package():
    loaded = package(SENSOR.arrays())
    found = SensorBasis.from_package(loaded)
    assert (found.name, found.identity) == ("sensor-9", loaded.digest[:8])
    assert (found.ends, found.merged) == (SENSOR.ends, SENSOR.merged)
    np.testing.assert_array_equal(found.means, SENSOR.means)
    np.testing.assert_array_equal(found.wavelengths, SENSOR.wavelengths)
    for one, other in zip((*found.first, found.second), (*SENSOR.first, SENSOR.second), strict=True):
        np.testing.assert_array_equal(one.integers, other.integers)


def broken(name, change):
    arrays = dict(SENSOR.arrays())
    arrays[name] = change(arrays[name])
    return arrays


BROKEN = {
    "no means": {name: array for name, array in SENSOR.arrays().items() if name != "means"},
    "no vectors": {name: array for name, array in SENSOR.arrays().items() if name != "first-001"},
    "ends fall": broken("ends", lambda array: np.array([9, 4], dtype=np.int32)),
    "ends are short": broken("ends", lambda array: np.array([4, 8], dtype=np.int32)),
    "no ends": broken("ends", lambda array: array[:0]),
    "float ends": broken("ends", lambda array: array.astype(np.float64)),
    "two dimensions": broken("means", lambda array: array[None]),
    "means overflow": broken("means", lambda array: array + (1 << 62)),
    "means of the other end": broken("means", lambda array: np.full(9, -(1 << 63), dtype=np.int64)),
    "too many merged": broken("merged", lambda array: np.array([2, 6], dtype=np.int32)),
    "merged below zero": broken("merged", lambda array: np.array([-1, 6], dtype=np.int32)),
    "one merged": broken("merged", lambda array: array[:1]),
    "wide": broken("second", lambda array: np.zeros((5, 6), dtype=np.int32)),
    "low": broken("second", lambda array: array[:4]),
    "short": broken("first-000", lambda array: array[:3]),
    "no precision": broken("first-000-precision", lambda array: array * 0),
    "much precision": broken("second-precision", lambda array: array + 40),
    "entries": broken("second", lambda array: array * 64),
    "wavelengths": broken("wavelengths", lambda array: array[:-1]),
    "endless wavelengths": broken("wavelengths", lambda array: array * np.inf),
}


@pytest.mark.parametrize("name", BROKEN)
def test_packages_that_are_no_basis_are_refused(name):
    with pytest.raises(ModelError, match="holds no usable basis"):
        SensorBasis.from_package(package(BROKEN[name]))


def test_packages_of_another_kind_are_refused():
    with pytest.raises(ModelError, match="of kind 'codec'"):
        SensorBasis.from_package(package(SENSOR.arrays(), "codec"))


def info(**metadata):
    return SceneInfo(9, 1, 1, np.dtype("uint8"), metadata=metadata)


def listed(values):
    return tuple(f"{value:.4f}" for value in values)


def test_scenes_of_another_sensor_are_refused():
    centres = SENSOR.wavelengths
    with pytest.raises(ModelError, match="is for 9 bands, the scene has 8"):
        SENSOR.check_scene(SceneInfo(8, 1, 1, np.dtype("uint8")))
    shifted = centres + np.where(np.arange(9) == 6, 5.5, 0.0)
    with pytest.raises(
        ModelError, match=r"band 6 of the scene is at 465.5 nm, in package 'sensor-9' at 460 nm"
    ):
        SENSOR.check_scene(info(wavelength=listed(shifted)))


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"wavelength": listed(SENSOR.wavelengths + 4.5)},
        {"wavelength": listed(SENSOR.wavelengths / 1000), "wavelength units": "Micrometers"},
        {"wavelength": listed(SENSOR.wavelengths / 1000)},
        {"wavelength": listed(SENSOR.wavelengths), "wavelength units": "Nanometers"},
        {"wavelength": ("a",) * 9},
        {"wavelength": listed(SENSOR.wavelengths + 99)[:8]},
        {"wavelength": listed(np.arange(1, 10)), "wavelength units": "Index"},
    ],
)
def test_scenes_that_may_be_of_the_sensor_are_not(metadata):
    SENSOR.check_scene(info(**metadata))
    basis(wavelengths=None).check_scene(info(wavelength=listed(SENSOR.wavelengths + 99)))
