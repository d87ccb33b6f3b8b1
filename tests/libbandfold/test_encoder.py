"""The C library encodes what the Python package encodes: the same bytes for the same settings."""

import ctypes
import hashlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.bitstream.contexts.tables import DATA
from bandfold.bitstream.packages.package import pack, unpack
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.calibration.sensor_fit import fit_sensor
from bandfold.common.errors import BudgetError, ModelError, VerificationError
from bandfold.common.scene import SceneInfo
from bandfold.ground.decoder import Decoder
from bandfold.onboard import ArraySource
from bandfold.onboard.stream_encoder import StreamEncoder
from bandfold.onboard.strip_height import strip_height
from bandfold.synthetic.scenes import SyntheticScene

from .c_encoder import Encoder, encode
from .c_library import (
    BAD_ARGUMENT,
    FAULT,
    NEEDS_PACKAGE,
    NO_MEMORY,
    NOT_WRITTEN,
    OVER_LIMIT,
    OVER_RATE,
    UNSUPPORTED,
    Counter,
    DecodingError,
)


@cache
def scene(bands, lines, samples, seed=7):
    """A made-up scene."""
    cube = SyntheticScene(lines, samples, bands, seed).read(slice(0, bands), slice(0, lines))
    cube.flags.writeable = False
    return cube


@cache
def package(bands, intervals=None):
    """A package fitted to other scenes of as many bands."""
    scenes = {str(seed): ArraySource(scene(bands, 64, 64, seed)) for seed in (1, 2)}
    return pack(fit_sensor(scenes, "made-up", intervals=intervals))


def python_stream(cube, file, *, no_data=None, metadata=None, interleave="bsq", **settings):
    """What the Python package makes of a cube, shape (bands, lines, samples)."""
    bands, _, samples = cube.shape
    info = SceneInfo(
        bands, 1, samples, cube.dtype, interleave, no_data=no_data, metadata=dict(metadata or {})
    )
    sections = []
    encoder = StreamEncoder(info, sections.append, sensor=unpack(file), **settings)
    encoder.push(cube.transpose(1, 0, 2))
    encoder.flush()
    return b"".join(sections)


def kinds(stream):
    """Kinds of the sections of a stream."""
    return [section.kind for section in read_sections(stream)]


@pytest.mark.parametrize(
    ("shape", "step", "strip_lines"),
    [
        ((20, 70, 45), 4.0, 64),
        ((20, 100, 33), 16.0, 16),
        ((60, 41, 100), 2.0, 24),
        ((100, 64, 72), 0.5, 64),
        ((12, 21, 5), 1 / 16, 8),
        ((3, 20, 1), 2.0, 8),
        ((1, 9, 17), 1.0, 8),
        ((60, 40, 64), 900.0, 32),
    ],
)
def test_streams_have_the_bytes_of_python(library, tmp_path, shape, step, strip_lines):
    cube, file = scene(*shape), package(shape[0])
    wanted = python_stream(cube, file, step=step, strip_lines=strip_lines)
    found = encode(library, cube, file, step=step, strip_lines=strip_lines, pieces=(3, 1, 40))
    assert found == wanted
    (tmp_path / "made-up.bfm").write_bytes(file)
    theirs = Decoder(found, models=[tmp_path / "made-up.bfm"], restore="off").decode()
    with library.open(found, [file]) as ours:
        assert ours.decode().tobytes() == theirs.tobytes()


def test_sections_come_as_soon_as_they_are_finished(library):
    cube, file = scene(20, 40, 33), package(20)
    with Encoder(library, file, bands=20, samples=33, type=2, step=8.0, strip_lines=16) as encoder:
        assert encoder.strip_lines == 16
        counts = []
        for line in cube.transpose(1, 0, 2):
            encoder.push(line[None])
            counts.append(len(b"".join(encoder.sections)) > 0)
        assert counts.index(True) == 15
        encoder.finish()
        encoder.finish()
    assert b"".join(encoder.sections) == python_stream(cube, file, step=8.0, strip_lines=16)


