"""Streams for the tests of the decoder, and ways to damage them."""

from dataclasses import replace

import numpy as np

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.sections import Section, read_sections, write_preamble, write_section
from bandfold.onboard import Encoder

BANDS, LINES, SAMPLES, STRIP = 6, 40, 21, 16


def scene(bands=BANDS, lines=LINES, samples=SAMPLES, dtype=np.int16):
    rng = np.random.default_rng(3)
    line, sample = np.mgrid[:lines, :samples]
    wave = np.sin(line / 5) * 300 + np.cos(sample / 4) * 200
    cube = (
        500 + wave * np.linspace(0.3, 1.4, bands)[:, None, None] + rng.normal(0, 6, (bands, lines, samples))
    )
    return np.rint(np.clip(cube, 0, None)).astype(dtype)


def patchwork(bands=8, size=32):
    """Fields of two kinds, each with spectra of its own: what block rotations are for."""
    rng = np.random.default_rng(4)
    falling = 150.0 * 0.6 ** np.arange(bands)
    kinds = [np.linalg.qr(rng.normal(size=(bands, bands)))[0] * falling for _ in range(2)]
    coarse = rng.normal(0, 1, (bands, size // 4, size // 4))
    planes = coarse.repeat(4, axis=1).repeat(4, axis=2)
    board = (np.arange(size)[:, None] // 16 + np.arange(size) // 16) % 2
    return np.rint(np.where(board, *(np.tensordot(kind, planes, 1) for kind in kinds))).astype(np.int16)


def encode(cube, **settings):
    return Encoder(**{"step": 10.0, "strip_lines": STRIP, **settings}).encode(cube)


def sections(stream):
    """Kind and payload of every section."""
    return [(section.kind, section.payload) for section in read_sections(stream)]


def joined(parts):
    """A stream of sections, all checksums right."""
    return write_preamble() + b"".join(write_section(kind, payload) for kind, payload in parts)


def without(stream, kind, number=0):
    """The stream without one of its sections of a kind."""
    parts = sections(stream)
    places = [place for place, part in enumerate(parts) if part[0] == kind]
    del parts[places[number]]
    return joined(parts)


def with_header(stream, **changes):
    """The stream with another header; fields of the scene's description count too."""
    parts = sections(stream)
    header = Header.unpack(parts[0][1])
    about = {name: changes.pop(name) for name in list(changes) if hasattr(header.info, name)}
    tools = {name: changes.pop(name) for name in list(changes) if hasattr(header.tools, name)}
    header = replace(
        header, info=replace(header.info, **about), tools=replace(header.tools, **tools), **changes
    )
    return joined([(Section.HEADER, header.pack()), *parts[1:]])


def flipped(stream, kind, number=0, bit=0x10):
    """The stream with a byte in the middle of one section changed, its checksum left as it was."""
    position, seen = len(write_preamble()), 0
    for section in read_sections(stream):
        if section.kind == kind and seen == number:
            place = position + section.size - max(len(section.payload) // 2, 1)
            return stream[:place] + bytes([stream[place] ^ bit]) + stream[place + 1 :]
        seen += section.kind == kind
        position += section.size
    raise ValueError("no such section")
