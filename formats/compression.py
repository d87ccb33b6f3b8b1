"""Lossless compression within files of formats that have it."""

from __future__ import annotations

from typing import NamedTuple

from bandfold.common.errors import SettingsError

METHODS: dict[str, dict[str, tuple[int, int] | None]] = {
    "geotiff": {"deflate": (1, 9), "zstd": (1, 22), "lzw": None},
    "netcdf": {"deflate": (1, 9)},
}
"""Methods of each format, with their levels if they have any."""

NAMES = ("none", "deflate", "zstd", "lzw")
"""All methods, as users name them."""


class Compression(NamedTuple):
    """How the samples of a file are packed; nothing of them is lost.

    Parameters
    ----------
    method : str
        One of `NAMES`.
    level : int, optional
        How hard it tries: higher is smaller and slower. Default: that of the format.
    """

    method: str = "none"
    level: int | None = None

    def check(self, kind: str) -> None:
        """Make sure that a format has it.

        Parameters
        ----------
        kind : str
            One of `bandfold.formats.file_formats.WRITTEN`.

        Raises
        ------
        SettingsError
            If it does not, or the level is not one of the method.
        """
        if self.method == "none":
            if self.level is not None:
                raise SettingsError(
                    "a compression level needs a method: add --compress deflate, or leave it out"
                )
            return
        methods = METHODS.get(kind, {})
        if self.method not in methods:
            known = f"has {', '.join(methods)}" if methods else "is not compressed this way"
            raise SettingsError(
                f"{kind} {known}: choose something else than --compress {self.method}, or leave it out"
            )
        levels = methods[self.method]
        if self.level is None:
            return
        if levels is None:
            raise SettingsError(f"{self.method} has no levels: leave out --compress-level")
        if not levels[0] <= self.level <= levels[1]:
            raise SettingsError(
                f"{self.method} has levels {levels[0]} to {levels[1]}, not {self.level}: choose one of these"
            )


UNCOMPRESSED = Compression()
"""Samples as they are."""
