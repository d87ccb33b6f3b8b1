"""Encoding lines as an instrument delivers them: a strip is held, coded, written and forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import LARGEST_DIMENSION
from bandfold.common.errors import SceneError, SettingsError
from bandfold.common.scene import SceneInfo
from bandfold.common.workers import one_blas_thread

from .decoding_cost import decoding_notes
from .samples.held_strips import HeldStrips
from .samples.samples import HeldLines
from .settings import EncoderSettings, SettingsFields, settings_of
from .stream_strips import StreamStrips
from .strip_height import strip_height

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .downlink.resume import Begun


class StreamEncoder:
    """Encodes lines of which nobody knows yet how many will come.

    What comes out does not depend on how the lines are handed over, and is what `bandfold.onboard.Encoder`
    gives for the whole scene with ``stream=True`` and the same settings. Memory goes with the strip.

    Parameters
    ----------
    info : SceneInfo
        What the lines are: bands, samples, type, ... The number of lines is not used.
    write : callable
        Called with every section, as bytes, as soon as it is finished; the preamble comes with the header.
    settings : EncoderSettings, optional
        What to aim at, and how: `bps`, `psnr`, `rmse` or `step`.
    begun : Begun, optional
        A stream that was cut off and is to be continued: what is written goes behind it.
    **fields
        The fields of `EncoderSettings` one by one, in place of `settings`.

    Raises
    ------
    SettingsError
        If settings contradict each other or are out of range, or are not those of the stream that was begun:
        it says which. Of its lines nothing is known, only of their number.
    ModelError
        If a package or the tables are unknown or cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> sections = []
    >>> info = SceneInfo(8, 1, 16, np.dtype("uint16"), interleave="bil")
    >>> encoder = StreamEncoder(info, sections.append, step=4.0)
    >>> for line in range(20):
    ...     encoder.push(np.full((1, 8, 16), line, dtype=np.uint16))
    >>> encoder.flush()
    >>> encoder.lines
    20
    """

    def __init__(
        self,
        info: SceneInfo,
        write: Callable[[bytes], object],
        settings: EncoderSettings | None = None,
        *,
        begun: Begun | None = None,
        **fields: Unpack[SettingsFields],
    ) -> None:
        if settings is None:
            fields["stream"] = True
        self.settings = replace(settings_of(settings, fields), stream=True)
        height = self.settings.strip_lines
        if height is None and begun is not None:
            # A stream goes on as it began, whatever is usual today.
            height = begun.header.strip_lines
        height = strip_height(info, height, predicted=self.settings.model is not None, stream=True)
        self.settings = replace(self.settings, strip_lines=height)
        self._info = replace(info, lines=1)
        self._write = write
        # What a stream that was begun has before is not known.
        self._sent = None if begun is not None else 0
        self._strips = StreamStrips(info, self.settings, begun)
        self._held = HeldStrips()
        self._ended, self._low = False, begun is not None and begun.low
        self._strip: NDArray[Any] | None = None
        self._fill = 0
        self._band = self._frame = 0

    @property
    def lines(self) -> int:
        """Lines that were handed over, and lines of the stream that was begun."""
        return self._strips.lines + self._held.lines + self._fill

    @property
    def engines(self) -> tuple[str, ...]:
        """What ran the network of the model so far; empty without one."""
        return self._strips.engines

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the samples, and of the finished stream."""
        if not self._ended or self._sent is None:
            return self._strips.notes
        bounded = bool(self.settings.limits)
        return self._strips.notes + decoding_notes(
            self._sent, self._strips.header, self._strips.components, bounded=bounded
        )

    @property
    def suspect(self) -> list[slice]:
        """Lines coded between the last look at memory that found nothing and one that found flipped bits."""
        return self._strips.suspect

    def push(self, lines: NDArray[Any]) -> None:
        """Take lines in the order of a push-broom instrument.

        Parameters
        ----------
        lines : ndarray, shape (count, bands, samples)
            Any number of lines, band interleaved by line.

        Raises
        ------
        SceneError
            If they are no such lines, or cannot be coded.
        SettingsError
            If the stream is finished, or a frame is not.
        BudgetError
            If a strip does not fit the rate.
        """
        wanted = (len(lines) if lines.ndim else 0, self._info.bands, self._info.samples)
        if lines.shape != wanted:
            raise SceneError(
                f"lines of shape {lines.shape} do not fit: give (lines, bands, samples) {wanted}"
            )
        self._check_open()
        if self._band:
            raise SettingsError(
                f"a frame ends after {self._band} of {self._info.bands} bands: hand over the rest"
            )
        done = 0
        while done < len(lines):
            count = min(len(lines) - done, self.settings.segment_lines - self._fill)
            self._take(slice(None), lines[done : done + count].transpose(1, 0, 2), self._fill)
            self._advance(count)
            done += count

    def push_band(self, plane: NDArray[Any]) -> None:
        """Take one band of a frame, in the order of a framing camera: all bands of some lines, one by one.

        Parameters
        ----------
        plane : ndarray, shape (lines, samples)
            The next band. All bands of a frame have as many lines, and those of a frame must fit into what is
            left of a strip.

        Raises
        ------
        SceneError, SettingsError, BudgetError
            As for `push`.
        """
        self._check_open()
        if plane.ndim != 2 or plane.shape[1] != self._info.samples or not len(plane):
            raise SceneError(f"band of shape {plane.shape} does not fit: give (lines, {self._info.samples})")
        if self._band == 0:
            self._frame = len(plane)
        if len(plane) != self._frame:
            raise SceneError(
                f"band {self._band} of a frame has {len(plane)} lines, those before have {self._frame}"
            )
        left = self.settings.segment_lines - self._fill
        if self._frame > left:
            raise SettingsError(
                f"a frame of {self._frame} lines does not fit into the {left} that are left of a strip: "
                "make strips as high as frames, or a multiple"
            )
        self._take(slice(self._band, self._band + 1), plane[None], self._fill)
        self._band += 1
        if self._band == self._info.bands:
            self._band = 0
            self._advance(self._frame)

    def flush(self) -> None:
        """Code the lines that are left and finish the stream; nothing happens the second time.

        Raises
        ------
        IntegrityError
            If bits in memory have flipped, and what was loaded cannot be loaded again.
        SceneError
            If no line was handed over.
        SettingsError
            If a frame is not finished.
        BudgetError
            If the last strip does not fit the rate.
        """
        if self._ended:
            return
        if self._band:
            raise SettingsError(
                f"a frame ends after {self._band} of {self._info.bands} bands: hand over the rest"
            )
        if self._fill:
            self._code()
        self._code_held()
        if not self._strips.lines:
            raise SceneError("there are no lines: a stream has at least one")
        for section in self._strips.end():
            self._send(section)
        self._ended = True
        self._strip = None

    def _send(self, section: bytes) -> None:
        self._write(section)
        if self._sent is not None:
            self._sent += len(section)

    def _check_open(self) -> None:
        if self._ended:
            raise SettingsError("the stream is finished: begin another one")
        if self._low:
            raise SettingsError(
                "the last strip of the stream that was begun is a low one: no lines can follow"
            )

    def _take(self, bands: slice, block: NDArray[Any], line: int) -> None:
        """Copy samples into the strip."""
        if block.dtype.newbyteorder("=") != self._info.dtype:
            raise SceneError(f"samples are {block.dtype}, the stream is of {self._info.dtype}")
        if self.lines + block.shape[1] > LARGEST_DIMENSION:
            raise SceneError(f"a stream has {LARGEST_DIMENSION} lines at most: begin another one")
        if self._strip is None:
            shape = (self._info.bands, self.settings.segment_lines, self._info.samples)
            self._strip = np.zeros(shape, dtype=self._info.dtype)
        self._strip[bands, line : line + block.shape[1]] = block

    def _advance(self, count: int) -> None:
        self._fill += count
        if self._fill == self.settings.segment_lines:
            self._code()

    def _code(self) -> None:
        """Code the lines of a strip, and write them."""
        if self._strip is None:
            raise ValueError("there is no strip")
        strip = self._strip[:, : self._fill]
        if self._strips.awaits_values and self._held.take(strip):
            self._fill = 0
            return
        if self._held.lines:
            self._strips.plan_counts(HeldLines(strip, self._info, self.lines - self._fill))
            self._code_held()
        self._fill = 0
        self._code_strip(strip)

    def _code_held(self) -> None:
        """Code the strips that were held back."""
        for strip in self._held.release(self._info.samples):
            self._code_strip(strip)

    @one_blas_thread()
    def _code_strip(self, strip: NDArray[Any]) -> None:
        for section in self._strips.code(HeldLines(strip, self._info, self._strips.lines)):
            self._send(section)
