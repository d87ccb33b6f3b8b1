"""ENVI scenes: a text header beside a raw file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from bandfold.common.errors import SceneError
from bandfold.common.scene import BYTE_ORDERS, INTERLEAVES, NoData, Scaling
from bandfold.formats.scene_options import SceneOptions

from .header_parser import HeaderSyntaxError, parse_header
from .header_text import DATA_TYPES
from .raw_file import EnviSource

DTYPES: dict[int, np.dtype[np.generic]] = {code: np.dtype(name) for name, code in DATA_TYPES.items()}
"""ENVI data type codes that can be coded."""

_OTHER_TYPES = {6: "complex64", 9: "complex128", 14: "int64", 15: "uint64"}

_LAYOUT_KEYS = frozenset(
    (
        *("samples", "lines", "bands", "data type", "interleave", "byte order", "header offset"),
        *("file type", "file compression", "major frame offsets", "minor frame offsets"),
    )
)
"""Header fields that describe the file, not the scene: a decoded file gets its own."""

_RAW_SUFFIXES = ("img", "dat", "raw", "bsq", "bil", "bip", "bin", "hyspex")


def open_envi(
    path: str | os.PathLike[str],
    *,
    scaling: Scaling | None = None,
    no_data: float | NoData | None = NoData.HEADER,
    for_coding: bool = True,
) -> EnviSource:
    """Open an ENVI scene by its header or by its raw file.

    Parameters
    ----------
    path : path_like
        The header (``scene.hdr``, ``scene.img.hdr``) or the raw file beside it.
    scaling : Scaling, optional
        Map to 16-bit counts; required for 32-bit integers and floats, refused for other types.
    no_data : float or None, optional
        Value that marks absent data, None for no such value. Default: the header's ``data ignore value``.
    for_coding : bool, optional
        False opens a scene to look at, before its scaling is known: a type that needs one and has none given
        is then declared to have ``Scaling(1.0)``, which stands for nothing.

    Returns
    -------
    EnviSource
        The scene; ``info.metadata`` carries every header field that does not describe the file.

    Raises
    ------
    SceneError
        If a file is absent or unreadable, the header is malformed or incomplete, the type is not supported,
        or the size of the raw file is not what the header says.
    """
    header_path, raw_path = _locate(Path(path))
    header = _Header(header_path)
    header.check_features()
    bands, lines, samples = (header.integer(key, minimum=1) for key in ("bands", "lines", "samples"))
    offset = header.integer("header offset", default=0)
    byte_order = header.integer("byte order", default=0)
    if byte_order > 1:
        raise header.refusal(f"byte order is {byte_order}: write 0 (little endian) or 1 (big endian)")
    interleave = header.text("interleave").lower()
    if interleave not in INTERLEAVES:
        raise header.refusal(f"interleave is {interleave!r}: write bsq, bil or bip")
    dtype = header.dtype()
    _check_size(raw_path, offset, (samples, lines, bands), dtype)

    metadata = {key: value for key, value in header.fields.items() if key not in _LAYOUT_KEYS}
    if isinstance(no_data, NoData):
        no_data = header.number("data ignore value")
    else:
        # It no longer says which samples are absent.
        metadata.pop("data ignore value", None)
    options = SceneOptions(scaling=scaling, for_coding=for_coding)
    info = options.scene_info((bands, lines, samples), dtype, metadata, no_data, interleave)
    return EnviSource(raw_path, offset, replace(info, byte_order=BYTE_ORDERS[byte_order]), header.notes)


class _Header:
    """The fields of a header file: keys in lower case, values as text or as the items of a list."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: tuple[str, ...] = ()
        try:
            content = path.read_bytes()
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError:
                # Older programs write units and names as Windows and Unix did; every byte is a letter then.
                text = content.decode("latin-1")
                self.notes = (f"header {path.name} is not UTF-8: it is read as Latin-1",)
            self.fields = parse_header(text)
        except OSError as error:
            raise SceneError(f"cannot read {path}: {error.strerror or error}") from error
        except HeaderSyntaxError as error:
            raise self.refusal(f"{error}: it must begin with ENVI and close every {{ with a }}") from error

    def refusal(self, reason: str) -> SceneError:
        """Return the error that says what is wrong with this header."""
        return SceneError(f"header {self.path}: {reason}")

    def text(self, key: str) -> str:
        """Return the text of a mandatory field."""
        if key not in self.fields:
            raise self.refusal(f"there is no {key!r} field: add it")
        value = self.fields[key]
        if not isinstance(value, str):
            raise self.refusal(f"{key} is a list: write a single value")
        return value

    def integer(self, key: str, *, minimum: int = 0, default: int | None = None) -> int:
        """Return the value of a field that counts something."""
        if default is not None and key not in self.fields:
            return default
        text = self.text(key)
        try:
            value = int(text)
        except ValueError as error:
            raise self.refusal(f"{key} is {text[:40]!r}: write an integer") from error
        if value < minimum:
            raise self.refusal(f"{key} is {value}: at least {minimum} is needed")
        return value

    def number(self, key: str) -> float | None:
        """Return the value of an optional field."""
        if key not in self.fields:
            return None
        value = self.fields[key]
        texts = (value,) if isinstance(value, str) else value
        try:
            numbers = {float(text) for text in texts}
        except ValueError as error:
            said = ", ".join(texts)[:40]
            raise self.refusal(f"{key} is {said!r}: write a number, or say with --no-data") from error
        if len(numbers) != 1:
            raise self.refusal(f"{key} lists {len(numbers)} values: say with --no-data which one counts")
        return numbers.pop()

    def dtype(self) -> np.dtype[np.generic]:
        """Return the sample type, in native byte order."""
        code = self.integer("data type")
        if code not in DTYPES:
            name = _OTHER_TYPES.get(code, "unknown")
            known = ", ".join(f"{code} ({dtype})" for code, dtype in DTYPES.items())
            raise self.refusal(f"data type {code} ({name}) is not supported: convert the scene to {known}")
        return DTYPES[code]

    def check_features(self) -> None:
        """Refuse files that are not a plain array of samples."""
        if str(self.fields.get("file type", "")).lower() == "envi spectral library":
            raise self.refusal("it describes a spectral library: give a scene")
        if self.fields.get("file compression", "0") != "0":
            raise self.refusal("the raw file is compressed (file compression): decompress it first")
        for key in ("major frame offsets", "minor frame offsets"):
            value = self.fields.get(key, "0")
            if any(item.strip("0 ") for item in ((value,) if isinstance(value, str) else value)):
                raise self.refusal(f"{key} are not supported: write the scene without them")


