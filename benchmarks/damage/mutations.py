"""Ways to damage a stream: bits, bytes, packets and segments changed or taken away."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from bandfold.bitstream.container.sections import (
    PREAMBLE,
    Section,
    read_sections,
    write_preamble,
    write_section,
    write_varint,
)

PACKET = 64
"""Bytes of a packet that is dropped: few, so that a small stream has many."""


def sections(data: bytes) -> list[tuple[int, bytes]]:
    """Take a stream apart.

    Parameters
    ----------
    data : bytes
        An intact stream.

    Returns
    -------
    list of (int, bytes)
        Kind and payload of each section, in the order of the stream.
    """
    return [(section.kind, section.payload) for section in read_sections(data)]


def joined(parts: Sequence[tuple[int, bytes]]) -> bytes:
    """Put a stream together, all checksums right.

    Parameters
    ----------
    parts : sequence of (int, bytes)
        Kind and payload of each section; payloads may be anything.

    Returns
    -------
    bytes
        Preamble and sections.
    """
    return write_preamble() + b"".join(write_section(Section(kind), payload) for kind, payload in parts)


def flipped(data: bytes) -> Iterator[bytes]:
    """Flip every bit, one after the other.

    Parameters
    ----------
    data : bytes
        The stream.

    Yields
    ------
    bytes
        A copy with one bit flipped: eight for each byte.
    """
    for place in range(len(data)):
        for bit in range(8):
            yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def cut(data: bytes) -> Iterator[bytes]:
    """Cut a stream at every byte.

    Parameters
    ----------
    data : bytes
        The stream.

    Yields
    ------
    bytes
        The first bytes, from none to all but one.
    """
    for length in range(len(data)):
        yield data[:length]


def without_packets(data: bytes, percent: int, chance: random.Random) -> bytes:
    """Drop packets by chance; what follows moves up.

    Parameters
    ----------
    data : bytes
        The stream, of which every `PACKET` bytes are a packet.
    percent : int
        Probability that a packet is dropped, 0 to 100.
    chance : random.Random
        Source of chance.

    Returns
    -------
    bytes
        What is left.
    """
    packets = (data[start : start + PACKET] for start in range(0, len(data), PACKET))
    return b"".join(packet for packet in packets if chance.random() * 100 >= percent)


def without_segments(data: bytes, percent: int, chance: random.Random) -> bytes:
    """Drop segments by chance, each as a whole.

    Parameters
    ----------
    data : bytes
        An intact stream.
    percent : int
        Probability that a segment is dropped, 0 to 100.
    chance : random.Random
        Source of chance.

    Returns
    -------
    bytes
        The other sections.
    """
    kept, position = [data[:PREAMBLE]], PREAMBLE
    for section in read_sections(data):
        if section.kind != Section.SEGMENT or chance.random() * 100 >= percent:
            kept.append(data[position : position + section.size])
        position += section.size
    return b"".join(kept)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Change, insert or remove up to 16 bytes.

    Parameters
    ----------
    data : bytes
        Anything; nothing counts as one byte of 0.
    chance : random.Random
        Source of chance.

    Returns
    -------
    bytes
        A changed copy (now and then a change undoes another).
    """
    changed = bytearray(data or b"\0")
    for _ in range(chance.choice((1, 2, 4, 16))):
        at = chance.randrange(len(changed))
        action = chance.randrange(4)
        if action == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif action == 1:
            changed[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif action == 2:
            changed.insert(at, chance.randrange(256))
        elif len(changed) > 1:
            del changed[at]
    return bytes(changed)


def mutated_payload(data: bytes, chance: random.Random) -> bytes:
    """Change the payload of one section and make its checksums right again.

    Parameters
    ----------
    data : bytes
        An intact stream.
    chance : random.Random
        Source of chance; draws the section and what is changed.

    Returns
    -------
    bytes
        A stream that lies where no checksum can tell.
    """
    parts = sections(data)
    place = chance.randrange(len(parts))
    kind, payload = parts[place]
    parts[place] = (kind, mutated(payload, chance))
    return joined(parts)


def lying(data: bytes, chance: random.Random) -> bytes:
    """Change sections of a stream and what they claim, and make all checksums right again.

    Parameters
    ----------
    data : bytes
        An intact stream.
    chance : random.Random
        Source of chance; draws the sections and what becomes of them.

    Returns
    -------
    bytes
        A stream that lies where no checksum can tell: bytes are changed, numbers made large, sections
        repeated, taken away or put in another place.
    """
    parts = sections(data)
    for _ in range(chance.choice((1, 1, 2, 3))):
        place = chance.randrange(len(parts))
        kind, payload = parts[place]
        action = chance.randrange(8)
        if action < 4:
            parts[place] = kind, mutated(payload, chance)
        elif action < 6:
            parts[place] = kind, _inflated(payload, chance)
        elif action == 6:
            parts.insert(chance.randrange(len(parts) + 1), parts[place])
        elif len(parts) > 1:
            del parts[place]
    return joined(parts)


def _inflated(payload: bytes, chance: random.Random) -> bytes:
    """Put a large number in place of a byte, as containers write numbers."""
    at = chance.randrange(max(len(payload), 1))
    value = chance.choice((1 << 14, 1 << 16, 1 << 20, 1 << 24, 1 << 31, 1 << 40, (1 << 64) - 1))
    value -= chance.randrange(3)
    return payload[:at] + write_varint(value) + payload[at + 1 :]