@pytest.mark.parametrize("samples", [1, 2, 15, 16, 17, 680, 50_000, 60_001, 400_000])
def test_strips_are_as_high_as_in_python(library, samples):
    wanted = strip_height(SceneInfo(20, 1, samples, np.dtype("uint8")), stream=True)
    with Encoder(library, package(20), bands=20, samples=samples, type=0, step=1.0) as encoder:
        assert encoder.strip_lines == wanted


@pytest.mark.parametrize("bands", [40, 120])
@pytest.mark.parametrize("effort", range(1, 10))
def test_every_effort_has_the_bytes_of_python(library, effort, bands):
    cube, file = scene(bands, 48, 80), package(bands)
    settings = {"step": 1.0, "strip_lines": 48, "effort": effort}
    wanted = python_stream(cube, file, **settings)
    assert encode(library, cube, file, pieces=(48,), **settings) == wanted
    # The first two rotate where few components are coded.
    assert (Section.ROTATION in kinds(wanted)) == (effort > 2 or bands == 40)


def changing_land(bands):
    """A scene whose lower half is of other materials, then noise."""
    cube = scene(bands, 96, 50).astype(np.int64)
    cube[:, 32:64] = cube[::-1, 32:64] * 2 + 300
    cube[:, 64:] = np.random.default_rng(1).integers(0, 65536, (bands, 32, 50))
    return np.clip(cube, 0, 65535).astype(np.uint16)


@pytest.mark.parametrize("repeat", [0, 1, 2])
def test_new_and_repeated_folds_come_where_they_come_in_python(library, repeat):
    cube, file = changing_land(20), package(20)
    wanted = python_stream(cube, file, step=2.0, strip_lines=16, repeat=repeat)
    assert kinds(wanted).count(Section.FOLD) >= 3
    assert encode(library, cube, file, step=2.0, strip_lines=16, repeat=repeat or -1) == wanted


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("kind", ["noise", "extremes", "constant", "land"])
def test_all_types_and_their_extremes(library, dtype, kind):
    limits, chance = np.iinfo(dtype), np.random.default_rng(3)
    shape = (12, 25, 40)
    cube = {
        "noise": chance.integers(limits.min, limits.max + 1, shape),
        "extremes": np.where(chance.random(shape) < 0.5, limits.min, limits.max),
        "constant": np.full(shape, limits.max),
        "land": (scene(*shape).astype(np.int64) >> (limits.bits == 8) * 6) + limits.min,
    }[kind]
    cube = np.clip(cube, limits.min, limits.max).astype(dtype)
    file = package(12, 2)
    # Far from what the package was fitted to, the vectors alone leave out a count or more.
    step = 64.0 if limits.bits == 16 else 4.0
    assert encode(library, cube, file, step=step, strip_lines=16) == python_stream(
        cube, file, step=step, strip_lines=16
    )


@pytest.mark.parametrize("no_data", [0.0, -9999.0, 1.5, 65535.0])
def test_absent_samples(library, no_data):
    cube, file = scene(20, 50, 43).copy(), package(20)
    marked = int(no_data) if 0 <= no_data <= 65535 else 0
    cube[:, 10:30, 7:20] = marked
    cube[4:6, :, 40:] = marked
    cube[:, 35] = marked
    wanted = python_stream(cube, file, step=4.0, strip_lines=24, no_data=no_data)
    found = encode(library, cube, file, step=4.0, strip_lines=24, has_no_data=1, no_data=no_data)
    assert found == wanted


