"""Headers as programs leave them: nothing that follows an odd field is lost."""

import pytest

from bandfold.formats.envi.header_parser import HeaderSyntaxError, parse_header

BEHIND = "bands = 3\ndata ignore value = -9999\n"


def fields(text):
    found = parse_header("ENVI\n" + text + BEHIND)
    assert found.pop("data ignore value") == "-9999", "what follows is lost"
    assert found.pop("bands") == "3"
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wavelength = {1, 2, 3},\n", {"wavelength": ("1", "2", "3")}),
        ("wavelength = {1, 2, 3} ; in nm\n", {"wavelength": ("1", "2", "3")}),
        ("wavelength = {1, 2, 3} nm\n", {"wavelength": ("1", "2", "3")}),
        ("wavelength = {1,\n 2,\n 3,\n}\n", {"wavelength": ("1", "2", "3")}),
        ("wavelength = { 1, 2,\n; a comment\n 3 }\n", {"wavelength": ("1", "2", "3")}),
        ("wavelength =\n{\n1, 2,\n3\n}\n", {"wavelength": ("1", "2", "3")}),
        ("description =\n  {one\n two}\n", {"description": "one\ntwo"}),
        ("sensor type =\nwavelength = {1, 2, 3}\n", {"sensor type": "", "wavelength": ("1", "2", "3")}),
        ("wavelength = [1, 2, 3]\n", {"wavelength": ("1", "2", "3")}),
        ("wavelength=[1,2,3],\n", {"wavelength": ("1", "2", "3")}),
        ("bbl = {1 1\n0}\n", {"bbl": ("1", "1", "0")}),
        ("wavelength = {4.1e2\t420 430.}\n", {"wavelength": ("4.1e2", "420", "430.")}),
        ("bbl = {1 1}\n", {"bbl": ("1 1",)}),
        ("band names = {a b c}\n", {"band names": ("a b c",)}),
        ("Wavelength_Units = nm\n", {"wavelength units": "nm"}),
        ("band names = {a, , c}\n", {"band names": ("a", "", "c")}),
        ("band names = {a, b, }\n", {"band names": ("a", "b", "")}),
        ("description = {one {two} three}\n", {"description": "one {two} three"}),
        ("description = {one {two}\n", {"description": "one {two"}),
        ("description = {one } two}\n", {"description": "one } two"}),
        ("description = {one } two\n three}\n", {"description": "one } two\nthree"}),
        ("description = {one\n two},\n", {"description": "one\ntwo"}),
        ("description = {one} two\n", {"description": "one"}),
        ("description = plain\n", {"description": "plain"}),
        ("note = a = b\n", {"note": "a = b"}),
        ("; key = value\n\nlines\n", {}),
        ("my_key = 1\n", {"my_key": "1"}),
        ("note = [open\n", {"note": "[open"}),
        (
            'coordinate system string = {PROJCS["UTM", GEOGCS["W"]]}\n',
            {"coordinate system string": ('PROJCS["UTM"', 'GEOGCS["W"]]')},
        ),
    ],
)
def test_odd_fields(text, expected):
    assert fields(text) == expected


@pytest.mark.parametrize(
    "spelling", ["data_ignore_value", "Data_Ignore_Value", "DATA IGNORE VALUE", "data  ignore value"]
)
def test_spellings_of_a_usual_key(spelling):
    assert parse_header(f"ENVI\n{spelling} = -9999\n") == {"data ignore value": "-9999"}


def test_what_is_no_header():
    with pytest.raises(HeaderSyntaxError, match="begin with ENVI"):
        parse_header("samples = 3\n")
    with pytest.raises(HeaderSyntaxError, match="begin with ENVI"):
        parse_header("")
    with pytest.raises(HeaderSyntaxError, match="'wavelength' in line 2 is never closed"):
        parse_header("ENVI\nwavelength = {1, 2\nfwhm = 3\n")
    assert parse_header("\ufeffENVI\nsamples = 3") == {"samples": "3"}
