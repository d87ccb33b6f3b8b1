"""A second decoder, written from docs/format.md alone, must agree with the first on the golden streams.

It takes nothing from bandfold but the tables file and golden packages; ONNX Runtime runs their networks. It
is slow and plain on purpose: every line can be held against a sentence of the document.
"""

import hashlib
import json
import math
import struct
import zipfile
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest

from .refinement.test_specification import from_ordered, kind_of, ordered
from .refinement.test_specification import read as read_refinement

GOLDEN = Path(__file__).parents[1] / "golden"
DATA = Path(__file__).parents[2] / "bitstream" / "data"

TYPES = ("uint8", "int8", "uint16", "int16", "int32", "uint32", "float32", "float64")
GROUP = (0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7)
FREQUENT = b" etaoinsrhldcumfpgwybvk0123456789.,-_:;/()={}TSAERMICNPLDOBFGHUVWKYXZJQ\"'xjqz+*%"
RANKED = FREQUENT + bytes(sorted(set(range(256)) - set(FREQUENT)))
CHANNELS = sorted(((i, j) for i in range(8) for j in range(8)), key=lambda pair: (sum(pair), pair[0]))
NUMBER = {pair: number for number, pair in enumerate(CHANNELS)}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def load_tables(identity):
    for path in DATA.rglob("*.npz"):
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
        digest = hashlib.sha256()
        for name in sorted(arrays):
            digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode())
            digest.update(arrays[name].tobytes())
        if digest.digest()[:8] == identity:
            return arrays
    raise AssertionError(f"no tables are {identity.hex()}")


class Payload:
    def __init__(self, data, arrays):
        count, at = varint(data, 0)
        self.words = list(struct.unpack_from(f"<{count}I", data, at))
        self.bits = "".join(f"{byte:08b}" for byte in data[at + 4 * count :])
        self.arrays = arrays
        self.starts = {}
        self.state = 0
        assert not self.words or self.words[0] != 0
        for _ in range(min(2, count)):
            self.state = self.state << 32 | self.words.pop(0)

    def token(self, kind, number):
        row = self.arrays[f"{kind}_frequencies"][number]
        if (kind, number) not in self.starts:
            self.starts[kind, number] = np.concatenate([[0], np.cumsum(row, dtype=np.int64)])
        starts = self.starts[kind, number]
        low = self.state % (1 << 24)
        token = int(np.searchsorted(starts, low, side="right")) - 1
        self.state = int(row[token]) * (self.state >> 24) + low - int(starts[token])
        if self.state < 1 << 32 and self.words:
            self.state = self.state << 32 | self.words.pop(0)
        return token

    def raw(self, width):
        assert len(self.bits) >= width
        field, self.bits = self.bits[:width], self.bits[width:]
        return int(field, 2) if width else 0

    @staticmethod
    def smallest(token):
        """Smallest magnitude of a token and its number of raw bits."""
        if token < 16:
            return token, 0
        octave, second = divmod(token - 16, 2)
        return (2 + second) << (octave + 3), octave + 3

    def unsigned(self, count, mean):
        found = []
        for _ in range(count):
            found.append(self.magnitude(mean))
            mean = max(mean + ((256 * found[-1] - mean) >> 3), 1)
        return found

    def magnitude(self, mean):
        kind = min(max((mean * mean).bit_length() - 1 - 8, 0), 39)
        base, width = self.smallest(self.token("side", kind))
        return base + self.raw(width)

    def with_signs(self, magnitudes):
        return [-value if value and self.raw(1) else value for value in magnitudes]

    def signed(self, count, mean):
        return self.with_signs(self.unsigned(count, mean))

    def entries(self, rows, mean, row_means):
        found = []
        for row in rows:
            of_row = row_means[row]
            found.append(self.magnitude((mean + of_row) >> 1 if of_row else mean))
            mean = max(mean + ((256 * found[-1] - mean) >> 1), 1)
            row_means[row] = max(of_row + ((256 * found[-1] - of_row) >> 2) if of_row else 256 * found[-1], 1)
        return self.with_signs(found)

    def values(self, kind, classes, signed=True):
        tokens = [0] * len(classes)
        for number in sorted(set(classes)):
            for place, one in enumerate(classes):
                if one == number:
                    tokens[place] = self.token(kind, number)
        signs = [-1 if signed and token and self.raw(1) else 1 for token in tokens]
        found = []
        for token in tokens:
            base, width = self.smallest(token)
            found.append(base + self.raw(width))
        return [sign * value for sign, value in zip(signs, found, strict=True)]

    def end(self):
        assert self.state == 0
        assert not self.words
        assert len(self.bits) < 8
        assert "1" not in self.bits


def sections(data):
    """Sections by kind and number; those of kinds without numbers have number None."""
    assert data[:10] == bytes.fromhex("89424e44460d0a1a0200")
    at, found = 10, {}
    while at < len(data):
        length, body = varint(data, at + 1)
        assert data[body] == crc32c(data[at:body]) & 255
        (crc,) = struct.unpack_from("<I", data, body + 1)
        payload = data[body + 5 : body + 5 + length]
        assert crc == crc32c(data[at:body] + payload)
        number, start = varint(payload, 0) if data[at] in (3, 4, 5, 7) else (None, 0)
        found.setdefault((data[at], number), payload[start:])
        if data[at] == 5:
            found.setdefault(("checksum", number), struct.pack("<I", crc32c(payload)))
        at = body + 5 + length
    return found


def read_segment_head(data):
    """SegmentHeader and chunks of a segment, behind its number."""
    flags, at = data[0], 1
    assert flags < 64
    place = {"exact": flags >> 5}
    for bit, field in enumerate(("fold", "rotation", "step", "lines", "doublings")):
        if flags >> bit & 1:
            place[field], at = varint(data, at)
    count, at = varint(data, at)
    if count == 1:
        components, at = varint(data, at)
        return place, [(components, data[at:])]
    told = []
    for _ in range(count):
        components, at = varint(data, at)
        size, at = varint(data, at + 1)
        told.append((components, size))
    start, chunks = at + 4 * count, []
    for components, size in told:
        chunks.append((components, data[start : start + size]))
        start += size
    assert start == len(data)
    return place, chunks, at


def read_header(data):
    flags, kind, layout, transform, quantiser = data[:5]
    assert not flags & 128 or flags & 33 == (1 if transform != 2 else 0)
    assert quantiser <= 2 * (flags & 1)
    assert layout < 8
    assert transform <= 2
    at, numbers = 5, []
    for _ in range(5):
        value, at = varint(data, at)
        numbers.append(value)
    header = dict(zip(("bands", "lines", "samples", "height", "step"), numbers, strict=True))
    header.update(
        quantiser=quantiser, spectral=flags & 1, scaled=flags & 4, masked=flags & 16, type=TYPES[kind]
    )
    header["weighted"], header["regional"] = flags & 128, flags & 2
    header.update(height=8 * header["height"], step=header["step"] / 256, tables=data[at : at + 8])
    header["coded"] = ("uint16" if flags & 8 else "int16") if flags & 4 else header["type"]
    at += 8
    if flags & 4:
        scale, offset = struct.unpack_from("<dd", data, at)
        at += 16
        header["scales"] = np.full(header["bands"], scale)
        header["offsets"] = np.full(header["bands"], offset)
        named, band = 0, 0
        if flags & 64:
            named, at = varint(data, at)
            assert 1 <= named <= header["bands"]
        for _ in range(named):
            gap, at = varint(data, at)
            band += gap
            header["scales"][band] *= 2.0 ** data[at]
            (header["offsets"][band],) = struct.unpack_from("<d", data, at + 1)
            at, band = at + 9, band + 1
    else:
        assert not flags & 64
    if flags & 16:
        (header["no_data"],) = struct.unpack_from("<d", data, at)
        at += 8
    for field, kind, present in (("model", "codec", True), ("package", "sensor", flags & 32)):
        length, at = varint(data, at) if present else (0, at)
        if length:
            name, identity = data[at : at + length].decode(), data[at + length : at + length + 8]
            at += length + 8
            header[field] = read_package(name, identity, kind)
    assert ("model" in header) == (transform >= 1)
    assert not (header["regional"] and "model" in header)
    assert not (transform >= 1 and flags & 1)
    header["predicted"] = transform == 2
    assert at == len(data)
    return header


