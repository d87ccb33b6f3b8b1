"""Which format a file has by its suffix."""

import pytest

from bandfold.common.errors import SettingsError
from bandfold.formats.file_formats import format_of, output_format


def test_suffixes(tmp_path):
    assert format_of(tmp_path / "a.TIF") == "geotiff"
    assert format_of(tmp_path / "a.img") == "envi"
    assert output_format(tmp_path / "a.nc", None) == "netcdf"
    assert output_format(tmp_path / "a", "zarr") == "zarr"
    for name, kind, message in (("a.mat", None, "not written"), ("a.nc", "zarr", "not named like zarr")):
        with pytest.raises(SettingsError, match=message):
            output_format(tmp_path / name, kind)
