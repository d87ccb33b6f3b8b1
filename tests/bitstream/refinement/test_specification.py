"""A second reader of refinement, written from docs/format.md alone, must agree with the first.

It takes nothing from bandfold but the file of tables, and is slow and plain on purpose.
"""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.refinement.band_prediction import Bounds
from bandfold.bitstream.refinement.residual_codec import write_residual
from bandfold.bitstream.refinement.side_information import ErrorBound
from bandfold.bitstream.refinement.tables import load_refinement_tables

DATA = Path(__file__).parents[3] / "bitstream" / "data" / "refinement.npz"
FAR = (1 << 24) - 1


def _clip(x, low, high):
    return min(max(x, low), high)


class Payload:
    def __init__(self, data):
        with np.load(DATA) as arrays:
            self.frequencies, self.weights = arrays["frequencies"].tolist(), arrays["weights"].tolist()
        count = int.from_bytes(data[:4], "little")
        words = np.frombuffer(data[4 : 4 + 4 * count], "<u4").tolist()
        self.states = [words[2 * n] << 32 | words[2 * n + 1] for n in range(4)]
        self.words = iter(words[8:])
        self.bits = "".join(f"{byte:08b}" for byte in data[4 + 4 * count :])
        self.at = 0

    def field(self, width):
        self.at += width
        return int(self.bits[self.at - width : self.at] or "0", 2)

    def number(self, place, kind, raw):
        x = self.states[place % 4]
        low, start, t = x % (1 << 24), 0, 0
        while start + self.frequencies[kind][t] <= low:
            start, t = start + self.frequencies[kind][t], t + 1
        x = self.frequencies[kind][t] * (x >> 24) + low - start
        if x < 1 << 32:
            x = x << 32 | next(self.words)
        self.states[place % 4] = x
        negative = self.field(1) if t else 0
        h = t
        if t >= 16:
            octave, half = divmod(t - 16, 2)
            h = (2 + half << octave + 3) + self.field(octave + 3)
        return (-h if negative else h) * (1 << raw) + self.field(raw)

    def array(self, count):
        def numbers(count, scale):
            raw = max((scale - 96) // 8 - 6, 0)
            kind = _clip(scale - 8 * raw - 16 >> 1, 0, 79)
            return [self.number(place, kind, raw) for place in range(count)]

        scale, differences = divmod(numbers(1, 151)[0], 2)
        found = numbers(count, scale)
        return np.cumsum(found).tolist() if differences else found


def _weights(payload, counts, places):
    units = payload.array(len(counts))
    rows = [[] for _ in counts]
    for place in range(places):
        used = [band for band, count in enumerate(counts) if count > place]
        for band, weight in zip(used, payload.array(len(used)), strict=True):
            rows[band].append(weight << units[band])
    return rows


def _relative_cells(share, floor, lowest, highest):
    def one_side(start, end):
        cells, v = [], start
        while v <= end:
            c = v + max(floor, v * share >> 16)
            last = max(c + floor, c * 65536 // (65536 - share))
            cells.append((v, c, last))
            v = last + 1
        return cells

    cells = [(-last, -c, -v) for v, c, last in reversed(one_side(max(-highest, floor + 1), -lowest))]
    if lowest <= floor and highest >= -floor:
        cells.append((-floor, 0, floor))
    cells += one_side(max(lowest, floor + 1), highest)
    return [(first, _clip(c, lowest, highest)) for first, c, _ in cells]


def _cell(cells, x):
    return max([number for number, (first, _) in enumerate(cells) if first <= x], default=0)


def kind_of(data):
    return Payload(data).array(1)[0]


def ordered(values):
    """Words of samples, those of all bands one after the other."""
    if values.dtype.kind in "iu":
        return values.astype(np.int64) - (1 << 31 if values.dtype.kind == "u" else 0)
    width = 8 * values.dtype.itemsize
    bits = values.view(f"u{width // 8}")
    magnitude = (bits & bits.dtype.type((1 << width - 1) - 1)).astype(np.int64)
    whole = np.where(np.signbit(values), -1 - magnitude, magnitude)
    return whole if width == 32 else np.concatenate([whole // 2**32, whole % 2**32 - 2**31])


def from_ordered(words, dtype, count):
    """Samples of words."""
    if np.dtype(dtype).kind in "iu":
        return (words + (1 << 31 if np.dtype(dtype).kind == "u" else 0)).astype(dtype)
    if len(words) == count:
        whole, kind = words, np.dtype("float32")
    else:
        whole, kind = words[:count] * 2**32 + words[count:] + 2**31, np.dtype("float64")
    magnitude = np.where(whole < 0, -1 - whole, whole).astype(f"u{kind.itemsize}")
    values = magnitude.view(kind).astype(dtype)
    return np.where(whole < 0, -values, values)


def _pad(plane, reach):
    return np.pad(plane, reach, mode="edge")


def read(data, base, lowest, highest, absent):
    payload = Payload(data)
    bands, lines, samples = base.shape
    kind = payload.array(1)[0]
    told = payload.array((1, bands, 2)[kind]) if kind < 3 else [0]
    limits = told if kind == 1 else [0] * bands if kind == 2 else told * bands
    values = []
    for used in payload.array(bands):
        if used:
            first, usual = payload.array(2)
            values.append(np.cumsum([first, *(gap + usual for gap in payload.array(used - 1))]).tolist())
        else:
            values.append(None)
    scales = [scale - 1 for scale in payload.array(bands)]
    offsets = payload.array(bands)
    weights = _weights(payload, payload.array(bands), 8)
    bent = [band for band, one in enumerate(payload.array(bands)) if one]
    around = dict(zip(bent, _weights(payload, [3] * len(bent), 3), strict=True))
    payload.at = -(-payload.at // 8) * 8

    result = np.zeros(base.shape, np.int64)
    lacking = []
    cut = np.clip(base.astype(np.int64), -FAR, FAR)
    last, average = np.full((lines, samples), 16), np.full((lines, samples), 256)
    for z in range(bands):
        total = np.zeros((lines, samples), np.int64)
        for k, weight in enumerate(weights[z]):
            total += weight * lacking[z - 1 - k]
        for y, weight in zip((z - 1, z, z + 1), around.get(z, ()), strict=False):
            if 0 <= y < bands:
                total += weight * cut[y]
        p = np.clip(base[z] + ((offsets[z] * 2**14 + 2**17 + total) >> 18), lowest, highest)
        q = np.zeros((lines, samples), np.int64)
        if scales[z] >= 0:
            raw = max((scales[z] - 96) // 8 - 6, 0)
            rest = scales[z] - 8 * raw
            inverse = min(math.isqrt(math.isqrt(math.isqrt(1 << 256 - rest))), 1 << 24)
            w = payload.weights[min(rest >> 4, 9)]
            near, far, deep = _pad(last, 1), _pad(last, 2), _pad(average, 1)
            now, running = np.zeros((lines, samples), np.int64), np.full(samples, 256)
            for i in range(lines):
                above, wide = _pad(now[i - 1] if i else last[0], 1), _pad(running, 3)
                for j in range(samples):
                    if absent is not None and absent[z, i, j]:
                        now[i, j] = 16
                        continue
                    features = (
                        16,
                        above[j + 1],
                        above[j] + above[j + 2],
                        near[i : i + 3, j : j + 3].sum(),
                        far[i : i + 5, j : j + 5].sum(),
                        average[i, j],
                        deep[i : i + 3, j : j + 3].sum(),
                        wide[j : j + 7].sum(),
                    )
                    v = _clip(sum(int(f) * g for f, g in zip(features, w, strict=True)) >> 12, 0, 4095)
                    logarithm = (max(v, 1) ** 8).bit_length() - 1 - 64
                    q[i, j] = payload.number(j, _clip(rest + logarithm - 16 >> 1, 0, 79), raw)
                    magnitude = min(abs(int(q[i, j]) >> raw), (1 << 24) // inverse + 1)
                    now[i, j] = min(magnitude * inverse >> 16, 255)
                running = running + ((16 * now[i] - running) >> 3)
            average = average + ((16 * now - average) >> 3)
            last = now
        if values[z] is not None or kind == 2:
            if values[z] is None:
                cells = _relative_cells(*told, lowest, highest)
            else:
                used = values[z]
                firsts = [lowest, *((a + b + 1) >> 1 for a, b in pairwise(used))]
                cells = list(zip(firsts, used, strict=True))
            steps = zip(p.ravel().tolist(), q.ravel().tolist(), strict=True)
            x = [cells[_clip(_cell(cells, a) + b, 0, len(cells) - 1)][1] for a, b in steps]
            result[z] = np.reshape(x, (lines, samples))
        else:
            x = p + q * (2 * limits[z] + 1)
            if limits[z] == 0:
                x = (x + 2**31) % 2**32 - 2**31
            result[z] = np.clip(x, lowest, highest)
        lacking.append(np.clip(result[z] - base[z], -FAR, FAR))
    assert payload.states == [1 << 32] * 4
    assert next(payload.words, None) is None
    assert len(payload.bits) - payload.at < 8
    assert "1" not in payload.bits[payload.at :]
    return result


@pytest.mark.parametrize(
    ("kind", "lowest", "highest"),
    [
        ("lossless", 0, 65535),
        ("limits", -32768, 32767),
        ("relative", 0, 65535),
        ("relative", -32768, 32767),
        ("sparse", 0, 65535),
        ("wide", -(1 << 31), (1 << 31) - 1),
        ("absent", 0, 65535),
    ],
)
def test_the_document_describes_what_is_written(kind, lowest, highest):
    random = np.random.Generator(np.random.PCG64(11))
    shape = (12, 10, 40)
    scene = 9000 + np.cumsum(random.normal(0, 60, shape), axis=0) + random.normal(0, 900, shape[1:])
    noise = random.normal(0, 12, shape[1:]) * np.linspace(0, 2, 12)[:, None, None] + random.normal(
        0, 5, shape
    )
    if kind == "wide":
        scene, noise = scene * 1e5 - 1e9, noise * 1e7
    bases = np.clip(np.rint(scene), lowest, highest)
    samples = np.clip(np.rint(bases + noise + 0.2 * np.gradient(scene, axis=0)), lowest, highest)
    if kind == "sparse":
        samples = np.clip(np.rint(np.rint(samples / 96.3) * 96.3), lowest, highest)
        samples[-1] = bases[-1] = 500
    samples, bases = (part.astype(np.int64).astype(np.int32) for part in (samples, bases))
    limits = np.zeros(12, np.int32)
    if kind == "limits":
        limits = np.arange(12, dtype=np.int32) // 2
    absent = random.random(shape) < 0.2 if kind == "absent" else None
    relative = (2000, 3) if kind == "relative" else None
    tables = load_refinement_tables()
    payload, refined = write_residual(
        samples, bases, ErrorBound(limits, relative), Bounds(lowest, highest), absent, tables
    )
    assert np.array_equal(read(payload, bases, lowest, highest, absent), refined)