def read_package(name, identity, kind):
    """The arrays and networks of the golden package of that name and hash, as docs/packages.md says."""
    data = (GOLDEN / f"{name}.bfm").read_bytes()
    digest = hashlib.sha256(data[:-64])
    assert digest.hexdigest().encode() == data[-64:]
    assert digest.digest()[:8] == identity
    with zipfile.ZipFile(GOLDEN / f"{name}.bfm") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert (manifest["format"], manifest["name"], manifest["kind"]) == (1, name, kind)
        arrays = {}
        for member in archive.namelist():
            if member.startswith("arrays/"):
                with archive.open(member) as file:
                    arrays[member[7:-4]] = np.load(file)
            elif member.startswith("engines/"):
                arrays[member[8:]] = archive.read(member)
    return arrays


def expected_entry(length, precision):
    return max(math.isqrt(205 * 205 * 4**precision // length), 1)


def read_precisions(payload, count):
    return [16 + change for change in accumulate(payload.signed(count, 256))]


def basis(columns, precisions, length, weights=1):
    scaled = [
        np.array(column) / 2.0**precision for column, precision in zip(columns, precisions, strict=True)
    ]
    return np.rint((orthonormal(scaled, length).T * weights).T * 65536)


def orthonormal(columns, length):
    done = np.zeros((length, 0))
    for column in columns:
        vector = np.array(column)
        before = np.linalg.norm(vector)
        for _ in range(2):
            vector = vector - done @ (done.T @ vector)
        norm = np.linalg.norm(vector)
        if norm <= 1e-6 * before or norm == 0:
            vector = np.zeros(length)
            vector[np.argmin((done * done).sum(axis=1))] = 1
            for _ in range(2):
                vector = vector - done @ (done.T @ vector)
            norm = np.linalg.norm(vector)
        done = np.column_stack([done, vector / norm])
    return done


class Rows:
    """What vectors that are told by rows have in common: shifts of rows, and their running means."""

    def __init__(self, shifts, *, follow=False):
        assert all(0 <= shift <= 16 for shift in shifts)
        self.shifts, self.follow, self.precision = shifts, follow, 0
        self.means = [0] * len(shifts)

    def read(self, payload, told, precision):
        """Entries of a vector."""
        if self.follow:
            change, self.precision = precision - self.precision, precision
            self.means = [
                mean and (mean << change if change > 0 else max(mean >> -change, 1)) for mean in self.means
            ]
        mean = max(expected_entry(len(told), precision) >> self.shifts[told[0]], 1)
        return payload.entries(told, mean, self.means)


def read_row_shifts(payload, length):
    return Rows(list(accumulate(payload.signed(length, 256))))


def read_variety(payload, count):
    """How vectors are told, 0 to 2 (plainly, triangular, by rows), and the number that follows zeros."""
    variety = 0
    while count == 0 and variety < 2:
        (count,) = payload.unsigned(1, 2048)
        variety += 1
    assert count > 0
    return variety, count


def read_columns(payload, length, precisions, triangular, predictors=None, by_rows=None):
    columns, told = [], list(range(length))
    for precision, predictor in zip(precisions, predictors or [0] * len(precisions), strict=True):
        once, twice = ((0, 0), (1, 0), (2, -1))[predictor]
        entries = [0, 0]
        if by_rows:
            residuals = by_rows.read(payload, told, precision)
        else:
            residuals = payload.signed(len(told), expected_entry(len(told), precision))
        for residual in residuals:
            entries.append(residual + once * entries[-1] + twice * entries[-2])
        column = [0] * length
        for row, entry in zip(told, entries[2:], strict=True):
            column[row] = entry
        columns.append(column)
        if triangular:
            told.remove(max(told, key=lambda row: (abs(column[row]), -row)))
    return columns


def read_vectors(payload, length, count, triangular, by_rows=None):
    precisions = read_precisions(payload, count)
    columns = read_columns(payload, length, precisions, triangular, by_rows=by_rows)
    if by_rows:
        columns = [
            [entry << shift for entry, shift in zip(column, by_rows.shifts, strict=True)]
            for column in columns
        ]
    return basis(columns, precisions, length)


def read_rotations(payload):
    count, size = payload.unsigned(2, 2048)
    variety, count = read_variety(payload, count)
    by_rows = read_row_shifts(payload, size) if variety == 2 else None
    return [read_vectors(payload, size, size, variety > 0, by_rows) for _ in range(count)]


def read_places(payload, count, first, end):
    places = [first - 1]
    for gap in payload.unsigned(count, 256):
        places.append(places[-1] + 1 + gap)
    assert places[-1] < end
    return places[1:]


def read_packaged_fold(payload, header):
    package = header["package"]
    lengths = np.diff(package["ends"], prepend=0).tolist()
    (shift,) = payload.unsigned(1, 2048)
    assert shift <= 40
    means = np.cumsum(payload.signed(header["bands"], 16384)) + (package["means"] >> shift)
    fold = {"lengths": lengths, "means": means * 2**shift / 64, "weights": np.ones(header["bands"])}
    taken = payload.unsigned(len(lengths), 2048)
    merged = package["merged"].tolist()
    assert all(one <= limit for one, limit in zip(taken, merged, strict=True))
    width, count = payload.unsigned(2, 2048)
    assert count <= width <= min(sum(taken), package["second"].shape[1])

    def whole(name):
        columns = zip(package[name].T, package[f"{name}-precision"].tolist(), strict=True)
        return orthonormal([column / 2.0**precision for column, precision in columns], len(package[name]))

    rows, start = [], 0
    for one, limit in zip(taken, merged, strict=True):
        rows += range(start, start + one)
        start += limit
    part = whole("second")[rows, :width]
    if payload.unsigned(1, 256) == [1]:
        shifts = np.cumsum(payload.signed(width, 256))
        assert ((shifts >= 0) & (shifts <= 20)).all()
        precisions = read_precisions(payload, count)
        entries = np.array([payload.signed(width, 128) for _ in range(count)]).reshape(count, width)
        part = part @ (entries * 2.0**shifts / 2.0 ** np.array(precisions).reshape(-1, 1)).T
    else:
        part = part[:, read_places(payload, count, 0, width)]
    fold["second"] = np.rint(orthonormal(part.T, len(rows)) * 65536)
    fold["first"], inside, others, place = [], [], [], 0
    for number, (one, more) in enumerate(zip(taken, payload.unsigned(len(lengths), 2048), strict=True)):
        vectors, precisions = whole(f"first-{number:03d}"), package[f"first-{number:03d}-precision"]
        columns = [*range(one), *read_places(payload, more, one, vectors.shape[1])]
        fold["first"].append(np.rint(vectors[:, columns] * 65536))
        inside += range(place, place + one)
        others += [(-precisions[columns[index]], place + index) for index in range(one, one + more)]
        place += one + more
    fold["inside"], fold["others"] = inside, [place for _, place in sorted(others)]
    fold["components"] = count + len(others)
    return fold


def read_fold(payload, header):
    if "package" in header:
        return read_packaged_fold(payload, header)
    (intervals,) = payload.unsigned(1, 2048)
    variety, intervals = read_variety(payload, intervals) if header["spectral"] else (0, intervals)
    fold = {"lengths": payload.unsigned(intervals, 8192)}
    assert sum(fold["lengths"]) == header["bands"]
    (shift,) = payload.unsigned(1, 2048)
    fold["means"] = np.cumsum(payload.signed(header["bands"], 16384)) * 2**shift / 64
    fold["components"] = header["bands"]
    fold["weights"] = np.ones(header["bands"])
    if header["weighted"] and not header["predicted"]:
        codes = list(accumulate(payload.signed(header["bands"], 512)))
        fold["weights"] = np.array([weight(code) for code in codes])
    if "model" in header:
        fold["engines"] = payload.unsigned(intervals, 256)
        kind = "basis-functions" if header["predicted"] else "frequencies"
        assert max(fold["engines"]) < len(header["model"][kind])
    if header["predicted"]:
        tiers, fold["begin"] = payload.unsigned(2, 2048)
        assert tiers <= 8
        assert fold["begin"] < 2**tiers
        fold["tiers"] = tiers
        order = order_of_coding(header["bands"], tiers, fold["begin"])
        if header["weighted"]:
            (unit,) = payload.unsigned(1, 256)
            usual = list(accumulate(payload.signed(tiers + 1, 512)))
            differences = payload.signed(header["bands"], 256)
            fold["steps"] = {
                band: unit * (usual[tier] + difference)
                for (band, tier, _), difference in zip(order, differences, strict=True)
            }
            assert unit > 0
            assert all(abs(g) <= 120 for g in fold["steps"].values())
        else:
            gains = payload.unsigned(tiers, 512)
            assert all(gain <= 15 for gain in gains)
            fold["steps"] = {band: sum(gains[:tier]) for band, tier, _ in order}
    if not header["spectral"]:
        return fold
    counts, merged = payload.unsigned(intervals, 2048), payload.unsigned(intervals, 2048)
    fold["first"], inside, others = [], [], []
    place = band = 0
    for length, count, taken in zip(fold["lengths"], counts, merged, strict=True):
        precisions = read_precisions(payload, count)
        predictors = payload.unsigned(count, 256)
        by_rows = Rows([0] * length, follow=True) if variety == 2 else None
        columns = read_columns(payload, length, precisions, variety > 0, predictors, by_rows)
        fold["first"].append(basis(columns, precisions, length, fold["weights"][band : band + length]))
        band += length
        inside += range(place, place + taken)
        others += [(-precisions[index], place + index) for index in range(taken, count)]
        place += count
    (count,) = payload.unsigned(1, 2048)
    by_rows = read_row_shifts(payload, len(inside)) if variety == 2 else None
    fold["second"] = read_vectors(payload, len(inside), count, variety > 0, by_rows)
    fold["inside"], fold["others"] = inside, [place for _, place in sorted(others)]
    fold["components"] = count + len(others)
    return fold


def read_text(payload):
    (length,) = payload.unsigned(1, 2048)
    return bytes(RANKED[rank] for rank in payload.unsigned(length, 2048)).decode()


def read_metadata(payload):
    fields = {}
    (number,) = payload.unsigned(1, 2048)
    for _ in range(number):
        key = read_text(payload)
        (kind,) = payload.unsigned(1, 256)
        if kind == 0:
            fields[key] = read_text(payload)
        elif kind == 1:
            (items,) = payload.unsigned(1, 2048)
            fields[key] = tuple(read_text(payload) for _ in range(items))
        else:
            (digits,) = payload.unsigned(1, 256)
            (items,) = payload.unsigned(1, 2048)
            numbers = accumulate(accumulate(payload.signed(items, 4096)))
            fields[key] = tuple(f"{number / 10**digits:.{digits}f}" for number in numbers)
    return fields


def read_mask(payload, shape):
    bands, lines, samples = shape
    (runs,) = payload.unsigned(1, 256)
    absent, flat = False, []
    for length in payload.unsigned(runs, 262144):
        flat += [absent] * length
        absent = not absent
    flat += [absent] * (bands * lines * samples - len(flat))
    return np.array(flat).reshape(lines, samples, bands).transpose(2, 0, 1)


def read_exact(payload, shape, kind):
    """Places of samples that are kept exactly, as an array of bool, and their values in that order."""
    bands, lines, samples = shape
    order, runs = payload.unsigned(2, 4096)
    assert order <= 1
    assert 1 <= runs <= bands * lines * samples
    gaps = payload.unsigned(runs, 262144)
    lengths = [length + 1 for length in payload.unsigned(runs, 1024)]
    ranks = payload.unsigned(runs, 256)
    width, low = {"int32": (32, 16), "uint32": (32, 16), "float32": (32, 23), "float64": (64, 52)}[kind]
    fresh, high = [], 0
    for difference in payload.signed(ranks.count(0), 16384):
        high += difference
        assert 0 <= high < 1 << (width - low)
        fresh.append(high)
    for size in [26, 26] if low == 52 else [low]:
        for number, value in enumerate(fresh):
            fresh[number] = value << size | payload.raw(size)
    flat = np.zeros(bands * lines * samples, dtype=object)
    flat[:] = None
    at, recent = 0, []
    for gap, length, rank in zip(gaps, lengths, ranks, strict=True):
        at += gap
        value = recent.pop(rank - 1) if rank else fresh.pop(0)
        recent = [value, *recent][:16]
        assert at + length <= flat.size
        flat[at : at + length] = value
        at += length
    cube = flat.reshape(shape) if order else flat.reshape(lines, samples, bands).transpose(2, 0, 1)
    known = cube != np.array(None)
    return known, np.array(cube[known].tolist(), dtype=f"u{width // 8}").view(kind)


def weight(code):
    assert 0 <= code < 96
    mantissas = (65536, 60097, 55109, 50535, 46341, 42495, 38968, 35734)
    return mantissas[code % 8] / 2.0 ** (16 + code // 8)


def read_block_weights(payload, rows, columns):
    codes = np.zeros((rows, columns), dtype=int)
    changes = iter(payload.signed(rows * columns, 64))
    for row in range(rows):
        for column in range(columns):
            before = codes[row, column - 1] if column else codes[row - 1, 0] if row else 0
            codes[row, column] = before + next(changes)
    return np.array([[weight(code) for code in line] for line in codes.tolist()])


def read_map(payload, rows, columns, matrices):
    chosen = np.zeros((rows, columns), dtype=int)
    ranks = iter(payload.unsigned(rows * columns, 256))
    for row in range(rows):
        for column in range(columns):
            order = [chosen[row, column - 1]] if column else []
            if row and chosen[row - 1, column] not in order:
                order.append(chosen[row - 1, column])
            order += [one for one in range(matrices) if one not in order]
            chosen[row, column] = order[next(ranks)]
    return chosen


def logarithm(x):
    power, n = (1 + min(int(x), 65535)) ** 16, 0
    while power >= 1 << (2 * n + 1):
        n += 1
    return min(n, 127)


L = np.vectorize(logarithm, otypes=[np.int64])


def ring(plane):
    padded = np.pad(plane, 1)
    rows, columns = plane.shape
    shifts = [(r, s) for r in range(3) for s in range(3) if (r, s) != (1, 1)]
    return sum(padded[r : r + rows, s : s + columns] for r, s in shifts)


class Known:
    """The magnitudes of a component, as far as they are decoded."""

    def __init__(self, rows, columns):
        self.planes = np.zeros((64, rows, columns), dtype=np.int64)
        self.history = np.zeros((64, rows, columns), dtype=np.int64)

    def a(self, i, j):
        return self.planes[NUMBER[i, j]] if (i, j) in NUMBER else np.zeros_like(self.planes[0])

    def m(self, i, j):
        total, count = int(self.a(i, j).sum()), self.planes[0].size
        return min((64 * total + count // 2) // count, 65535)

    def below(self, diagonal):
        return sum((self.a(i, j) for i, j in CHANNELS if i + j < diagonal), np.zeros_like(self.planes[0]))


def beside(plane, axis):
    padded = np.pad(plane, [(1, 1) if one == axis else (0, 0) for one in (0, 1)])
    count = plane.shape[axis]
    return padded.take(range(count), axis) + padded.take(range(2, count + 2), axis)


def features(i, j, now, last, before, count):
    d = i + j
    recent = now.below(d) - now.below(max(d - 2, 0))
    cross = last.a(i - 1, j) + last.a(i, j - 1) + last.a(i + 1, j) + last.a(i, j + 1)
    one = np.ones_like(now.planes[0])
    extended = [
        L(beside(now.a(i - 1, j), 1)),
        L(beside(now.a(i - 1, j), 0)),
        L(beside(now.a(i, j - 1), 1)),
        L(beside(now.a(i, j - 1), 0)),
        L(last.history[NUMBER[i, j]]),
    ]
    return np.stack(
        [
            L(now.a(i - 1, j)),
            L(now.a(i, j - 1)),
            L(now.a(i - 1, j - 1)),
            np.maximum(L(now.a(i - 2, j)), L(now.a(i, j - 2))),
            L(ring(now.a(i - 1, j))),
            L(ring(now.a(i, j - 1))),
            L(last.a(i, j)),
            L(ring(last.a(i, j))),
            L(cross),
            L(before.a(i, j)),
            L(ring(before.a(i, j))),
            *(extended if count == 24 else ()),
            L(now.below(d)),
            L(ring(now.below(d))),
            L(recent),
            L(ring(recent)),
            L(last.below(15)),
            one * logarithm(now.m(i - 1, j) + now.m(i, j - 1)),
            one * logarithm(last.m(i, j)),
            one * logarithm(last.m(i - 1, j) + last.m(i, j - 1)),
        ]
    )


def classify(channel, described, arrays, kind):
    array = {
        name.removeprefix(f"{kind}_"): values.astype(np.int64)
        for name, values in arrays.items()
        if name.startswith(kind)
    }
    group = GROUP[sum(CHANNELS[channel])]
    limit = 127 if "middle" in array else 1023
    units = np.tensordot(array["hidden"][group], described, axes=1) + array["bias"][channel][:, None, None]
    units = np.clip(units >> array["shifts"][0], 0, limit)
    if "middle" in array:
        bias = array["middle_bias"][group][:, None, None]
        units = np.clip(
            (np.tensordot(array["middle"][group], units, axes=1) + bias) >> array["shifts"][1], 0, limit
        )
    level = np.tensordot(array["output"][group], units, axes=1) + array["offset"][group]
    return np.clip(level >> array["shifts"][-1], 0, 47)


EIGHT = ((0, 3, 5, 6, 1, 2, 4, 7), (1, 2, 4, 7, 0, 3, 5, 6))


def next_state(state, odd, quantiser):
    """State behind a latent."""
    if quantiser == 1:
        return EIGHT[odd][state]
    b = [state >> n & 1 for n in range(5)]
    following = (odd ^ b[0] ^ b[1] ^ b[2] ^ b[4], b[0] ^ b[1], b[1], b[2], b[3])
    return sum(bit << n for n, bit in enumerate(following))


def read_latents(payloads, shape, arrays, kind, quantiser):
    """Latents from the payloads of chunks and their numbers of components."""
    states = np.zeros((8, *shape[1:]), dtype=np.int64)
    # With one quantiser nothing moves on.
    count = (1, 8, 32)[quantiser]
    following = np.array(
        [[next_state(state, odd, quantiser) if quantiser else 0 for odd in (0, 1)] for state in range(count)]
    )
    _, rows, columns = shape
    quantised = np.zeros((64, *shape), dtype=np.int64)
    classes = np.zeros_like(quantised)
    last = before = Known(rows, columns)

    def components():
        extent = 15
        for payload, count in payloads:
            for change in payload.signed(count, 256):
                extent += change
                yield payload, extent
            payload.end()

    for component, (payload, extent) in enumerate(components()):
        now = Known(rows, columns)
        for diagonal in range(15):
            channels = [channel for channel, pair in enumerate(CHANNELS) if sum(pair) == diagonal]
            if diagonal < extent:
                for chain, channel in enumerate(channels):
                    inputs = arrays[f"{kind}_hidden"].shape[2]
                    described = features(*CHANNELS[channel], now, last, before, inputs)
                    classes[channel, component] = classify(channel, described, arrays, kind)
                    classes[channel, component] += 48 * (quantiser > 0) * (states[chain] % 2)
                order = classes[channels, component].ravel().tolist()
                quantised[channels, component] = np.reshape(payload.values(kind, order), (-1, rows, columns))
            for chain, channel in enumerate(channels):
                magnitudes = np.abs(quantised[channel, component])
                if quantiser and f"{kind}_middle" in arrays:
                    second = (magnitudes > 0) & (states[chain] % 2 == 1)
                    magnitudes = np.minimum(2 * magnitudes, 2047) - second
                now.planes[channel] = np.minimum(magnitudes, 2047)
                states[chain] = following[states[chain], quantised[channel, component] % 2]
        now.history = np.minimum(15 * last.history // 16 + 8 * now.planes, 65535)
        last, before = now, last
    return quantised, classes


def cosine_matrix():
    line = [[math.sqrt(1 / 8)] * 8]
    line += [
        [math.sqrt(1 / 4) * math.cos(math.pi * (2 * x + 1) * n / 16) for x in range(8)] for n in range(1, 8)
    ]
    rows = [[line[i][y] * line[j][x] for y in range(8) for x in range(8)] for i, j in CHANNELS]
    return np.rint(np.array(rows) * 16384) / 16384


def back(columns):
    """From components to what they were made of."""
    vectors = columns / 65536
    return vectors @ np.linalg.inv(vectors.T @ vectors)


def restore(quantised, classes, chosen, header, fold, rotations, points, height, step, weights):
    magnitudes = np.abs(quantised)
    below = points[classes, np.clip(magnitudes, 1, 3) - 1] / 256
    latents = np.where(magnitudes > 0, np.sign(quantised) * (magnitudes - below), 0) * step
    components, rows, columns = quantised.shape[1:]
    if chosen is not None:
        for row in range(rows):
            for column in range(columns):
                matrix = rotations[chosen[row, column]].T / 65536
                top = latents[:, : len(matrix), row, column]
                latents[:, : len(matrix), row, column] = np.linalg.solve(matrix, top.T).T
    latents = latents / weights
    pixels = np.linalg.solve(cosine_matrix(), latents.reshape(64, -1)).reshape(
        8, 8, components, rows, columns
    )
    planes = pixels.transpose(2, 3, 0, 4, 1).reshape(components, 8 * rows, 8 * columns)
    planes = planes[:, :height, : header["samples"]]
    if header["spectral"]:
        taken = fold["second"].shape[1]
        first = np.zeros((len(fold["inside"]) + len(fold["others"]), *planes.shape[1:]))
        first[fold["inside"]] = np.tensordot(back(fold["second"]), planes[:taken], axes=1)
        first[fold["others"]] = planes[taken:]
        bands, place, band = [], 0, 0
        for columns_of in fold["first"]:
            count = columns_of.shape[1]
            weights = fold["weights"][band : band + len(columns_of)][:, None]
            band += len(columns_of)
            matrix = back(columns_of / weights) / weights
            bands.append(np.tensordot(matrix, first[place : place + count], axes=1))
            place += count
        planes = np.concatenate(bands)
    planes = planes + fold["means"][:, None, None]
    limits = np.iinfo(header["coded"])
    return np.clip(np.rint(planes), limits.min, limits.max)


def order_of_coding(bands, tiers, begin):
    """Band, tier and references of each, in the order of coding."""
    order = []

    def add(band, tier, distances):
        before = {one for one, _, _ in order}
        near = [band + distance for distance in distances]
        order.append((band, tier, [one for one in near if one in before][:4]))

    begin = min(begin, bands - 1)
    for band in range(begin, bands, 2**tiers):
        add(band, 0, [-n * 2**tiers for n in ((1, 2) if tiers else (1, 2, 3, 4))])
    for tier in range(1, tiers + 1):
        s = 2 ** (tiers - tier)
        for band in [one for one in range(bands) if (one - begin) % (2 * s) == s]:
            add(band, tier, [-s, s, -3 * s, 3 * s, -2 * s])
    assert sorted(band for band, _, _ in order) == list(range(bands))
    return order


def read_predictions(payload, order):
    """Weights and offset of each band, in the order of coding."""
    (f,) = payload.unsigned(1, 512)
    assert f <= 8
    units = [2**f] + [2 ** min(f + 2, 8)] * 3
    counts = payload.unsigned(len(order), 512)
    assert all(n <= len(references) for n, (_, _, references) in zip(counts, order, strict=True))
    offsets = payload.signed(len(order), 128)
    assert all(abs(one) <= 2**20 for one in offsets)
    changes, last, found = iter(payload.signed(sum(counts), 2048)), {}, []
    for n, offset in zip(counts, offsets, strict=True):
        usual = last.get(n) or [1024 // n // units[place] for place in range(n)]
        last[n] = [one + next(changes) for one in usual]
        found.append(([one * unit for one, unit in zip(last[n], units, strict=False)], offset))
        assert all(abs(weight) <= 2**14 for weight in found[-1][0])
    return found


EIGHTHS = (256, 279, 304, 332, 362, 395, 431, 470)


def predicted_planes(quantised, classes, header, fold, order, predictions, code):
    """Bands from levels, in Python's integers and sixteenths of a count."""
    _, _, rows, columns = quantised.shape
    points = header["model"]["banded_points"]
    engines = np.repeat(fold["engines"], fold["lengths"])
    limit = 2**24

    def cut(values):
        return np.clip(values, -limit, limit)

    means = cut((np.rint(fold["means"] * 64).astype(np.int64) + 2) >> 2)
    planes = {}
    for number, ((band, _, references), (weights, offset)) in enumerate(zip(order, predictions, strict=True)):
        g = fold["steps"][band]
        step = max(math.floor(code * EIGHTHS[g % 8] * Fraction(2) ** (g // 8 - 8)), 1)
        base = cut(means[band] + (offset * step >> 5))
        total = np.full((8 * rows, 8 * columns), 512, dtype=np.int64)
        for weight, reference in zip(weights, references, strict=False):
            total += weight * (planes[reference] - means[reference])
        prediction = cut(base + (total >> 10))
        sums = np.zeros((8 * rows + 16, 8 * columns + 16), dtype=np.int64)
        kernels = header["model"]["basis-functions"][engines[band]].astype(np.int64)
        for channel, row, column in np.argwhere(quantised[:, number]):
            q = int(quantised[channel, number, row, column])
            below = int(points[classes[channel, number, row, column], min(abs(q), 3) - 1])
            value = (256 * abs(q) - below) * (1 if q > 0 else -1)
            sums[8 * row : 8 * row + 24, 8 * column : 8 * column + 24] += value * kernels[channel]
        for _ in range(2):
            inside = sums[8:-8].copy()
            for n in range(8):
                inside[n] += sums[7 - n]
                inside[len(inside) - 1 - n] += sums[len(inside) + 8 + n]
            sums = inside.T
        added = np.clip(sums * (step * 2.0**-26), -1e9, 1e9)
        planes[band] = cut(prediction + np.rint(added).astype(np.int64))
    return np.stack([planes[band] for band in range(header["bands"])])


def restore_predicted(planes, header, height):
    limits = np.iinfo(header["coded"])
    return np.clip(np.rint(planes[:, :height, : header["samples"]] / 16), limits.min, limits.max)


def integer_inverse(matrix, bits):
    """Of a matrix of integers in units of 2**-bits, vectors in its columns; in units of 2**-22."""
    vectors = np.rint(matrix).astype(np.int64)
    lacking = 2 * 4**bits * np.eye(vectors.shape[1], dtype=np.int64) - vectors.T @ vectors
    shift = 3 * bits - 22
    return (vectors @ lacking + (1 << (shift - 1))) >> shift


def cut_sum(inverse, values):
    return np.clip(np.rint(inverse @ values / 2**22), -(2**28), 2**28).astype(np.int64)


def exact_planes(quantised, classes, chosen, header, fold, rotations, points, code):
    """Bands from levels, in integers and sixteenths of a count."""
    magnitudes = np.abs(quantised).astype(np.int64)
    below = points[classes, np.clip(magnitudes, 1, 3) - 1].astype(np.int64)
    sizes = np.clip(np.rint((256 * magnitudes - below) * code / 4096), 0, 2**28)
    latents = np.where(magnitudes > 0, np.sign(quantised) * sizes, 0).astype(np.int64)
    components, rows, columns = quantised.shape[1:]
    if chosen is not None:
        for row in range(rows):
            for column in range(columns):
                inverse = integer_inverse(rotations[chosen[row, column]], 16)
                top = latents[:, : len(inverse), row, column]
                latents[:, : len(inverse), row, column] = cut_sum(inverse, top.T).T
    cosine = integer_inverse(np.rint(cosine_matrix() * 16384).T, 14)
    pixels = cut_sum(cosine, latents.reshape(64, -1)).reshape(8, 8, components, rows, columns)
    planes = pixels.transpose(2, 3, 0, 4, 1).reshape(components, 64 * rows * columns)
    if header["spectral"]:
        taken = fold["second"].shape[1]
        first = np.zeros((len(fold["inside"]) + len(fold["others"]), planes.shape[1]), dtype=np.int64)
        first[fold["inside"]] = cut_sum(integer_inverse(fold["second"], 16), planes[:taken])
        first[fold["others"]] = planes[taken:]
        bands, place = [], 0
        for vectors in fold["first"]:
            count = vectors.shape[1]
            bands.append(cut_sum(integer_inverse(vectors, 16), first[place : place + count]))
            place += count
        planes = np.concatenate(bands)
    means = np.rint(fold["means"] * 64).astype(np.int64)
    planes = planes + ((means + 2) >> 2)[:, None]
    return planes.reshape(header["bands"], 8 * rows, 8 * columns)


def refinement_identity():
    with np.load(DATA / "refinement.npz") as arrays:
        parts = [arrays[name].astype("<i4").tobytes() for name in ("frequencies", "weights")]
    return hashlib.sha256(b"".join(parts)).digest()[:4]


def refined(content, checksum, planes, header, gone, scales):
    """Samples of a strip from its exact base and its refinement; None if that is one of another segment."""
    if content[:4] != checksum:
        return None
    assert content[4:8] == refinement_identity()
    limits = np.iinfo(header["coded"])
    base = np.clip((planes[:, : gone.shape[1], : header["samples"]] + 8) >> 4, limits.min, limits.max)
    words = kind_of(content[8:]) - 2
    if words < 1:
        counts = read_refinement(content[8:], base, int(limits.min), int(limits.max), gone)
        return scaled(counts.astype(np.float64), header, scales)
    assert header["scaled"]
    assert words == 1 or (words, header["type"]) == (2, "float64")
    values = scaled(base.astype(np.float64), header, scales)
    kind = "float32" if header["type"] == "float64" and words == 1 else header["type"]
    ends = np.finfo(kind) if kind.startswith("f") else np.iinfo(kind)
    values = values if kind.startswith("f") else np.rint(values)
    known = ordered(np.clip(values, float(ends.min), float(ends.max)).astype(kind))
    everywhere = np.concatenate([gone] * words)
    found = read_refinement(content[8:], known, -(1 << 31), (1 << 31) - 1, everywhere)
    return from_ordered(found, header["type"], header["bands"]).astype(np.float64)


def scaled(counts, header, scales):
    """Values of counts."""
    if not header["scaled"]:
        return counts
    return counts * scales[:, None, None] + header["offsets"][:, None, None]


def read_planes(payload, header, fold, height):
    rows, columns = -(-height // 16), -(-header["samples"] // 16)
    channels = header["model"]["frequencies"].shape[1]
    found = []
    for length, engine in zip(fold["lengths"], fold["engines"], strict=True):
        flags = payload.unsigned(length, 256)
        assert max(flags) <= 1
        planes = np.zeros((length, channels, rows, columns), dtype=int)
        live = [band for band, flag in enumerate(flags) if flag]
        tables = [channel for _ in live for channel in range(channels) for _ in range(rows * columns)]
        numbers = payload.values(f"engine {engine}", tables, signed=False)
        values = [-(number + 1) // 2 if number % 2 else number // 2 for number in numbers]
        planes[live] = np.array(values, dtype=int).reshape(len(live), channels, rows, columns)
        found.append(planes)
    return np.concatenate(found)


def restore_planes(quantised, header, fold, height, step):
    import onnxruntime

    sessions = [
        onnxruntime.InferenceSession(header["model"][f"synthesis-{engine}.onnx"])
        for engine in range(len(header["model"]["frequencies"]))
    ]
    planes = np.zeros((header["bands"], height, header["samples"])) + fold["means"][:, None, None]
    engines = np.repeat(fold["engines"], fold["lengths"])
    for band, engine in enumerate(engines):
        if quantised[band].any():
            (plane,) = sessions[engine].run(["output"], {"input": quantised[band : band + 1].astype("f4")})
            planes[band] += step * plane[0, 0, :height, : header["samples"]].astype(float)
    limits = np.iinfo(header["coded"])
    return np.clip(np.rint(planes), limits.min, limits.max)


def decode(data):
    """Header, metadata, quantised latents of each strip, and samples as float64."""
    found = sections(data)
    header = read_header(found[1, None])
    arrays = load_tables(header["tables"])
    metadata = {}
    if (2, None) in found:
        payload = Payload(found[2, None], arrays)
        metadata = read_metadata(payload)
        payload.end()
    folds, rotations = {}, {None: []}
    for (kind, number), content in list(found.items()):
        payload = Payload(content, arrays) if kind in (3, 4) else None
        if kind == 3:
            folds[number] = read_fold(payload, header)
            payload.end()
        elif kind == 4:
            rotations[number] = read_rotations(payload)
            payload.end()
    kind = "folded" if header["spectral"] else "banded"
    if header["predicted"]:
        arrays.update({name: one for name, one in header["model"].items() if name.startswith("banded_")})
    elif "model" in header:
        for engine, rows in enumerate(header["model"]["frequencies"]):
            arrays[f"engine {engine}_frequencies"] = rows
    if not header["lines"]:
        lines, at = varint(found[6, None], 0)
        strips, at = varint(found[6, None], at)
        assert at == len(found[6, None])
        assert strips == -(-lines // header["height"])
        header["lines"] = lines
    latents, samples, worth = [], [], []
    header["refined"] = []
    for number in range(-(-header["lines"] // header["height"])):
        height = min(header["height"], header["lines"] - number * header["height"])
        rows, columns = -(-height // 8), -(-header["samples"] // 8)
        content = found[5, number]
        place, chunks, *sums = read_segment_head(content)
        if sums:
            (at,) = sums
            checksums = struct.unpack_from(f"<{len(chunks)}I", content, at)
            first = b"".join([*packed(number), content[:at], chunks[0][1]])
            assert checksums[0] == crc32c(first)
            assert list(checksums[1:]) == [crc32c(chunk) for _, chunk in chunks[1:]]
        assert place.get("lines", header["height"]) == height
        fold, matrices = folds[place.get("fold", 0)], rotations[place.get("rotation")]
        step = place["step"] / 256 if "step" in place else header["step"]
        code = round(256 * step)
        payloads = [(Payload(chunk, arrays), count) for count, chunk in chunks]
        payload, absent, chosen, exact = payloads[0][0], None, None, None
        if header["masked"]:
            absent = read_mask(payload, (header["bands"], height, header["samples"]))
        if place["exact"]:
            exact = read_exact(payload, (header["bands"], height, header["samples"]), header["type"])
        if matrices:
            chosen = read_map(payload, rows, columns, len(matrices))
        weights = read_block_weights(payload, rows, columns) if header["regional"] else 1
        if header["predicted"]:
            order = order_of_coding(header["bands"], fold["tiers"], fold["begin"])
            predictions = read_predictions(payload, order)
            quantised, classes = read_latents(
                payloads, (header["bands"], rows, columns), arrays, kind, header["quantiser"]
            )
            planes = predicted_planes(quantised, classes, header, fold, order, predictions, code)
            strip = restore_predicted(planes, header, height)
        elif "model" in header:
            assert [count for count, _ in chunks] == [header["bands"]]
            quantised = read_planes(payload, header, fold, height)
            payload.end()
            strip = restore_planes(quantised, header, fold, height, step)
        else:
            quantised, classes = read_latents(
                payloads, (fold["components"], rows, columns), arrays, kind, header["quantiser"]
            )
            points = arrays[f"{kind}_points"]
            strip = restore(quantised, classes, chosen, header, fold, matrices, points, height, step, weights)
            planes = exact_planes(quantised, classes, chosen, header, fold, matrices, points, code)
        one = np.ones(header["bands"])
        if header["scaled"]:
            one = header["scales"] * 2.0 ** place.get("doublings", 0)
        strip = scaled(strip, header, one)
        if (7, number) in found:
            gone = np.zeros((header["bands"], height, header["samples"]), dtype=bool)
            if absent is not None:
                gone |= absent
            if exact is not None:
                gone[exact[0]] = True
            better = refined(found[7, number], found["checksum", number], planes, header, gone, one)
            header["refined"].append(better is not None)
            strip = strip if better is None else better
        latents.append(quantised)
        if absent is not None:
            strip[absent] = header["no_data"]
        if exact is not None:
            strip[exact[0]] = exact[1]
        samples.append(strip)
        worth.append(np.broadcast_to(np.abs(one)[:, None, None], strip.shape))
    header["worth"] = np.concatenate(worth, axis=1)
    return header, metadata, latents, np.concatenate(samples, axis=1)


def packed(number):
    """The bytes of a varint."""
    while number > 127:
        yield bytes([number % 128 + 128])
        number //= 128
    yield bytes([number])


NAMES = sorted(path.stem for path in GOLDEN.glob("*.bndf"))
PACKAGES = sorted(GOLDEN.glob("*.bfm"))


def test_check_value_of_the_checksum():
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize("name", NAMES)
def test_the_document_describes_the_golden_streams(name):
    # Only here does the module meet the codec: to be compared with it.
    from bandfold.bitstream.contexts.tables import shipped_tables
    from bandfold.bitstream.packages.registry import Registry
    from bandfold.bitstream.segments.band_segment import read_band_segment
    from bandfold.bitstream.segments.segment import read_segment
    from bandfold.ground.decoder import Decoder
    from bandfold.ground.stream.parsed_stream import ParsedStream

    data = (GOLDEN / f"{name}.bndf").read_bytes()
    header, metadata, latents, samples = decode(data)
    registry = Registry(PACKAGES)
    tables = shipped_tables(header["tables"])
    stream = ParsedStream.parse(data, tables, registry=registry)
    assert stream.header.strip_count == len(latents)
    for number, found in enumerate(latents):
        segmented = stream.strips.segment(number)
        basis = stream.transform(segmented.place)
        if header["predicted"]:
            with_model = stream.codec.tables(tables)
            order = basis.fold.prediction.bands(basis.fold.bands)
            expected = read_segment(
                segmented, stream.header, basis.fold.bands, 0, with_model, order
            ).quantised
        elif stream.codec is not None:
            with_model = stream.codec.tables(tables)
            expected = read_band_segment(segmented, stream.header, with_model, basis.fold).quantised
        else:
            count, rotations = basis.fold.components, len(basis.rotations)
            expected = read_segment(segmented, stream.header, count, rotations, tables).quantised
        np.testing.assert_array_equal(found, expected)
    decoder = Decoder(data, models=PACKAGES, restore="off")
    ours = decoder.decode()
    assert metadata == decoder.info.metadata
    assert ours.dtype == header["type"]
    # Both round the same real numbers, by other float operations: a tie may fall either way.
    np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(samples))
    np.testing.assert_array_equal(ours[~np.isfinite(ours)], samples[~np.isfinite(ours)])
    known = np.isfinite(samples)
    difference = np.abs(ours.astype(np.float64)[known] - samples[known]) / header["worth"][known]
    assert difference.max() <= 1.001
    assert (difference > 1 / 2).mean() < 0.001
    if header["refined"]:
        # In integers all agree, and scaling is two roundings of float64.
        assert all(header["refined"])
        np.testing.assert_array_equal(ours[known], samples[known].astype(ours.dtype))
        if name.startswith("lossless"):
            np.testing.assert_array_equal(np.signbit(ours[known]), np.signbit(samples[known]))


@pytest.mark.parametrize("scale", [None, 3.0])
@pytest.mark.parametrize("kind", ["int32", "uint32", "float32", "float64", "float32 in float64"])
def test_the_document_describes_lossless_samples_between_counts(kind, scale):
    from bandfold.common.scene import Scaling
    from bandfold.onboard import ArraySource, Encoder

    random = np.random.default_rng(4)
    first, _, last = kind.partition(" in ")
    cube = np.cumsum(random.normal(0, 900, (3, 9, 10)), axis=0) + 5000
    cube = (cube * (40000 if scale is None and first[0] != "f" else 1)).astype(first).astype(last or first)
    scaling = scale and Scaling(scale, 1000.0)
    _, _, _, found = decode(Encoder(lossless=True, step=900.0).encode(ArraySource(cube, scaling=scaling)))
    found = np.rint(found) if cube.dtype.kind in "iu" else found
    assert found.astype(cube.dtype).tobytes() == cube.tobytes()


def test_the_document_describes_lossless_strips_whose_counts_are_coarser():
    from bandfold.onboard import Encoder

    cube = np.cumsum(np.random.default_rng(6).normal(0, 30, (3, 24, 10)), axis=0).astype("float32")
    cube[:, :16] = np.rint(cube[:, :16])
    data = Encoder(lossless=True, step=200.0, stream=True, strip_lines=8).encode(cube)
    assert decode(data)[3].astype("float32").tobytes() == cube.tobytes()


def _made_by_hand(monkeypatch, older):
    """A stream that uses what an encoder rarely does.

    Components that are not merged, in mixed order; every predictor; an interval without components; a
    dependent vector; two folds and two sets of rotations, of which the second ones are triangular, told by
    rows or as they were before (`older`); strips with and without them, of steps of their own; chunks, and a
    strip that lacks some; absent samples; no number of lines in the header, and a low last strip; sections
    out of order and repeated.
    """
    from bandfold.bitstream.container.header import CodingTools, Header
    from bandfold.bitstream.container.sections import Section, write_preamble, write_section, write_varint
    from bandfold.bitstream.container.segment_layout import SegmentHeader, split_segment
    from bandfold.bitstream.contexts.features import Past
    from bandfold.bitstream.contexts.tables import load_tables as shipped_tables
    from bandfold.bitstream.payloads.klt_code import write_fold, write_matrices
    from bandfold.bitstream.payloads.payload import PayloadWriter
    from bandfold.bitstream.payloads.vector_code import best_residuals
    from bandfold.bitstream.segments import segment as segments
    from bandfold.bitstream.segments.latents import classify
    from bandfold.bitstream.segments.segment import Segment, encode_segment
    from bandfold.bitstream.transforms.klt import Fold
    from bandfold.bitstream.transforms.vectors import Vectors
    from bandfold.common.scene import SceneInfo
    from bandfold.onboard.vector_quantisation import quantise_vectors

    from .older_vectors import write_older_fold, write_older_matrices

    monkeypatch.setattr(segments, "CHUNK_BYTES", 60)
    tables = shipped_tables()
    generator = np.random.Generator(np.random.PCG64(5))

    def vectors(length, *precisions):
        codes = [np.rint(generator.normal(size=length) * 2.0 ** (bits - 1)) for bits in precisions]
        return Vectors(np.array(codes, dtype=np.int64).T, np.array(precisions, dtype=np.int64))

    def triangular(shifts, *precisions):
        orthonormal = np.linalg.qr(generator.normal(size=(len(shifts), len(precisions))))[0]
        wanted = np.array([4.0**bits for bits in precisions])
        told = quantise_vectors(orthonormal, wanted, 1.0, 1, None if older else np.array(shifts))
        assert told.precision.tolist() == list(precisions)
        return told

    ramp = np.array(
        [[5, 15, 25, 35, 45, 55], [9, 9, 9, 9, 9, 8], [9, -9, 9, -9, 9, -9], [18, 18, 18, 18, 18, 16]]
    )
    assert best_residuals(list(ramp[:3]))[0] == [2, 1, 0]
    first = (
        Vectors(ramp.T, np.array([7, 5, 6, 5])),
        Vectors(np.zeros((2, 0), dtype=np.int64), np.zeros(0, dtype=np.int64)),
        vectors(5, 12, 6, 6, 5),
    )
    means = generator.integers(100, 60000, size=13) * 64 // 8 * 8
    folds = {
        0: Fold((6, 8, 13), means, 3, first, (1, 0, 2), vectors(3, 10, 4)),
        300: Fold(
            (13,), means + 64, 3, (triangular([0] * 13, 9, 9, 8, 7),), (4,), triangular([2, 0, 3, 1], 9, 8, 6)
        ),
    }
    info = SceneInfo(13, 53, 10, np.dtype("uint16"), no_data=7.0)
    header = Header(info, 16, 700, CodingTools(True, "dct8"), tables.identity, open=True)
    rotations = {
        0: tuple(vectors(4, 9, 8, 5, 3) for _ in range(3)),
        7: tuple(triangular([1, 0, 2], 8, 7, 3) for _ in range(2)),
    }
    found = []
    for kind, write, write_older, sets in (
        (Section.FOLD, write_fold, write_older_fold, folds),
        (Section.ROTATION, write_matrices, write_older_matrices, rotations),
    ):
        for number, content in sets.items():
            payload = PayloadWriter(tables)
            (write_older if older and number else write)(payload, content)
            found.append(write_section(kind, write_varint(number) + payload.data()))
    found.append(found[0])
    places = [
        SegmentHeader(0, 0, 0), SegmentHeader(1, 300, 7, 1000), SegmentHeader(2, 300, None, 300),
        SegmentHeader(3, 0, 7, 650, 5),
    ]  # fmt: skip
    chunks = []
    for place in places:
        height, rows = (5, 1) if place.lines else (16, 2)
        components = folds[place.fold].components
        spread = 30.0 / (1 + np.arange(64))[:, None, None, None]
        latents = np.rint(generator.standard_t(2, size=(64, components, rows, 2)) * spread).astype(np.int32)
        classes, _ = classify(latents, tables.modes["folded"].network, Past.empty(2, rows, 2))
        matrices = 0 if place.rotation is None else len(rotations[place.rotation])
        chosen = generator.integers(0, matrices, size=(rows, 2)).astype(np.uint8) if matrices else None
        absent = generator.random((13, height, 10)) < 0.1
        payload = encode_segment(
            place, Segment(latents, classes, chosen, absent), tables,
            spectral=True, rotations=matrices, step_code=place.step_code or 700,
        ).pack()  # fmt: skip
        chunks.append(len(split_segment(payload).chunks))
        if place.index == 1:
            payload = split_segment(payload).first(chunks[-1] - 1).pack()
        found.append(write_section(Section.SEGMENT, payload))
    assert max(chunks) > 2
    assert chunks[1] > 1
    found.append(write_section(Section.END, write_varint(53) + write_varint(4)))
    return write_preamble() + b"".join(reversed(found)) + write_section(Section.HEADER, header.pack())


@pytest.mark.parametrize("older", [False, True])
def test_the_document_describes_what_encoders_rarely_write(monkeypatch, older):
    from bandfold.ground.decoder import Decoder

    data = _made_by_hand(monkeypatch, older)
    _, _, _, samples = decode(data)
    ours = Decoder(data, restore="off").decode()
    difference = np.abs(ours.astype(np.float64) - samples)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001
    # Not just means, clipped or absent: the samples vary.
    assert len(np.unique(ours)) > 500


@pytest.mark.parametrize("turned", [True, False])
def test_the_document_describes_what_a_scene_takes_from_a_package(turned):
    """Components that pass the second fold or do not, in mixed order; fewer rows than the package has."""
    from bandfold.bitstream.container.header import CodingTools, Header, PackageReference
    from bandfold.bitstream.container.sections import Section, write_preamble, write_section
    from bandfold.bitstream.container.segment_layout import SegmentHeader
    from bandfold.bitstream.contexts.features import Past
    from bandfold.bitstream.contexts.tables import load_tables as shipped_tables
    from bandfold.bitstream.packages.package import load_package
    from bandfold.bitstream.payloads.payload import PayloadWriter
    from bandfold.bitstream.payloads.selection_code import write_selected_fold
    from bandfold.bitstream.segments.latents import classify
    from bandfold.bitstream.segments.segment import Segment, encode_segment
    from bandfold.bitstream.transforms.klt import selected_fold
    from bandfold.bitstream.transforms.selection import Selection, Turn
    from bandfold.bitstream.transforms.sensor_basis import SensorBasis
    from bandfold.common.scene import SceneInfo
    from bandfold.ground.decoder import Decoder

    tables, sensor = shipped_tables(), SensorBasis.from_package(load_package(PACKAGES[0]))
    generator = np.random.Generator(np.random.PCG64(8))
    assert sensor.merged == (8, 12)
    second = (0, 1, 4, 6)
    if turned:
        shifts = np.array([3, 2, 2, 0, 1, 0, 0])
        codes = np.rint(generator.normal(size=(7, 4)) * 40).astype(np.int64) << shifts[:, None]
        second = Turn(codes, np.array([9, 8, 8, 6]), shifts)
    selection = Selection(sensor, (3, 5), 7, second, ((3, 7), (6, 8, 11)))
    means = (sensor.means >> 4) + generator.integers(-99, 99, size=20) << 4
    fold = selected_fold(selection, means, 4)
    header = Header(
        SceneInfo(20, 9, 17, np.dtype("uint16")), 16, 900, CodingTools(True, "dct8"), tables.identity,
        sensor=PackageReference(sensor.name, sensor.identity),
    )  # fmt: skip
    payload = PayloadWriter(tables)
    write_selected_fold(payload, fold, selection)
    spread = 30.0 / (1 + np.arange(64))[:, None, None, None]
    latents = np.rint(generator.standard_t(2, size=(64, fold.components, 2, 3)) * spread).astype(np.int32)
    classes, _ = classify(latents, tables.modes["folded"].network, Past.empty(2, 2, 3))
    segment = Segment(latents, classes, None, None)
    data = write_preamble() + write_section(Section.HEADER, header.pack())
    data += write_section(Section.FOLD, b"\0" + payload.data())
    place = SegmentHeader(0, lines=9)
    payload = encode_segment(place, segment, tables, spectral=True, rotations=0, step_code=900).pack()
    data += write_section(Section.SEGMENT, payload)
    _, _, found, samples = decode(data)
    np.testing.assert_array_equal(found[0], latents)
    ours = Decoder(data, models=PACKAGES, restore="off").decode()
    difference = np.abs(ours.astype(np.float64) - samples)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001
    assert len(np.unique(ours)) > 500


def test_there_are_streams_to_compare():
    assert len(NAMES) >= 6
