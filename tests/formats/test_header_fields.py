"""Header fields that hold a number for each band."""

import pytest

from bandfold.formats.header_fields import numbers


@pytest.mark.parametrize(
    ("items", "expected"),
    [(("400", "410.5"), (400, 410.5)), (("400",), None), (("400", "x"), None), ("400", None), (None, None)],
)
def test_numbers_of_bands(items, expected):
    found = numbers({} if items is None else {"wavelength": items}, "wavelength", 2)
    assert (None if found is None else tuple(found)) == expected
