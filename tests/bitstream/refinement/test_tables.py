"""Tables of refinement: what is shipped is whole, and what is not is refused."""

import pytest

from bandfold.bitstream.refinement.tables import load_refinement_tables, refinement_from_arrays
from bandfold.common.errors import ModelError


def _arrays():
    tables = load_refinement_tables()
    return {"frequencies": tables.frequencies.copy(), "weights": tables.weights.copy()}


def test_the_identity_follows_from_the_content():
    arrays = _arrays()
    assert refinement_from_arrays(arrays).identity == load_refinement_tables().identity
    arrays["weights"][0, 0] += 1
    assert refinement_from_arrays(arrays).identity != load_refinement_tables().identity


@pytest.mark.parametrize("damage", ["sum", "zero", "shape", "weights"])
def test_other_arrays_are_refused(damage):
    arrays = _arrays()
    if damage == "sum":
        arrays["frequencies"][3, 0] += 1
    elif damage == "zero":
        arrays["frequencies"][3, 1] += arrays["frequencies"][3, 0]
        arrays["frequencies"][3, 0] = 0
    elif damage == "shape":
        arrays["frequencies"] = arrays["frequencies"][1:]
    else:
        arrays["weights"][0, 7] = 1 << 20
    with pytest.raises(ValueError, match=r"shape|sum|weights"):
        refinement_from_arrays(arrays)


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_a_file_without_tables_is_a_typed_error(tmp_path, content):
    path = tmp_path / "tables.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match="refinement tables cannot be read"):
        load_refinement_tables(path)