def test_metadata_and_the_layout_of_the_source(library):
    cube, file = scene(20, 16, 24), package(20)
    metadata = {
        "wavelength": tuple(f"{400 + 9.5 * band:.2f}" for band in range(20)),
        "wavelength units": "Nanometers",
        "description": "zwei Zeilen,\nnicht {eine}: ü",
        "band names": tuple(f"band {band}" for band in range(20)),
        "odd numbers": ("1", "-0", "02", "1.", ".5"),
        "negative numbers": ("-1.50", "2.25", "-0.50"),
        "large numbers": ("999999999.999999999", "-999999999.999999999"),
        "nothing": (),
        "bbl": ("1",) * 20,
    }
    file = pack(fit_sensor({"one": ArraySource(scene(20, 64, 64, 1))}, "without-wavelengths"))
    wanted = python_stream(cube, file, step=4.0, metadata=metadata, interleave="bip")
    assert encode(library, cube, file, step=4.0, metadata=metadata, source_interleave=2) == wanted


def test_frames_band_by_band(library):
    cube, file = scene(20, 40, 33), package(20)
    wanted = python_stream(cube, file, step=4.0, strip_lines=16)
    with Encoder(library, file, bands=20, samples=33, type=2, step=4.0, strip_lines=16) as encoder:
        for start in range(0, 40, 8):
            for plane in cube:
                encoder.push_band(plane[start : start + 8])
        encoder.finish()
    assert b"".join(encoder.sections) == wanted


def test_what_is_left_out_is_a_fault_in_both(library):
    cube = np.where(np.random.default_rng(5).random((20, 24, 40)) < 0.5, 0, 65535).astype(np.uint16)
    file = package(20)
    with pytest.raises(VerificationError, match="leaves out"):
        python_stream(cube, file, step=1 / 16, strip_lines=8)
    with pytest.raises(DecodingError, match="leaves out") as refused:
        encode(library, cube, file, step=1 / 16, strip_lines=8)
    assert refused.value.status == FAULT


@pytest.mark.parametrize(
    ("change", "unit", "fits"),
    [
        (0.0, "nm", True),
        (2.0, "Nanometers", True),
        (6.0, "Nanometers", False),
        (0.0, " Micrometers", False),
        (0.0, "parsec", True),
        (0.0, "", True),
    ],
)
def test_lines_of_another_sensor_are_refused_as_in_python(library, change, unit, fits):
    centres = 400 + 10.0 * np.arange(20)
    told = {"wavelength": tuple(f"{one:.1f}" for one in centres), "wavelength units": "nm"}
    cube = scene(20, 64, 64, 1)
    file = pack(fit_sensor({"one": ArraySource(cube, metadata=told)}, "with-wavelengths"))
    centres[7] += change
    metadata = {"wavelength": tuple(f"{one * 1e-1:.2f}e1" for one in centres), "wavelength units": unit}
    if not fits:
        with pytest.raises(ModelError, match="take a package of its sensor"):
            python_stream(cube, file, step=4.0, metadata=metadata)
        with pytest.raises(DecodingError, match="take a package of the sensor") as refused:
            encode(library, cube, file, step=4.0, metadata=metadata)
        assert refused.value.status == NEEDS_PACKAGE
        return
    assert encode(library, cube, file, step=4.0, metadata=metadata) == python_stream(
        cube, file, step=4.0, metadata=metadata
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"bands": 0}, BAD_ARGUMENT),
        ({"bands": 21}, NEEDS_PACKAGE),
        ({"samples": 0}, BAD_ARGUMENT),
        ({"samples": (1 << 24) + 1}, BAD_ARGUMENT),
        ({"samples": 1 << 24, "strip_lines": 1 << 20}, OVER_LIMIT),
        ({"memory_limit": 100_000}, OVER_LIMIT),
        ({"type": 6}, UNSUPPORTED),
        ({"type": 8}, BAD_ARGUMENT),
        ({"step": 0.05}, BAD_ARGUMENT),
        ({"step": 2.0**21}, BAD_ARGUMENT),
        ({"step": float("nan")}, BAD_ARGUMENT),
        ({"step": 0.0}, BAD_ARGUMENT),
        ({"bits_per_sample": 1.0}, BAD_ARGUMENT),
        ({"step": 0.0, "bits_per_sample": -1.0}, BAD_ARGUMENT),
        ({"step": 0.0, "bits_per_sample": float("inf")}, BAD_ARGUMENT),
        ({"step": 0.0, "bits_per_sample": float("nan")}, BAD_ARGUMENT),
        ({"buffer": 100}, BAD_ARGUMENT),
        ({"psnr": 60.0}, BAD_ARGUMENT),
        ({"step": 0.0, "psnr": 141.0}, BAD_ARGUMENT),
        ({"step": 0.0, "psnr": float("nan")}, BAD_ARGUMENT),
        ({"step": 0.0, "rmse": -1.0}, BAD_ARGUMENT),
        ({"step": 0.0, "rmse": 1.0, "psnr": 60.0}, BAD_ARGUMENT),
        ({"reserve": 1 << 40}, OVER_LIMIT),
        ({"effort": 10}, BAD_ARGUMENT),
        ({"effort": -1}, BAD_ARGUMENT),
        ({"strip_lines": 12}, BAD_ARGUMENT),
        ({"source_interleave": 3}, BAD_ARGUMENT),
        ({"metadata": {"a": "b" * (1 << 18)}}, BAD_ARGUMENT),
        ({"package": b""}, NEEDS_PACKAGE),
        ({"package": b"PK" * 500}, NEEDS_PACKAGE),
    ],
)
def test_impossible_settings_are_refused(library, changes, status):
    settings = {"bands": 20, "samples": 33, "type": 2, "step": 4.0, "package": package(20), **changes}
    with pytest.raises(DecodingError) as refused:
        Encoder(library, **settings)
    assert refused.value.status == status
    assert "\n" not in str(refused.value)


