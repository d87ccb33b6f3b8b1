"""The format does not change by accident: golden streams, made by tests/golden/make_golden.py alone."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.contexts.tables import DEPENDENT_TABLES, load_tables
from bandfold.bitstream.contexts.tables import OLDER as TABLES
from bandfold.bitstream.packages.package import pack
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.transforms.coding_weights import weights_of
from bandfold.common.scene import SCALED_DTYPES
from bandfold.ground.decoder import Decoder
from bandfold.ground.stream.parsed_stream import ParsedStream
from bandfold.onboard.transform.block_weights import block_codes

GOLDEN = Path(__file__).parent / "golden"


def _load_maker():
    """The script is no module of the package; what it defines is the scenes."""
    specification = importlib.util.spec_from_file_location("make_golden", GOLDEN / "make_golden.py")
    module = importlib.util.module_from_spec(specification)
    # Dataclasses look their module up by name.
    sys.modules["make_golden"] = module
    specification.loader.exec_module(module)
    return module


maker = _load_maker()
NAMES = sorted(maker.GOLDEN)
BOUNDED = {
    name for name in NAMES if {"lossless", "max_error", "relative_error"} & set(maker.GOLDEN[name].settings)
}
PINNED = json.loads((GOLDEN / "pinned.json").read_text())

OLDER = GOLDEN / "older"
"""Of earlier releases: with tables or a model that are no longer written, or with vectors that tell every
entry, or that are not told by rows."""

TODAY = {load_tables().identity, load_tables(DEPENDENT_TABLES).identity}
"""Identities of the tables that are written."""

OLDER_NAMES = sorted(path.stem for path in OLDER.glob("*.bndf"))


def _stream(name):
    return (GOLDEN / f"{name}.bndf").read_bytes()


def _decoder(name):
    return Decoder(_stream(name), models=maker.PACKAGES, restore="off")


def _matches(samples, name, tolerance, folder=GOLDEN):
    """Equal to the pinned samples or, where floats round another way, within `tolerance` of those kept."""
    pinned = json.loads((folder / "pinned.json").read_text())
    if maker.digest(samples) == pinned[name]["samples_sha256"]:
        return True
    with np.load(folder / "decoded.npz") as archive:
        kept = archive[name]
    found = samples.ravel()[:: maker.PINNED_STRIDE]
    if found.shape != kept.shape or found.dtype != kept.dtype:
        return False
    same = np.isnan(found) & np.isnan(kept) if kept.dtype.kind == "f" else np.zeros(kept.shape, dtype=bool)
    same |= found == kept
    difference = np.abs(found[~same].astype(np.float64) - kept[~same].astype(np.float64))
    return bool((difference <= tolerance).all())


def _count(name):
    """What one count is worth in samples."""
    info = maker.GOLDEN[name].scene().info
    if info.scaling is None and info.dtype in SCALED_DTYPES:
        # Bands and strips have units of their own.
        return np.inf if name == "outliers" else _decoder(name).info.scaling.scale * 1.0001
    return 1 if info.scaling is None else info.scaling.scale * 1.0001


def test_files_are_those_of_the_script():
    assert sorted(path.stem for path in GOLDEN.glob("*.bndf")) == NAMES
    assert sorted(PINNED) == NAMES
    assert sum(len(_stream(name)) for name in NAMES) < 42_000


def test_the_fit_still_gives_the_same_package():
    assert pack(maker.sensor()) == maker.SENSOR.read_bytes()
    assert sorted(GOLDEN.glob("*.bfm")) == maker.PACKAGES


def test_the_model_is_still_made_the_same_way():
    pytest.importorskip("onnx")
    assert pack(maker.model()) == maker.MODEL.read_bytes()
    assert pack(maker.lapped()) == maker.LAPPED.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_encoder_still_writes_the_same_bytes(name):
    data = maker.GOLDEN[name].encode()
    assert len(data) == PINNED[name]["bytes"]
    assert data == _stream(name), "the bytes changed: see make_golden.py if that is meant"


@pytest.mark.parametrize("name", NAMES)
def test_decoder_still_finds_the_same_samples(name):
    decoder = _decoder(name)
    samples = decoder.decode()
    assert _matches(samples, name, _count(name))
    assert decoder.damage == []
    if name in BOUNDED:
        # Errors are bounded in integers, which are the same everywhere.
        assert maker.digest(samples) == PINNED[name]["samples_sha256"]
        assert all(bound.max_error is not None for bound in decoder.bounds)


def _tables_of(name):
    """Identity of the tables of an older stream."""
    return ParsedStream.parse((OLDER / f"{name}.bndf").read_bytes()).header.tables


@pytest.mark.parametrize("name", OLDER_NAMES)
def test_what_older_releases_coded_still_decodes(name):
    decoder = Decoder((OLDER / f"{name}.bndf").read_bytes(), restore="off")
    assert (_tables_of(name) in TODAY) == (name in {"rotated", "predicted", "many_states", "regional"})
    assert _matches(decoder.decode(), name, _count(name), OLDER)
    assert decoder.damage == []


def test_every_older_table_is_needed():
    needed = {one.hex() for one in set(map(_tables_of, OLDER_NAMES)) - TODAY}
    needed.add(maker.EARLIER["tables"].stem)
    assert needed == {path.stem for path in TABLES.glob("*.npz")}
    for path in TABLES.glob("*.npz"):
        assert load_tables(path).identity.hex() == path.stem


def test_an_older_model_is_needed():
    model = ParsedStream.parse((OLDER / "predicted.bndf").read_bytes()).header.model
    assert model.name in {package.name for package in Registry().packages()}
    assert model.hash not in {package.identity for package in Registry().packages()}


def test_the_tolerance_is_one_count():
    samples = _decoder("banded_int8").decode().astype(np.int16)
    near, far = (np.where(samples > 0, samples - shift, samples + shift).astype(np.int8) for shift in (1, 2))
    assert _matches(near, "banded_int8", 1)
    assert not _matches(far, "banded_int8", 1)


@pytest.mark.parametrize("name", NAMES)
def test_decoded_samples_resemble_the_scene(name):
    """The pinned samples are worth pinning: near what was encoded, absent data exactly in their places."""
    golden = maker.GOLDEN[name]
    source = golden.scene()
    info = source.info
    scene = source.read(slice(0, info.bands), slice(0, info.lines)).astype(np.float64)
    decoder = _decoder(name)
    found = decoder.decode().astype(np.float64)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(scene))
    assert dict(decoder.info.metadata) | dict(info.metadata) == decoder.info.metadata
    if name in BOUNDED:
        _check_bounds(golden.settings, found, scene)
        return
    if name.startswith("outl"):
        _check_outliers(decoder, found, scene, golden.settings["step"])
        return
    assert decoder.info.metadata == info.metadata
    step = golden.settings["step"] * (1 if info.scaling is None else info.scaling.scale)
    order = decoder.fold.prediction
    if order is not None:
        # The step of the bands that are coded last.
        step *= order.step(1 << 16, order.bands(info.bands)[-1]) / (1 << 16)
    # Errors of bands and blocks of small weight are as much larger.
    weights = np.array(decoder.report()["band_weights"] or [1.0])[:, None, None]
    if "roi" in golden.settings:
        codes = block_codes(golden.settings["roi"], info.lines, info.samples)
        weights = weights * weights_of(codes).repeat(8, 0).repeat(8, 1)[: info.lines, : info.samples]
    assert np.sqrt(np.nanmean(((found - scene) * weights) ** 2)) < 0.5 * step


def _check_bounds(settings, found, scene):
    """No sample is beyond its limit, and all but lossless ones come near it."""
    limit = np.broadcast_to(np.array(settings.get("max_error", 0.0)), len(scene))[:, None, None]
    size = np.abs(np.where(np.isfinite(scene), scene, 0.0))
    limit = np.maximum(limit, settings.get("relative_error", 0.0) * size)
    with np.errstate(invalid="ignore"):
        off = np.where((found == scene) | (np.isnan(found) & np.isnan(scene)), 0.0, np.abs(found - scene))
    assert (off <= limit).all()
    assert settings.get("lossless") or off.max() > 0.8 * limit.max() or "relative_error" in settings


def _check_outliers(decoder, found, scene, step):
    """What a count can hold is as near as the step allows, all else is exact."""
    report = decoder.report()
    one = np.full(scene.shape, report["precision"])
    for own in report["precision_of_bands"]:
        one[own["band"]] = own["precision"]
    for strip in report["segments"]:
        one[:, slice(*strip["lines"])] *= strip["precision"] / report["precision"]
    exact = (found == scene) | (np.isnan(found) & np.isnan(scene))
    error = np.abs(found[~exact] - scene[~exact]) / one[~exact]
    assert error.max() < 4 * step
    assert np.sqrt(np.mean(error**2)) <= step
    outside = ~np.isfinite(scene) | (np.abs(scene - np.nanmedian(scene)) > 1e6)
    assert exact[outside & (one == report["precision"])].all()


def test_golden_streams_cover_the_format():
    reports = {name: _decoder(name).report() for name in NAMES}
    assert reports["rotated"]["rotations"] > 1
    assert reports["folded_uint16"]["spectral"] == "auto"
    assert reports["folded_uint16"]["bytes"]["metadata"] > 0
    assert len(reports["folded_uint16"]["segments"]) == 2
    assert reports["banded_int8"]["spectral"] == "none"
    assert (reports["modelled"]["model"], reports["modelled"]["engines"]) == (maker.MODEL.stem, [0, 1, 1])
    assert reports["streamed"]["open"]
    assert reports["streamed"]["folds"] > 1
    few, many = (
        {name for name in NAMES if reports[name]["quantiser"] == quantiser}
        for quantiser in ("dependent", "dependent-32")
    )
    exact = {"lossless", "lossless_floats", "lossless_doubles"}
    assert few == {"extended"}
    assert (
        many
        == {"dependent", "many_states", "streamed", "outliers", "bounded_rotated", "bounded_floats"} | exact
    )
    named = {name: ParsedStream.parse(_stream(name)).header.tables for name in few | many}
    current = load_tables(DEPENDENT_TABLES).identity
    assert {name for name, identity in named.items() if identity == current} == {"extended", "many_states"}
    assert len(BOUNDED) == 7
    assert {name for name in NAMES if reports[name]["max_error"] is not None} == BOUNDED
    assert {name for name in NAMES if reports[name]["max_error"] == 0} == exact
    assert reports["bounded_rotated"]["rotations"] > 1
    assert reports["bounded_predicted"]["model"] == maker.LAPPED.stem
    assert reports["relative"]["relative_error"] > 0.29
    assert any(strip["exact_samples"] for strip in reports["bounded_floats"]["segments"])
    assert [one["band"] for one in reports["outliers"]["precision_of_bands"]] == [4]
    assert len({strip["precision"] for strip in reports["outliers"]["segments"]}) == 2
    assert reports["outliers"]["no_data"] == "-9999.0"
    assert reports["outliers"]["fill_values_found"].startswith("-9999 in ")
    for name in ("outliers", "outlying_integers", "outlying_doubles"):
        assert any(strip["exact_samples"] for strip in reports[name]["segments"])
    assert {name for name in NAMES if reports[name]["band_weights"] is not None} == {"weighted"}
    assert min(reports["weighted"]["band_weights"]) < 0.1
    assert {name for name in NAMES if reports[name]["block_weights"]} == {"regional"}
    assert {name for name in NAMES if reports[name]["band_steps"]} == {
        "predicted",
        "bounded_predicted",
        "stepped",
    }
    assert len(set(reports["stepped"]["band_steps"])) > 3
    assert _decoder("stepped").fold.prediction.steps
    assert reports["regional"]["rotations"] > 1
    assert reports["weighted"]["components"] >= 3
    assert reports["sensed"]["sensor"] == maker.SENSOR.stem
    assert reports["scaled_float32"]["no_data"] == "nan"
    assert reports["scaled_float32"]["scaling"] is not None
    assert [reports["single"][name] for name in ("bands", "lines", "samples")] == [1, 1, 1]


def test_worked_example_of_the_document_is_the_golden_stream():
    text = maker.DOCUMENT.read_text(encoding="utf-8")
    assert maker.replace_example(text, maker.worked_example(_stream(maker.EXAMPLE))) == text
