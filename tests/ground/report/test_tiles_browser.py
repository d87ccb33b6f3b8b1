"""Tiles in a real browser, without a network: zoom, pan, spectra, and a folder that is not there."""

import re
import shutil
from functools import partial

import numpy as np
import pytest

from bandfold.bitstream.container.sections import Section
from bandfold.ground import Decoder
from bandfold.ground.report.bit_counting_decoder import BitCountingDecoder
from bandfold.ground.report.report_contents import collect
from bandfold.ground.report.report_page import render
from bandfold.ground.report.tile_folder import TileFolder
from bandfold.onboard import ArraySource

from ..streams import encode, flipped, scene
from .browser import pixels, spectrum

BANDS, LINES, SAMPLES = 20, 300, 200
CUBE = scene(BANDS, LINES, SAMPLES)


def write_page(folder, stream, cube, name="a.html", tiles="a tiles"):
    decoder = BitCountingDecoder(stream)
    page = folder / name
    with TileFolder(folder / tiles, page, decoder.info, reference=True, most_bytes=1 << 30) as written:
        contents = collect(decoder, ArraySource(cube), 1 << 12, tiles=written)
        page.write_text(render(contents, "a.bf", tiles=written), encoding="utf-8")
        written.publish()
    return page


@pytest.fixture(scope="module")
def stream():
    return flipped(encode(CUBE, strip_lines=64), Section.SEGMENT, 4)


@pytest.fixture(scope="module")
def page_file(stream, tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("tiles"), stream, CUBE)


@pytest.fixture
def show(open_page, page_file):
    return partial(open_page, page_file.as_uri())


