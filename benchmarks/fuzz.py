"""Coverage-guided fuzzing of the container and the entropy decoder: ``python -m bandfold.benchmarks.fuzz``.

Needs atheris (``pip install atheris``), which is in no extra. Options are those of libFuzzer, such as
``-max_total_time=3600``, and a folder for inputs that found something new. It stops at the first error that
is not one of bandfold's own, and writes the input that caused it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bandfold.bitstream.container.sections import (
    PREAMBLE,
    Section,
    read_sections,
    write_preamble,
    write_section,
)
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.payload import PayloadReader
from bandfold.common.errors import BandfoldError, SettingsError

from .faults import MEMORY_LIMIT, small_streams

TARGETS = 3
"""The first byte of an input says what the others are."""


def sections(data: bytes) -> list[tuple[int, bytes]]:
    """Kinds and payloads of a stream."""
    return [(section.kind, section.payload) for section in read_sections(data)]


STREAMS = [sections(data) for data in small_streams().values()]
"""What inputs replace a part of."""


def joined(parts: list[tuple[int, bytes]]) -> bytes:
    """A stream of sections, all checksums right."""
    return write_preamble() + b"".join(write_section(Section(kind), payload) for kind, payload in parts)


def one_input(data: bytes) -> None:
    """Decode an input; errors that bandfold raises on purpose are fine.

    Parameters
    ----------
    data : bytes
        A byte that chooses, then a stream without its preamble, the payload of one section of a stream, or
        a payload of entropy-coded values.
    """
    if len(data) < 2:
        return
    choice, rest = data[0], data[1:]
    try:
        if choice % TARGETS == 0:
            decode(write_preamble() + rest)
        elif choice % TARGETS == 1:
            parts = list(STREAMS[choice // TARGETS % len(STREAMS)])
            place = rest[0] % len(parts)
            parts[place] = (parts[place][0], rest[1:])
            decode(joined(parts))
        else:
            read_values(rest)
    except BandfoldError:
        return


def decode(data: bytes) -> None:
    """Decode a stream as `bandfold decode` would."""
    from bandfold.ground import Decoder

    decoder = Decoder(data, memory_limit=MEMORY_LIMIT)
    decoder.report()
    decoder.decode()


def read_values(data: bytes) -> None:
    """Read side information and values, as many as the first byte says, with tables that the data choose."""
    import numpy as np

    reader = PayloadReader(load_tables(), data[1:])
    reader.integers(data[0] % 16, 256)
    reader.values(np.frombuffer(data[:32], np.uint8).astype(np.int16) % 96)
    reader.finish()


def write_seeds(folder: Path) -> None:
    """Write inputs to begin with: every stream, and every section of each.

    Parameters
    ----------
    folder : Path
        Of inputs.
    """
    for number, parts in enumerate(STREAMS):
        (folder / f"seed-{number}").write_bytes(b"\0" + joined(parts)[PREAMBLE:])
        for place, (_, payload) in enumerate(parts):
            choice = bytes([1 + TARGETS * number, place])
            (folder / f"seed-{number}-{place}").write_bytes(choice + payload)


def main() -> None:
    """Fuzz until told to stop; folders among the arguments get inputs to begin with."""
    try:
        import atheris
    except ImportError as error:
        raise SystemExit(str(SettingsError("fuzzing needs atheris: pip install atheris"))) from error
    for argument in sys.argv[1:]:
        if Path(argument).is_dir():
            write_seeds(Path(argument))
    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
