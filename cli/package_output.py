"""Packages that commands write: how they are named, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bandfold.common.errors import SettingsError

from .console import tell

if TYPE_CHECKING:
    from bandfold.bitstream.packages.package import Package


def check_package_name(output: Path) -> None:
    """Refuse an output that is not named like a package, before any work is done.

    Parameters
    ----------
    output : Path
        The file that will be written.

    Raises
    ------
    SettingsError
        If it does not end in .bfm.
    """
    from bandfold.bitstream.packages.package import SUFFIX

    if output.suffix != SUFFIX:
        raise SettingsError(f"output {output} is no package: give it a name that ends in {SUFFIX}")


def tell_package(
    saved: Package, output: Path, seconds: float, what: str, details: dict[str, Any], *, as_json: bool
) -> None:
    """Tell which package was written.

    Parameters
    ----------
    saved : Package
        The package.
    output : Path
        Its file.
    seconds : float
        Time that making it took.
    what : str
        What it holds, in words.
    details : dict
        The same, ready for JSON.
    as_json : bool
        Tell it as JSON.
    """
    size = output.stat().st_size
    about = {"output": str(output), "name": saved.name, "hash": saved.digest.hex(), "bytes": size}
    text = f"{output}: {saved.name} ({saved.identity.hex()}), {what}, {size} bytes, {seconds:.1f} s"
    tell({**about, "seconds": seconds, **details}, text, as_json=as_json)