def settled(page):
    """Wait until all tiles that are to be seen are drawn, and the spectrum is that of the cross."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function(
        "(({awaited, spectrum}) => awaited === '0' && spectrum === 'shown')"
        "(document.getElementById('picture').dataset)"
    )
    return page


def shown(page):
    """Lines and samples that the page says it shows."""
    said = page.locator("#shown").inner_text()
    if said == "whole scene":
        return 0, LINES, 0, SAMPLES
    return tuple(map(int, re.fullmatch(r"lines (\d+):(\d+), samples (\d+):(\d+)", said).groups()))


def zoom_in(page, times):
    for _ in range(times):
        page.get_by_role("button", name="Show more detail").click()
    return settled(page)


def test_a_band_is_shown_in_full(show, stream):
    page = show()
    page.get_by_role("slider", name="Band").fill("17")
    assert page.locator("#band-name").inner_text() == "17"
    band = Decoder(stream).decode()[17].astype(np.float64)
    low, high = np.percentile(band[::2, ::2], (1, 99))
    expected = np.clip((band - low) / (high - low), 0, 1) * 255
    width = pixels(page).shape[1]
    found = pixels(zoom_in(page, 5))[:, :, 0]
    top, bottom, left, right = shown(page)
    # The cross, in the middle of the scene, stays where it was; there are 32 pixels for each sample.
    lines, samples = np.arange(top + 1, bottom - 1), np.arange(left + 1, right - 1)
    assert 10 < len(lines) < 30
    assert 10 < len(samples) < 30
    middle = width / SAMPLES
    rows = np.rint((lines - LINES / 2) * 32 + (LINES / 2 + 0.5) * middle).astype(int)
    columns = np.rint((samples - SAMPLES / 2) * 32 + (SAMPLES / 2 + 0.5) * middle).astype(int)
    close = np.abs(found[np.ix_(rows, columns)] - expected[np.ix_(lines, samples)]) < 6
    # The cross hides one.
    assert close.mean() > 0.98


def test_a_click_shows_the_whole_spectrum_of_any_pixel(show, stream):
    page = show()
    decoded = Decoder(stream).decode()
    canvas = page.locator("#picture")
    for line, sample in ((3, 17), (131, 199), (299, 0)):
        box = canvas.bounding_box()
        canvas.click(
            position={
                "x": (sample + 0.5) * box["width"] / SAMPLES,
                "y": (line + 0.5) * box["height"] / LINES,
            }
        )
        found = spectrum(settled(page))
        assert found["x"] == list(range(BANDS))
        assert found["decoded"] == decoded[:, line, sample].tolist()
        assert found["reference"] == CUBE[:, line, sample].tolist()
        assert page.locator("#pixel").inner_text().startswith(f"Line {line}, sample {sample}")
    assert page.locator("#spectrum-table tbody tr").count() == BANDS


def test_keys_zoom_and_move(show):
    page = settled(show())
    canvas = page.locator("#picture")
    canvas.focus()
    assert shown(page) == (0, LINES, 0, SAMPLES)
    canvas.press("+")
    canvas.press("+")
    top, bottom, left, right = shown(settled(page))
    assert (bottom - top) <= LINES / 4 + 2
    assert (right - left) <= SAMPLES / 4 + 2
    for _ in range(8):
        canvas.press("Shift+ArrowDown")
    line = int(page.locator("#pixel").inner_text().split()[1].strip(","))
    moved = shown(settled(page))
    assert moved[0] > top
    assert moved[0] <= LINES // 2 + 80 < moved[1]
    assert line <= LINES
    canvas.press("-")
    assert shown(settled(page))[1] - shown(page)[0] > bottom - top
    canvas.press("0")
    assert shown(settled(page)) == (0, LINES, 0, SAMPLES)
    assert page.get_by_role("button", name="Whole scene").is_disabled()


def test_the_mouse_drags_and_the_wheel_zooms_with_a_key(show):
    page = settled(show())
    box = page.locator("#picture").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(200)
    assert shown(page) == (0, LINES, 0, SAMPLES)
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function("document.getElementById('shown').textContent !== 'whole scene'")
    before, cross = shown(settled(page)), page.locator("#pixel").inner_text()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 80, steps=4)
    page.mouse.up()
    after = shown(settled(page))
    assert after[0] < before[0]
    assert after[2] < before[2]
    # Dragging picks no pixel.
    assert page.locator("#pixel").inner_text() == cross


def touch(session, kind, *places):
    session.send(
        "Input.dispatchTouchEvent",
        {"type": kind, "touchPoints": [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]},
    )


def test_two_fingers_zoom_on_a_phone(show):
    page = settled(show(390, 844, has_touch=True, is_mobile=True))
    page.locator("#picture").scroll_into_view_if_needed()
    box = page.locator("#picture").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    touch(session, "touchStart", (x - 20, y), (x + 20, y))
    for apart in (30, 50, 70, 90):
        touch(session, "touchMove", (x - apart, y), (x + apart, y))
    touch(session, "touchEnd")
    page.wait_for_function("document.getElementById('shown').textContent !== 'whole scene'")
    top, bottom, _, _ = before = shown(settled(page))
    assert bottom - top < LINES / 2
    # The page itself is as large as it was.
    assert page.evaluate("visualViewport.scale") == 1
    touch(session, "touchStart", (x, y))
    for moved in (20, 40, 60):
        touch(session, "touchMove", (x, y + moved))
    touch(session, "touchEnd")
    assert shown(settled(page))[0] < before[0]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("what", ["reference", "difference", "sam", "rmse", "colours"])
def test_all_layers_are_tiled(show, what):
    page = show()
    page.get_by_role("combobox", name="Show").select_option(what)
    whole = pixels(settled(page))
    assert (pixels(zoom_in(page, 1)) != whole).any()
    colours = np.ptp(whole, axis=2) > 30
    assert (colours.mean() > 0.3) == (what in ("difference", "sam", "rmse"))
    assert page.locator("#scale").inner_text() != ""


def test_damage_is_hatched_where_it_is_to_be_seen(show):
    def red(page):
        found = pixels(settled(page))
        return (found[:, :, 0] > 150) & (found[:, :, 1] < 90)

    page = show()
    page.get_by_role("slider", name="Band").fill("3")
    hatched = red(page)
    start = int(len(hatched) * 256 / LINES)
    assert hatched[start + 2 :].mean() > 0.05
    assert not hatched[: start - 2].any()
    assert not red(zoom_in(page, 1)).any()


@pytest.mark.parametrize("fault", ["gone", "of another page"])
def test_a_page_without_its_tiles_shows_what_it_keeps(open_page, page_file, stream, tmp_path, fault):
    page_path = tmp_path / "a.html"
    shutil.copy(page_file, page_path)
    if fault == "of another page":
        write_page(tmp_path, stream, CUBE, "other.html")
    page = open_page(page_path.as_uri(), tolerant=fault == "gone")
    assert page.locator("#tiles-note").is_visible()
    assert "keep the folder a tiles" in page.locator("#tiles-note").inner_text()
    options = page.locator("#what option").evaluate_all("all => all.map((one) => one.value)")
    assert options == ["colours", "decoded", "reference", "difference"]
    before = pixels(page)
    page.get_by_role("slider", name="Band").fill("1")
    page.wait_for_timeout(100)
    assert (pixels(page) != before).any()
    page.locator("#picture").focus()
    page.keyboard.press("ArrowDown")
    # From one pixel that is kept to the next.
    assert page.locator("#pixel").inner_text().startswith("Line ")
    assert int(re.findall(r"\d+", page.locator("#pixel").inner_text())[0]) > LINES // 2 + 1


def test_long_scenes_have_room_to_zoom_into(open_page, tmp_path):
    cube = scene(2, 1500, 40)
    page = open_page(write_page(tmp_path, encode(cube, strip_lines=64), cube).as_uri())
    settled(page)
    width, height = page.evaluate(
        "[document.getElementById('picture').width, document.getElementById('picture').height]"
    )
    assert (width, height) == (512, 1024)
    canvas = page.locator("#picture")
    box = canvas.bounding_box()
    # The scene is in the middle of the canvas.
    canvas.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    settled(page)
    line, sample = re.findall(r"\d+", page.locator("#pixel").inner_text())
    assert abs(int(line) - 750) <= 5
    assert abs(int(sample) - 20) <= 2
    # Colours at full resolution come from tiles here, of which the page keeps every other line only.
    found = pixels(zoom_in(page, 6))
    assert len(np.unique(found.reshape(-1, 3), axis=0)) > 100
