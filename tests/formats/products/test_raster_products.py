"""EnMAP and DESIS: GeoTIFF with a METADATA.XML beside it; others with tags in any case of letters."""

import json

import numpy as np
import pytest

from bandfold.common.errors import SceneError
from bandfold.formats.georeference import read_georeference
from bandfold.formats.opening import open_scene
from bandfold.formats.scene_options import SceneOptions
from bandfold.formats.tie_points import read_tie_points

from .conftest import BANDS, LINES, SAMPLES, numbers, read

rasterio = pytest.importorskip("rasterio")
pytest.importorskip("pyproj")

ENMAP = """<?xml version="1.0" encoding="UTF-8"?>
<level_X xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><base><format>GeoTIFF+Metadata</format></base>
<specific><backgroundValue>-32768</backgroundValue>
<bandCharacterisation>{}</bandCharacterisation></specific>
</level_X>
"""
ENMAP_BAND = """<bandID number="{n}"><wavelengthCenterOfBand>{w}</wavelengthCenterOfBand>
<FWHMOfBand>{f}</FWHMOfBand><GainOfBand>{g}</GainOfBand><OffsetOfBand>{o}</OffsetOfBand></bandID>"""
DESIS = """<?xml version="1.0" encoding="UTF-8"?>
<hsi_doc><specific><bandCharacterization>{}</bandCharacterization></specific></hsi_doc>
"""
DESIS_BAND = """<band><bandNumber>{n}</bandNumber><wavelengthCenterOfBand>{w}</wavelengthCenterOfBand>
<wavelengthWidthOfBand>{f}</wavelengthWidthOfBand><response>1, 2</response><gainOfBand>{g}</gainOfBand>
<offsetOfBand>{o}</offsetOfBand></band>"""


def xml(document, band, wavelengths):
    values = [
        {"n": n, "w": w, "f": 6 + n / 4, "g": 1e-4 * (n + 1), "o": n / 8} for n, w in enumerate(wavelengths)
    ]
    return document.format("".join(band.format(**one) for one in values))


def write(path, cube, **settings):
    profile = {"driver": "GTiff", "count": len(cube), "height": LINES, "width": SAMPLES, "dtype": cube.dtype}
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(30, 0, 600000, 0, -30, 5e6)}
    tiles = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}
    with rasterio.open(path, "w", **profile, **{**place, **tiles, **settings}) as file:
        file.write(cube)


@pytest.mark.parametrize(
    ("image", "metadata", "document", "band"),
    [
        ("ENMAP01-____L2A-DT01-SPECTRAL_IMAGE.TIF", "ENMAP01-____L2A-DT01-METADATA.XML", ENMAP, ENMAP_BAND),
        (
            "ENMAP01-____L1C-DT01-SPECTRAL_IMAGE_COG.tiff",
            "ENMAP01-____L1C-DT01-METADATA.xml",
            ENMAP,
            ENMAP_BAND,
        ),
        ("DESIS-HSI-L2A-DT01-SPECTRAL_IMAGE.tif", "DESIS-HSI-L2A-DT01-METADATA.xml", DESIS, DESIS_BAND),
    ],
)
def test_metadata_xml(run, tmp_path, counts, wavelengths, image, metadata, document, band):
    cube = counts.astype(np.int16)
    cube[:, 3, 4:9] = -32768
    write(tmp_path / image, cube, nodata=-32768)
    (tmp_path / metadata).write_text(xml(document, band, wavelengths))
    source = open_scene(tmp_path / image)
    np.testing.assert_array_equal(read(source), cube)
    np.testing.assert_allclose(numbers(source, "wavelength"), wavelengths)
    assert source.info.metadata["wavelength units"] == "Nanometers"
    np.testing.assert_allclose(numbers(source, "fwhm"), 6 + np.arange(BANDS) / 4)
    np.testing.assert_allclose(numbers(source, "data gain values"), 1e-4 * np.arange(1, BANDS + 1))
    np.testing.assert_allclose(numbers(source, "data offset values"), np.arange(BANDS) / 8)
    assert source.info.no_data == -32768
    assert read_georeference(source.info.metadata).crs.to_epsg() == 32632
    assert run("encode", image, "-o", "a.bf", "--step", 4).status == 0
    assert run("decode", "a.bf", "-o", "a.hdr").status == 0
    again = open_scene(tmp_path / "a.hdr").info.metadata
    for key in ("wavelength", "fwhm", "data gain values", "data offset values"):
        assert again[key] == source.info.metadata[key]


