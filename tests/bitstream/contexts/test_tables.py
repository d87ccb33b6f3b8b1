"""The tables file: identity, and refusal of what is no table."""

import hashlib

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import (
    CLASSES,
    IDENTITIES,
    MODES,
    SHIPPED_TABLES,
    SIDE_CLASSES,
    TOKEN_COST_UNIT,
    identity_of,
    load_tables,
    tables_from_arrays,
)
from bandfold.bitstream.entropy.ans import PRECISION, TOKENS, token_base
from bandfold.common.errors import ModelError

TABLES = load_tables()


@pytest.fixture
def arrays():
    with np.load(SHIPPED_TABLES) as archive:
        return {name: archive[name] for name in archive.files}


def test_shapes_are_those_of_the_document(arrays):
    expected = {"side_frequencies": (SIDE_CLASSES, TOKENS)}
    for mode in MODES:
        units, middle_units = arrays[f"{mode}_middle"].shape[:0:-1]
        expected |= {
            f"{mode}_hidden": (8, units, 19),
            f"{mode}_bias": (64, units),
            f"{mode}_middle": (8, middle_units, units),
            f"{mode}_middle_bias": (8, middle_units),
            f"{mode}_output": (8, middle_units),
            f"{mode}_offset": (8,),
            f"{mode}_shifts": (3,),
            f"{mode}_frequencies": (CLASSES, TOKENS),
            f"{mode}_points": (CLASSES, 3),
        }
    assert {name: array.shape for name, array in arrays.items()} == expected
    assert {array.dtype.kind for array in arrays.values()} == {"i"}


def test_identity_is_the_hash_of_the_document(arrays):
    content = b"".join(
        f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode() + arrays[name].tobytes()
        for name in sorted(arrays)
    )
    assert TABLES.identity == hashlib.sha256(content).digest()[:8]


@pytest.mark.parametrize("name", ["side_frequencies", "folded_points", "banded_bias", "folded_shifts"])
def test_identity_depends_on_every_array(arrays, name):
    arrays[name] = arrays[name].copy()
    if name == "side_frequencies":
        arrays[name][0, :2] += (1, -1) if arrays[name][0, 1] > 1 else (-1, 1)
    else:
        arrays[name].flat[-1] += 1
    assert tables_from_arrays(arrays).identity != TABLES.identity


@pytest.mark.parametrize("change", [1, -1])
def test_frequencies_must_sum_to_the_whole(arrays, change):
    arrays["folded_frequencies"] = arrays["folded_frequencies"].copy()
    arrays["folded_frequencies"][3, 0] += change
    with pytest.raises(ValueError, match="sum to"):
        tables_from_arrays(arrays)


def test_frequencies_must_be_positive(arrays):
    arrays["side_frequencies"] = arrays["side_frequencies"].copy()
    arrays["side_frequencies"][0, 0] += arrays["side_frequencies"][0, 9]
    arrays["side_frequencies"][0, 9] = 0
    with pytest.raises(ValueError, match="positive"):
        tables_from_arrays(arrays)


SHAPES = {
    "wrong units": ("folded_bias", lambda array: array[:, :-1]),
    "wrong units of the second layer": ("folded_output", lambda array: array[:, :-1]),
    "too many units": ("folded_hidden", lambda array: np.repeat(array, 9, axis=1)),
    "wrong groups": ("banded_offset", lambda array: array[:-1]),
    "wrong features": ("folded_hidden", lambda array: array[:, :, :-1]),
    "wrong channels": ("banded_bias", lambda array: array[:-1]),
    "one layer less": ("folded_middle", lambda array: array[:, :0]),
    "flat": ("folded_hidden", lambda array: array.ravel()),
    "wrong shifts": ("folded_shifts", lambda array: array[:-1]),
    "large shifts": ("folded_shifts", lambda array: array + 40),
    "wrong number of classes": ("folded_frequencies", lambda array: array[:-1]),
    "twice the classes in one array only": ("folded_frequencies", lambda array: np.tile(array, (2, 1))),
    "wrong alphabet": ("banded_frequencies", lambda array: array[:, :-1]),
    "truncated tables": ("side_frequencies", lambda array: array[:-1]),
    "flat tables": ("side_frequencies", lambda array: array.ravel()),
    "truncated points": ("folded_points", lambda array: array[:-1]),
    "points without magnitudes": ("folded_points", lambda array: array[:, :-1]),
}


@pytest.mark.parametrize("case", SHAPES)
def test_arrays_of_another_shape_are_model_errors(tmp_path, arrays, case):
    name, change = SHAPES[case]
    arrays[name] = change(arrays[name])
    np.savez(tmp_path / "tables.npz", **arrays)
    with pytest.raises(ModelError, match=r"cannot be read from .*tables\.npz: "):
        load_tables(tmp_path / "tables.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 no archive either"])
def test_unreadable_files_are_model_errors(tmp_path, content):
    (tmp_path / "tables.npz").write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read"):
        load_tables(tmp_path / "tables.npz")


def test_missing_arrays_are_model_errors(tmp_path, arrays):
    del arrays["banded_offset"]
    np.savez(tmp_path / "tables.npz", **arrays)
    with pytest.raises(ModelError, match="banded_offset"):
        load_tables(tmp_path / "tables.npz")


@pytest.mark.parametrize("name", MODES)
def test_costs_are_the_lengths_of_the_codes(name):
    mode = TABLES.modes[name]
    widths = token_base(np.arange(TOKENS, dtype=np.int32))[1]
    bits = PRECISION - np.log2(mode.frequencies) + widths + (np.arange(TOKENS) > 0)
    assert np.abs(mode.costs / TOKEN_COST_UNIT - bits).max() < 0.51 / TOKEN_COST_UNIT


@pytest.mark.parametrize("name", MODES)
def test_reconstruction_points(name):
    mode = TABLES.modes[name]
    magnitudes = np.array([0, 1, 2, 3, 4, 1000], dtype=np.int32)
    for number in range(CLASSES):
        found = mode.reconstruction_points(magnitudes, np.full(6, number, dtype=np.uint8))
        below = mode.points[number]
        assert found.tolist() == [0, 1 - below[0], 2 - below[1], 3 - below[2], 4 - below[2], 1000 - below[2]]
        # Towards zero, where the density is higher, or a little above where optimised zeroing took the lower
        # of two magnitudes; never as far as the next one.
        assert (np.abs(below) < 0.5).all()


@pytest.mark.parametrize("path", IDENTITIES)
def test_shipped_tables_have_the_identities_that_are_known(path):
    with np.load(path) as archive:
        assert identity_of(dict(archive)) == IDENTITIES[path] == load_tables(path).identity
