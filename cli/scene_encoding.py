"""Encoding of one scene in a file, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bandfold.common.errors import OutputError

from .encode_options import StreamingOptions
from .kept_inputs import keep_input
from .packet_output import PacketOutput, write_packets
from .stream_output import Output, stream_output

if TYPE_CHECKING:
    from bandfold.common.scene import SceneInfo
    from bandfold.formats.block_source import BlockSource
    from bandfold.onboard.downlink.packets import PacketSettings
    from bandfold.onboard.settings import EncoderSettings


@dataclass(frozen=True)
class Encoded:
    """What was written.

    Parameters
    ----------
    info : SceneInfo
        What was encoded.
    size : int
        Bytes of the stream.
    packets : dict or None
        What was written of its packets, if it was sent as packets.
    engines : tuple of str
        What ran the networks of a model.
    notes : tuple of str
        What the user should know, as of a target that was not met.
    """

    info: SceneInfo
    size: int
    packets: dict[str, Any] | None
    engines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def report(self, output: Path, seconds: float) -> dict[str, Any]:
        """Tell what was written, as JSON has it.

        Parameters
        ----------
        output : Path
            Where it was written to.
        seconds : float
            How long it took.

        Returns
        -------
        dict
            Sizes, rates, geometry and notes.
        """
        return {
            "output": str(output),
            "bytes": self.size,
            "bps": self._bps,
            "ratio": self._ratio,
            "seconds": seconds,
            **self.info.geometry,
            **({} if self.packets is None else {"packets": self.packets}),
            "notes": list(self.notes),
            "engine": ", ".join(self.engines) or None,
        }

    def text(self, output: Path, seconds: float) -> str:
        """Tell what was written in one line.

        Parameters
        ----------
        output : Path
            Where it was written to.
        seconds : float
            How long it took.

        Returns
        -------
        str
            Sizes and rates.
        """
        text = f"{output}: {self.size} bytes, {self._bps:.4f} bits per sample, {self._ratio:.1f} : 1"
        text += f", {seconds:.1f} s"
        if self.packets is not None:
            text += f"; {self.packets['packets']} packets, {self.packets['bytes']} bytes"
        return text

    @property
    def _bps(self) -> float:
        return self.size * 8 / self.info.count

    @property
    def _ratio(self) -> float:
        return self.info.count * self.info.dtype.itemsize / self.size


class Destination(NamedTuple):
    """Where a stream goes, and how.

    Parameters
    ----------
    path : Path
        File to write, or `bandfold.cli.standard_streams.STANDARD`.
    packets : PacketSettings or None
        How it is put into packets, if it is.
    streaming : StreamingOptions
        How a stream is written that is coded strip after strip.
    """

    path: Path
    packets: PacketSettings | None
    streaming: StreamingOptions

    @contextmanager
    def opened(self, *, piped: bool) -> Iterator[tuple[Output, PacketOutput | None]]:
        """Open the output of a stream, or that of its packets.

        Parameters
        ----------
        piped : bool
            Whether lines come from standard input.

        Yields
        ------
        output : Output
            Takes the sections of the stream.
        packets : PacketOutput or None
            Counts packets.
        """
        packed = self.packets is not None
        with stream_output(self.path, self.streaming, piped=piped, packed=packed) as output:
            sent = None if self.packets is None else PacketOutput(self.packets, output.write)
            yield (output, None) if sent is None else (Output(sent.write), sent)


def encode_file(
    scene: Path,
    source: BlockSource,
    settings: EncoderSettings,
    target: Destination,
    progress: Callable[[str, float], None],
) -> Encoded:
    """Encode a scene in a file, as a whole or as a stream.

    Parameters
    ----------
    scene : Path
        What the user has named.
    source : BlockSource
        The scene, opened.
    settings : EncoderSettings
        How it is coded.
    target : Destination
        Where it goes.
    progress : callable
        Called with a stage and the fraction done.

    Returns
    -------
    Encoded
        What was written.

    Raises
    ------
    SettingsError
        If the output is the scene itself.
    BandfoldError
        What the encoder, the scene or the output raises.
    """
    keep_input("the scene", [scene, source.path], [target.path])

    from bandfold.onboard import Encoder

    written = None
    encoder = Encoder(settings, progress=progress)
    if settings.stream:
        with target.opened(piped=False) as (output, sent):
            _check_begun(output, source)
            encoder.encode_in_parts(source, output.write, output.begun)
        size, written = output.size, None if sent is None else sent.report()
    elif target.packets is None:
        size = encoder.encode_to(source, target.path)
    else:
        data = encoder.encode(source)
        size, written = len(data), write_packets(data, target.packets, target.path)
    notes = (*source.notes, *encoder.notes)
    return Encoded(source.info, size, written, tuple(encoder.engines), notes)


def _check_begun(output: Output, source: BlockSource) -> None:
    """Refuse to continue a stream that has more lines than the scene."""
    if output.begun is not None and output.begun.lines > source.info.lines:
        raise OutputError(
            f"the stream that was begun has {output.begun.lines} lines, the scene {source.info.lines}: "
            "it is that of another scene"
        )
