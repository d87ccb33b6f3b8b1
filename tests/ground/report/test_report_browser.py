"""The page in a real browser, without a network: slider, pixel, keyboard, phone."""

import io
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from bandfold.bitstream.container.sections import Section
from bandfold.ground import Decoder
from bandfold.ground.report.bit_counting_decoder import BitCountingDecoder
from bandfold.ground.report.report_contents import collect
from bandfold.ground.report.report_page import render
from bandfold.onboard import ArraySource

from ..streams import LINES, SAMPLES, STRIP, encode, flipped, scene
from .browser import pixels, spectrum

BANDS = 6
CUBE = scene(BANDS)
METADATA = {
    "wavelength": ("450.0", "500.0", "550.0", "600.0", "650.0", "700.0"),
    "wavelength units": "Nanometers",
}


@pytest.fixture(scope="module")
def stream():
    whole = encode(ArraySource(CUBE, metadata=METADATA))
    return flipped(whole, Section.SEGMENT, 2)


@pytest.fixture(scope="module")
def address(stream, tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.html"
    contents = collect(BitCountingDecoder(stream), ArraySource(CUBE), 1 << 20)
    file.write_text(render(contents, "a.bf"), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def show(open_page, address):
    return partial(open_page, address)


def click(page, line, sample):
    box = page.locator("#picture").bounding_box()
    position = {"x": (sample + 0.5) * box["width"] / SAMPLES, "y": (line + 0.5) * box["height"] / LINES}
    page.locator("#picture").click(position=position)


def test_a_click_shows_the_spectrum_of_the_pixel(show, stream):
    page = show()
    decoded = Decoder(stream).decode()
    for line, sample in ((3, 17), (0, 0), (LINES - 1, SAMPLES - 1), (20, 5)):
        click(page, line, sample)
        shown = spectrum(page)
        assert shown["x"] == [450.0, 500.0, 550.0, 600.0, 650.0, 700.0]
        assert shown["decoded"] == decoded[:, line, sample].tolist()
        assert shown["reference"] == CUBE[:, line, sample].tolist()
        said = page.locator("#pixel").inner_text()
        damaged = line >= 2 * STRIP
        assert said == f"Line {line}, sample {sample}" + (": in a damaged strip" if damaged else "")
    page.locator("summary", has_text="Spectrum as a table").click()
    row = page.locator("#spectrum-table tbody tr").nth(2).locator("td").all_inner_texts()
    assert row == ["2", "550", str(decoded[2, 20, 5]), str(CUBE[2, 20, 5])]


def test_the_slider_shows_a_band(show):
    page = show()
    before = pixels(page)
    slider = page.get_by_role("slider", name="Band")
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    assert slider.input_value() == "2"
    assert page.locator("#band-name").inner_text() == "2 (550 nanometers)"
    assert page.get_by_role("combobox", name="Show").input_value() == "decoded"
    second = pixels(page)
    assert (second != before).any()
    # One band is grey, but for the cross and the damaged strip.
    upper = second[: second.shape[0] * STRIP // LINES]
    assert (np.ptp(upper, axis=2) == 0).mean() > 0.98
    slider.press("End")
    assert slider.input_value() == str(BANDS - 1)
    assert (pixels(page) != second).any()
    marks = page.evaluate(
        "Bokeh.documents.map((one) => one.get_model_by_name('band'))"
        ".filter(Boolean).map((one) => one.location)"
    )
    assert marks == [700, 700]


def test_grey_levels_are_those_of_the_band(show, stream):
    page = show()
    page.get_by_role("slider", name="Band").fill("4")
    found = pixels(page)[:, :, 0]
    band = Decoder(stream).decode()[4].astype(np.float64)
    low, high = np.percentile(band, (1, 99))
    expected = np.clip((band - low) / (high - low), 0, 1) * 255
    rows = ((np.arange(2 * STRIP) + 0.5) * found.shape[0] / LINES).astype(int)
    columns = ((np.arange(SAMPLES) + 0.5) * found.shape[1] / SAMPLES).astype(int)
    # The cross hides some.
    close = np.abs(found[np.ix_(rows, columns)] - expected[: 2 * STRIP]) < 1.5
    assert close.mean() > 0.95


def test_difference_and_reference_can_be_shown(show):
    page = show()
    shown = [pixels(page)]
    for what in ("decoded", "reference", "difference"):
        page.get_by_role("combobox", name="Show").select_option(what)
        shown.append(pixels(page))
    for first, second in pairwise(shown):
        assert (first != second).any()


def test_the_cross_moves_with_the_arrow_keys(show):
    page = show()
    click(page, 10, 10)
    canvas = page.locator("#picture")
    canvas.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        canvas.press(key)
    assert page.locator("#pixel").inner_text() == "Line 8, sample 11"
    canvas.press("Shift+ArrowLeft")
    assert page.locator("#pixel").inner_text() == "Line 8, sample 1"
    canvas.press("Shift+ArrowLeft")
    assert page.locator("#pixel").inner_text() == "Line 8, sample 0"
    assert spectrum(page)["reference"] == CUBE[:, 8, 0].tolist()


def test_everything_is_reached_by_the_tabulator(show):
    page = show()
    reached = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"what", "band", "picture"} <= reached


def test_damage_is_marked(show):
    page = show()
    assert "1 of 3 strips are damaged or missing" in page.get_by_role("alert").inner_text()
    found = pixels(page)
    lower = found[int(found.shape[0] * 2 * STRIP / LINES) + 2 : -2]
    red = (lower[:, :, 0] > 150) & (lower[:, :, 1] < 90)
    assert 0.05 < red.mean() < 0.5


def test_plots_are_drawn(show):
    page = show()
    picture = np.array(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB"))
    for name in ("spectrum", "psnr", "sam", "rmse", "strips", "intervals", "components"):
        box = page.locator(f"#{name}").bounding_box()
        left, top, width, height = (int(box[key]) for key in ("x", "y", "width", "height"))
        image = picture[top : top + height, left : left + width]
        assert min(image.shape[:2]) > 80, name
        assert image.std() > 5, name
        assert len(np.unique(image.reshape(-1, 3), axis=0)) > 20, name


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_all_of_it(show, width):
    page = show(width, 800, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#picture").scroll_into_view_if_needed()
    box = page.locator("#picture").bounding_box()
    assert box["x"] >= 0
    assert box["width"] <= width
    page.touchscreen.tap(box["x"] + box["width"] * 10.5 / SAMPLES, box["y"] + box["height"] * 5.5 / LINES)
    assert page.locator("#pixel").inner_text() == "Line 5, sample 10"
    assert page.get_by_role("slider", name="Band").bounding_box()["height"] >= 40


@pytest.mark.parametrize("width", [390, 1280])
def test_the_picture_stays_where_it_is(show, width):
    page = show(width, 900)
    places = set()
    for what in ("colours", "decoded", "reference", "difference"):
        page.get_by_role("combobox", name="Show").select_option(what)
        for band in range(BANDS) if what != "colours" else ():
            page.get_by_role("slider", name="Band").fill(str(band))
            places.add(tuple(page.locator("#picture").bounding_box().values()))
        places.add(tuple(page.locator("#picture").bounding_box().values()))
    assert len(places) == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_maps_keep_the_aspect_of_the_scene(show, width):
    page = show(width, 900)
    page.wait_for_timeout(500)
    aspects = page.evaluate(
        """() => Bokeh.documents.map((one) => one.roots()[0]).filter((one) => one.match_aspect).map((one) => {
            const view = Bokeh.index.get_one ? Object.values(Bokeh.index.roots || Bokeh.index)
                .find((each) => each.model === one) : Bokeh.index[one.id];
            const box = view.frame.bbox;
            return (box.width / (one.x_range.end - one.x_range.start))
                / (box.height / Math.abs(one.y_range.end - one.y_range.start));
        })"""
    )
    assert len(aspects) == 2
    assert aspects == pytest.approx([1, 1], abs=0.03)


def test_a_dark_system_gets_a_dark_page(show):
    grounds = [page_ground(show(color_scheme=scheme)) for scheme in ("light", "dark")]
    assert grounds[0] > 200
    assert grounds[1] < 60


def page_ground(page):
    """Mean of red, green and blue behind everything."""
    said = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return np.mean([int(one) for one in said[4:-1].split(",")])


def test_paper_gets_everything(show):
    page = show()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("Array.from(document.querySelectorAll('details')).every((one) => one.open)")
    for one in page.locator(".scroll, .wide-table").all():
        assert one.evaluate("one => one.scrollHeight - one.clientHeight") <= 1
