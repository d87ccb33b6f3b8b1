"""Rewrite the golden streams, what they decode to, and the worked example in docs/format.md.

Run it by hand, after a change of the format or of the tables that is meant, from the root of the repository::

    python tests/golden/make_golden.py

It prints the bytes of the worked example. No test runs it: a golden file that re-creates itself proves
nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.sections import Section, read_sections
from bandfold.bitstream.container.segment_layout import split_segment
from bandfold.bitstream.contexts.tables import CLASSES, MODES, OLDER, load_tables, mode_arrays
from bandfold.bitstream.entropy.ans import TOKENS, AnsDecoder
from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package, save_package
from bandfold.bitstream.payloads import payload
from bandfold.bitstream.payloads.klt_code import read_fold
from bandfold.bitstream.payloads.payload import PayloadReader
from bandfold.bitstream.payloads.raw_bits import BitReader
from bandfold.bitstream.segments import segment
from bandfold.bitstream.segments.band_codec import ANALYSIS, REDUCTION, SYNTHESIS, BandCodec
from bandfold.bitstream.segments.segment import read_segment
from bandfold.bitstream.transforms.dct import FREQUENCIES
from bandfold.calibration.sensor_fit import fit_sensor
from bandfold.common import kernels
from bandfold.common.scene import Scaling
from bandfold.ground.decoder import Decoder
from bandfold.onboard.encoder import Encoder
from bandfold.onboard.samples.samples import ArraySource

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "format.md"
BEGIN, END = "<!-- worked example: begin (make_golden.py) -->", "<!-- worked example: end -->"
EXAMPLE = "tiny"
SENSOR = HERE / "golden-20.bfm"
MODEL = HERE / "golden-walsh.bfm"
LAPPED = HERE / "golden-lapped.bfm"
PACKAGES = [SENSOR, LAPPED, MODEL]


def bits(count: int, seed: int) -> NDArray[np.int64]:
    """24-bit numbers that look random, from a linear congruential generator: no library can change them."""
    state, numbers = seed, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        numbers.append(state >> 40)
    return np.array(numbers, dtype=np.int64)


def field_of(lines: int, samples: int, seed: int) -> NDArray[np.int64]:
    """A smooth field of about +-500: a few square ramps and a little noise, by integers."""
    row, column = np.mgrid[:lines, :samples].astype(np.int64)
    plane = np.zeros((lines, samples), dtype=np.int64)
    for a, b, centre, height, _ in bits(20, seed).reshape(4, 5).tolist():
        ramp = (row * (a % 31 - 15) + column * (b % 31 - 15)) // 4 + centre % 64
        plane += np.abs(ramp % 128 - 64) * (height % 9 - 4)
    return plane + bits(lines * samples, seed + 1).reshape(lines, samples) % 17 - 8


def mixture(bands: int, lines: int, samples: int, materials: int, seed: int) -> NDArray[np.int64]:
    """Fields spread over the bands by smooth spectra, so that neighbouring bands resemble each other."""
    band = np.arange(bands, dtype=np.int64)
    cube = np.zeros((bands, lines, samples), dtype=np.int64)
    for index in range(materials):
        spectrum = 64 - np.abs((band * (3 + 2 * index) * 4 + 29 * index) % 256 - 128)
        cube += spectrum[:, None, None] * field_of(lines, samples, seed + 10 * index) // (1 + 2 * index)
    return cube // 16


def folded_uint16() -> ArraySource:
    cube = np.clip(4000 + mixture(20, 24, 20, 3, 1), 0, 65535)
    wavelengths = tuple(f"{400 + 10 * band}.{band % 10}" for band in range(20))
    metadata: dict[str, str | tuple[str, ...]] = {
        "description": "golden scene",
        "wavelength": wavelengths,
        "band names": ("a", "", "c"),
    }
    return ArraySource(cube.astype(np.uint16), metadata=metadata)


def banded_int8() -> ArraySource:
    cube = np.stack([field_of(9, 13, 100 + band) // 4 for band in range(3)])
    return ArraySource(np.clip(cube, -128, 127).astype(np.int8))


def scaled_float32() -> ArraySource:
    counts = mixture(6, 10, 11, 2, 200)
    values = (counts / 1024).astype(np.float32)
    values[:, 4, 3:7] = np.nan
    values[2, 9, 10] = np.nan
    return ArraySource(values, scaling=Scaling(1 / 1024, -0.5), no_data=float("nan"))


def single() -> ArraySource:
    return ArraySource(np.full((1, 1, 1), 200, dtype=np.uint8))


def rotated() -> ArraySource:
    """Two halves that vary in different directions, 45 degrees apart: what block rotations are for."""
    noise = bits(4 * 32 * 40, 300).reshape(4, 32, 40) % 201 - 100
    cube = np.zeros((8, 32, 40), dtype=np.int64)
    # The sums of two numbers have a less peaked spectrum of values than one: nearer to an image.
    cube[:4] = noise + np.roll(noise, 1, axis=2)
    cube[4:, :, 20:] = cube[:4, :, 20:]
    return ArraySource(cube.astype(np.int16))


def sensed() -> ArraySource:
    """A scene of the sensor of `SENSOR`, but another one than those it is fitted to."""
    return ArraySource((30000 + mixture(20, 24, 32, 3, 700)).astype(np.uint16))


def sensor() -> Package:
    """The package of a sensor of 20 bands, fitted to two scenes."""
    scenes = {f"made up, {seed}": (30000 + mixture(20, 24, 32, 4, seed)) for seed in (500, 600)}
    sources = {name: ArraySource(cube.astype(np.uint16)) for name, cube in scenes.items()}
    package = fit_sensor(sources, SENSOR.stem, description="for golden streams", ends=(8, 20))
    # The release that makes it is no part of what is pinned.
    return replace(package, manifest=replace(package.manifest, bandfold="0"))


WALSH = 4
"""Functions along an axis of the networks of `MODEL`."""


def model() -> Package:
    """Two engines that multiply blocks of 16 x 16 samples with Walsh functions, the second one twice as fine.

    Weights are powers of two, and so is the step of the scene that is coded with them: floats are exact, and
    every machine finds the same latents.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    signs = np.array(
        [[(-1) ** bin((place // 4) & number).count("1") for place in range(16)] for number in range(WALSH)]
    )
    blocks = np.einsum("iy,jx->ijyx", signs, signs).reshape(-1, 1, REDUCTION, REDUCTION)

    def graph(weights: NDArray[np.float64], *, back: bool) -> bytes:
        channels = [1, len(weights)]
        nodes = [
            helper.make_node(
                "ConvTranspose" if back else "Conv",
                ["input", "weights"],
                ["output" if back else "products"],
                strides=[REDUCTION, REDUCTION],
            )
        ]
        if not back:
            nodes.append(helper.make_node("Round", ["products"], ["output"]))
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels[one], *sides])
            for name, one, sides in (
                ("input", int(back), ("h", "w")),
                ("output", int(not back), ("lines", "samples")),
            )
        ]
        tensors = [numpy_helper.from_array(weights.astype(np.float32), "weights")]
        made = helper.make_graph(nodes, "walsh", ends[:1], ends[1:], tensors)
        return onnx.ModelProto.SerializeToString(
            helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8),
            deterministic=True,
        )

    networks, frequencies = {}, []
    for number, gain in enumerate((1, 2)):
        networks[ANALYSIS.format(number)] = graph(blocks * gain / 16, back=False)
        networks[SYNTHESIS.format(number)] = graph(blocks / gain / 16, back=True)
        rows = [
            [max((1 << 22 - number - channel % 3) >> token // (2 + number), 1) for token in range(TOKENS)]
            for channel in range(16)
        ]
        frequencies.append([[(1 << 24) - sum(row[1:]), *row[1:]] for row in rows])
    codec = BandCodec(
        MODEL.stem, b"", np.array(frequencies, dtype=np.int32), networks, (2, 4, 9), (700.0, 800.0), (0, 1, 1)
    )
    manifest = Manifest(codec.name, "codec", "for golden streams", "0", {"training scenes": []})
    return Package(manifest, codec.arrays(), networks)


def lapped() -> Package:
    """An orthonormal lapped transform: the cosine transform behind rotations around corners of blocks."""
    from bandfold.export.predicted_package import predicted_package

    waves = np.array([[math.cos(math.pi * (2 * x + 1) * n / 16) / 2 for x in range(8)] for n in range(8)])
    waves[0] = math.sqrt(1 / 8)
    cosine = np.stack([np.outer(waves[i], waves[j]).ravel() for i, j in FREQUENCIES])
    turn = np.eye(64)
    # Of the same parity: (0, 0) and (2, 0), (0, 1) and (0, 3), (1, 1) and (3, 1).
    for one, other in ((0, 5), (1, 6), (4, 12)):
        turn[[one, one, other, other], [one, other, one, other]] = 24 / 25, 7 / 25, -7 / 25, 24 / 25
    around = cosine.T @ turn @ cosine
    kernels = np.zeros((64, 24, 24))
    for channel, block in enumerate(cosine.reshape(64, 8, 8)):
        # The block lies in the corners of four patches, which are turned back.
        whole = np.zeros((16, 16))
        whole[4:12, 4:12] = block
        patches = whole.reshape(2, 8, 2, 8).transpose(0, 2, 1, 3).reshape(4, 64) @ around
        kernels[channel, 4:20, 4:20] = patches.reshape(2, 2, 8, 8).transpose(0, 2, 1, 3).reshape(16, 16)
    signs = 1 - 2 * (FREQUENCIES % 2)
    kernels = (kernels + kernels[:, ::-1] * signs[:, 0, None, None]) / 2
    kernels = (kernels + kernels[:, :, ::-1] * signs[:, 1, None, None]) / 2
    contexts = mode_arrays(load_tables().modes["banded"], "banded")
    about = {"training scenes": []}
    return predicted_package(
        LAPPED.stem, [kernels], contexts, description="for golden streams", release="0", card=about
    )


def predicted() -> ArraySource:
    """Three levels of bands, a bright spot beyond 8 bits, absent samples, a low last strip, odd sizes."""
    cube = 2000 + mixture(9, 28, 27, 3, 1700)
    cube[:, 5, 6] += 30000
    cube[4:, 20, 9:12] = 7
    return ArraySource(cube.astype(np.uint16), no_data=7.0)


def noisy_bands() -> ArraySource:
    """So many bands that the order of coding has three tiers; some are like no other."""
    cube = 3000 + mixture(22, 24, 31, 3, 2500)
    for band in (3, 9, 10, 17):
        cube[band] += field_of(24, 31, 2600 + band)
    return ArraySource(cube.astype(np.uint16))


def gappy() -> ArraySource:
    """Signed, few bands, odd sizes, absent samples, a band of few values and one that does not vary."""
    cube = mixture(6, 19, 13, 2, 2100) * 3 - 50
    cube[2] = cube[2] // 64 * 64
    cube[4] = 33
    cube[1:3, 7:9, 5:] = -999
    return ArraySource(cube.astype(np.int16), no_data=-999.0)


def few_outliers() -> ArraySource:
    """Floats whose range grows down the lines, an infinity and an undeclared fill value."""
    values = (mixture(4, 20, 12, 2, 2300) / 128).astype(np.float32)
    values[:, 11:] *= 6
    values[1, 3, 4] = np.inf
    values[:, 5, 2:7] = -9999.0
    return ArraySource(values)


def between_counts() -> ArraySource:
    """Floats of more digits than counts have, zeros of both signs, an infinity and a fill value."""
    values = mixture(4, 12, 12, 2, 2400).astype(np.float32) / np.float32(48)
    values[0, 2, 3:7] = [0.0, -0.0, 1e-42, -1e-42]
    values[1, 3, 4] = np.inf
    values[:, 5, 2:7] = -9999.0
    return ArraySource(values)


def doubles_between_counts() -> ArraySource:
    """Doubles that no float32 holds, and a strip of some that one does."""
    values = (mixture(3, 12, 8, 2, 2500) + 2000) / np.float64(48)
    values[:, 8:] = values[:, 8:].astype(np.float32)
    return ArraySource(values)


def modelled() -> ArraySource:
    """Signed, with a constant band, absent samples and a last strip that is low."""
    coarse = mixture(7, 9, 10, 3, 800)
    cube = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :36, :36] + bits(36 * 36, 900).reshape(36, 36) % 5
    cube[3] = -77
    cube[:, 20, 5:9] = -9999
    cube[1, 35, 35] = -9999
    return ArraySource(cube.astype(np.int16), no_data=-9999.0)


def streamed() -> ArraySource:
    """Lines of two lands, one after the other: what needs two folds."""
    first, second = 4000 + mixture(12, 16, 24, 3, 1100), 9000 - mixture(12, 22, 24, 3, 1200)[::-1]
    return ArraySource(np.concatenate([first, second], axis=1).astype(np.uint16))


def dependent() -> ArraySource:
    """What is quantised dependently: two strips, components that end at different diagonals."""
    return ArraySource((6000 + mixture(16, 24, 24, 3, 1500)).astype(np.uint16))


def weighted() -> ArraySource:
    """Bands whose noise differs by two octaves, in two intervals."""
    cube = 5000 + mixture(9, 16, 19, 3, 2600)
    noise = bits(9 * 16 * 19, 2700).reshape(9, 16, 19) % 63 - 31
    return ArraySource((cube + noise // (1 << np.arange(9) % 3)[:, None, None]).astype(np.uint16))


def regions_of_interest() -> list[tuple[NDArray[np.bool_], float]]:
    """A field that matters, and clouds that do not, in the scene of turned blocks."""
    field, clouds = np.zeros((2, 32, 40), dtype=bool)
    field[3:14, 9:20], clouds[8:, 25:] = True, True
    return [(field, 9.0), (clouds, -15.0)]


def outliers() -> ArraySource:
    """Floats with each kind of sample that no count stands for, a bad band, and much brighter lines."""
    values = (4000 + mixture(9, 24, 21, 3, 1900)).astype(np.float32) / 1024
    values[:, 16:] = values[:, 16:] * 100 + 5
    values[4] = (bits(24 * 21, 2000).reshape(24, 21) - (1 << 23)) * 256
    values[:, :, -2:] = -9999
    values[6] = -9999
    values[1, 2, 3:6] = np.float32(9.96921e36)
    values[:, 3, 9] = np.nan
    values[2, 9, 4], values[3, 9, 4] = np.inf, -np.inf
    values[5, 17, 8], values[7, 20, 1] = -1e30, 1e-30
    return ArraySource(values)


def outlying_integers() -> ArraySource:
    """32-bit integers of a narrow range, with a fill value and one that is far outside."""
    cube = 70000 + mixture(5, 11, 9, 2, 2100)
    cube[:, :3] = -(2**31)
    cube[2, 7, 7] = 2**31 - 1
    return ArraySource(cube.astype(np.int32))


def outlying_doubles() -> ArraySource:
    """64-bit floats with what only they hold."""
    cube = mixture(4, 9, 10, 2, 2200) / 7.0
    cube[1, 1, 1], cube[2, 3, 4:6], cube[0, 8, 9] = 1e300, 1 / 3, -np.inf
    cube[3, :, 0] = -np.pi * 1e9
    return ArraySource(cube)


def tiny() -> ArraySource:
    ramp = [[3, 14, 25, 36, 47, 58, 69, 80]]
    return ArraySource(np.array([ramp, [[7] * 8]], dtype=np.uint8))


@dataclass(frozen=True)
class Golden:
    """A scene and how to encode it."""

    scene: Callable[[], ArraySource]
    settings: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        return Encoder(**self.settings).encode(self.scene())


EARLIER = {"tables": OLDER / "808baa973de675fc.npz"}
"""Tables of two quantisers whose network is not extended."""

GOLDEN = {
    "folded_uint16": Golden(folded_uint16, {"step": 12.0, "strip_lines": 16, "quantiser": "uniform"}),
    "banded_int8": Golden(banded_int8, {"step": 2.5, "spectral": "none"} | EARLIER),
    "scaled_float32": Golden(scaled_float32, {"step": 20.0, "quantiser": "uniform"}),
    "single": Golden(single, {"step": 1.0, "spectral": "none", "quantiser": "uniform"}),
    "rotated": Golden(rotated, {"step": 30.0, "strip_lines": 24, "quantiser": "uniform"}),
    "sensed": Golden(sensed, {"step": 12.0, "sensor": SENSOR, "spectral": "sensor", "quantiser": "uniform"}),
    "modelled": Golden(modelled, {"step": 8.0, "model": MODEL, "strip_lines": 16}),
    "predicted": Golden(predicted, {"step": 12.0, "model": LAPPED, "strip_lines": 16}),
    "stepped": Golden(noisy_bands, {"step": 60.0, "model": LAPPED, "strip_lines": 16}),
    "streamed": Golden(streamed, {"step": 12.0, "strip_lines": 8, "stream": True, "repeat": 2} | EARLIER),
    "dependent": Golden(dependent, {"step": 10.0, "strip_lines": 16} | EARLIER),
    "extended": Golden(dependent, {"step": 10.0, "strip_lines": 16, "quantiser": "dependent"}),
    "many_states": Golden(dependent, {"step": 10.0, "strip_lines": 16, "quantiser": "dependent-32"}),
    "weighted": Golden(
        weighted,
        {"step": 3.0, "partition": (5, 9), "quantiser": "uniform", "weights": [1, 2, 4] * 2 + [1, 3, 0.3]},
    ),
    "regional": Golden(
        rotated, {"step": 30.0, "strip_lines": 24, "quantiser": "uniform", "roi": regions_of_interest()}
    ),
    "outliers": Golden(outliers, {"step": 4.0, "strip_lines": 8, "stream": True} | EARLIER),
    "outlying_integers": Golden(outlying_integers, {"step": 1.0, "quantiser": "uniform"}),
    "outlying_doubles": Golden(outlying_doubles, {"step": 2.0, "spectral": "none", "quantiser": "uniform"}),
    "lossless": Golden(
        gappy, {"step": 40.0, "strip_lines": 8, "lossless": True, "layers": "base-first"} | EARLIER
    ),
    "bounded_rotated": Golden(rotated, {"step": 30.0, "strip_lines": 24, "max_error": 16} | EARLIER),
    "bounded_predicted": Golden(
        predicted, {"step": 24.0, "model": LAPPED, "strip_lines": 16, "max_error": [9, 12, 20] * 3}
    ),
    "bounded_floats": Golden(
        few_outliers, {"step": 60.0, "max_error": 0.01, "stream": True, "strip_lines": 8} | EARLIER
    ),
    "lossless_floats": Golden(between_counts, {"step": 60.0, "lossless": True, "strip_lines": 8} | EARLIER),
    "lossless_doubles": Golden(
        doubles_between_counts, {"step": 60.0, "lossless": True, "stream": True, "strip_lines": 8} | EARLIER
    ),
    "relative": Golden(
        banded_int8, {"step": 20.0, "spectral": "none", "relative_error": 0.3, "max_error": 4} | EARLIER
    ),
    "tiny": Golden(tiny, {"step": 10.0, "spectral": "none", "quantiser": "uniform"}),
}


PINNED_STRIDE = 13
"""Every so many samples are kept in full, for machines whose floats round another way."""


def digest(samples: NDArray[Any]) -> str:
    """SHA-256 of samples, little-endian; NaN in its one usual pattern."""
    little = samples.astype(samples.dtype.newbyteorder("<"))
    if little.dtype.kind == "f":
        little[np.isnan(little)] = np.nan
    return hashlib.sha256(np.ascontiguousarray(little).tobytes()).hexdigest()


class _Log:
    """What a payload is asked for and what is found there, in order."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, str]] = []

    def symbols(self, table: int, tokens: list[int], row: NDArray[np.integer[Any]]) -> None:
        spans = ", ".join(f"{int(row[:one].sum())}+{int(row[one])}" for one in tokens)
        self.entries.append((_table_name(table), ", ".join(map(str, tokens)), spans))

    def bits(self, bits: NDArray[np.uint8]) -> None:
        if bits.size:
            self.entries.append(("raw bits", "".join(map(str, bits.tolist())), ""))

    def rows(self) -> list[str]:
        head = ["| table | tokens | cumulative frequency + frequency of each |", "|---|---|---|"]
        return head + [f"| {' | '.join(entry)} |" for entry in self.entries]


@contextmanager
def _recording() -> Iterator[_Log]:
    """Make payload readers write down what they read."""
    log, tables = _Log(), load_tables()
    frequencies = np.concatenate([*(tables.modes[name].frequencies for name in MODES), tables.side])

    class Decoder:
        def __init__(self, inner: AnsDecoder) -> None:
            self._inner = inner

        def decode(self, count: int, table: int) -> NDArray[np.int32]:
            found = self._inner.decode(count, table)
            log.symbols(table, found.tolist(), frequencies[table])
            return found

        def finish(self) -> None:
            self._inner.finish()

    class Bits(BitReader):
        def flags(self, count: int) -> NDArray[np.uint8]:
            found = super().flags(count)
            log.bits(found)
            return found

    class Reader(payload.PayloadReader):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.symbols: Any = Decoder(self.symbols)

    with (
        kernels.switched_off(),
        mock.patch.object(payload, "BitReader", Bits),
        mock.patch.object(segment, "PayloadReader", Reader),
        mock.patch.object(sys.modules[__name__], "PayloadReader", Reader),
    ):
        yield log


def _table_name(table: int) -> str:
    kind, number = divmod(table, CLASSES)
    return f"{(*MODES, 'side')[kind]} {number}"


def _rows(payload: bytes, cuts: list[tuple[int, str]], base: int) -> list[str]:
    """Lines of a table: offset, bytes, meaning. A cut is a number of bytes and what they are."""
    lines, position = [], 0
    for size, meaning in cuts:
        if size:
            lines.append(
                f"| {base + position} | `{payload[position : position + size].hex(' ')}` | {meaning} |"
            )
        position += size
    if position != len(payload):
        raise ValueError(f"{position} bytes explained of {len(payload)}")
    return lines


def worked_example(data: bytes) -> str:
    """The stream of `tiny`, every byte explained; GitHub Markdown."""
    tables = load_tables()
    sections = list(read_sections(data))
    header = Header.unpack(sections[0].payload)
    out = [f"The {len(data)} bytes of `tests/golden/{EXAMPLE}.bndf`:", "", "```"]
    out += [f"{start:04x}  {data[start : start + 16].hex(' ')}" for start in range(0, len(data), 16)]
    out += ["```", "", "| offset | bytes | meaning |", "|---|---|---|"]
    out += _rows(data[:10], [(8, "signature"), (2, "version 2")], 0)
    position, notes = 10, []
    for section in sections:
        kind, body = Section(section.kind), section.payload
        head = data[position : position + section.size - len(body)]
        frame = [
            (1, f"kind {int(kind)}: {kind.name}"),
            (1, f"length {len(body)}"),
            (1, "check of both"),
            (4, "CRC-32C"),
        ]
        out += _rows(head, frame, position)
        position += len(head)
        if kind is Section.HEADER:
            info = header.info
            cuts = [
                (1, "flags: none"),
                (1, f"sample type 0: {info.dtype}"),
                (1, f"layout: {info.interleave}, {info.byte_order}-endian"),
                (1, f"transform 0: {header.transform}"),
                (1, f"quantiser 0: {header.quantiser}"),
                (1, f"bands = {info.bands}"),
                (1, f"lines = {info.lines}"),
                (1, f"samples = {info.samples}"),
                (1, f"strip height = {header.strip_lines // 8} blocks: {header.strip_lines} lines"),
                (2, f"step code = {header.step_code}: a step of {header.step:g} counts"),
                (8, "identity of the tables"),
                (1, "length of the model name: no model"),
            ]
        else:
            cuts = [(1, "number of the fold")]
            if kind is Section.SEGMENT:
                place = split_segment(body).place
                cuts = [
                    (1, "number of the strip"),
                    (1, f"flags: LOW, so the strip is lower than {header.strip_lines} lines"),
                    (1, f"{place.lines} line"),
                    (1, "1 chunk"),
                    (1, f"{split_segment(body).components} components"),
                ]
            prefix = len(cuts)
            words = body[prefix]
            cuts += [
                (1, f"{words} words"),
                (4 * words, "words"),
                (len(body) - prefix - 1 - 4 * words, "raw bits"),
            ]
            notes += ["", f"What the {kind.name} section holds, in the order of decoding:", ""]
            if kind is Section.FOLD:
                with _recording() as log:
                    fold = read_fold(PayloadReader(tables, body[1:]), header.info.bands, spectral=False)
                means = ", ".join(f"{mean / 64:g}" for mean in fold.means.tolist())
                notes += [
                    *log.rows(),
                    "",
                    f"Intervals end at {list(fold.ends)}, `mean_shift` is {fold.mean_shift},",
                ]
                notes += [f"the means are {means} counts."]
            else:
                with _recording() as log:
                    found = read_segment(split_segment(body), header, header.info.bands, 0, tables)
                notes += [*log.rows(), "", "Quantised latents that are not zero, one block:", ""]
                for component, channel in np.argwhere(found.quantised[:, :, 0, 0].T).tolist():
                    value, kept = (
                        found.quantised[channel, component, 0, 0],
                        found.classes[channel, component, 0, 0],
                    )
                    notes.append(f"- component {component}, channel {channel}: {value} (class {kept})")
        out += _rows(body, cuts, position)
        position += len(body)
    decoded = Decoder(data, restore="off").decode().tolist()
    return "\n".join([*out, *notes, "", f"The samples decode to `{decoded}`."])


def replace_example(text: str, example: str) -> str:
    """The document with another worked example between its markers."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{example}\n\n{END}{after}"


def main() -> None:
    """Rewrite all golden files, or make some that are new."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="streams to make; the others are left as they are")
    names = parser.parse_args().names
    pinned: dict[str, Any] = {}
    decoded: dict[str, NDArray[Any]] = {}
    if names:
        pinned = json.loads((HERE / "pinned.json").read_text())
        with np.load(HERE / "decoded.npz") as archive:
            decoded = dict(archive)
    else:
        save_package(sensor(), SENSOR)
        save_package(model(), MODEL)
        save_package(lapped(), LAPPED)
    total = 0
    for name, golden in GOLDEN.items():
        if names and name not in names:
            continue
        data = golden.encode()
        (HERE / f"{name}.bndf").write_bytes(data)
        decoder = Decoder(data, models=PACKAGES, restore="off")
        samples = decoder.decode()
        decoded[name] = samples.ravel()[::PINNED_STRIDE]
        pinned[name] = {"bytes": len(data), "samples_sha256": digest(samples)}
        report = decoder.report()
        total += len(data)
        print(
            f"{name}: {len(data)} bytes, {report['components']} components, {report['rotations']} rotations"
        )
    (HERE / "pinned.json").write_text(json.dumps(pinned, indent=2) + "\n")
    np.savez_compressed(HERE / "decoded.npz", allow_pickle=False, **decoded)
    example = (HERE / f"{EXAMPLE}.bndf").read_bytes()
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(replace_example(text, worked_example(example)), encoding="utf-8")
    print(f"{total} bytes in all, {(HERE / 'decoded.npz').stat().st_size} decoded")
    print(f"{EXAMPLE}: {example.hex(' ')}")


if __name__ == "__main__":
    main()
