"""Where a stream goes while it is made: to a file that grows, or to standard output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bandfold.common.errors import SettingsError, StreamError

from .console import warn
from .standard_streams import STANDARD, standard_output

if TYPE_CHECKING:
    from bandfold.onboard.downlink.resume import Begun

    from .encode_options import StreamingOptions


class Output:
    """Where a stream goes, and how much of it there is.

    Parameters
    ----------
    write : callable
        Takes the bytes of a section.
    size : int
        Bytes that are there already.
    begun : Begun or None
        What is to be continued.
    notes : sequence of str
        What the user should know of it, once it is sure that it can be continued.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        size: int = 0,
        begun: Begun | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._write = write
        self.size = size
        self.begun = begun
        self._notes = list(notes)

    def announce(self) -> None:
        """Say what is known of the stream that was begun; nothing the second time."""
        for note in self._notes:
            warn(note)
        self._notes.clear()

    def write(self, data: bytes) -> None:
        """Append a section.

        Parameters
        ----------
        data : bytes
            The whole section.
        """
        self.announce()
        self._write(data)
        self.size += len(data)


class WholeStrips:
    """Hands on what goes before a segment together with it: each write to a file waits for the disk.

    Parameters
    ----------
    write : callable
        Takes the bytes of sections.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        from bandfold.bitstream.container.sections import Section

        self._write = write
        self._held: list[bytes] = []
        # The first section comes with the signature, whose first byte is none of these.
        self._ends = (Section.SEGMENT, Section.REFINEMENT, Section.END)

    def write(self, data: bytes) -> None:
        """Take a section."""
        self._held.append(data)
        if data[0] in self._ends:
            self._write(b"".join(self._held))
            self._held.clear()


@contextmanager
def stream_output(
    path: Path, streaming: StreamingOptions, *, piped: bool, packed: bool = False
) -> Iterator[Output]:
    """Open the output of a stream.

    Parameters
    ----------
    path : Path
        A file, which grows as ``PATH.part`` and gets its name in the end, or `STANDARD`.
    streaming : StreamingOptions
        Whether to go on behind what an earlier run has left of it, or to begin anew in its place; what is
        there is refused otherwise.
    piped : bool
        Whether lines come from standard input, and cannot be had again.
    packed : bool
        Whether packets are written, not sections.

    Yields
    ------
    Output
        Counts what it writes, and says what was begun.

    Raises
    ------
    SettingsError
        If there is nothing to resume, or standard input does not begin where it is to go on.
    StreamError
        If what is there cannot be continued.
    OutputError
        If the output cannot be written, another process writes it, or an earlier run has left a part of it.
    """
    from bandfold.common.atomic_files import output_errors
    from bandfold.common.growing_file import Existing, GrowingFile, part_of

    if path == STANDARD:
        if streaming.resume:
            raise SettingsError("--resume needs a file: name the output of the run that was cut off")
        pipe = standard_output()

        def write(data: bytes) -> None:
            with output_errors("standard output"):
                pipe.write(data)
                pipe.flush()

        yield Output(write)
        return
    existing = Existing.DISCARD if streaming.overwrite else Existing.REFUSE
    if streaming.resume:
        existing = Existing.KEEP
        if not part_of(path).is_file():
            raise SettingsError(f"nothing to resume: there is no {part_of(path)}; leave out --resume")
    with GrowingFile(path, existing) as file:
        begun: Begun | None = None
        notes: list[str] = []
        if streaming.resume:
            begun, notes = _begun(file.part, file.read(), streaming.from_line, piped=piped)
            file.go_on_behind(begun.size if begun else 0)
        yield Output(file.write if packed else WholeStrips(file.write).write, file.size, begun, notes)


def _begun(part: Path, data: bytes, from_line: int | None, *, piped: bool) -> tuple[Begun | None, list[str]]:
    """What is to be continued, and what the user should know of it."""
    from bandfold.bitstream.container.packet_layout import PRIMARY_BYTES, TIME_BYTES, PacketHead
    from bandfold.onboard.downlink.resume import find_begun

    if PacketHead.unpack(data, PRIMARY_BYTES + TIME_BYTES) is not None:
        raise SettingsError(
            f"{part} holds packets, and --resume continues a stream: make one of them with "
            "'bandfold depacketise', and resume that"
        )
    try:
        begun = find_begun(data)
    except StreamError as error:
        raise StreamError(f"{part}: {error}") from error
    line, damage = (0, None) if begun is None else (begun.lines, begun.damage)
    kept = find_begun(data, keep_damaged=True) if piped and damage is not None else None
    if damage is not None and kept is not None and kept.lines != line:
        if from_line == kept.lines:
            return kept, [f"{part}: {damage.reason}, and stays so: going on with line {kept.lines}"]
        if from_line is None:
            raise SettingsError(
                f"{part}: {damage.reason}. Send lines from {line} on again, with --from-line {line}; or, if "
                f"they cannot be had again, those from {kept.lines} on, with --from-line {kept.lines}"
            )
    if from_line not in (None, line):
        raise SettingsError(
            f"--from-line {from_line}: what {part} lacks begins with line {line}; send lines from there on"
        )
    notes = []
    if damage is not None:
        lines = f"lines {damage.lines[0]}:{damage.lines[1]} ({damage.strips} strips)"
        again = "have to be sent again" if piped else "are coded again"
        notes = [f"{part}: {damage.reason}; cut back to line {line}: {lines} are lost and {again}"]
    notes.append(
        f"{line} lines are there already: going on with line {line}"
        if line
        else f"no strip of {part} is whole: beginning with line 0"
    )
    return begun, notes