def test_a_package_of_another_kind_and_damaged_ones_are_refused(library):
    flipped = bytearray(package(20))
    flipped[2000] ^= 1
    for file in [(DATA / "innovations.bfm").read_bytes(), package(20)[:-1], bytes(flipped)]:
        with pytest.raises(DecodingError) as refused:
            Encoder(library, file, bands=20, samples=33, type=2, step=4.0)
        assert refused.value.status == NEEDS_PACKAGE


def test_names_within_a_manifest_are_not_that_of_the_package(library):
    cube = scene(20, 16, 33)
    fitted = fit_sensor({"one": ArraySource(scene(20, 64, 64, 1))}, "made-up")
    told = replace(
        fitted.manifest,
        description='a "name": "other" and \\"',
        card={"name": "third", "list": [{"kind": "codec", "format": 2}], "format": 7},
    )
    file = pack(replace(fitted, manifest=told))
    wanted = python_stream(cube, file, step=4.0)
    assert b"made-up" in wanted
    assert encode(library, cube, file, step=4.0) == wanted


@pytest.mark.parametrize("letter", [b"\xfc", b"A", b" "])
def test_names_that_no_package_can_have_are_refused(library, letter):
    """A stream would tell the name, and no decoder would read it."""
    was = unpack(package(20), "package").manifest.name.encode()
    body = package(20)[:-64]
    assert body.count(b'"name": "' + was + b'"') == 1
    body = body.replace(b'"name": "' + was, b'"name": "' + was[:-1] + letter)
    file = body + hashlib.sha256(body).hexdigest().encode()
    with pytest.raises(DecodingError) as refused:
        Encoder(library, file, bands=20, samples=33, type=2, step=4.0)
    assert refused.value.status == NEEDS_PACKAGE


def test_a_package_of_another_format_is_refused(library):
    body = package(20)[:-64].replace(b'"format": 1', b'"format": 2')
    file = body + hashlib.sha256(body).hexdigest().encode()
    with pytest.raises(DecodingError, match="format") as refused:
        Encoder(library, file, bands=20, samples=33, type=2, step=4.0)
    assert refused.value.status == NEEDS_PACKAGE


