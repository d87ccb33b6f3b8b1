"""Whether what decoding takes fits into the memory that it may take."""

from __future__ import annotations

from dataclasses import dataclass

from .parsed_stream import ParsedStream


@dataclass(frozen=True)
class MemoryBudget:
    """What decoding may take, and what decides how much it does.

    Parameters
    ----------
    threads : int
        Strips that are decoded at a time.
    bytes_per_latent : int
        Bytes that restoration takes for each latent of a strip, 0 without restoration.
    """

    threads: int = 1
    bytes_per_latent: int = 0

    def check(self, stream: ParsedStream, result: int = 0) -> None:
        """Refuse what exceeds the limit.

        Parameters
        ----------
        stream : ParsedStream
            Of which strips are decoded, under the folds read so far.
        result : int
            Bytes of an array that all decoded strips are gathered in.

        Raises
        ------
        MemoryLimitError
            If the result and the strips that are held at a time exceed the limit.
        """
        strip = stream.transforms.strip_memory + stream.transforms.strip_latents * self.bytes_per_latent
        # Besides those that are decoded, one is with the caller.
        count = min(self.threads + (self.threads > 1), stream.header.strip_count)
        need = result + strip * count
        stream.budget.memory(need, "it")
