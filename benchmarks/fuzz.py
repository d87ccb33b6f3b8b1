"""Coverage-guided fuzzing of the container and the entropy decoder: ``python -m bandfold.benchmarks.fuzz``.

Needs atheris (``pip install atheris``), which is in no extra. Options are those of libFuzzer, such as
``-max_total_time=3600``, and a folder for inputs that found something new. It stops at the first error that
is not one of bandfold's own, and writes the input that caused it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from bandfold.benchmarks.damage.decode_trial import MEMORY_LIMIT
from bandfold.benchmarks.damage.mutations import joined, sections
from bandfold.benchmarks.damage.streams import small_streams
from bandfold.bitstream.container.sections import PREAMBLE, write_preamble
from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.payloads.payload import PayloadReader
from bandfold.common.errors import BandfoldError, SettingsError
from bandfold.ground import Decoder

TARGETS = 3
"""Kinds of inputs; the first byte of each says which one it is."""


STREAMS = [sections(data) for data in small_streams().values()]
"""Sections of intact streams, of which inputs replace one."""


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
    """Decode a stream as ``bandfold decode`` would.

    Parameters
    ----------
    data : bytes
        Anything, after a preamble.

    Raises
    ------
    BandfoldError
        If it is no stream.
    """
    decoder = Decoder(data, memory_limit=MEMORY_LIMIT)
    decoder.report()
    decoder.decode()


def read_values(data: bytes) -> None:
    """Read entropy-coded side information and values.

    Parameters
    ----------
    data : bytes
        The first byte says how many integers there are, the first 32 which table each value has; the payload
        is all but the first byte.

    Raises
    ------
    BandfoldError
        If it is no payload.
    """
    reader = PayloadReader(load_tables(), data[1:])
    reader.integers(data[0] % 16, 256)
    reader.values(np.frombuffer(data[:32], np.uint8).astype(np.int16) % 96)
    reader.finish()


def write_seeds(folder: Path) -> None:
    """Write inputs to begin with: every stream, and every section of each.

    Parameters
    ----------
    folder : Path
        Gets a file for each input.
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