def test_calls_in_the_wrong_order_are_refused_and_change_nothing(library):
    cube, file = scene(20, 16, 33), package(20)
    wanted = python_stream(cube, file, step=4.0, strip_lines=8)
    with Encoder(library, file, bands=20, samples=33, type=2, step=4.0, strip_lines=8) as encoder:
        with pytest.raises(DecodingError, match="no lines"):
            encoder.finish()
        encoder.push_band(cube[0, :8])
        with pytest.raises(DecodingError, match="frame is not finished"):
            encoder.push(cube.transpose(1, 0, 2)[:1])
        with pytest.raises(DecodingError, match="frame is not finished"):
            encoder.finish()
        with pytest.raises(DecodingError, match="as many lines"):
            encoder.push_band(cube[1, :7])
        for plane in cube[1:]:
            encoder.push_band(plane[:8])
        with pytest.raises(DecodingError, match="does not fit"):
            encoder.push_band(cube[0, :9])
        encoder.push(cube.transpose(1, 0, 2)[8:])
        encoder.finish()
        with pytest.raises(DecodingError, match="finished"):
            encoder.push(cube.transpose(1, 0, 2)[:1])
    assert b"".join(encoder.sections) == wanted


def test_what_cannot_be_written_ends_the_stream(library):
    cube, file = scene(20, 40, 33), package(20)
    written = []

    def write(_, section, size):
        written.append(ctypes.string_at(section, size))
        return len(written) == 4

    with Encoder(
        library, file, bands=20, samples=33, type=2, step=4.0, strip_lines=8, write=write
    ) as encoder:
        for _ in range(2):
            with pytest.raises(DecodingError) as refused:
                encoder.push(cube.transpose(1, 0, 2))
            assert refused.value.status == NOT_WRITTEN
    # What was written is the beginning of the stream, and decodes.
    stream = python_stream(cube, file, step=4.0, strip_lines=8)
    assert stream.startswith(b"".join(written))
    with library.open(b"".join(written[:3]), [file]) as ours:
        assert ours.info.lines == 8
        assert not ours.info.complete


