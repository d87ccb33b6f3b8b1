"""What reading a stream may cost: memory and work, charged for what it claims before that is built.

A few bytes can claim anything: a header tells any number of lines, and numbers that are zero take no bytes at
all. So each stream has a budget that grows with its bytes, above what streams of encoders need. What is
charged is what is done: samples that are written, and latents that are not zero.
"""

from __future__ import annotations

from threading import Lock

from bandfold.common.errors import MemoryLimitError
from bandfold.common.scene import SceneInfo

LEAST_MEMORY = 256 << 20
"""Bytes that any stream may take, however short it is."""

MEMORY_OF_BYTE = 2621
"""Bytes of memory for each byte of a longer stream: as many as `LEAST_MEMORY` for 100 kB."""

LEAST_WORK = 1 << 25
"""Units of work that any stream may take, each some 20 nanoseconds of one processor core."""

WORK_OF_BYTE = 1 << 10
"""Units of work for each byte of longer streams: at 0.001 bits per sample a byte tells 8000 samples."""

STRIP_WORK = 1 << 12
"""Units of work for each strip that a stream claims, whether it is there or not."""

SAMPLE_SHARE = 10
"""Samples to a unit of work: those that are written, and once more each where they are scaled, and where some
may have no data."""

PRODUCT_SHARE = 1 << 7
"""Products of a component and a band, for each pixel, to a unit of work."""

ZERO_SHARE = 1 << 3
"""Latents that are not read, and are zero, to a unit of work."""

PLANE_WORK, SCALED_PLANE_WORK = 1 << 5, 1 << 8
"""Units of work for each band of each strip, however small; more where it is scaled by itself."""

LIVE_SHARE = 1 << 1
"""Latents of components that are not all zero, which go through the inverse transforms, to a unit of work."""

ROTATED_COMPONENTS = 1 << 5
"""Components of a rotation that add a unit of work to the one that each rotated latent takes."""

LATENT_WORK = 1
"""Units of work for each latent that is read."""

RESTORE_WORK = 1 << 6
"""Units of work for each latent that is restored, in a budget of its own: without restoration a scene can be
decoded all the same."""

RESTORE_FACTOR = 1 << 1
"""Times the work, for each byte, that restoration may take."""

BLOCK_WORK = 1 << 8
"""Units of work for each block that chooses a rotation."""

NETWORK_WORK = 1 << 5
"""Units of work for each sample that networks of a model make."""

NETWORK_FACTOR = 1 << 4
"""Times the work, for each byte, that streams of models may take."""

PREDICTED_FACTOR = 1 << 2
"""Times the work, for each byte, that streams of predicted bands may take, of which all latents are read."""

PREDICTED_SHARE = 1 << 1
"""Samples that are predicted to a unit of work."""

UNLIMITED = 1 << 80
"""Bytes of memory, or units of work, that nothing exceeds."""

_ADVICE = "decode fewer lines or bands, or give --trusted (trusted=True) if you know where it comes from"


class StreamBudget:
    """Memory and work that one stream may take.

    Parameters
    ----------
    nbytes : int
        Bytes of the stream, or of the part of it that is read.
    memory_limit : int, optional
        Bytes of memory at most, however long the stream is; none without.
    trusted : bool
        Whether the stream may take all of the memory limit, and any work.
    factor : int
        Times the work for each byte that streams of this kind may take.

    Attributes
    ----------
    memory_limit : int
        Bytes of memory that it may take at a time.
    trusted : bool
        As given.
    """

    def __init__(
        self, nbytes: int, memory_limit: int | None = None, *, trusted: bool = False, factor: int = 1
    ) -> None:
        asked = UNLIMITED if memory_limit is None else memory_limit
        self.memory_limit = asked if trusted else min(asked, max(LEAST_MEMORY, MEMORY_OF_BYTE * nbytes))
        self.trusted = trusted
        self._nbytes, self._asked = nbytes, asked
        self._left = UNLIMITED if trusted else max(LEAST_WORK, WORK_OF_BYTE * factor * nbytes)
        self._lock = Lock()

    def again(self, factor: int = 1) -> StreamBudget:
        """The same budget with nothing spent, for another pass over the strips of the stream.

        Parameters
        ----------
        factor : int
            Times the work for each byte that streams of this kind may take.

        Returns
        -------
        StreamBudget
        """
        return StreamBudget(self._nbytes, self._asked, trusted=self.trusted, factor=factor)

    def work(self, units: int, what: str) -> None:
        """Charge work before it is done; several threads may do so.

        Parameters
        ----------
        units : int
            Units of work, see `LEAST_WORK`.
        what : str
            What they are for, as the error message calls it.

        Raises
        ------
        MemoryLimitError
            If that is more than is left.
        """
        with self._lock:
            self._left -= units
            if self._left < 0:
                raise MemoryLimitError(
                    f"{self._nbytes} bytes claim more {what} than a stream of that size should: it is "
                    f"corrupt, or holds next to nothing; {_ADVICE}"
                )

    def samples(self, count: int, info: SceneInfo) -> None:
        """Charge samples that are written, whatever they are made of.

        Parameters
        ----------
        count : int
            How many.
        info : SceneInfo
            Says whether they are scaled, and whether some may have no data.

        Raises
        ------
        MemoryLimitError
            If that is more work than is left.
        """
        self.work(sample_work(count, info), "samples")

    def allows_restoration(self, latents: int) -> bool:
        """Whether latents may be restored.

        Parameters
        ----------
        latents : int
            Of the whole scene.

        Returns
        -------
        bool
        """
        return self.trusted or RESTORE_WORK * latents <= max(
            LEAST_WORK, WORK_OF_BYTE * RESTORE_FACTOR * self._nbytes
        )

    def memory(self, nbytes: int, what: str) -> None:
        """Refuse what takes more memory than the stream may.

        Parameters
        ----------
        nbytes : int
            Bytes that it takes.
        what : str
            What takes them, as the error message calls it.

        Raises
        ------
        MemoryLimitError
            If that is more than the limit.
        """
        if nbytes <= self.memory_limit:
            return
        need = f"{what} takes about {nbytes / 2**30:.1f} GiB to decode"
        if nbytes > self._asked:
            raise MemoryLimitError(
                f"{need}, the limit is {self._asked / 2**30:.1f} GiB: raise the limit (--memory-limit) "
                "if you trust the stream, or decode fewer lines or bands"
            )
        raise MemoryLimitError(
            f"{need}, of a stream of {self._nbytes} bytes the limit is {self.memory_limit / 2**30:.1f} GiB: "
            f"{_ADVICE}"
        )


def sample_work(count: int, info: SceneInfo) -> int:
    """Units of work that writing samples takes.

    Parameters
    ----------
    count : int
        How many.
    info : SceneInfo
        Says whether they are scaled, and whether some may have no data.

    Returns
    -------
    int
    """
    return count * (1 + (info.scaling is not None) + (info.no_data is not None)) // SAMPLE_SHARE