def _locate(path: Path) -> tuple[Path, Path]:
    """Return the paths of the header and of the raw file; either may be given."""
    if not path.is_file():
        raise SceneError(f"{path} is {'not a file' if path.exists() else 'not there'}: give an ENVI header")
    if path.suffix.lower() == ".hdr":
        stem = path.with_suffix("")
        raws = [Path(f"{stem}.{suffix}") for name in _RAW_SUFFIXES for suffix in (name, name.upper())]
        # `scene.img.hdr` describes `scene.img`, and `scene.hdr` may describe `scene`.
        for raw in (*raws, stem):
            if raw.is_file():
                return path, raw
        names = ", ".join(f".{name}" for name in _RAW_SUFFIXES)
        raise SceneError(f"no raw file beside {path}: {stem.name} with {names} or no suffix is looked for")
    header = header_beside(path)
    if header is not None:
        return header, path
    raise SceneError(f"no header beside {path}: {path.with_suffix('.hdr')} or {path}.hdr is looked for")


def header_beside(path: Path) -> Path | None:
    """Find the header of a raw file.

    Parameters
    ----------
    path : Path
        The raw file.

    Returns
    -------
    Path or None
        None if there is none.
    """
    names = (f"{path}.hdr", f"{path}.HDR", path.with_suffix(".hdr"), path.with_suffix(".HDR"))
    return next((Path(name) for name in names if Path(name).is_file()), None)


def _check_size(path: Path, offset: int, geometry: tuple[int, int, int], dtype: np.dtype[np.generic]) -> None:
    """Refuse a raw file that is shorter or longer than its header says."""
    samples, lines, bands = geometry
    expected = offset + samples * lines * bands * dtype.itemsize
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SceneError(f"cannot read {path}: {error.strerror or error}") from error
    if size != expected:
        sum_text = f"{offset} + {samples} samples * {lines} lines * {bands} bands * {dtype.itemsize} bytes"
        raise SceneError(
            f"{path} is {'truncated' if size < expected else 'too long'}: it has {size} bytes and the header "
            f"says {sum_text} = {expected}; correct the header or fetch the file again"
        )