def test_memory_that_ends_anywhere_is_told_and_given_back(library):
    cube, file = scene(20, 20, 33), package(20)
    usual = Counter(1 << 30)
    settings = {"step": 2.0, "strip_lines": 8, "has_no_data": 1}
    wanted = encode(library, cube, file, pieces=(20,), allocator=usual.allocator, **settings)
    assert usual.held == 0
    for most in range(0, usual.taken, max(usual.taken // 60, 1)):
        counter = Counter(most)
        with pytest.raises(DecodingError) as refused:
            encode(library, cube, file, pieces=(20,), allocator=counter.allocator, **settings)
        assert refused.value.status == NO_MEMORY
        assert counter.held == 0
    assert encode(library, cube, file, pieces=(20,), **settings) == wanted


def test_with_a_reserve_nothing_is_allocated_after_the_start(library):
    cube, file = changing_land(20), package(20)
    settings = {"bands": 20, "samples": 50, "type": 2, "step": 2.0, "strip_lines": 16}
    by_line = cube.transpose(1, 0, 2)
    with Encoder(library, file, **settings) as encoder:
        encoder.push(by_line)
        encoder.finish()
        most, lasting = encoder.memory
    wanted = b"".join(encoder.sections)
    for reserve, allocates in ((most - lasting, False), (most, False), ((most - lasting) // 2, True)):
        counter = Counter(1 << 30)
        with Encoder(library, file, allocator=counter.allocator, reserve=reserve, **settings) as encoder:
            taken = counter.taken
            encoder.push(by_line)
            encoder.finish()
            assert (counter.taken > taken) == allocates
            assert encoder.memory == (most, lasting)
        assert b"".join(encoder.sections) == wanted
        assert counter.held == 0


@pytest.mark.parametrize(
    ("bps", "buffer", "strip_lines", "effort"),
    [(2.0, 0, 16, 5), (0.4, 500, 32, 3), (6.0, 100_000, 8, 1), (1.0, 0, 64, 6)],
)
def test_a_rate_is_kept_with_the_bytes_of_python(library, bps, buffer, strip_lines, effort):
    cube, file = changing_land(20), package(20)
    settings = {"strip_lines": strip_lines, "effort": effort}
    wanted = python_stream(cube, file, bps=bps, buffer=buffer or None, **settings)
    assert len(wanted) <= bps * cube.size / 8
    assert encode(library, cube, file, bits_per_sample=bps, buffer=buffer, pieces=(9,), **settings) == wanted


@pytest.mark.parametrize(
    "target", [{"psnr": 60.0}, {"psnr": 85.0}, {"rmse": 0.2}, {"rmse": 1e200}, {"rmse": 1e-200}]
)
@pytest.mark.parametrize("no_data", [None, 0.0])
@pytest.mark.parametrize("dark", [False, True])
def test_a_quality_is_met_with_the_bytes_of_python(library, target, no_data, dark):
    cube, file = changing_land(20), package(20)
    if dark:
        cube[:, :24], cube[:, 48:60] = 900, 800
    cube[:, 5:20, 11:] *= no_data is None
    cube[:, 27:45] *= no_data is None
    settings = {"strip_lines": 24, "effort": 4}
    wanted = python_stream(cube, file, no_data=no_data, **target, **settings)
    if no_data is not None:
        settings |= {"has_no_data": 1, "no_data": no_data}
    assert encode(library, cube, file, pieces=(96,), **target, **settings) == wanted


def test_a_quality_of_bands_without_data_is_met_with_the_bytes_of_python(library):
    cube, file = changing_land(20), package(20)
    cube[::4], cube[1, :24], cube[:, 30:33] = 0, 0, 0
    for psnr in (60.0, 70.0):
        wanted = python_stream(cube, file, no_data=0.0, psnr=psnr, strip_lines=24, effort=4)
        settings = {"strip_lines": 24, "effort": 4, "has_no_data": 1, "no_data": 0.0}
        assert encode(library, cube, file, pieces=(96,), psnr=psnr, **settings) == wanted


def test_a_rate_that_is_too_low_is_refused_as_in_python(library):
    cube, file = scene(20, 40, 33), package(20)
    with pytest.raises(BudgetError):
        python_stream(cube, file, bps=0.01, strip_lines=8)
    with pytest.raises(DecodingError, match="rate is too low") as refused:
        encode(library, cube, file, bits_per_sample=0.01, strip_lines=8)
    assert refused.value.status == OVER_RATE


def end(encoder, lines):
    """Hand over the last lines."""
    encoder.push(lines)
    encoder.finish()


def flip_a_bit(counter, content):
    """Flip the lowest bit of what is held in memory of an allocator."""
    for block, size in counter.blocks.items():
        place = ctypes.string_at(block, size).find(content)
        if place >= 0:
            ctypes.c_ubyte.from_address(block + place).value ^= 1
            return
    raise AssertionError("it is not there")


@pytest.mark.parametrize(("scrub", "found"), [(2, 16), (0, 40), (-1, None)])
def test_flipped_bits_in_memory_are_found(library, scrub, found):
    cube, file = scene(20, 40, 33), package(20)
    by_line, counter = cube.transpose(1, 0, 2), Counter(1 << 30)
    settings = {"bands": 20, "samples": 33, "type": 2, "step": 4.0, "strip_lines": 8, "scrub": scrub}
    with Encoder(library, file, allocator=counter.allocator, **settings) as encoder:
        encoder.push(by_line[:16])
        flip_a_bit(counter, SensorBasis.from_package(unpack(file)).means.tobytes())
        if found is None:
            end(encoder, by_line[16:])
            return
        # The strip before which it is found is not coded.
        encoder.push(by_line[16:found])
        with pytest.raises(DecodingError, match="flipped") as refused:
            end(encoder, by_line[found:])
        assert refused.value.status == FAULT
