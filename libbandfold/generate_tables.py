"""Write the trained tables of the format as C: what the library is compiled with.

Called as ``python3 generate_tables.py FOLDER_OF_DATA OUTPUT.c``. It needs nothing but Python's own library;
whoever builds for a board without Python can take the output along.
"""

from __future__ import annotations

import ast
import hashlib
import math
import struct
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

MODES = ("folded", "banded")
PARTS = (
    "hidden",
    "bias",
    "middle",
    "middle_bias",
    "output",
    "offset",
    "shifts",
    "frequencies",
    "points",
)
LARGEST_LOG = 127
SCALES = 152
LARGEST_INVERSE = 1 << 24

Array = tuple[tuple[int, ...], list[int]]


def read_arrays(path: Path) -> tuple[dict[str, Array], bytes]:
    """Arrays of a file of tables by name, and the SHA-256 that names it (docs/format.md, Tables)."""
    arrays, digest = {}, hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(name.removesuffix(".npy") for name in archive.namelist()):
            data = archive.read(f"{name}.npy")
            (length,) = struct.unpack_from("<H", data, 8)
            header = ast.literal_eval(data[10 : 10 + length].decode("latin-1").strip())
            if header["descr"] != "<i4" or header["fortran_order"]:
                sys.exit(f"error: {path}: {name} is no array of little-endian int32 in C order")
            content = data[10 + length :]
            arrays[name] = header["shape"], list(struct.unpack(f"<{len(content) // 4}i", content))
            digest.update(f"{name} <i4 {header['shape']}".encode() + content)
    return arrays, digest.digest()


def log_thresholds() -> list[int]:
    """Smallest x of each logarithm of a context from 1 on: (1 + x)^16 >= 2^(2 n - 1)."""
    found, x = [], 0
    for n in range(1, LARGEST_LOG + 1):
        while (1 + x) ** 16 < 1 << (2 * n - 1):
            x += 1
        found.append(x)
    return found


def inverse_scales() -> list[int]:
    """2^((256 - r) / 8), rounded down and cut, for each scale r of a refinement."""
    roots = (math.isqrt(math.isqrt(math.isqrt(1 << (256 - scale)))) for scale in range(SCALES))
    return [min(root, LARGEST_INVERSE) for root in roots]


def array_lines(name: str, values: Sequence[int], kind: str = "int32_t") -> Iterator[str]:
    """Lines of C that define an array."""
    yield f"static const {kind} {name}[{len(values)}] = {{"
    for start in range(0, len(values), 16):
        yield "    " + ", ".join(map(str, values[start : start + 16])) + ","
    yield "};"


def mode_lines(prefix: str, mode: str, arrays: dict[str, Array]) -> Iterator[str]:
    """Lines of C that define the statistics of one kind of component."""
    initial = []
    for part in PARTS:
        shape, values = arrays.get(f"{mode}_{part}", ((0,), []))
        if values:
            yield from array_lines(f"{prefix}_{mode}_{part}", values)
            initial.append(f".{part} = {prefix}_{mode}_{part}")
        if part == "hidden":
            initial.append(f".units = {shape[1]}, .features = {shape[2]}")
        if part == "middle_bias" and values:
            initial.append(f".middle_units = {shape[1]}")
        if part == "frequencies":
            initial.append(f".classes = {shape[0]}")
    yield f"#define {prefix.upper()}_{mode.upper()} {{{', '.join(initial)}}}"


def lines_of(data: Path) -> Iterator[str]:
    """Lines of the file."""
    yield "/* Made by generate_tables.py: not to be edited. */"
    yield '#include "tables_data.h"'
    sets = []
    for path in [data / "tables.npz", data / "dependent.npz", *sorted((data / "older").glob("*.npz"))]:
        arrays, digest = read_arrays(path)
        prefix = f"tables_{digest[:8].hex()}"
        for mode in MODES:
            yield from mode_lines(prefix, mode, arrays)
        yield from array_lines(f"{prefix}_side", arrays["side_frequencies"][1])
        identity = ", ".join(map(str, digest[:8]))
        modes = ", ".join(f"{prefix.upper()}_{mode.upper()}" for mode in MODES)
        sets.append(f"    {{{{{identity}}}, {{{modes}}}, {prefix}_side}},")
    yield "const bfl_tables_data bfl_shipped_tables[] = {"
    yield from sets
    yield "};"
    yield f"const int32_t bfl_shipped_count = {len(sets)};"
    arrays, _ = read_arrays(data / "refinement.npz")
    content = b"".join(
        struct.pack(f"<{len(arrays[name][1])}i", *arrays[name][1]) for name in ("frequencies", "weights")
    )
    for name in ("frequencies", "weights"):
        yield from array_lines(f"refinement_{name}", arrays[name][1])
    yield from array_lines("refinement_inverse", inverse_scales())
    yield "const bfl_refinement_data bfl_refinement_tables_data = {"
    identity = ", ".join(map(str, hashlib.sha256(content).digest()[:4]))
    yield f"    {{{identity}}}, refinement_frequencies, refinement_weights, refinement_inverse}};"
    yield from array_lines("thresholds", log_thresholds(), "uint32_t")
    yield "const uint32_t *const bfl_log_thresholds = thresholds;"


def main(data: str, output: str) -> None:
    """Write the file."""
    Path(output).write_text("\n".join(lines_of(Path(data))) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
