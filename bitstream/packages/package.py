"""Packages: what encoder and decoder share beyond the format, in one file that nobody can change unnoticed.

A package (``.bfm``) is a zip archive that holds a manifest, arrays and engine files, all stored without
compression. Its identity is the SHA-256 of every byte before the archive's comment; the comment holds it in
hexadecimal. So a flipped bit anywhere in the file is found before anything in it is used.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.atomic_files import atomic_output
from bandfold.common.errors import ModelError
from bandfold.common.input_files import read_whole

from .array_file import read_array, write_array
from .manifest import Manifest

SUFFIX = ".bfm"
"""What names of package files end in."""

LARGEST_FILE = 1 << 26
"""Bytes of a package at most; nothing in it is compressed, so reading takes no more than a few times that."""

MOST_MEMBERS = 1024
"""Files in a package at most."""

ENGINE_SUFFIXES = (".onnx", ".tflite")
"""What names of engine files end in."""

_MANIFEST = "manifest.json"
_ARRAY = re.compile(r"arrays/([A-Za-z0-9][A-Za-z0-9_-]{0,63})\.npy")
_ENGINE = re.compile(r"engines/([A-Za-z0-9][A-Za-z0-9_.-]{0,63}\.(?:onnx|tflite))")
_DIGITS = 64
# The end-of-archive record with the length of the comment, which comes last in it.
_END = b"PK\x05\x06"
_END_BYTES = 22
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Package:
    """A package.

    Parameters
    ----------
    manifest : Manifest
        Name, kind, description and card.
    arrays : mapping of str to ndarray
        Integers or floats, by name: letters, digits, ``_`` and ``-``.
    engines : mapping of str to bytes
        Engine files by name, which ends in one of `ENGINE_SUFFIXES`.
    digest : bytes
        SHA-256 of the file, 32 bytes; empty before it is written.
    source : str
        Where it was read from.
    """

    manifest: Manifest
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    engines: Mapping[str, bytes] = field(default_factory=dict)
    digest: bytes = b""
    source: str = "in memory"

    @property
    def name(self) -> str:
        """Name by which streams call it."""
        return self.manifest.name

    @property
    def identity(self) -> bytes:
        """First 8 bytes of the digest, by which streams tell it from others of that name."""
        return self.digest[:8]


def pack(package: Package) -> bytes:
    """Bytes of a package file; the same content gives the same bytes.

    Parameters
    ----------
    package : Package
        Manifest, arrays and engines.

    Returns
    -------
    bytes

    Raises
    ------
    ModelError
        If a name is not allowed, an array is of a type that cannot be stored, or there is too much.
    """
    members = {_MANIFEST: package.manifest.to_json()}
    members |= {f"arrays/{name}.npy": write_array(array, name) for name, array in package.arrays.items()}
    members |= {f"engines/{name}": data for name, data in package.engines.items()}
    for name in members:
        _check_name(name, package.name)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _DATE)
            # The library's choice depends on the machine.
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, members[name])
        archive.comment = b"0" * _DIGITS
    body = buffer.getvalue()[:-_DIGITS]
    if len(body) + _DIGITS > LARGEST_FILE or len(members) > MOST_MEMBERS:
        raise ModelError(
            f"package {package.name!r} would have {len(members)} files and {len(body)} bytes, at most "
            f"{MOST_MEMBERS} and {LARGEST_FILE} are allowed: leave something out"
        )
    return body + hashlib.sha256(body).hexdigest().encode()


@contextmanager
def reading_content(package: Package, kind: str, use: str, content: str, maker: str) -> Iterator[None]:
    """Read what a package of one kind holds: whatever does not fit is a `ModelError`.

    Parameters
    ----------
    package : Package
        Manifest, arrays and engines.
    kind : str
        Kind that it must be of.
    use, content, maker : str
        For messages: what needs it, what it should hold, and the command that makes such packages.

    Raises
    ------
    ModelError
        If it is of another kind, or reading it raises ``KeyError``, ``ValueError``, ``IndexError`` or
        `ModelError`.
    """
    if package.manifest.kind != kind:
        raise ModelError(
            f"package {package.name!r} is of kind {package.manifest.kind!r}: {use} needs one of kind "
            f"{kind!r}, made by {maker}"
        )
    try:
        yield
    except (KeyError, ValueError, IndexError, ModelError) as error:
        raise ModelError(
            f"package {package.name!r} ({package.source}) holds no usable {content} ({error}): make it again "
            f"with {maker}"
        ) from error


def require(condition: bool | np.bool_, what: str) -> None:
    """Raise ``ValueError`` with a message, for `reading_content`, unless a condition holds."""
    if not condition:
        raise ValueError(what)


def unpack(data: bytes, source: str = "in memory") -> Package:
    """Read the bytes of a package file.

    Parameters
    ----------
    data : bytes
        All bytes of the file.
    source : str
        What error messages call it.

    Returns
    -------
    Package

    Raises
    ------
    ModelError
        If a single bit differs from what was written, or the content is not a package of this version.
    """
    digest = _checked_digest(data, source)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = _members(archive, len(data), source)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, RuntimeError) as error:
        raise _refusal(source, f"it is no zip archive that can be read ({error})") from error
    if _MANIFEST not in members:
        raise _refusal(source, f"it has no {_MANIFEST}")
    manifest = Manifest.from_json(members.pop(_MANIFEST), source)
    arrays, engines = {}, {}
    for name, content in members.items():
        if array := _ARRAY.fullmatch(name):
            arrays[array[1]] = read_array(content, f"{source}: {name}")
        elif engine := _ENGINE.fullmatch(name):
            engines[engine[1]] = content
    return Package(manifest, arrays, engines, digest, source)


def load_package(path: str | os.PathLike[str]) -> Package:
    """Read a package file.

    Parameters
    ----------
    path : path_like
        Name of the file.

    Returns
    -------
    Package

    Raises
    ------
    ModelError
        If it cannot be read or is damaged.
    """
    try:
        data = read_whole(path, limit=LARGEST_FILE)
    except OSError as error:
        raise ModelError(
            f"package {os.fspath(path)} cannot be read: {error.strerror or error}; name a {SUFFIX} file"
        ) from error
    return unpack(data, os.fspath(path))


def save_package(package: Package, path: str | os.PathLike[str]) -> Package:
    """Write a package file, which appears whole or not at all.

    Parameters
    ----------
    package : Package
        Manifest, arrays and engines.
    path : path_like
        Name of the file.

    Returns
    -------
    Package
        As it is read back, with its digest.

    Raises
    ------
    ModelError
        If it cannot be packed.
    OutputError
        If the file cannot be written.
    """
    data = pack(package)
    with atomic_output(path) as file:
        file.write(data)
    return unpack(data, str(Path(path)))


def _refusal(source: str, reason: str) -> ModelError:
    return ModelError(f"package {source} is damaged or no package: {reason}; fetch it again")


def _checked_digest(data: bytes, source: str) -> bytes:
    """The digest of a file whose last bytes are its comment and agree."""
    if len(data) > LARGEST_FILE:
        raise _refusal(source, f"it has more than {LARGEST_FILE} bytes")
    body, comment = data[:-_DIGITS], data[-_DIGITS:]
    end = body[-_END_BYTES:]
    if len(end) < _END_BYTES or end[:4] != _END or end[-2:] != _DIGITS.to_bytes(2, "little"):
        raise _refusal(source, "it does not end as a package does, or is cut short")
    digest = hashlib.sha256(body)
    if digest.hexdigest().encode() != comment:
        raise _refusal(source, "its content does not have the hash that it names")
    return digest.digest()


def _members(archive: zipfile.ZipFile, size: int, source: str) -> dict[str, bytes]:
    """Content of all files of an archive; together they are no larger than it."""
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise _refusal(source, f"it has {len(infos)} files, more than {MOST_MEMBERS}")
    if len({info.filename for info in infos}) < len(infos):
        raise _refusal(source, "it has two files of one name")
    # Stored files that do not overlap cannot be larger than the archive: no bomb passes.
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise _refusal(source, "it has compressed files")
    if sum(info.file_size for info in infos) > size:
        raise _refusal(source, "its files claim to be larger than it is")
    members = {}
    for info in infos:
        _check_name(info.orig_filename, source)
        members[info.filename] = archive.read(info)
    return members


def _check_name(name: str, source: str) -> None:
    if name != _MANIFEST and not _ARRAY.fullmatch(name) and not _ENGINE.fullmatch(name):
        raise ModelError(
            f"package {source} may not hold a file {name[:80]!r}: only {_MANIFEST}, arrays/NAME.npy and "
            f"engines/NAME{'|'.join(ENGINE_SUFFIXES)} with names of letters and digits are allowed"
        )