def test_detectors_of_enmap_level_1b(tmp_path, counts, wavelengths):
    (tmp_path / "E-METADATA.XML").write_text(xml(ENMAP, ENMAP_BAND, wavelengths))
    for name, part in (("VNIR", slice(0, 5)), ("SWIR", slice(5, BANDS))):
        write(tmp_path / f"E-SPECTRAL_IMAGE_{name}.TIF", counts[part].astype(np.int16))
        source = open_scene(tmp_path / f"E-SPECTRAL_IMAGE_{name}.TIF")
        np.testing.assert_allclose(numbers(source, "wavelength"), wavelengths[part])
        # Of the file that describes it, where the image does not say.
        assert source.info.no_data == -32768
        assert open_scene(source.path, SceneOptions(no_data=None)).info.no_data is None


@pytest.mark.parametrize("text", ["<a><b></a>", "no XML", "", '<?xml version="1.0" encoding="klingon"?><a/>'])
def test_a_damaged_xml_is_an_error(tmp_path, counts, text):
    write(tmp_path / "a-SPECTRAL_IMAGE.TIF", counts)
    (tmp_path / "a-METADATA.XML").write_text(text)
    with pytest.raises(SceneError, match=r"cannot read .*METADATA\.XML"):
        open_scene(tmp_path / "a-SPECTRAL_IMAGE.TIF")


def test_an_xml_of_something_else_tells_nothing(tmp_path, counts):
    write(tmp_path / "a-SPECTRAL_IMAGE.TIF", counts)
    (tmp_path / "a-METADATA.XML").write_text("<a><bandCharacterisation><b/></bandCharacterisation></a>")
    assert "wavelength" not in open_scene(tmp_path / "a-SPECTRAL_IMAGE.TIF").info.metadata


@pytest.mark.parametrize(
    ("names", "unit", "factor"),
    [
        (("WAVELENGTH", "FWHM"), "Nanometers", 1),
        (("Center_Wavelength", "Bandwidth"), "Nanometers", 1),
        (("wavelength_nm", "fwhm_nm"), "Nanometers", 1),
        (("CENTRAL_WAVELENGTH_UM", "FWHM_NM"), "Micrometers", 1000),
        (("Wavelength (text)", "Fwhm"), "Nanometers", 1),
    ],
)
def test_tags_of_bands_in_any_case_of_letters(tmp_path, counts, wavelengths, names, unit, factor):
    write(tmp_path / "a.tif", counts)
    suffix = " nm" if names[0].endswith("(text)") else ""
    with rasterio.open(tmp_path / "a.tif", "r+") as file:
        for band in range(BANDS):
            tags = {
                names[0].removesuffix(" (text)"): f"{wavelengths[band] / factor}{suffix}",
                names[1]: f"8.5{suffix}",
            }
            file.update_tags(band + 1, **tags, Good_Band=str(int(band != 3)))
    source = open_scene(tmp_path / "a.tif")
    np.testing.assert_allclose(numbers(source, "wavelength") * factor, wavelengths)
    np.testing.assert_allclose(numbers(source, "fwhm") * factor, 8.5)
    assert source.info.metadata["wavelength units"] == unit
    assert source.info.metadata["bbl"] == ("1", "1", "1", "0", *["1"] * (BANDS - 4))


@pytest.mark.parametrize("name", ["wavelengths", "WAVELENGTHS", "Wavelength"])
def test_lists_in_tags_of_the_file(tmp_path, counts, wavelengths, name):
    write(tmp_path / "a.tif", counts)
    with rasterio.open(tmp_path / "a.tif", "r+") as file:
        file.update_tags(
            **{name: "{" + ", ".join(map(str, wavelengths / 1000)) + "}", "AREA_OR_POINT": "Area"}
        )
    source = open_scene(tmp_path / "a.tif")
    np.testing.assert_allclose(numbers(source, "wavelength"), wavelengths / 1000)
    assert source.info.metadata["wavelength units"] == "Micrometers"


def test_ground_control_points_and_rpc(run, tmp_path, counts, grids):
    from rasterio.control import GroundControlPoint
    from rasterio.rpc import RPC

    corners = [(0, 0), (0, SAMPLES - 1), (LINES - 1, 0), (LINES - 1, SAMPLES - 1)]
    points = [
        GroundControlPoint(row + 0.5, col + 0.5, grids[0][row, col], grids[1][row, col])
        for row, col in corners
    ]
    write(tmp_path / "a.tif", counts, transform=None, gcps=points, crs="EPSG:4326")
    read_back = read_tie_points(open_scene(tmp_path / "a.tif").info.metadata)
    assert [(one.line, one.sample) for one in read_back] == corners
    ones = [1.0] * 20
    rpc = RPC(500, 100, 48, 1, ones, ones, 35, 35, 11, 1, ones, ones, 12, 12)
    write(tmp_path / "b.tif", counts, transform=None, crs=None, rpcs=rpc)
    result = run("encode", "b.tif", "-o", "b.bf", "--bps", 2, "--json")
    assert json.loads(result.out)["notes"][0] == "not carried, keep the file for them: coefficients of RPC"
